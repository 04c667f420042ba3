//! Which documents of the register are about which project, by their place in it.

use std::collections::BTreeMap;

use convenant_model::{
    Digest, ProjectId,
    documents::{DocumentKind, Mandate, ProjectDecision},
    parse::from_json,
    register::{Decided, Envelope as _},
};
use convenant_signing::Jws;
use serde::Deserialize;

use crate::Documents;

/// The documents about projects.
#[derive(Debug, Default)]
pub(crate) struct Filed {
    of: BTreeMap<(ProjectId, DocumentKind), Vec<u64>>,
    /// By the hash of the payload, which is how documents name each other.
    by_hash: BTreeMap<Digest, u64>,
    decisions: Vec<(u64, ProjectDecision)>,
    mandates: Vec<(u64, Mandate)>,
}

/// What every document about a project has.
#[derive(Deserialize)]
struct About {
    project: ProjectId,
}

impl Filed {
    /// Files a document that was admitted.
    pub(crate) fn file(&mut self, index: u64, kind: DocumentKind, document: &[u8]) {
        let Ok(jws) = Jws::parse(document) else { return };
        let Ok(About { project }) = from_json("document", jws.payload()) else { return };
        self.of.entry((project, kind)).or_default().push(index);
        self.by_hash.insert(jws.payload_hash(), index);
        match kind {
            DocumentKind::Decision => {
                let read = from_json("decision", jws.payload()).ok();
                self.decisions.extend(read.map(|decision| (index, decision)));
            }
            DocumentKind::Mandate => {
                let read = from_json("mandate", jws.payload()).ok();
                self.mandates.extend(read.map(|mandate| (index, mandate)));
            }
            _ => {}
        }
    }

    /// The documents of one kind about a project.
    pub(crate) fn of(&self, project: &ProjectId, kind: DocumentKind) -> Documents {
        let of = self.of.get(&(project.clone(), kind));
        of.into_iter().flatten().copied().collect()
    }

    /// The document in which the LSI decided this: not any later one that leaves it in force.
    pub(crate) fn decision(&self, decided: &Decided) -> Option<u64> {
        let mut same = self.decisions.iter().filter(|(_, one)| *one == *decided.decision);
        same.next().map(|(index, _)| *index)
    }

    /// The document that gives a mandate.
    pub(crate) fn mandate(&self, mandate: &Mandate) -> Option<u64> {
        let mut same = self.mandates.iter().filter(|(_, one)| one == mandate);
        same.next().map(|(index, _)| *index)
    }

    /// The documents that others name by these hashes, in the order of the register.
    pub(crate) fn named(&self, hashes: impl IntoIterator<Item = Digest>) -> Documents {
        let mut found: Vec<_> =
            hashes.into_iter().filter_map(|hash| self.by_hash.get(&hash).copied()).collect();
        found.sort_unstable();
        found.into_iter().collect()
    }
}
