//! The register as a pure fold over signed documents. A document is admitted only if the state before
//! it allows it: who may sign it, and what it refers to. Whoever holds the documents and the root of
//! trust computes the same state, so nobody's word is needed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use thiserror::Error;

use crate::{
    covenant::Covenant,
    digest::Digest,
    documents::{DocumentKind, Enrolment, Holder, Mandate, ProjectDecision, Proposal, Suspension},
    ids::{Oin, ProjectId},
    keys::VerifyingKey,
    parse::ParseError,
    time::{Date, Timestamp},
};

mod admission;
mod suspending;

/// A signed document whose signatures can be checked. `signing` implements it for its JWS type.
pub trait Envelope {
    /// The protected header `typ`, the same in every signature.
    fn typ(&self) -> &str;
    /// The signed bytes: canonical JSON.
    fn payload(&self) -> &[u8];
    /// SHA-256 over the payload.
    fn payload_hash(&self) -> Digest;
    /// Whether one of the signatures verifies under this key.
    fn signed_by(&self, key: &VerifyingKey) -> bool;
}

/// What a party must be given from outside to trust a register: the keys of the LSI.
#[derive(Clone, Debug)]
pub struct RootOfTrust {
    /// The LSI's signing keys.
    pub lsi: Vec<VerifyingKey>,
    /// How many of them make a quorum.
    pub quorum: usize,
}

/// The state of a register after a number of documents.
#[derive(Clone, Debug)]
pub struct RegisterState {
    root: Arc<RootOfTrust>,
    covenant: Option<CovenantInForce>,
    enrolments: BTreeMap<Oin, Arc<Enrolment>>,
    projects: BTreeMap<ProjectId, Project>,
    // By their payload, because signatures can be reordered or made anew.
    admitted: BTreeSet<Digest>,
}

/// The latest version of the covenant.
#[derive(Clone, Debug)]
pub struct CovenantInForce {
    /// The covenant.
    pub covenant: Arc<Covenant>,
    /// SHA-256 over its canonical bytes.
    pub hash: Digest,
}

/// A project as far as the register knows it.
#[derive(Clone, Debug, Default)]
pub struct Project {
    proposals: BTreeMap<Digest, Arc<Proposal>>,
    decided: Option<Decided>,
    mandates: Vec<Arc<Mandate>>,
    // By the hash of its payload, which is how a resumption names it.
    suspensions: BTreeMap<Digest, Suspended>,
}

/// A suspension, and from when on it no longer holds.
#[derive(Clone, Debug)]
struct Suspended {
    suspension: Arc<Suspension>,
    resumed: Option<Timestamp>,
}

/// The decision on a project together with what was decided on.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Hash of the proposal that was decided on.
    pub hash: Digest,
    /// That proposal.
    pub proposal: Arc<Proposal>,
    /// The decision.
    pub decision: Arc<ProjectDecision>,
}

/// Why a document is not admitted.
#[derive(Clone, Debug, Error)]
pub enum AdmissionError {
    /// The header `typ` is not that of a document.
    #[error("`{0}` is not a type of document")]
    Type(String),
    /// The payload is not a document of its type.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The same document was admitted before.
    #[error("{kind}: the same document was admitted before", kind = kind.as_str())]
    Repeated {
        /// Kind of the document.
        kind: DocumentKind,
    },
    /// Fewer of the LSI's keys signed than a quorum.
    #[error("{kind}: signed by {signed} of the LSI's keys, the quorum is {quorum}", kind = kind.as_str())]
    Quorum {
        /// Kind of the document.
        kind: DocumentKind,
        /// Number of valid signatures of the LSI.
        signed: usize,
        /// Number needed.
        quorum: usize,
    },
    /// An organisation that must sign did not.
    #[error("{kind}: the signature of `{partner}` is missing or does not verify", kind = kind.as_str())]
    Signature {
        /// Kind of the document.
        kind: DocumentKind,
        /// Whose signature.
        partner: Oin,
    },
    /// A member says what the state does not allow.
    #[error("{kind}: member `{member}`: {fault}", kind = kind.as_str())]
    Member {
        /// Kind of the document.
        kind: DocumentKind,
        /// Path of the member.
        member: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl RegisterState {
    /// The state of an empty register.
    #[must_use]
    pub fn new(root: RootOfTrust) -> Self {
        Self {
            root: Arc::new(root),
            covenant: None,
            enrolments: BTreeMap::new(),
            projects: BTreeMap::new(),
            admitted: BTreeSet::new(),
        }
    }

    /// Admits the next document, or leaves the state as it was.
    ///
    /// # Errors
    /// When a signature is missing, or the document says what the state does not allow.
    pub fn admit(&mut self, envelope: &impl Envelope) -> Result<DocumentKind, AdmissionError> {
        let kind = DocumentKind::ALL.into_iter().find(|kind| kind.media_type() == envelope.typ());
        let kind = kind.ok_or_else(|| AdmissionError::Type(envelope.typ().to_owned()))?;
        // An old decision or enrolment, shown again, would undo a later one.
        let payload = envelope.payload_hash();
        if self.admitted.contains(&payload) {
            return Err(AdmissionError::Repeated { kind });
        }
        match kind {
            DocumentKind::Covenant => self.admit_covenant(envelope)?,
            DocumentKind::Enrolment => self.admit_enrolment(envelope)?,
            DocumentKind::Proposal => self.admit_proposal(envelope)?,
            DocumentKind::Decision => self.admit_decision(envelope)?,
            DocumentKind::Mandate => self.admit_mandate(envelope)?,
            DocumentKind::Suspension => self.admit_suspension(envelope)?,
            DocumentKind::Resumption => self.admit_resumption(envelope)?,
        }
        self.admitted.insert(payload);
        Ok(kind)
    }

    /// Number of documents admitted.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.admitted.len() as u64
    }

    /// The latest covenant.
    #[must_use]
    pub const fn covenant(&self) -> Option<&CovenantInForce> {
        self.covenant.as_ref()
    }

    /// The latest enrolment of an organisation, whether or not it holds today.
    #[must_use]
    pub fn enrolment(&self, oin: &Oin) -> Option<&Arc<Enrolment>> {
        self.enrolments.get(oin)
    }

    /// The latest enrolment of each organisation.
    pub fn enrolments(&self) -> impl Iterator<Item = &Arc<Enrolment>> {
        self.enrolments.values()
    }

    /// A project.
    #[must_use]
    pub fn project(&self, id: &ProjectId) -> Option<&Project> {
        self.projects.get(id)
    }

    /// Every project, by id.
    pub fn projects(&self) -> impl Iterator<Item = (&ProjectId, &Project)> {
        self.projects.iter()
    }
}

impl Enrolment {
    /// Whether the enrolment holds on a day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        (self.valid_from..=self.valid_until).contains(&day)
    }
}

impl Project {
    /// The latest decision of the LSI and what it was on; `None` while nothing was decided.
    #[must_use]
    pub const fn decided(&self) -> Option<&Decided> {
        self.decided.as_ref()
    }

    /// The proposal with this hash.
    #[must_use]
    pub fn proposal(&self, hash: &Digest) -> Option<&Arc<Proposal>> {
        self.proposals.get(hash)
    }

    /// The latest version of the proposal, decided or not.
    #[must_use]
    pub fn latest(&self) -> Option<(&Digest, &Arc<Proposal>)> {
        self.proposals.iter().max_by_key(|(_, proposal)| proposal.version)
    }

    /// Every mandate given for the project.
    #[must_use]
    pub fn mandates(&self) -> &[Arc<Mandate>] {
        &self.mandates
    }

    /// The suspension of the whole project that holds at an instant.
    #[must_use]
    pub fn suspended(&self, at: Timestamp) -> Option<&Suspension> {
        self.suspensions_at(at).find(|suspension| suspension.partner.is_none())
    }

    /// The suspension by this partner of what it provides that holds at an instant.
    #[must_use]
    pub fn withheld(&self, by: &Oin, at: Timestamp) -> Option<&Suspension> {
        self.suspensions_at(at).find(|suspension| suspension.partner.as_ref() == Some(by))
    }

    fn suspensions_at(&self, at: Timestamp) -> impl Iterator<Item = &Suspension> {
        let holds = move |one: &&Suspended| {
            one.suspension.from <= at && one.resumed.is_none_or(|resumed| at < resumed)
        };
        self.suspensions.values().filter(holds).map(|one| one.suspension.as_ref())
    }

    /// The mandates on the decided proposal that hold on a day and name this key, with the holder.
    pub fn mandates_of<'a>(
        &'a self,
        key: &'a VerifyingKey,
        day: Date,
    ) -> impl Iterator<Item = (&'a Mandate, &'a Holder)> {
        let decided = self.decided.as_ref().map(|decided| decided.hash);
        self.mandates
            .iter()
            .filter(move |mandate| Some(mandate.proposal) == decided)
            .filter(move |mandate| (mandate.valid_from..=mandate.valid_until).contains(&day))
            .filter_map(move |mandate| {
                let holder = mandate.holder.iter().find(|holder| holder.key == *key)?;
                Some((mandate.as_ref(), holder))
            })
    }
}
