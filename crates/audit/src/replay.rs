//! The whole: a register and any number of ledgers.

use std::{collections::BTreeMap, sync::Arc};

use convenant_model::Timestamp;

use crate::{
    Answers, Basis, Code, Finding, LedgerKind, LedgerName, LedgerReplay, RegisterEvidence,
    Replayed, Report, Statement, duties, findings::Findings, kept, reconcile, revoked,
    signed::Known,
};

/// An audit under way.
pub struct Replay<'a> {
    register: &'a RegisterEvidence,
    known: Arc<Known>,
    ledgers: Vec<Replayed>,
    findings: Vec<Finding>,
}

impl<'a> Replay<'a> {
    /// Begins with a register.
    #[must_use]
    pub fn new(register: &'a RegisterEvidence) -> Self {
        let known = Arc::default();
        Self { register, known, ledgers: Vec::new(), findings: Vec::new() }
    }

    /// Begins a ledger, to be fed its entries and given back with [`Self::add`]. Ledgers do not depend
    /// on each other until then.
    #[must_use]
    pub fn ledger(&self, name: LedgerName) -> LedgerReplay<'a> {
        LedgerReplay::new(self.register, name, Arc::clone(&self.known))
    }

    /// Holds what witnesses say of the register against it. What they say of ledgers is for
    /// [`LedgerReplay::witnesses`].
    pub fn statements(&mut self, statements: &[Statement]) {
        self.findings.extend(self.register.check_statements(statements));
    }

    /// Adds a ledger that was replayed.
    pub fn add(&mut self, replayed: Replayed) {
        self.ledgers.push(replayed);
    }

    /// Holds the ledgers against each other, and reports. Entries that one party wrote after another's
    /// ledger was copied look like missing ones, so ledgers are copied while nothing is under way.
    #[must_use]
    pub fn report(mut self) -> Report {
        self.ledgers.sort_by(|one, other| one.name.cmp(&other.name));
        let mut findings = Findings::default();
        findings.extend(self.register.findings().iter().cloned());
        findings.extend(std::mem::take(&mut self.findings));
        for pair in self.ledgers.windows(2) {
            if let [one, other] = pair
                && one.name == other.name
            {
                findings.push(Finding::new(Code::LedgerTwice, &one.name));
            }
        }
        for ledger in &mut self.ledgers {
            findings.absorb(std::mem::take(&mut ledger.findings));
        }
        let coordinators: Vec<_> = self.register.coordinators().cloned().collect();
        findings.absorb(reconcile::reconcile(&self.ledgers, &coordinators));
        let mut of = self.ledgers.iter();
        if let Some(coordinator) = of.find(|one| one.name.kind == LedgerKind::Coordinator) {
            findings.extend(revoked::documents(self.register, coordinator));
        }
        let until = until(&self.ledgers);
        let by_coordinator =
            self.ledgers.iter().any(|one| one.name.kind == LedgerKind::Coordinator);
        kept::tell(self.register, &mut self.ledgers);
        for ledger in &mut self.ledgers {
            // A node sees again what the coordinator passed on.
            if ledger.name.kind != LedgerKind::Node || !by_coordinator {
                findings.absorb(std::mem::take(&mut ledger.told_once));
            }
            findings.extend(duties::kept(&ledger.name, &ledger.figures, until));
        }
        findings.extend(duties::projects(self.register, until));
        let answers = Answers::new(self.register, &mut self.ledgers, until, by_coordinator);
        let left_out = findings.left_out();
        let mut findings = findings.told();
        // Causes before what follows from them: the register, then each ledger by itself, then one against another.
        let order = |one: &Finding| (one.severity, one.code, one.ledger.clone(), one.entry);
        findings.sort_by_cached_key(order);
        findings.dedup();
        let basis = Basis::new(self.register, &self.ledgers);
        let ledgers = self.ledgers.into_iter().map(|ledger| ledger.report).collect();
        let register = self.register.position();
        Report { basis, register, ledgers, findings, left_out, answers }
    }
}

/// Until when terms are counted: the second latest of the last times that each party signed for, in its ledgers or as a
/// witness of others. One party with a false time makes nobody else look late, and one that falls silent does not
/// stop the clock.
fn until(ledgers: &[Replayed]) -> Option<Timestamp> {
    let mut last = BTreeMap::<&str, Timestamp>::new();
    for ledger in ledgers {
        let ended = ledger.passed.until(u64::MAX).map(|at| (ledger.name.party.as_str(), at));
        let cosigned = ledger.report.cosigned.iter();
        let cosigned = cosigned.filter_map(|one| Some((one.by.rsplit_once('/')?.1, one.at)));
        for (party, at) in ended.into_iter().chain(cosigned) {
            let latest = last.entry(party).or_insert(at);
            *latest = at.max(*latest);
        }
    }
    let mut ends: Vec<_> = last.into_values().collect();
    ends.sort_unstable();
    ends.iter().rev().take(2).next_back().copied()
}
