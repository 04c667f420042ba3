//! The register as a pure fold over signed documents. A document is admitted only if the state before
//! it allows it: who may sign it, and what it refers to. Whoever holds the documents and the root of
//! trust computes the same state, so nobody's word is needed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use thiserror::Error;

use crate::{
    covenant::Covenant,
    digest::Digest,
    documents::{Designation, DocumentKind, Enrolment},
    ids::{GoalId, Oin, ProjectId},
    keys::VerifyingKey,
    parse::ParseError,
    shared::SharedMap,
    time::{Date, Timestamp},
};

mod breach;
mod deciding;
mod duties;
mod ending;
mod organisations;
mod project;
mod proposing;
mod signed;
mod suspending;
mod texts;

pub use breach::{Breach, Fault};
pub use duties::{Actor, Duty, LastDays, Task, Terms};
pub use project::{Answer, Decided, Project, ProjectState};

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

/// The state of a register after a number of documents. A copy shares with it what grows with the documents.
#[derive(Clone, Debug)]
pub struct RegisterState {
    root: Arc<RootOfTrust>,
    covenant: Option<CovenantInForce>,
    // The signing keys with which organisations acceded that are not enrolled since.
    accessions: BTreeMap<Oin, BTreeSet<VerifyingKey>>,
    enrolments: BTreeMap<Oin, Arc<Enrolment>>,
    // Every enrolment there ever was, by the number of documents with which it came.
    enrolled: BTreeMap<(Oin, u64), Arc<Enrolment>>,
    departed: BTreeMap<Oin, Timestamp>,
    // The keys that each organisation ever had or gave a mandate to, and those of them that were revoked. A
    // key is revoked for its organisation alone: whoever names the key of another cannot disable it.
    keys: SharedMap<(Oin, VerifyingKey), ()>,
    revoked: BTreeMap<(Oin, VerifyingKey), Timestamp>,
    designations: BTreeMap<GoalId, Vec<Arc<Designation>>>,
    projects: SharedMap<ProjectId, Arc<Project>>,
    // By their payload, because signatures can be reordered or made anew.
    admitted: SharedMap<Digest, ()>,
}

/// The latest version of the covenant.
#[derive(Clone, Debug)]
pub struct CovenantInForce {
    /// The covenant.
    pub covenant: Arc<Covenant>,
    /// SHA-256 over its canonical bytes.
    pub hash: Digest,
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
    /// It says what the covenant or the state does not allow.
    #[error("{kind}: {faults}", kind = kind.as_str(), faults = Listed(faults))]
    Faults {
        /// Kind of the document.
        kind: DocumentKind,
        /// Everything that is wrong; never empty.
        faults: Vec<Fault>,
    },
}

struct Listed<'a>(&'a [Fault]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl RegisterState {
    /// The state of an empty register.
    #[must_use]
    pub fn new(root: RootOfTrust) -> Self {
        Self {
            root: Arc::new(root),
            covenant: None,
            accessions: BTreeMap::new(),
            enrolments: BTreeMap::new(),
            enrolled: BTreeMap::new(),
            departed: BTreeMap::new(),
            keys: SharedMap::default(),
            revoked: BTreeMap::new(),
            designations: BTreeMap::new(),
            projects: SharedMap::default(),
            admitted: SharedMap::default(),
        }
    }

    /// Admits the next document, or leaves the state as it was.
    ///
    /// # Errors
    /// When a signature is missing, or the document says what the state does not allow.
    pub fn admit(&mut self, envelope: &impl Envelope) -> Result<DocumentKind, AdmissionError> {
        let kind = DocumentKind::from_media_type(envelope.typ());
        let kind = kind.ok_or_else(|| AdmissionError::Type(envelope.typ().to_owned()))?;
        // An old decision or enrolment, shown again, would undo a later one.
        let payload = envelope.payload_hash();
        if self.admitted.contains_key(&payload) {
            return Err(AdmissionError::Repeated { kind });
        }
        match kind {
            DocumentKind::Covenant => self.admit_covenant(envelope)?,
            DocumentKind::Accession => self.admit_accession(envelope)?,
            DocumentKind::Enrolment => self.admit_enrolment(envelope)?,
            DocumentKind::Departure => self.admit_departure(envelope)?,
            DocumentKind::Revocation => self.admit_revocation(envelope)?,
            DocumentKind::Designation => self.admit_designation(envelope)?,
            DocumentKind::Proposal => self.admit_proposal(envelope)?,
            DocumentKind::Attestation => self.admit_attestation(envelope)?,
            DocumentKind::Decision => self.admit_decision(envelope)?,
            DocumentKind::Mandate => self.admit_mandate(envelope)?,
            DocumentKind::Extension => self.admit_extension(envelope)?,
            DocumentKind::Suspension => self.admit_suspension(envelope)?,
            DocumentKind::Resumption => self.admit_resumption(envelope)?,
            DocumentKind::Withdrawal => self.admit_withdrawal(envelope)?,
            DocumentKind::Closure => self.admit_closure(envelope)?,
            DocumentKind::Feedback => self.admit_feedback(envelope)?,
            DocumentKind::Destruction => self.admit_destruction(envelope)?,
            DocumentKind::FinalReport => self.admit_final_report(envelope)?,
            DocumentKind::Securing => self.admit_securing(envelope)?,
        }
        self.admitted.add(payload, ());
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

    /// Whether a key is one of the LSI's.
    #[must_use]
    pub fn is_of_lsi(&self, key: &VerifyingKey) -> bool {
        self.root.lsi.contains(key)
    }

    /// The latest enrolment of an organisation, whether or not it holds today.
    #[must_use]
    pub fn enrolment(&self, oin: &Oin) -> Option<&Arc<Enrolment>> {
        self.enrolments.get(oin)
    }

    /// The enrolment that was an organisation's latest when the register had so many documents: a query
    /// names its register, so all agree on the keys that it meets.
    #[must_use]
    pub fn enrolment_when(&self, oin: &Oin, documents: u64) -> Option<&Arc<Enrolment>> {
        let mut until = self.enrolled.range((oin.clone(), 0)..=(oin.clone(), documents));
        until.next_back().map(|(_, enrolment)| enrolment)
    }

    /// Every enrolment that an organisation ever had, the first one first.
    pub fn enrolments_of(&self, oin: &Oin) -> impl Iterator<Item = &Arc<Enrolment>> {
        let all = self.enrolled.range((oin.clone(), 0)..=(oin.clone(), u64::MAX));
        all.map(|(_, enrolment)| enrolment)
    }

    /// The enrolment of an organisation that may read every ledger at an instant: an auditor's, under the
    /// conditions of [`Self::enrolment_at`].
    #[must_use]
    pub fn auditor_at(&self, oin: &Oin, at: Timestamp) -> Option<&Arc<Enrolment>> {
        self.enrolment_at(oin, at).filter(|one| one.kind.as_str() == organisations::AUDITOR)
    }

    /// The ledger keys that an organisation ever had, the newest first, without those that are revoked at
    /// an instant: a ledger is signed with the former key until its party starts with the next one.
    pub fn ledger_keys_at(&self, oin: &Oin, at: Timestamp) -> impl Iterator<Item = &VerifyingKey> {
        let all: Vec<_> = self.enrolments_of(oin).map(|one| &one.ledger_key).collect();
        all.into_iter().rev().filter(move |key| !self.is_revoked(oin, key, at))
    }

    /// The keys that an organisation ever had or gave a mandate to, revoked ones too.
    pub fn keys_of(&self, oin: &Oin) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter().filter(move |((holder, _), ())| holder == oin).map(|((_, key), ())| key)
    }

    /// The enrolment of an organisation with which it may exchange data at an instant: it holds that
    /// day, the organisation has not left, and neither its signing key nor its ledger key was revoked.
    #[must_use]
    pub fn enrolment_at(&self, oin: &Oin, at: Timestamp) -> Option<&Arc<Enrolment>> {
        let enrolment = self.enrolments.get(oin)?;
        let keys = [&enrolment.signing_key, &enrolment.ledger_key];
        let sound =
            !self.has_left(oin, at) && !keys.into_iter().any(|key| self.is_revoked(oin, key, at));
        (sound && enrolment.holds_on(at.date())).then_some(enrolment)
    }

    /// Whether an organisation has left the covenant by an instant.
    #[must_use]
    pub fn has_left(&self, oin: &Oin, at: Timestamp) -> bool {
        self.departed.get(oin).is_some_and(|from| *from <= at)
    }

    /// Whether a key of an organisation was revoked from this instant on, or from an earlier one.
    #[must_use]
    pub fn is_revoked(&self, oin: &Oin, key: &VerifyingKey, at: Timestamp) -> bool {
        self.revoked_from(oin, key).is_some_and(|from| from <= at)
    }

    /// The instant from which on a key of an organisation is revoked, if it ever was.
    #[must_use]
    pub fn revoked_from(&self, oin: &Oin, key: &VerifyingKey) -> Option<Timestamp> {
        self.revoked.get(&(oin.clone(), key.clone())).copied()
    }

    /// Every key that was revoked: whose it is, and from when on.
    pub fn revocations(&self) -> impl Iterator<Item = (&Oin, &VerifyingKey, Timestamp)> {
        self.revoked.iter().map(|((holder, key), from)| (holder, key, *from))
    }

    /// Whether the LSI designated an abuse under this goal for this day (clause S3).
    #[must_use]
    pub fn designated(&self, goal: &GoalId, day: Date) -> bool {
        let designations = self.designations.get(goal).map_or(&[][..], Vec::as_slice);
        designations.iter().any(|one| (one.valid_from..=one.valid_until).contains(&day))
    }

    /// The latest enrolment of each organisation.
    pub fn enrolments(&self) -> impl Iterator<Item = &Arc<Enrolment>> {
        self.enrolments.values()
    }

    /// A project.
    #[must_use]
    pub fn project(&self, id: &ProjectId) -> Option<&Project> {
        self.projects.get(id).map(Arc::as_ref)
    }

    fn project_mut(&mut self, id: &ProjectId) -> Option<&mut Project> {
        self.projects.get_mut(id).map(Arc::make_mut)
    }

    /// Every project, by id.
    pub fn projects(&self) -> impl Iterator<Item = (&ProjectId, &Project)> {
        self.projects.iter().map(|(id, project)| (id, project.as_ref()))
    }
}

impl Enrolment {
    /// Whether the enrolment holds on a day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        (self.valid_from..=self.valid_until).contains(&day)
    }
}
