//! What an audit reports: as JSON for machines, as text for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use convenant_model::{
    Digest, Timestamp,
    entry::{Decision, RecordedVerdict, TargetVerdict},
    query::RegisterPosition,
};
use serde::Serialize;

use crate::{
    Answers, Basis, Code, Cosigned, Finding, LeftOut, Place, RejectedReport, Severity,
    words::number,
};

/// How many entries behind a number the summary names.
const SHOWN: usize = 10;

/// The result of an audit.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What the audit was made with, and of.
    pub basis: Basis,
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
    /// Merkle tree hash of all entries that were replayed; not the ledger's, where these are not all.
    pub root: Digest,
    /// Whether it was read to its end: up to where its checkpoint says, as far as its signature holds, and no entry is
    /// damaged.
    pub whole: bool,
    /// How many entries its checkpoint states, where the party's signature on it holds.
    pub signed: Option<u64>,
    /// How many of them a verified checkpoint covers; absent where none does.
    pub covered: Option<u64>,
    /// How far others cosigned it.
    pub cosigned: Vec<Cosigned>,
    /// Of how many entries an authority put a checkpoint under a timestamp.
    pub stamped: Vec<u64>,
    /// The time of the first entry.
    pub first: Option<Timestamp>,
    /// The latest time of an entry.
    pub last: Option<Timestamp>,
    /// What is in it.
    pub counts: Counts,
}

/// How much of what is in a ledger.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// Entries.
    pub entries: u64,
    /// Decisions. Each rules on one or more targets.
    pub decisions: u64,
    /// Decisions that permit one target at least.
    pub decisions_permitting: u64,
    /// Decisions that permit none.
    pub decisions_refusing: u64,
    /// Decisions that were made again. Of the others the register, the rules or the subjects are missing.
    pub made_again: u64,
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
            decisions_permitting: 0,
            decisions_refusing: 0,
            made_again: 0,
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
        let permits = |one: &TargetVerdict| matches!(one.verdict, RecordedVerdict::Permit { .. });
        if decision.verdicts.iter().any(permits) {
            self.decisions_permitting += 1;
        } else {
            self.decisions_refusing += 1;
        }
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

    /// Whether no ledger is known to be missing: of one that was not handed over nobody can say that it holds.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let told = self.findings.iter().map(|one| one.code);
        let left = self.left_out.iter().map(|one| one.code);
        !told.chain(left).any(|code| code == Code::LedgerMissing)
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

impl Report {
    /// The messages that were not taken, with the entries behind each number.
    fn rejected(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejected = &self.answers.rejected;
        if !rejected.is_empty() {
            writeln!(f, "\nNiet aangenomen berichten, naar reden en afzender:")?;
        }
        for RejectedReport { problem, peer, entries } in rejected {
            write!(f, "  {} van {peer}: {} (", problem.code(), entries.number)?;
            let mut before = None;
            for Place { ledger, entry } in entries.first.iter().take(SHOWN) {
                if before != Some(ledger) {
                    write!(f, "{}{ledger}:", if before.is_some() { "; " } else { "" })?;
                    before = Some(ledger);
                }
                write!(f, " {entry}")?;
            }
            match entries.number.saturating_sub(SHOWN as u64) {
                0 => writeln!(f, ")")?,
                more => writeln!(f, " en nog {more})")?,
            }
        }
        Ok(())
    }
}

/// The summary in Dutch, as a terminal shows it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RegisterPosition { size, root } = &self.register;
        let documents = number(*size, "document", "documenten");
        writeln!(f, "Register: {documents}, wortel {root}")?;
        for ledger in &self.ledgers {
            write!(f, "\n{ledger}")?;
        }
        self.rejected(f)?;
        let numbered = !self.answers.rejected.is_empty();
        if numbered || self.findings.iter().any(|one| one.entry.is_some()) {
            writeln!(f, "\nRegels van een logboek en documenten van het register tellen vanaf 0.")?;
        }
        for severity in [Severity::Finding, Severity::Warning, Severity::Note] {
            let mut these = self.findings.iter().filter(|one| one.severity == severity).peekable();
            if these.peek().is_some() {
                writeln!(f)?;
            }
            these.try_for_each(|one| writeln!(f, "{one}"))?;
        }
        self.left_out.iter().try_for_each(|left| writeln!(f, "{left}"))?;
        let verdict = match (self.holds(), self.is_complete()) {
            (true, true) => "Het bewijs klopt",
            (true, false) => "Het overgelegde bewijs klopt; niet alles is overgelegd",
            (false, _) => "Het bewijs klopt NIET",
        };
        writeln!(
            f,
            "\n{verdict}: {}, {}, {}.",
            number(self.number(Severity::Finding), "bevinding", "bevindingen"),
            number(self.number(Severity::Warning), "waarschuwing", "waarschuwingen"),
            number(self.number(Severity::Note), "opmerking", "opmerkingen"),
        )
    }
}

impl fmt::Display for LedgerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = |many| number(many, "regel", "regels");
        let Counts { decisions, answered, receipts, rejected, .. } = self.counts;
        write!(f, "Logboek {}: {}", self.name, entries(self.counts.entries))?;
        if self.whole {
            writeln!(f, ", wortel {}", self.root)?;
        } else {
            writeln!(f, " gelezen, niet alle")?;
        }
        match (self.covered, self.signed) {
            (Some(covered), _) => writeln!(f, "  controlepunt: ondertekend, {}", entries(covered))?,
            (None, Some(signed)) => {
                let but = if self.whole { ", en geldt niet voor deze regels" } else { "" };
                writeln!(
                    f,
                    "  controlepunt: de handtekening klopt, over {}{but}",
                    entries(signed)
                )?;
            }
            (None, None) => writeln!(f, "  controlepunt: geen dat klopt")?,
        }
        // Without a signature nobody knows where it ends.
        if !self.whole || self.signed.is_none() {
            writeln!(f, "  {}", unread(self.counts.entries, self.signed))?;
        }
        for Cosigned { by, entries: many, at } in &self.cosigned {
            writeln!(f, "  medeondertekend: {}, door {by}, {at}", entries(*many))?;
        }
        for many in &self.stamped {
            writeln!(f, "  tijdstempel: {}", entries(*many))?;
        }
        if decisions > 0 {
            self.counts.decided(f)?;
        }
        if !self.counts.clauses.is_empty() {
            writeln!(f, "  weigeringen, die elke clausule noemen waarop ze rusten:")?;
        }
        for (clause, number) in &self.counts.clauses {
            writeln!(f, "    geweigerd op {clause}: {number}")?;
        }
        for (problem, number) in &self.counts.problems {
            writeln!(f, "    geweigerd om {problem}: {number}")?;
        }
        if receipts > 0 {
            writeln!(f, "  ontvangstbewijzen: {receipts} ({answered} van een antwoord)")?;
        }
        if rejected > 0 {
            writeln!(f, "  niet aangenomen berichten: {rejected}")?;
        }
        Ok(())
    }
}

/// Of a ledger that was not read to its end, or of which nobody knows where that is: how much of it was.
fn unread(read: u64, signed: Option<u64>) -> String {
    match signed.filter(|signed| read < *signed) {
        Some(signed) => {
            let signed = number(signed, "ondertekende regel", "ondertekende regels");
            let are = if read == 1 { "is" } else { "zijn" };
            format!("van {signed} {are} er {read} gelezen; deze cijfers zijn dus te laag")
        }
        None => {
            "hoeveel regels er horen te zijn staat niet vast; deze cijfers kunnen dus te laag zijn"
                .to_owned()
        }
    }
}

impl Counts {
    /// What was decided, each number with its unit: one decision rules on every dataset that its question asks.
    fn decided(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decisions, decisions_permitting, decisions_refusing, made_again, .. } = self;
        let Self { permits, refusals, answered, open, .. } = self;
        write!(f, "  besluiten: {decisions} ({decisions_permitting} met toestemming, ")?;
        writeln!(f, "{decisions_refusing} geheel geweigerd)")?;
        write!(f, "  overgedaan: {made_again}")?;
        match decisions.saturating_sub(*made_again) {
            0 => writeln!(f)?,
            not => writeln!(f, ", en {not} niet over te doen")?,
        }
        write!(
            f,
            "  uitspraken, een per gevraagde dataset: {} ",
            permits.saturating_add(*refusals)
        )?;
        writeln!(f, "({permits} toegestaan, {refusals} geweigerd)")?;
        write!(
            f,
            "  uitkomsten: {} volledig beantwoord, ",
            number(*answered, "dataset", "datasets")
        )?;
        writeln!(f, "{} nog open", number(*open, "besluit", "besluiten"))
    }
}
