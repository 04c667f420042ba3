//! A register that is made document by document, with an envelope that knows which keys signed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use convenant_model::{
    Digest, ProjectId,
    documents::DocumentKind,
    keys::VerifyingKey,
    register::{
        AdmissionError, Breach, Envelope, Project, ProjectState, RegisterState, RootOfTrust,
    },
};
use serde_json::{Value, json};

use crate::documents::{
    self, COORDINATOR, GEMEENTE, PROJECT, SVB, UWV, accession, attestation, decision, enrolment,
    mandate, proposal,
};

/// Numbers of the LSI's keys; two of them make a quorum.
pub(crate) const LSI: [u8; 3] = [1, 2, 3];
/// The key of the project leader.
pub(crate) const LEADER: u8 = 21;

/// The public key with a number.
pub(crate) fn key(number: u8) -> VerifyingKey {
    VerifyingKey::ed25519([number; 32])
}

/// The number of an organisation's signing key.
pub(crate) fn key_of(oin: &str) -> u8 {
    match oin {
        COORDINATOR => 10,
        GEMEENTE => 11,
        UWV => 12,
        SVB => 13,
        _ => 19,
    }
}

/// A document and the keys that signed it.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) kind: DocumentKind,
    payload: Vec<u8>,
    keys: Vec<u8>,
}

impl Signed {
    pub(crate) fn new(kind: DocumentKind, document: &Value, keys: &[u8]) -> Self {
        Self { kind, payload: serde_json::to_vec(document).unwrap(), keys: keys.to_vec() }
    }

    pub(crate) fn by(mut self, keys: &[u8]) -> Self {
        self.keys = keys.to_vec();
        self
    }

    pub(crate) fn hash(&self) -> Digest {
        digest(&self.payload)
    }
}

impl Envelope for Signed {
    fn typ(&self) -> &str {
        self.kind.media_type()
    }
    fn payload(&self) -> &[u8] {
        &self.payload
    }
    fn payload_hash(&self) -> Digest {
        self.hash()
    }
    fn signed_by(&self, other: &VerifyingKey) -> bool {
        self.keys.iter().any(|number| key(*number) == *other)
    }
}

/// A number for bytes, in the form of a digest. No attacker sits in these tests.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    let part = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, bytes).hash(&mut hasher);
        hasher.finish().to_le_bytes()
    };
    let parts = [part(0), part(1), part(2), part(3)].concat();
    Digest::from_bytes(parts.try_into().unwrap())
}

/// A register with what a test needs to go on.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: RegisterState,
}

impl World {
    /// Nothing yet.
    pub(crate) fn empty() -> Self {
        let lsi = LSI.iter().map(|number| key(*number)).collect();
        Self { state: RegisterState::new(RootOfTrust { lsi, quorum: 2 }) }
    }

    /// A covenant and four organisations: a municipality that acceded, UWV, SVB and the coordinator.
    pub(crate) fn enrolled() -> Self {
        let mut world = Self::empty();
        world.admit(DocumentKind::Covenant, &documents::covenant());
        world.admit(DocumentKind::Accession, &accession(GEMEENTE));
        for oin in [GEMEENTE, UWV, SVB, COORDINATOR] {
            world.admit(DocumentKind::Enrolment, &enrolment(oin));
        }
        world
    }

    /// And a project that was proposed.
    pub(crate) fn proposed() -> Self {
        let mut world = Self::enrolled();
        world.admit(DocumentKind::Proposal, &proposal());
        world
    }

    /// And attested by both participants.
    pub(crate) fn attested() -> Self {
        let mut world = Self::proposed();
        world.attest(&proposal());
        world
    }

    /// And approved.
    pub(crate) fn approved() -> Self {
        let mut world = Self::attested();
        let decided = world.decided(&proposal(), decision());
        world.admit(DocumentKind::Decision, &decided);
        world
    }

    /// And with a leader.
    pub(crate) fn running() -> Self {
        let mut world = Self::approved();
        world.admit(DocumentKind::Mandate, &mandate());
        world
    }

    /// And closed on the first of June, destroyed and reported on.
    pub(crate) fn emptied() -> Self {
        let mut world = Self::running();
        world.admit(DocumentKind::Closure, &documents::closure("2026-06-01T00:00:00.000Z"));
        world.admit(DocumentKind::Feedback, &documents::feedback());
        let destroyed = documents::destruction("2026-06-02T00:00:00.000Z");
        world.admit(DocumentKind::Destruction, &destroyed);
        world
    }

    /// Every participant attests a proposal.
    pub(crate) fn attest(&mut self, proposal: &Value) -> Vec<Digest> {
        let attest = |oin: &str| {
            let attested = about(attestation(oin), proposal);
            self.admit(DocumentKind::Attestation, &attested)
        };
        participants(proposal).iter().map(String::as_str).map(attest).collect()
    }

    /// A decision on a proposal and on everything that was attested of it.
    pub(crate) fn decided(&self, proposal: &Value, decision: Value) -> Value {
        let mut decision = about(decision, proposal);
        let known: Vec<_> = self.project().attestations().map(|(hash, _)| *hash).collect();
        let of = |hash: &&Digest| {
            self.project().attestation(hash).unwrap().proposal == hash_of(proposal)
        };
        decision["attestations"] = json!(known.iter().filter(of).collect::<Vec<_>>());
        decision
    }

    /// Admits a document that is signed by whoever must, and gives its hash.
    pub(crate) fn admit(&mut self, kind: DocumentKind, document: &Value) -> Digest {
        let signed = signed(kind, document);
        self.state.admit(&signed).unwrap_or_else(|error| panic!("{error}: {document}"));
        signed.hash()
    }

    /// What a document that is signed by whoever must breaches.
    pub(crate) fn breaches(&self, kind: DocumentKind, document: &Value) -> Vec<Breach> {
        self.breaches_of(&signed(kind, document))
    }

    /// What a signed document breaches.
    pub(crate) fn breaches_of(&self, signed: &Signed) -> Vec<Breach> {
        match self.state.clone().admit(signed) {
            Ok(_) => Vec::new(),
            Err(AdmissionError::Faults { faults, .. }) => {
                faults.iter().map(|fault| fault.breach).collect()
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn project(&self) -> &Project {
        self.state.project(&ProjectId::new(PROJECT).unwrap()).unwrap()
    }

    pub(crate) fn state_at(&self, at: &str) -> ProjectState {
        self.project().state_at(at.parse().unwrap())
    }
}

/// The participants of a proposal.
pub(crate) fn participants(proposal: &Value) -> Vec<String> {
    let participants = proposal["participant"].as_array().unwrap().iter();
    participants.map(|one| one["partner"].as_str().unwrap().to_owned()).collect()
}

/// A document about a proposal.
pub(crate) fn about(mut document: Value, proposal: &Value) -> Value {
    document["proposal"] = json!(hash_of(proposal));
    document
}

pub(crate) fn hash_of(proposal: &Value) -> Digest {
    Signed::new(DocumentKind::Proposal, proposal, &[]).hash()
}

/// A document, signed by whoever must by the book.
pub(crate) fn signed(kind: DocumentKind, document: &Value) -> Signed {
    Signed::new(kind, document, &keys_for(kind, document))
}

fn keys_for(kind: DocumentKind, document: &Value) -> Vec<u8> {
    let own = document["partner"].as_str().map(|oin| vec![key_of(oin)]);
    let quorum = vec![1, 2];
    match kind {
        DocumentKind::Covenant
        | DocumentKind::Designation
        | DocumentKind::Decision
        | DocumentKind::Extension => quorum,
        DocumentKind::Enrolment => [quorum, own.unwrap_or_default()].concat(),
        DocumentKind::Proposal => [GEMEENTE, UWV, SVB, COORDINATOR, "another"].map(key_of).to_vec(),
        DocumentKind::Suspension | DocumentKind::Resumption => own.unwrap_or(quorum),
        DocumentKind::Mandate if document.get("under").is_some() => vec![LEADER],
        DocumentKind::Withdrawal
        | DocumentKind::Closure
        | DocumentKind::FinalReport
        | DocumentKind::Securing => own.unwrap_or_else(|| vec![key_of(GEMEENTE)]),
        _ => own.unwrap_or_default(),
    }
}
