//! Outcomes, held against the decisions of the same ledger.

use std::collections::BTreeSet;

use convenant_model::{
    entry::{OutcomeEntry, Status},
    kept::last_day,
    query::QueryKind,
    register::Answer,
};

use crate::{
    Code, Finding, LedgerKind, LedgerReplay, Place,
    account::{Asked, Decided, Ended, Result, Ruling, Stated},
    times,
};

impl LedgerReplay<'_> {
    pub(crate) fn outcome(&mut self, index: u64, outcome: &OutcomeEntry) {
        let finding = |code| Finding::new(code, &self.told.name).entry(index).query(outcome.query);
        let decided = self.told.decided.get_mut(&outcome.query);
        let decided = decided.filter(|one| one.index == outcome.decision && one.permits_any());
        let Some(decided) = decided else {
            let named = format!("decision={}", outcome.decision);
            return self.findings.push(finding(Code::NoDecision).found(named));
        };
        if let Some(before) = &decided.ended {
            let first = format!("entry={}", before.index);
            return self.findings.push(finding(Code::ClosedTwice).expected(first));
        }
        let late = finding(Code::Late);
        self.findings.extend(times::late(outcome.at, decided.expires(), late));
        let ended = Ended::new(index, outcome);
        let fault = contradiction(self.told.name.kind, decided, &ended, outcome);
        self.findings.extend(fault.map(|fault| finding(Code::Outcome).found(fault)));
        if self.told.name.kind == LedgerKind::Node && outcome.results.iter().any(|one| one.alarm) {
            self.findings.push(finding(Code::Alarm));
        }
        let answered = ended.results.iter().filter(|one| one.stated.answered()).count();
        self.counts.answered += answered as u64;
        decided.ended = Some(ended);
        self.note_answers(index, outcome);
    }

    /// Notes what was answered, and when it must be gone as this party counts it (clause L6). Who has something to
    /// destroy is told from all ledgers together.
    fn note_answers(&mut self, index: u64, outcome: &OutcomeEntry) {
        let Some(decided) = self.told.decided.get(&outcome.query) else { return };
        let place = Place { ledger: self.told.name.clone(), entry: index };
        for result in outcome.results.iter().filter(|one| one.status == Status::Answered) {
            let provider = result.partner.clone();
            let (id, kind) = (decided.ruled.project.clone(), decided.ruled.kind);
            if let Some(asked) = decided.target(result.target) {
                let dataset = asked.dataset.clone();
                let source = (id.clone(), provider.clone(), dataset, kind);
                self.figures.answered(&place, source);
            }
            // A number is about nobody.
            if kind == QueryKind::Count {
                continue;
            }
            let last_day = last_day(outcome.at, decided.ruled.retention_days);
            let receiver = decided.ruled.requester.clone();
            let answer = Answer { query: outcome.query, provider, receiver, at: outcome.at };
            self.kept.entry(id).or_default().keep(answer, last_day);
        }
    }

    /// The permits that were never followed by an outcome.
    pub(crate) fn report_open(&mut self) {
        let open =
            self.told.decided.iter().filter(|(_, one)| one.permits_any() && one.ended.is_none());
        for (query, decided) in open {
            self.counts.open += 1;
            // What could not be read may tell how it ended.
            if self.told.is_cut {
                continue;
            }
            let finding = Finding::new(Code::Open, &self.told.name).entry(decided.index);
            self.findings.push(finding.query(*query));
        }
    }
}

/// The first place where an outcome contradicts itself or the decision.
fn contradiction(
    kind: LedgerKind,
    decided: &Decided,
    ended: &Ended,
    outcome: &OutcomeEntry,
) -> Option<String> {
    let targets: BTreeSet<u32> = ended.results.iter().map(|one| one.target).collect();
    // A node decides on the one target that is its own, the coordinator on all.
    let ruled = (0..).zip(&*decided.ruled.targets).filter(|(_, asked)| asked.ruling.is_some());
    let ruled: BTreeSet<u32> = ruled.map(|(number, _)| number).collect();
    if targets != ruled || targets.len() != ended.results.len() {
        return Some(format!("results={targets:?} verdicts={ruled:?}"));
    }
    ended.results.iter().zip(&outcome.results).find_map(|(result, told)| {
        let asked = decided.target(result.target)?;
        let other = (told.partner != asked.partner).then_some("partner");
        let fault = other.or_else(|| contradicts(kind, asked, result))?;
        Some(format!("target={} member={fault}", result.target))
    })
}

/// The member of a result that contradicts another, or the decision.
fn contradicts(kind: LedgerKind, asked: &Asked, result: &Result) -> Option<&'static str> {
    let (sent, answered) = (&result.sent, result.stated.answered());
    if answered && !asked.permitted() {
        return Some("status");
    }
    if answered && (sent.hash.is_none() || sent.chunks == 0 || sent.bytes == 0) {
        return Some("hash");
    }
    if sent.chunks == 0 && (sent.hash.is_some() || sent.bytes > 0) {
        return Some("chunks");
    }
    match &asked.ruling {
        Some(Ruling::Refuse(_)) if sent.chunks > 0 => Some("chunks"),
        Some(Ruling::Refuse(refused)) if *refused != result.stated => Some("status"),
        // A node that permits answers or fails; the clauses had their say before.
        Some(Ruling::Permit { .. })
            if kind == LedgerKind::Node && matches!(result.stated, Stated::Refused(_)) =>
        {
            Some("status")
        }
        _ => None,
    }
}
