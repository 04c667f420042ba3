//! The register, verified document by document from the root of trust.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use convenant_clauses::Rules;
use convenant_ledger::{
    LedgerVerifier, SignedCheckpoint, origin,
    register::{Register, RegisterError},
};
use convenant_model::{
    Digest, KeyId, Oin,
    documents::DocumentKind,
    keys::VerifyingKey,
    query::RegisterPosition,
    register::{CovenantInForce, Envelope as _, RootOfTrust},
};
use convenant_signing::{Jws, key_id, sha256};

use crate::{
    Code, Finding,
    filed::Filed,
    name::{LedgerKind, LedgerName},
};

/// How findings name the register.
pub(crate) const NAME: &str = "register";
/// What is found of a document that was not handed over although documents behind it were.
pub(crate) const MISSING: &str = "document=missing";
/// A copy of the register is kept at every so many documents; states in between are made from there.
const STRIDE: u64 = 64;

/// A register that was verified, with what is needed to decide again at any of its sizes.
pub struct RegisterEvidence {
    documents: Vec<Vec<u8>>,
    whole: Register,
    /// Copies at the sizes 0, [`STRIDE`], 2·[`STRIDE`], ….
    copies: Vec<Register>,
    rules: HashMap<Digest, Arc<Rules>>,
    ledger_keys: BTreeMap<Oin, Vec<LedgerKey>>,
    filed: Filed,
    findings: Vec<Finding>,
    /// How many documents were handed over, with those from the first on that does not verify.
    handed: u64,
    /// How many there were, as a finding of the register tells: of those that were not verified nothing is known.
    told: u64,
    verifier: LedgerVerifier,
    lsi_keys: Vec<KeyId>,
    quorum: usize,
}

/// A ledger key and the size of the register from which on it is enrolled.
struct LedgerKey {
    from: u64,
    key: VerifyingKey,
}

impl RegisterEvidence {
    /// Verifies the documents in sequence, and the checkpoint over them. What does not hold is a
    /// finding; from the first document that is not admitted or is missing (`None`) on, the register counts as
    /// absent.
    #[must_use]
    pub fn verify(
        root: RootOfTrust,
        documents: impl IntoIterator<Item = impl Into<Option<Vec<u8>>>>,
        checkpoint: Option<&[u8]>,
        verifier: &LedgerVerifier,
    ) -> Self {
        let (lsi_keys, quorum) = (root.lsi.iter().map(key_id).collect(), root.quorum);
        let whole = Register::new(root);
        let mut evidence = Self {
            documents: Vec::new(),
            copies: vec![whole.clone()],
            whole,
            rules: HashMap::new(),
            ledger_keys: BTreeMap::new(),
            filed: Filed::default(),
            findings: Vec::new(),
            handed: 0,
            told: 0,
            verifier: verifier.clone(),
            lsi_keys,
            quorum,
        };
        let mut documents = documents.into_iter();
        while let Some(document) = documents.next() {
            evidence.handed += 1;
            if let Err(fault) = evidence.take(document.into()) {
                let finding = Finding::new(Code::RegisterDocument, NAME).entry(evidence.size());
                evidence.findings.push(finding.found(fault));
                evidence.handed += documents.by_ref().count() as u64;
                evidence.told = evidence.handed;
                break;
            }
        }
        evidence.check(checkpoint, verifier);
        evidence
    }

    /// Number of documents that were verified, and the root over them.
    #[must_use]
    pub fn position(&self) -> RegisterPosition {
        self.whole.position()
    }

    /// The register with every document that was verified.
    #[must_use]
    pub const fn register(&self) -> &Register {
        &self.whole
    }

    /// What does not hold of the register itself.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Which of its documents are about which project.
    pub(crate) const fn filed(&self) -> &Filed {
        &self.filed
    }

    /// What was trusted: the ids of the LSI's keys, how many make a quorum, and the id of the register's key.
    pub(crate) fn trusted(&self) -> (&[KeyId], usize, KeyId) {
        (&self.lsi_keys, self.quorum, key_id(self.verifier.key()))
    }

    /// The key that signs the register's checkpoints.
    pub(crate) const fn verifier(&self) -> &LedgerVerifier {
        &self.verifier
    }

    /// The parties that are enrolled as coordinator.
    pub(crate) fn coordinators(&self) -> impl Iterator<Item = &Oin> {
        let enrolled = self.whole.state().enrolments();
        enrolled.filter(|one| one.kind.as_str() == "coordinator").map(|one| &one.partner)
    }

    pub(crate) fn size(&self) -> u64 {
        self.position().size
    }

    /// Whether a register of so many documents is not there because of what a finding of the register tells.
    pub(crate) fn is_told_short_of(&self, size: u64) -> bool {
        (self.size() + 1..=self.told).contains(&size)
    }

    /// Whether documents are missing or do not verify, of which a finding of the register tells.
    pub(crate) fn is_in_parts(&self) -> bool {
        self.told > self.size()
    }

    /// Whether so many documents were handed over, of which not all verify.
    pub(crate) fn is_unverified(&self, size: u64) -> bool {
        (self.size() + 1..=self.handed).contains(&size)
    }

    pub(crate) fn rules(&self, covenant: &Digest) -> Option<&Arc<Rules>> {
        self.rules.get(covenant)
    }

    /// The register when it had `size` documents, made from a copy of at most that size or from
    /// `nearest`, which is one; `None` where it never had so many.
    pub(crate) fn at(&self, size: u64, nearest: Option<&Register>) -> Option<Register> {
        if size > self.size() {
            return None;
        }
        let copy = self.copies.get(usize::try_from(size / STRIDE).ok()?)?;
        let start = nearest.filter(|near| near.position().size > copy.position().size);
        let mut register = start.unwrap_or(copy).clone();
        let from = usize::try_from(register.position().size).ok()?;
        for document in self.documents.get(from..usize::try_from(size).ok()?)? {
            register.append(document).ok()?;
        }
        Some(register)
    }

    /// The keys with which a ledger's checkpoints may be signed, newest first. A requester's ledger is
    /// signed with the key of a mandate's holder.
    pub(crate) fn checkpoint_keys(&self, name: &LedgerName) -> Vec<VerifyingKey> {
        if name.kind != LedgerKind::Receipts {
            return self.ledger_keys_from(&name.party, 0);
        }
        let projects = self.whole.state().projects();
        let mandates = projects.flat_map(|(_, project)| project.mandates());
        let holders = mandates.flat_map(|mandate| &mandate.holder);
        let keys: BTreeSet<_> = holders.map(|holder| holder.key.clone()).collect();
        keys.into_iter().collect()
    }

    /// A party's ledger keys from the one on that was enrolled when the register had `size`
    /// documents, newest first.
    pub(crate) fn ledger_keys_from(&self, party: &Oin, size: u64) -> Vec<VerifyingKey> {
        let keys = self.ledger_keys.get(party).map_or(&[][..], Vec::as_slice);
        let replaced = keys.iter().filter(|key| key.from <= size).count().saturating_sub(1);
        keys.iter().skip(replaced).rev().map(|key| key.key.clone()).collect()
    }

    /// The documents that carry a signature of this key; not the revocations, with which an organisation
    /// may still give up its own key.
    pub(crate) fn signed_with(&self, key: &VerifyingKey) -> Vec<u64> {
        let signed = |document: &[u8]| {
            let jws = Jws::parse(document).ok();
            jws.is_some_and(|jws| {
                jws.typ() != DocumentKind::Revocation.media_type() && jws.signed_by(key)
            })
        };
        let documents = (0..).zip(&self.documents);
        documents.filter(|(_, one)| signed(one)).map(|(index, _)| index).collect()
    }

    /// Takes the next document, or says what is wrong with it.
    fn take(&mut self, document: Option<Vec<u8>>) -> Result<(), String> {
        let document = document.ok_or_else(|| MISSING.to_owned())?;
        let jws = Jws::parse(&document).ok();
        let kind = jws.and_then(|jws| DocumentKind::from_media_type(jws.typ()));
        self.append(document).map_err(|error| match kind {
            Some(kind) => format!("{}: {}", kind.as_str(), describe(&error)),
            None => describe(&error),
        })
    }

    fn append(&mut self, document: Vec<u8>) -> Result<(), RegisterError> {
        let kind = self.whole.append(&document)?;
        self.filed.file(self.documents.len() as u64, kind, &document);
        self.documents.push(document);
        if self.size().is_multiple_of(STRIDE) {
            self.copies.push(self.whole.clone());
        }
        match kind {
            DocumentKind::Covenant => self.compile(),
            DocumentKind::Enrolment => self.note_keys(),
            _ => {}
        }
        Ok(())
    }

    fn compile(&mut self) {
        let Some(CovenantInForce { covenant, hash }) = self.whole.state().covenant().cloned()
        else {
            return;
        };
        match Rules::compile(&CovenantInForce { covenant, hash }, sha256) {
            Ok(rules) => drop(self.rules.insert(hash, Arc::new(rules))),
            Err(error) => {
                let finding = Finding::new(Code::Rules, NAME).entry(self.size().saturating_sub(1));
                self.findings.push(finding.found(error));
            }
        }
    }

    fn note_keys(&mut self) {
        let from = self.size();
        for enrolment in self.whole.state().enrolments() {
            let keys = self.ledger_keys.entry(enrolment.partner.clone()).or_default();
            if keys.last().is_none_or(|last| last.key != enrolment.ledger_key) {
                keys.push(LedgerKey { from, key: enrolment.ledger_key.clone() });
            }
        }
    }

    fn check(&mut self, checkpoint: Option<&[u8]>, verifier: &LedgerVerifier) {
        let own = self.position();
        let Some(bytes) = checkpoint else {
            return self.findings.push(Finding::new(Code::RegisterNoCheckpoint, NAME));
        };
        let finding = Finding::new(Code::RegisterCheckpoint, NAME);
        let of = |party: &Oin| origin::register(party).is_ok_and(|name| name == *verifier.origin());
        // Where the coordinator's own enrolment is behind a document that does not verify, nobody knows.
        let unknown = self.is_unverified(self.handed) && self.coordinators().next().is_none();
        if !unknown && !self.coordinators().any(of) {
            let found = verifier.origin().as_str();
            return self.findings.push(finding.found(format!("origin={found}")));
        }
        let stated = match SignedCheckpoint::parse(bytes, verifier) {
            Ok(signed) => signed.checkpoint().clone(),
            Err(error) => return self.findings.push(finding.found(error)),
        };
        let stated = RegisterPosition { size: stated.size, root: stated.root };
        // That they do not lead there follows from the one that does not verify, which is told of.
        if self.is_unverified(stated.size) {
            return;
        }
        if !self.whole.held(&stated) {
            // The first document that is missing; or else the last by which they differ.
            let missing = stated.size > self.handed;
            let document = if missing { self.handed } else { stated.size.saturating_sub(1) };
            if missing {
                self.told = stated.size;
            }
            let finding = finding.entry(document);
            self.findings.push(finding.expected(shown(&stated)).found(shown(&own)));
        } else if stated.size < own.size {
            let finding = Finding::new(Code::RegisterUnsigned, NAME).entry(stated.size);
            self.findings.push(finding);
        }
    }
}

impl std::fmt::Debug for RegisterEvidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RegisterEvidence({})", shown(&self.position()))
    }
}

pub(crate) fn shown(position: &RegisterPosition) -> String {
    format!("size={} root={}", position.size, position.root)
}

/// The error with its cause: the documents of a register are public.
fn describe(error: &RegisterError) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
