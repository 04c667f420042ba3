//! Receipts: what a requester received, under whose signature.

use std::sync::Arc;

use convenant_exchange::OUTCOME_TYPE;
use convenant_model::{
    Digest, Oin, Problem, QueryId, Timestamp,
    entry::{Receipt, SignedOutcome, Status},
    query::Query,
};
use convenant_signing::{parse_canonical, sha256, verify_compact};

use crate::{
    Code, Finding, LedgerReplay, Place,
    account::{Sent, Stated},
    reader::Reader,
    revoked::Revoked,
    signed::SignedQuery,
    times,
    unusual::outside,
};

/// A receipt as reconciling needs it.
pub(crate) struct Received {
    pub(crate) index: u64,
    pub(crate) query: QueryId,
    pub(crate) target: u32,
    /// When the query was written, by the requester that signed it; or else as [`Self::at`].
    pub(crate) asked: Timestamp,
    /// When it was received, or when the partner signed if that says later.
    pub(crate) at: Timestamp,
    pub(crate) partner: Arc<Oin>,
    /// SHA-256 over the signed query.
    pub(crate) signed: Digest,
    pub(crate) stated: Stated,
    /// Whether the requester had the whole answer in hand, also where it then declined it or could not keep it.
    pub(crate) came: bool,
    /// The partner's outcome, where its signature holds.
    pub(crate) outcome: Option<Signed>,
    /// Number of documents in the register that the query names.
    pub(crate) documents: u64,
}

/// What a partner signed.
pub(crate) struct Signed {
    pub(crate) stated: Stated,
    pub(crate) rows: u64,
    pub(crate) sent: Sent,
    pub(crate) decision: Option<u64>,
    /// Where the key was revoked, and an answer signed with it: when that was at the earliest.
    pub(crate) revoked: Option<(Revoked, Timestamp)>,
}

/// Why a receipt proves nothing, and the member in which.
type Fault = (Code, &'static str);

/// Of a receipt whose query cannot be read.
const UNFIT: Fault = (Code::QueryUnfit, "signed_query");

/// What a receipt proves by itself.
pub(crate) struct Proven {
    /// The query that was asked, signed and of this party.
    query: Result<Arc<Query>, Fault>,
    /// The partner's outcome, and when it was signed.
    outcome: Result<Option<(Signed, Timestamp)>, Fault>,
}

impl LedgerReplay<'_> {
    pub(crate) fn receipt(&mut self, index: u64, receipt: &Receipt, proven: Option<Proven>) {
        self.counts.receipts += 1;
        let finding = |code| Finding::new(code, &self.told.name).entry(index).query(receipt.query);
        let answered = receipt.status == Status::Answered;
        self.counts.answered += u64::from(answered);
        let Proven { query, outcome } =
            proven.unwrap_or(Proven { query: Err(UNFIT), outcome: Ok(None) });
        let query = query.map_err(|(code, fault)| finding(code).found(member(fault)));
        // A requester that did not accept the outcome says so itself; it proves nothing either way.
        let refused_here = !answered && receipt.outcome.is_some() && outcome.is_err();
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(_) if refused_here => None,
            Err((code, fault)) => {
                self.findings.push(finding(code).found(member(fault)));
                None
            }
        };
        let (outcome, ended) = outcome.unzip();
        let at = ended.map_or(receipt.at, |ended| ended.max(receipt.at));
        if refused_here {
            let own = receipt.status == Status::Failed { problem: Problem::NotRecorded };
            let code = if own { Code::NotKept } else { Code::Declined };
            self.findings.push(finding(code).found(Stated::of(&receipt.status)));
        } else if answered && receipt.outcome.is_none() {
            self.findings.push(finding(Code::Receipt).found(member("outcome")));
        }
        let documents = query.as_ref().map_or(0, |query| query.register.size);
        let asked = query.as_ref().map_or(at, |query| query.created);
        if let Ok(query) = query.as_ref()
            && answered
        {
            let (partner, key) = (&query.requester.partner, &query.requester.key);
            let revoked = Revoked::of(self.register, partner, key);
            let late = revoked.and_then(|key| key.judge(query.created, finding(Code::KeyRevoked)));
            self.findings.extend(late);
        }
        if let (Ok(query), Some(signed)) = (&query, &outcome)
            && signed.stated.answered()
        {
            let late = times::late(at, query.expires, finding(Code::Late));
            let early = times::received(receipt.at, at, finding(Code::TimesDisagree));
            self.findings.extend(late.into_iter().chain(early));
            self.weigh(index, receipt.target, query, signed.rows);
        }
        self.findings.extend(query.err());
        self.told.receipts.push(Received {
            index,
            query: receipt.query,
            target: receipt.target,
            asked,
            at,
            partner: self.parties.of(receipt.partner.clone()),
            signed: sha256(receipt.signed_query.as_bytes()),
            stated: Stated::of(&receipt.status),
            came: answered || refused_here,
            outcome,
            documents,
        });
    }

    /// Counts the rows of an answer, and holds them against what the approved proposal expects.
    fn weigh(&mut self, index: u64, number: u32, query: &Query, rows: u64) {
        let Some(target) = query.targets.get(number as usize) else { return };
        let (partner, dataset) = (target.partner.clone(), target.dataset.clone());
        let place = Place { ledger: self.told.name.clone(), entry: index };
        let source = (query.project.clone(), partner, dataset, query.kind);
        let subjects = target.subjects.as_ref().map(|shape| shape.count);
        self.figures.received(&place, source, rows, subjects);
        let project = self.register.register().state().project(&query.project);
        let proposal = project.and_then(|project| project.proposal(&query.proposal));
        let published = proposal.map_or(&[][..], |one| one.predicate.as_slice());
        if let Some((least, most)) = outside(published, query.kind, target, rows) {
            let finding = Finding::new(Code::HitRate, &self.told.name).entry(index).query(query.id);
            let expected = format!("hits={least}..{most}");
            self.findings.push(finding.expected(expected).found(format!("rows={rows}")));
        }
    }
}

impl Reader<'_> {
    /// What a receipt proves by itself; `None` where it holds no query that can be read.
    pub(crate) fn proven(&self, receipt: &Receipt) -> Option<Proven> {
        let query = asked(receipt, self.known.read(&receipt.signed_query)?);
        let outcome = query.as_ref().map_or(Ok(None), |query| self.signed_outcome(receipt, query));
        Some(Proven { query, outcome })
    }

    /// The partner's outcome, signed with a key that was enrolled when the query was written or later; and when
    /// that was.
    fn signed_outcome(
        &self,
        receipt: &Receipt,
        query: &Query,
    ) -> Result<Option<(Signed, Timestamp)>, Fault> {
        let Some(text) = &receipt.outcome else {
            return Ok(None);
        };
        let keys = self.register.ledger_keys_from(&receipt.partner, query.register.size);
        let key_of =
            |id: &_| keys.iter().find(|key| convenant_signing::key_id(key) == *id).cloned();
        let verified = verify_compact(text, OUTCOME_TYPE, key_of);
        let verified = verified.map_err(|_| (Code::OutcomeSignature, "outcome"))?;
        let outcome: SignedOutcome = parse_canonical(verified.payload(), "outcome")
            .map_err(|_| (Code::OutcomeSignature, "outcome"))?;
        let checks = [
            ("query", outcome.query == receipt.query),
            ("signed_query", outcome.signed_query == sha256(receipt.signed_query.as_bytes())),
            ("target", outcome.target == receipt.target),
            ("partner", outcome.partner == receipt.partner),
            ("status", outcome.status == receipt.status),
            ("decision", outcome.status != Status::Answered || outcome.decision.is_some()),
        ];
        match checks.into_iter().find(|(_, agrees)| !agrees) {
            Some((member, _)) => Err((Code::Receipt, member)),
            None => {
                let revoked =
                    keys.iter().find(|key| convenant_signing::key_id(key) == *verified.key_id());
                let revoked = revoked
                    .and_then(|key| Revoked::of(self.register, &receipt.partner, key))
                    .filter(|_| outcome.status == Status::Answered);
                let at = receipt.at.max(outcome.at).max(query.created);
                let revoked = revoked.map(|key| (key, at));
                Ok(Some((Signed { revoked, ..Signed::of(&outcome) }, outcome.at)))
            }
        }
    }
}

/// The query that was asked, signed and of this party.
fn asked(receipt: &Receipt, signed: SignedQuery) -> Result<Arc<Query>, Fault> {
    let SignedQuery { query, signature, .. } = signed;
    signature.map_err(|_| (Code::QuerySignature, "signed_query"))?;
    let asked = query.targets.get(receipt.target as usize);
    let checks = [
        ("query", query.id == receipt.query),
        ("party", query.requester.partner == receipt.party),
        ("partner", asked.is_some_and(|target| target.partner == receipt.partner)),
    ];
    match checks.into_iter().find(|(_, agrees)| !agrees) {
        Some((member, _)) => Err((Code::Receipt, member)),
        None => Ok(query),
    }
}

fn member(name: &str) -> String {
    format!("member={name}")
}

impl Signed {
    fn of(outcome: &SignedOutcome) -> Self {
        let (bytes, chunks) = (outcome.bytes, outcome.chunks);
        // A ledger leaves the hash out where there is nothing to hash.
        let hash = (chunks > 0).then_some(outcome.hash);
        Self {
            stated: Stated::of(&outcome.status),
            rows: outcome.rows,
            sent: Sent { bytes, chunks, hash },
            decision: outcome.decision,
            revoked: None,
        }
    }
}
