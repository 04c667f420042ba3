//! A small federation: its signed documents, and the ledgers that some exchanges leave behind. Entries
//! are made by the code that the parties run; a test then changes them before the party signs.

use std::{collections::BTreeMap, convert::Infallible, iter, sync::Arc};

use convenant_audit::{
    Beside, LedgerKind, LedgerName, LedgerReplay, RegisterEvidence, Replay, Replayed, Report,
    Severity, Source, audit_looking_every,
};
use convenant_clauses::{Request, Rules, Verdict, decide, decide_all};
use convenant_exchange::{OUTCOME_TYPE, QUERY_TYPE};
use convenant_ledger::{
    EntryBytes, LedgerSigner, LedgerVerifier, SignedCheckpoint,
    merkle::{Frontier, leaf_hash},
    note::NoteName,
    register::Register,
};
use convenant_model::{
    Digest, Oin, QueryId, Timestamp,
    documents::DocumentKind,
    entry::{
        Entry, OutcomeEntry, Receipt, Recordable, RecordedVerdict, SignedOutcome, Started, Status,
        TargetOutcome, TargetVerdict, Usage,
    },
    keys::{SealingKey, VerifyingKey},
    query::{Query, RegisterPosition},
    register::Envelope as _,
    verdict::Refusal,
};
use convenant_signing::{Jws, SigningKey, SystemRandom, canonical, sha256, sign_compact};
use serde_json::{Value, json};

use crate::documents::{attestation, decision, documents, enrolment, root, sign};

/// Signs as the LSI's quorum.
pub(crate) const LSI: &str = "lsi";
pub(crate) const COORDINATOR: &str = "00000099000000001000";
pub(crate) const ROTTERDAM: &str = "00000099000000000599";
pub(crate) const UWV: &str = "00000099000000002000";
pub(crate) const TOESLAGEN: &str = "00000099000000004000";

const AT: &str = "2026-05-01T12:00:00.000Z";

/// Keys, documents, and what the parties counted so far.
pub(crate) struct World {
    lsi: SigningKey,
    register_key: LedgerSigner,
    register_public: VerifyingKey,
    signing: BTreeMap<&'static str, SigningKey>,
    ledger: BTreeMap<&'static str, SigningKey>,
    leader: SigningKey,
    documents: Vec<Vec<u8>>,
    proposal: Digest,
    register: Register,
    rules: Rules,
    used: BTreeMap<&'static str, Usage>,
    asked: u64,
    /// Everybody's clock.
    pub(crate) now: Timestamp,
}

/// The ledgers, as each party would sign them.
#[derive(Clone, Default)]
pub(crate) struct Ledgers {
    pub(crate) coordinator: Vec<Entry>,
    pub(crate) uwv: Vec<Entry>,
    pub(crate) toeslagen: Vec<Entry>,
    pub(crate) receipts: Vec<Entry>,
}

/// The same key once more: a ledger's signer owns its key.
fn again(key: &SigningKey) -> SigningKey {
    SigningKey::from_jwk(&key.to_jwk(), &SystemRandom::new()).unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(&SystemRandom::new()).unwrap()
}

pub(crate) fn oin(text: &str) -> Oin {
    Oin::new(text).unwrap()
}

pub(crate) fn at() -> Timestamp {
    AT.parse().unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let parties = [COORDINATOR, ROTTERDAM, UWV, TOESLAGEN];
        let keys = || parties.into_iter().map(|party| (party, key())).collect();
        let (lsi, leader, signing, ledger) = (key(), key(), keys(), keys());
        let origin = NoteName::new(format!("convenant.register/{COORDINATOR}")).unwrap();
        let register_key = key();
        let register_public = register_key.verifying_key().clone();
        let register_key = LedgerSigner::new(origin, register_key).unwrap();
        let (documents, proposal) = documents(&lsi, &leader, &signing, &ledger);
        let mut register = Register::new(root(&lsi));
        for document in &documents {
            register.append(document).unwrap();
        }
        let rules = Rules::compile(register.state().covenant().unwrap(), sha256).unwrap();
        let (used, asked) = (BTreeMap::new(), 0);
        Self {
            lsi,
            register_key,
            register_public,
            signing,
            ledger,
            leader,
            documents,
            proposal,
            register,
            rules,
            used,
            asked,
            now: at(),
        }
    }

    /// Three exchanges: both partners answer; the LSI's area keeps UWV from answering; UWV permits and
    /// finds the unsealed subjects invalid.
    pub(crate) fn exchanges(&mut self) -> Ledgers {
        let mut ledgers = Ledgers::default();
        for (party, entries) in [
            (COORDINATOR, &mut ledgers.coordinator),
            (UWV, &mut ledgers.uwv),
            (TOESLAGEN, &mut ledgers.toeslagen),
        ] {
            let software = "test".to_owned();
            let started = Started { party: oin(party), at: self.now, software, torn_bytes: 0 };
            entries.push(Entry::Started(started));
        }
        self.exchange(&mut ledgers, &|_| {}, false);
        let refused_field = |query: &mut Value| {
            query["targets"][0]["fields"] = json!(["code_soort_inkomstenverhouding_niet"]);
        };
        self.exchange(&mut ledgers, &refused_field, false);
        self.exchange(&mut ledgers, &|_| {}, true);
        ledgers
    }

    /// One exchange. `bad_subjects`: those for UWV turn out invalid.
    pub(crate) fn exchange(
        &mut self,
        ledgers: &mut Ledgers,
        change: &dyn Fn(&mut Value),
        bad_subjects: bool,
    ) {
        let (query, signed) = self.query(change);
        let request =
            |world: &Self, party: &str, peer: &str, ask: &dyn Fn(&Request<'_>) -> Entry| {
                ask(&Request {
                    counted: &[],
                    query: &query,
                    signed_query: &signed,
                    at: world.now,
                    party: &oin(party),
                    peer: &oin(peer),
                    used: world.used.get(party).copied().unwrap_or_default(),
                    register: world.register.position(),
                })
            };
        let state = self.register.state();
        let entry = request(self, COORDINATOR, ROTTERDAM, &|request| {
            decide_all(&self.rules, state, request).entry()
        });
        let Entry::Decision(decision) = entry.clone() else { panic!("not a decision") };
        let decided_at = ledgers.coordinator.len() as u64;
        ledgers.coordinator.push(entry);
        self.count(COORDINATOR, &decision.verdicts, &query);
        let (mut results, mut any) = (Vec::new(), false);
        for (target, verdict) in (0_u32..).zip(&decision.verdicts) {
            let partner = if target == 0 { UWV } else { TOESLAGEN };
            if let RecordedVerdict::Refuse { refusal } = &verdict.verdict {
                results.push(outcome(target, partner, refused(refusal.clone()), 0));
                continue;
            }
            any = true;
            let bad = bad_subjects && target == 0;
            let own = request(self, partner, COORDINATOR, &|request| match decide(
                &self.rules,
                self.register.state(),
                request,
                target as usize,
            ) {
                Verdict::Permit(permit) if bad => {
                    permit.refuse_subjects("1 van de sleutels is ongeldig".to_owned()).entry()
                }
                verdict => verdict.entry(),
            });
            let result = self.answer(ledgers.of(partner), own, (target, &query), partner);
            let receipt = self.receipt(&query, &signed, ledgers.of(partner), &result);
            ledgers.receipts.push(receipt);
            results.push(result);
        }
        if any {
            ledgers.coordinator.push(Entry::Outcome(OutcomeEntry {
                party: oin(COORDINATOR),
                query: query.id,
                decision: decided_at,
                at: self.now,
                results,
            }));
        }
    }

    /// What a node writes, and how it ended.
    fn answer(
        &mut self,
        ledger: &mut Vec<Entry>,
        entry: Entry,
        (target, query): (u32, &Query),
        partner: &'static str,
    ) -> TargetOutcome {
        let Entry::Decision(decision) = entry.clone() else { panic!("not a decision") };
        let index = ledger.len() as u64;
        ledger.push(entry);
        self.count(partner, &decision.verdicts, query);
        if let RecordedVerdict::Refuse { refusal } = &decision.verdicts[0].verdict {
            return outcome(target, partner, refused(refusal.clone()), 0);
        }
        let result = outcome(target, partner, Status::Answered, 2);
        ledger.push(Entry::Outcome(OutcomeEntry {
            party: oin(partner),
            query: decision.query,
            decision: index,
            at: self.now,
            results: vec![result.clone()],
        }));
        result
    }

    fn receipt(
        &self,
        query: &Query,
        signed: &str,
        ledger: &[Entry],
        result: &TargetOutcome,
    ) -> Entry {
        let decision = ledger.iter().rposition(|one| matches!(one, Entry::Decision(_)));
        let outcome = SignedOutcome {
            query: query.id,
            signed_query: sha256(signed.as_bytes()),
            target: result.target,
            partner: result.partner.clone(),
            status: result.status.clone(),
            rows: 3 * result.chunks,
            bytes: result.bytes,
            chunks: result.chunks,
            hash: result.hash.unwrap_or_else(|| sha256(b"")),
            alarm: result.alarm,
            decision: decision.map(|index| index as u64),
            at: self.now,
        };
        Entry::Receipt(Receipt {
            party: oin(ROTTERDAM),
            query: query.id,
            target: result.target,
            partner: result.partner.clone(),
            at: self.now,
            signed_query: signed.to_owned(),
            outcome: Some(self.sign_outcome(result.partner.as_str(), &outcome)),
            status: result.status.clone(),
        })
    }

    /// Signs an outcome in a partner's name.
    pub(crate) fn sign_outcome(&self, partner: &str, outcome: &SignedOutcome) -> String {
        sign_compact(OUTCOME_TYPE, &canonical(outcome).unwrap(), &self.ledger[partner]).unwrap()
    }

    fn count(&mut self, party: &'static str, verdicts: &[TargetVerdict], query: &Query) {
        let permitted =
            verdicts.iter().filter(|one| matches!(one.verdict, RecordedVerdict::Permit { .. }));
        let subjects = |one: &TargetVerdict| {
            let asked = query.targets[one.target as usize].subjects.as_ref();
            asked.map_or(0, |subjects| u64::from(subjects.count))
        };
        let counts: Vec<_> = permitted.map(subjects).collect();
        let used = self.used.entry(party).or_default();
        used.queries += u64::from(!counts.is_empty());
        used.subjects += counts.iter().sum::<u64>();
    }

    fn query(&mut self, change: &dyn Fn(&mut Value)) -> (Arc<Query>, String) {
        self.asked += 1;
        let id = QueryId::from_parts(1_777_000_000_000 + self.asked, &[7; 10]);
        let target = |partner: &str, dataset: &str, field: &str| {
            json!({
                "partner": partner, "dataset": dataset, "fields": [field],
                "subjects": {"key": "burgerservicenummer", "count": 3, "sealed": sha256(b"sealed")},
            })
        };
        let mut query = json!({
            "document": "query", "id": id, "register": self.register.position(),
            "project": "P-2026-001", "proposal": self.proposal,
            "goal": "toeslagenfraude", "theme": "adresfraude", "kind": "lookup",
            "targets": [
                target(UWV, "uwv/polisadministratie_inkomstenverhouding", "datum_aanvang_inkomstenverhouding"),
                target(TOESLAGEN, "toeslagen/toeslag_beschikking", "soort_toeslag"),
            ],
            "retention_days": 30, "justification": "signaal van de wijkagent",
            "created": self.now, "expires": self.now.plus_seconds(300),
            "requester": {"partner": ROTTERDAM, "key": self.leader.verifying_key(),
                          "sealing_key": SealingKey::new([5; 32])},
        });
        change(&mut query);
        let query: Query = serde_json::from_value(query).unwrap();
        let signed = sign_compact(QUERY_TYPE, &canonical(&query).unwrap(), &self.leader).unwrap();
        (Arc::new(query), signed)
    }

    /// The register as verified from the root of trust.
    pub(crate) fn evidence(&self) -> RegisterEvidence {
        let signed = self.register_checkpoint().to_string();
        self.evidence_with(self.documents.clone(), Some(&signed))
    }

    /// The coordinator's checkpoint of the register.
    pub(crate) fn register_checkpoint(&self) -> SignedCheckpoint {
        let position = self.register.position();
        self.register_checkpoint_of(position.size, position.root)
    }

    pub(crate) fn register_checkpoint_of(&self, size: u64, root: Digest) -> SignedCheckpoint {
        self.register_key.sign(size, root, self.now).unwrap()
    }

    pub(crate) fn evidence_with(
        &self,
        documents: impl IntoIterator<Item = impl Into<Option<Vec<u8>>>>,
        checkpoint: Option<&str>,
    ) -> RegisterEvidence {
        let (_, key) = self.trusted();
        let origin = self.register_key.verifier().origin().clone();
        let verifier = LedgerVerifier::new(origin, key).unwrap();
        let checkpoint = checkpoint.map(str::as_bytes);
        RegisterEvidence::verify(root(&self.lsi), documents, checkpoint, &verifier)
    }

    /// Nothing was counted yet.
    pub(crate) fn begin_again(&mut self) {
        self.used.clear();
    }

    /// Enrols UWV anew with another ledger key, so many times. Gives the key before the last.
    pub(crate) fn rotate(&mut self, times: usize) -> SigningKey {
        let mut replaced = again(&self.ledger[UWV]);
        for _ in 0..times {
            replaced = self.ledger.insert(UWV, key()).unwrap();
            let dataset = Some("uwv/polisadministratie_inkomstenverhouding");
            let enrolment = enrolment(UWV, "uwv", dataset, &self.signing[UWV], &self.ledger[UWV]);
            let keys = [&self.lsi, &self.signing[UWV]];
            let document = sign(DocumentKind::Enrolment, &enrolment, &keys);
            self.admit(&document);
        }
        replaced
    }

    /// Has a key revoked by the LSI, from this instant on.
    pub(crate) fn revoke(&mut self, party: &str, key: &VerifyingKey, from: Timestamp) {
        let revocation = json!({
            "document": "revocation", "partner": party, "key": key, "from": from,
            "reason": "gestolen",
        });
        self.submit(DocumentKind::Revocation, &revocation, &[LSI]);
    }

    /// Records that Rotterdam destroyed an answer.
    pub(crate) fn destroy(&mut self, query: QueryId, provider: &str, at: Timestamp) {
        let destruction = json!({
            "document": "destruction", "project": "P-2026-001", "partner": ROTTERDAM,
            "item": [{"query": query, "provider": provider, "manifest": sha256(b"manifest")}],
            "manner": "gewist", "destroyed_at": at, "place": "Rotterdam", "operator": "beheer",
        });
        self.submit(DocumentKind::Destruction, &destruction, &[ROTTERDAM]);
    }

    /// Decides on the project once more, on what every participant attests anew: with papers and a decision of
    /// these days, and on another version where one is given.
    pub(crate) fn decide_again(&mut self, version: Option<&Value>, papers: &str, decided_on: &str) {
        let partners = [ROTTERDAM, UWV, TOESLAGEN];
        let proposal = version.map_or(self.proposal, |version| {
            self.submit(DocumentKind::Proposal, version, &partners)
        });
        let attested = self.attest_of(proposal, papers);
        let decision = decision(proposal, &attested, decided_on);
        self.submit(DocumentKind::Decision, &decision, &[LSI]);
    }

    /// The version of the project that is asked about.
    pub(crate) fn proposal(&self) -> Digest {
        self.proposal
    }

    /// What every participant attests anew of that, with papers of a day.
    pub(crate) fn attest(&mut self, papers: &str) -> [Digest; 3] {
        self.attest_of(self.proposal, papers)
    }

    fn attest_of(&mut self, proposal: Digest, papers: &str) -> [Digest; 3] {
        [ROTTERDAM, UWV, TOESLAGEN].map(|party| {
            let attestation = attestation(party, proposal, papers);
            self.submit(DocumentKind::Attestation, &attestation, &[party])
        })
    }

    /// Has a document signed and takes it into the register; gives the hash of what was signed.
    pub(crate) fn submit(&mut self, kind: DocumentKind, document: &Value, by: &[&str]) -> Digest {
        let keys: Vec<_> = by.iter().map(|by| self.signing.get(by).unwrap_or(&self.lsi)).collect();
        let signed = sign(kind, document, &keys);
        self.admit(&signed);
        signed.payload_hash()
    }

    fn admit(&mut self, document: &Jws) {
        let document = document.to_json();
        self.register.append(&document).unwrap();
        self.documents.push(document);
    }

    /// The public halves of the leader's key, and of a party's signing and ledger key.
    pub(crate) fn keys(&self, party: &str) -> [VerifyingKey; 3] {
        [&self.leader, &self.signing[party], &self.ledger[party]]
            .map(|key| key.verifying_key().clone())
    }

    /// The keys to trust: the LSI's, and the register's.
    pub(crate) fn trusted(&self) -> (VerifyingKey, VerifyingKey) {
        (self.lsi.verifying_key().clone(), self.register_public.clone())
    }

    /// The register without its last documents.
    pub(crate) fn older(&self, without: usize) -> RegisterPosition {
        let mut register = Register::new(root(&self.lsi));
        for document in &self.documents[..self.documents.len() - without] {
            register.append(document).unwrap();
        }
        register.position()
    }

    pub(crate) fn documents(&self) -> Vec<Vec<u8>> {
        self.documents.clone()
    }

    /// Signer of a ledger.
    pub(crate) fn signer(&self, name: &LedgerName) -> LedgerSigner {
        let key = match name.kind {
            LedgerKind::Receipts => &self.leader,
            _ => &self.ledger[name.party.as_str()],
        };
        LedgerSigner::new(name.origin().unwrap(), again(key)).unwrap()
    }

    /// Audits every ledger as its party signs it.
    pub(crate) fn audit(&self, ledgers: &Ledgers) -> Report {
        self.audit_with(&self.evidence(), ledgers)
    }

    pub(crate) fn audit_with(&self, evidence: &RegisterEvidence, ledgers: &Ledgers) -> Report {
        self.audit_these(evidence, ledgers.named())
    }

    /// Audits what is left without the ledgers of one kind.
    pub(crate) fn audit_without(&self, ledgers: &Ledgers, kind: LedgerKind) -> Report {
        let named = ledgers.named().into_iter().filter(|(name, _)| name.kind != kind);
        self.audit_these(&self.evidence(), named)
    }

    fn audit_these<'l>(
        &self,
        evidence: &RegisterEvidence,
        ledgers: impl IntoIterator<Item = (LedgerName, &'l Vec<Entry>)>,
    ) -> Report {
        let ledgers = ledgers.into_iter().map(|(name, entries)| self.held(name, entries));
        self.audit_held(evidence, &ledgers.collect::<Vec<_>>())
    }

    /// Audits ledgers as they are held.
    pub(crate) fn audit_held(&self, evidence: &RegisterEvidence, ledgers: &[Held]) -> Report {
        let mut one_by_one = Replay::new(evidence);
        for held in ledgers {
            one_by_one.add(held.replay(&one_by_one));
        }
        let report = one_by_one.report();
        // What is let go of early, and in which order ledgers are read, changes nothing.
        for every in [1, 5] {
            let side_by_side = audit_looking_every(every, evidence, |replay| {
                side_by_side(replay, ledgers);
                Ok::<_, Infallible>(())
            });
            let side_by_side = side_by_side.unwrap();
            let [one, other] =
                [&report, &side_by_side].map(|one| serde_json::to_value(one).unwrap());
            assert_eq!(one, other, "{report}\n\nwhere exchanges are let go of:\n{side_by_side}");
        }
        report
    }

    /// A ledger as its party signs it.
    pub(crate) fn held(&self, name: LedgerName, entries: &[Entry]) -> Held {
        let entries: Vec<_> = entries.iter().map(bytes).collect();
        let signed = self.signer(&name).sign(entries.len() as u64, tree(&entries).root(), self.now);
        Held { name, checkpoint: signed.unwrap().to_string(), entries }
    }
}

/// A ledger with its checkpoint.
pub(crate) struct Held {
    pub(crate) name: LedgerName,
    pub(crate) checkpoint: String,
    pub(crate) entries: Vec<Vec<u8>>,
}

impl Held {
    pub(crate) fn begin<'a>(&self, replay: &Replay<'a>) -> LedgerReplay<'a> {
        replay.ledger(self.name.clone(), Beside::signed(self.checkpoint.as_bytes()))
    }

    /// All of it, an entry at a time.
    pub(crate) fn replay(&self, replay: &Replay<'_>) -> Replayed {
        let mut ledger = self.begin(replay);
        (0..).zip(&self.entries).for_each(|(index, entry)| ledger.entry(index, entry));
        ledger.finish(|_| None, iter::empty)
    }
}

/// Reads all of them side by side.
pub(crate) fn side_by_side(replay: &mut Replay<'_>, ledgers: &[Held]) {
    let source = |held: &Held| {
        let entries = (0..).zip(held.entries.clone()).map(Ok::<_, Infallible>);
        Source::new(held.begin(replay), entries)
    };
    let mut sources: Vec<_> = ledgers.iter().map(source).collect();
    let mut told = 0;
    replay.read(&mut sources, || told += 1);
    assert_eq!(told, ledgers.iter().map(|one| one.entries.len()).sum::<usize>());
    sources.into_iter().for_each(|one| replay.add(one.replay.finish(|_| None, iter::empty)));
}

impl Ledgers {
    pub(crate) fn named(&self) -> [(LedgerName, &Vec<Entry>); 4] {
        let name = |kind, party| LedgerName::new(kind, oin(party));
        [
            (name(LedgerKind::Coordinator, COORDINATOR), &self.coordinator),
            (name(LedgerKind::Node, UWV), &self.uwv),
            (name(LedgerKind::Node, TOESLAGEN), &self.toeslagen),
            (name(LedgerKind::Receipts, ROTTERDAM), &self.receipts),
        ]
    }

    fn of(&mut self, partner: &str) -> &mut Vec<Entry> {
        if partner == UWV { &mut self.uwv } else { &mut self.toeslagen }
    }
}

/// Code, ledger and entry of each finding of a severity.
pub(crate) fn found(report: &Report, severity: Severity) -> Vec<String> {
    let these = report.findings.iter().filter(|one| one.severity == severity);
    let text = these.map(|one| {
        let kind = one.ledger.replace("node/00000099000000002000", "uwv");
        let kind = kind.replace("node/00000099000000004000", "toeslagen");
        let kind = kind.split('/').next().unwrap();
        let entry = one.entry.map_or_else(String::new, |entry| format!(" {entry}"));
        format!("{} {kind}{entry}", one.code)
    });
    text.collect()
}

pub(crate) fn bytes(entry: &Entry) -> Vec<u8> {
    EntryBytes::of(entry).unwrap().as_bytes().to_vec()
}

pub(crate) fn tree(entries: &[Vec<u8>]) -> Frontier {
    let mut tree = Frontier::default();
    entries.iter().for_each(|entry| tree.append(leaf_hash(entry)));
    tree
}

fn refused(refusal: Refusal) -> Status {
    Status::Refused { refusal }
}

fn outcome(target: u32, partner: &str, status: Status, chunks: u64) -> TargetOutcome {
    let hash = (chunks > 0).then(|| sha256(partner.as_bytes()));
    TargetOutcome {
        target,
        partner: oin(partner),
        status,
        bytes: 100 * chunks,
        chunks,
        hash,
        alarm: false,
    }
}
