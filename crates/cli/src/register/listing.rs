//! Documents of the register, in one line each or in full.

use std::path::Path;

use anyhow::Context as _;
use convenant_model::{
    Digest, KeyId,
    covenant::CovenantText,
    documents::{
        DocumentKind, Enrolment, Mandate, ProjectDecision, Proposal, Resumption, Ruling, Suspension,
    },
    parse::{ParseError, from_json},
    register::Envelope as _,
};
use convenant_register::folder;
use convenant_signing::Jws;
use serde::Serialize;

use super::{Opened, listed};
use crate::{
    exit::{bad_evidence, usage},
    output,
};

/// A document in one line.
#[derive(Serialize)]
pub(super) struct Listed {
    index: u64,
    document: &'static str,
    hash: Digest,
    summary: String,
    signed_by: Vec<KeyId>,
}

impl Listed {
    pub(super) fn read(dir: &Path, index: u64) -> anyhow::Result<Self> {
        let (jws, kind) = parsed(dir, index)?;
        Ok(Self {
            index,
            document: kind.as_str(),
            hash: jws.payload_hash(),
            summary: output::shown(&summary(kind, jws.payload())?),
            signed_by: jws.key_ids().cloned().collect(),
        })
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.index.to_string(),
            self.document.to_owned(),
            self.hash.to_string(),
            format!("{} signature(s)", self.signed_by.len()),
            self.summary.clone(),
        ]
    }
}

pub(super) fn list(opened: &Opened, json: bool) -> anyhow::Result<()> {
    let documents = listed(opened)?;
    if json {
        return output::json(&documents);
    }
    let rows: Vec<_> = documents.iter().map(Listed::row).collect();
    output::columns(&rows).iter().try_for_each(|line| output::line(line))
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    listed: Listed,
    content: serde_json::Value,
}

pub(super) fn show(opened: &Opened, index: u64, json: bool) -> anyhow::Result<()> {
    let size = opened.register.position().size;
    if index >= size {
        return Err(usage(format!("the register has {size} documents, from 0 on")));
    }
    let listed = Listed::read(&opened.dir, index)?;
    let (jws, _) = parsed(&opened.dir, index)?;
    let content = serde_json::from_slice(jws.payload()).map_err(bad_evidence)?;
    if json {
        return output::json(&Shown { listed, content });
    }
    output::note(&format!("{} {}", listed.document, listed.hash));
    for key in &listed.signed_by {
        output::note(&format!("signed by key {key}"));
    }
    output::json(&content)
}

fn parsed(dir: &Path, index: u64) -> anyhow::Result<(Jws, DocumentKind)> {
    let bytes = folder::document(dir, index)?;
    let jws = Jws::parse(&bytes).map_err(bad_evidence)?;
    let kind = DocumentKind::ALL.into_iter().find(|kind| kind.media_type() == jws.typ());
    let kind = kind.with_context(|| format!("document {index} is of no known type"));
    Ok((jws, kind.map_err(bad_evidence)?))
}

fn summary(kind: DocumentKind, payload: &[u8]) -> Result<String, ParseError> {
    let name = kind.as_str();
    Ok(match kind {
        DocumentKind::Covenant => {
            let head = from_json::<CovenantText>(name, payload)?.covenant;
            format!("{} version {}: {}", head.id, head.version, head.title)
        }
        DocumentKind::Enrolment => {
            let one: Enrolment = from_json(name, payload)?;
            format!("{} {} ({}) until {}", one.partner, one.name, one.kind, one.valid_until)
        }
        DocumentKind::Proposal => {
            let one: Proposal = from_json(name, payload)?;
            format!("{} version {}: {}", one.project, one.version, one.title)
        }
        DocumentKind::Decision => {
            let one: ProjectDecision = from_json(name, payload)?;
            let ruling = if one.outcome == Ruling::Approved { "approved" } else { "rejected" };
            format!("{} {ruling}, {} to {}", one.project, one.valid_from, one.valid_until)
        }
        DocumentKind::Mandate => {
            let one: Mandate = from_json(name, payload)?;
            format!("{} {} holder(s) until {}", one.project, one.holder.len(), one.valid_until)
        }
        DocumentKind::Suspension => {
            let one: Suspension = from_json(name, payload)?;
            let of = one.partner.map_or_else(|| "all of it".to_owned(), |oin| format!("by {oin}"));
            format!("{} suspended ({of}) from {}", one.project, one.from)
        }
        DocumentKind::Resumption => {
            let one: Resumption = from_json(name, payload)?;
            format!("{} resumed from {}", one.project, one.from)
        }
    })
}
