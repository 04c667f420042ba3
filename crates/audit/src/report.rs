//! What an audit reports: as JSON for machines, as text for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use convenant_model::{
    Digest,
    entry::{Decision, RecordedVerdict},
    query::RegisterPosition,
};
use serde::Serialize;

use crate::{Answers, Cosigned, Finding, LeftOut, Severity};

/// The result of an audit.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The register that everything was decided again with.
    pub register: RegisterPosition,
    /// Each ledger that was replayed.
    pub ledgers: Vec<LedgerReport>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// Findings of which there are so many more that they are not told of one by one.
    pub left_out: Vec<LeftOut>,
    /// The figures that answer the audit's questions.
    pub answers: Answers,
}

/// One ledger.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LedgerReport {
    /// Its name: `kind/OIN`.
    pub name: String,
    /// Merkle tree hash of all entries that were replayed.
    pub root: Digest,
    /// How many of them a verified checkpoint covers; absent where none does.
    pub covered: Option<u64>,
    /// How far others cosigned it.
    pub cosigned: Vec<Cosigned>,
    /// What is in it.
    pub counts: Counts,
}

/// How much of what is in a ledger.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// Entries.
    pub entries: u64,
    /// Decisions.
    pub decisions: u64,
    /// Targets that were permitted.
    pub permits: u64,
    /// Targets that were refused.
    pub refusals: u64,
    /// How often each clause refused.
    pub clauses: BTreeMap<String, u64>,
    /// How often a target was refused for another reason.
    pub problems: BTreeMap<&'static str, u64>,
    /// Targets that were answered in full.
    pub answered: u64,
    /// Permitted queries without an outcome.
    pub open: u64,
    /// Messages that were no query to decide on.
    pub rejected: u64,
    /// Receipts.
    pub receipts: u64,
    /// Starts of the party.
    pub starts: u64,
}

impl Counts {
    pub(crate) const fn new() -> Self {
        Self {
            entries: 0,
            decisions: 0,
            permits: 0,
            refusals: 0,
            clauses: BTreeMap::new(),
            problems: BTreeMap::new(),
            answered: 0,
            open: 0,
            rejected: 0,
            receipts: 0,
            starts: 0,
        }
    }

    pub(crate) fn decision(&mut self, decision: &Decision) {
        self.decisions += 1;
        for verdict in &decision.verdicts {
            match &verdict.verdict {
                RecordedVerdict::Permit { .. } => self.permits += 1,
                RecordedVerdict::Refuse { refusal } => {
                    self.refusals += 1;
                    for one in refusal.violations() {
                        *self.clauses.entry(format!("{}/{}", one.clause, one.code)).or_default() +=
                            1;
                    }
                }
                RecordedVerdict::Problem { problem } => {
                    self.refusals += 1;
                    *self.problems.entry(problem.code()).or_default() += 1;
                }
            }
        }
    }
}

impl Report {
    /// Whether the evidence holds: nothing was found but warnings and notes.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.number(Severity::Finding) == 0
    }

    /// How many findings of one severity there are.
    #[must_use]
    pub fn number(&self, severity: Severity) -> u64 {
        let told = self.findings.iter().filter(|one| one.severity == severity).count() as u64;
        let left = self.left_out.iter().filter(|one| one.severity == severity);
        told + left.map(|one| one.number).sum::<u64>()
    }

    /// The first of each kind that does not hold.
    pub fn first_of_each(&self) -> impl Iterator<Item = &Finding> {
        let mut seen = BTreeSet::new();
        let faults = self.findings.iter().filter(|one| one.severity == Severity::Finding);
        faults.filter(move |one| seen.insert(one.code))
    }
}

/// The summary in Dutch, as a terminal shows it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RegisterPosition { size, root } = &self.register;
        writeln!(f, "Register: {size} documenten, wortel {root}")?;
        for ledger in &self.ledgers {
            write!(f, "\n{ledger}")?;
        }
        for severity in [Severity::Finding, Severity::Warning, Severity::Note] {
            let mut these = self.findings.iter().filter(|one| one.severity == severity).peekable();
            if these.peek().is_some() {
                writeln!(f)?;
            }
            these.try_for_each(|one| writeln!(f, "{one}"))?;
        }
        for LeftOut { severity, code, ledger, number } in &self.left_out {
            writeln!(f, "{} {code}: {ledger}, nog {number} keer", severity.in_dutch())?;
        }
        let verdict = if self.holds() { "Het bewijs klopt" } else { "Het bewijs klopt NIET" };
        let number = |severity, one: &str, more: &str| {
            let number = self.number(severity);
            format!("{number} {}", if number == 1 { one } else { more })
        };
        writeln!(
            f,
            "\n{verdict}: {}, {}, {}.",
            number(Severity::Finding, "bevinding", "bevindingen"),
            number(Severity::Warning, "waarschuwing", "waarschuwingen"),
            number(Severity::Note, "opmerking", "opmerkingen"),
        )
    }
}

impl fmt::Display for LedgerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { entries, decisions, permits, refusals, answered, open, .. } = self.counts;
        writeln!(f, "Logboek {}: {entries} regels, wortel {}", self.name, self.root)?;
        match self.covered {
            Some(covered) => writeln!(f, "  controlepunt: ondertekend, {covered} regels")?,
            None => writeln!(f, "  controlepunt: geen dat klopt")?,
        }
        for Cosigned { by, entries, at } in &self.cosigned {
            writeln!(f, "  medeondertekend: {entries} regels, door {by}, {at}")?;
        }
        if decisions > 0 {
            writeln!(f, "  besluiten: {decisions} ({permits} toegestaan, {refusals} geweigerd)")?;
            writeln!(f, "  uitkomsten: {answered} beantwoord, {open} open")?;
        }
        for (clause, number) in &self.counts.clauses {
            writeln!(f, "    geweigerd op {clause}: {number}")?;
        }
        for (problem, number) in &self.counts.problems {
            writeln!(f, "    geweigerd om {problem}: {number}")?;
        }
        if self.counts.receipts > 0 {
            let receipts = self.counts.receipts;
            writeln!(f, "  ontvangstbewijzen: {receipts} ({answered} beantwoord)")?;
        }
        if self.counts.rejected > 0 {
            writeln!(f, "  niet aangenomen berichten: {}", self.counts.rejected)?;
        }
        Ok(())
    }
}
