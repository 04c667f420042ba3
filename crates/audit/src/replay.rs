//! The whole: a register and any number of ledgers.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use convenant_model::Timestamp;

use crate::{
    Answers, Basis, Beside, Code, CoordinatorRead, Finding, LedgerKind, LedgerName, LedgerReplay,
    RegisterEvidence, Replayed, Report, Statement, duties,
    early::Early,
    findings::Findings,
    kept, reconcile, revoked,
    settling::{EVERY, Keep, Settling},
    signed::Known,
    told::Told,
};

/// An audit under way.
pub struct Replay<'a> {
    register: &'a RegisterEvidence,
    known: Arc<Known>,
    ledgers: Vec<Replayed>,
    findings: Vec<Finding>,
    pub(crate) settling: Settling,
}

/// Audits ledgers in memory that hardly grows with them: of an exchange that all parties told of, and alike, nothing is
/// kept but its name. `pass` begins each ledger, has them read by [`Replay::read`], and adds what comes of them. It is
/// called again, from the beginning, where another entry of such an exchange turned up: three times at most.
///
/// # Errors
/// The first error of a pass.
pub fn audit<'a, E>(
    register: &'a RegisterEvidence,
    pass: impl FnMut(&mut Replay<'a>) -> Result<(), E>,
) -> Result<Report, E> {
    audit_looking_every(EVERY, register, pass)
}

/// The same; whoever says after how many entries it looks which exchanges are over trades memory for time, and the
/// report is the same.
///
/// # Errors
/// The first error of a pass.
pub fn audit_looking_every<'a, E>(
    entries: usize,
    register: &'a RegisterEvidence,
    mut pass: impl FnMut(&mut Replay<'a>) -> Result<(), E>,
) -> Result<Report, E> {
    let mut keep = Keep::These(HashSet::new());
    loop {
        let settling = Settling::new(keep, entries);
        let mut replay = Replay { settling, ..Replay::new(register) };
        pass(&mut replay)?;
        match replay.settling.again() {
            Some(more) => keep = more,
            None => return Ok(replay.report()),
        }
    }
}

impl<'a> Replay<'a> {
    /// Begins with a register, and keeps all that is held against each other until the end; [`audit`] does not.
    #[must_use]
    pub fn new(register: &'a RegisterEvidence) -> Self {
        let (known, settling) = (Arc::default(), Settling::new(Keep::All, EVERY));
        Self { register, known, ledgers: Vec::new(), findings: Vec::new(), settling }
    }

    /// Begins a ledger, to be fed its entries and given back with [`Self::add`]. Ledgers do not depend
    /// on each other until then.
    #[must_use]
    pub fn ledger(&self, name: LedgerName, beside: Beside) -> LedgerReplay<'a> {
        LedgerReplay::new(self.register, name, beside, Arc::clone(&self.known))
    }

    /// Holds what witnesses say of the register against it. What they say of ledgers lies [`Beside`] these.
    pub fn statements(&mut self, statements: &[Statement]) {
        self.findings.extend(self.register.check_statements(statements));
    }

    /// Lets go of the exchanges that are over.
    pub(crate) fn settle(&mut self, ledgers: &mut [&mut LedgerReplay<'a>], now: Timestamp) {
        let mut told: Vec<_> = ledgers.iter_mut().map(|one| &mut one.told).collect();
        self.settling.settle(self.register, &self.known, &mut told, now);
        ledgers.iter_mut().for_each(|one| one.ruled.prune());
    }

    /// Adds what was found of copies of ledgers.
    pub fn find(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// Adds a ledger that was replayed. Of two of one name the longer counts: which of them is the party's,
    /// [`RegisterEvidence::compare_copies`] tells before.
    pub fn add(&mut self, replayed: Replayed) {
        self.ledgers.push(replayed);
    }

    /// Holds the ledgers against each other, and reports. Entries that one party wrote after another's
    /// ledger was copied look like missing ones, so ledgers are copied while nothing is under way.
    #[must_use]
    pub fn report(mut self) -> Report {
        let longest = |one: &Replayed| (one.told.name.clone(), Reverse(one.report.counts.entries));
        self.ledgers.sort_by_cached_key(longest);
        let mut findings = Findings::default();
        findings.extend(self.register.findings().iter().cloned());
        findings.extend(std::mem::take(&mut self.findings));
        self.ledgers.dedup_by(|one, before| {
            let twice = one.told.name == before.told.name;
            if twice {
                findings.push(Finding::new(Code::LedgerTwice, &one.told.name));
            }
            twice
        });
        for ledger in &mut self.ledgers {
            findings.absorb(std::mem::take(&mut ledger.findings));
        }
        let told: Vec<&Told> = self.ledgers.iter().map(|one| &one.told).collect();
        let coordinator = told.iter().find(|one| one.name.kind == LedgerKind::Coordinator);
        let early = coordinator.map(|one| Early::of(one, &told));
        findings.extend(early.iter().flat_map(Early::findings));
        reconcile::reconcile(&told, (early.as_ref(), &self.settling.over), &mut findings);
        let mut wanted = self.settling.wanted;
        reconcile::missing(&told, self.register, &mut wanted);
        findings.extend(reconcile::tell(wanted));
        if let Some(coordinator) = coordinator {
            findings.extend(revoked::documents(self.register, coordinator));
        }
        let until = until(&self.ledgers);
        let coordinator = CoordinatorRead::among(&self.ledgers, &findings);
        let by_coordinator = coordinator.as_ref().is_some_and(CoordinatorRead::counts);
        let mut told: Vec<&mut Told> = self.ledgers.iter_mut().map(|one| &mut one.told).collect();
        kept::tell(self.register, &mut told, |_| true);
        for ledger in &mut self.ledgers {
            // A node sees again what the coordinator passed on.
            let name = &ledger.told.name;
            if name.kind != LedgerKind::Node || !by_coordinator {
                findings.absorb(std::mem::take(&mut ledger.told_once));
            }
            ledger.figures.kept = std::mem::take(&mut ledger.told.kept);
            findings.extend(duties::kept(name, &ledger.figures, until));
        }
        findings.extend(duties::projects(self.register, until));
        let answers = Answers::new(self.register, &mut self.ledgers, until, coordinator);
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
        let told = &ledger.told;
        let ended = told.passed.latest().map(|at| (told.name.party.as_str(), at));
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
