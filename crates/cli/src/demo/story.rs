//! The story from its first section to its last.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use convenant_audit::{Report, Severity};
use convenant_demo::Federation;
use convenant_exchange::Kept;

use super::{
    answers::SCENES,
    cast::Cast,
    evidence::Evidence,
    opening, outsiders,
    refusals::ATTEMPTS,
    seen::{By, Seen},
    stage::Stage,
    summary::{AuditSeen, LedgerSeen, RefusalSeen, Summary, TamperSeen},
    teller::{Style, Teller},
    vouchers,
};
use crate::output;

/// The story, and what was seen of it so far.
pub(super) struct Story {
    teller: Teller,
    folder: PathBuf,
    kept: bool,
    refused: usize,
    summary: Summary,
}

/// What was announced of an attempt.
struct Announced {
    tried: &'static str,
    by: By,
    expected: (&'static str, &'static str),
}

impl Story {
    pub(super) fn new(teller: Teller, folder: &Path, kept: bool) -> Self {
        let folder = folder.to_owned();
        Self { teller, folder, kept, refused: 0, summary: Summary::default() }
    }

    /// Tells it all, unless it is `interrupted`. An error says which step did not end as announced. Nothing runs any
    /// more once this returns, so that nothing writes into a folder that is removed.
    pub(super) async fn tell(
        &mut self,
        federation: Federation,
        interrupted: impl Future<Output = ()>,
    ) -> Result<()> {
        self.teller.say("A federation starts on this machine …")?;
        let mut stage = Stage::start(federation).await?;
        let played = tokio::select! {
            played = self.play(&mut stage) => played,
            () = interrupted => Err(anyhow!("it was interrupted")),
        };
        let struck = stage.strike().await;
        let evidence = Evidence::gather(&self.folder, &played.and(struck)?);
        self.audit(&evidence)
    }

    /// What is told while the daemons run.
    async fn play(&mut self, stage: &mut Stage) -> Result<()> {
        stage.submit().await?;
        let population = stage.federation.population.as_ref();
        let cast = Cast::choose(population.context("nobody lives here")?)?;
        opening::parties(stage, &mut self.teller)?;
        opening::project(stage, &mut self.teller)?;
        opening::grants(stage, &mut self.teller)?;
        self.answers(stage, &cast).await?;
        let kept = self.vouchers(stage, &cast).await?;
        self.refusals(stage, &cast, &kept).await
    }

    /// Prints the summary or where things are.
    pub(super) fn end(mut self, told: Result<()>) -> Result<ExitCode> {
        let told = match told {
            Err(error) if error.is::<output::Closed>() => return Err(error),
            told => told,
        };
        self.summary.ok = told.is_ok();
        self.summary.error = told.as_ref().err().map(|error| format!("{error:#}"));
        self.summary.folder = self.kept.then(|| self.folder.clone());
        if self.teller.is_silent() {
            output::json(&self.summary)?;
        }
        if let Some(error) = &self.summary.error {
            output::note(&format!("the demo did not see what it announced: {error}"));
            return Ok(ExitCode::FAILURE);
        }
        self.goodbye()?;
        Ok(ExitCode::SUCCESS)
    }

    async fn answers(&mut self, stage: &Stage, cast: &Cast) -> Result<()> {
        self.teller.section("Questions that are permitted")?;
        self.teller.say(
            "The leader signs each question. The coordinator decides on it, and the node decides \
             again, each by its own copy of the register; both put their decision on record before \
             anything is read. Rows are sealed to the leader.",
        )?;
        for scene in &SCENES {
            let seen = scene.play(stage, cast, &self.teller).await?;
            self.summary.answers.extend(seen);
        }
        Ok(())
    }

    async fn vouchers(&mut self, stage: &Stage, cast: &Cast) -> Result<Kept> {
        self.teller.section("A register that knows no area")?;
        self.teller.say(
            "A project is held within its area. Where a register has no column for that, it answers only for \
             people whom a partner found within the area, and vouches for.",
        )?;
        let (kept, seen) = vouchers::answers(stage, cast, &self.teller).await?;
        self.summary.answers.extend(seen);
        Ok(kept)
    }

    async fn refusals(&mut self, stage: &mut Stage, cast: &Cast, kept: &Kept) -> Result<()> {
        self.teller.section("What is refused")?;
        self.teller.say(
            "Every clause of the covenant that a question offends is named, with the covenant's own \
             Dutch text. All of these attempts are really made.",
        )?;
        for attempt in &ATTEMPTS {
            let announced =
                Announced { tried: attempt.tried, by: attempt.by, expected: attempt.expected };
            self.refused(&announced, attempt.make(stage, cast).await)?;
        }
        let seen = vouchers::swapped(stage, cast, kept).await;
        self.refused(&SWAPPED, seen)?;
        let seen = outsiders::not_enrolled(stage, cast).await;
        self.refused(&NOT_ENROLLED, seen)?;
        let seen = outsiders::foreign_authority(stage, cast).await;
        self.refused(&FOREIGN, seen)?;
        let seen = outsiders::curious_coordinator(stage, cast).await;
        self.refused(&CURIOUS, seen)
    }

    /// Holds a refusal against what was announced, and tells it.
    fn refused(&mut self, announced: &Announced, seen: Result<Seen>) -> Result<()> {
        let seen = seen.with_context(|| announced.tried)?;
        let (clause, code) = announced.expected;
        let (reason, others) = seen.split(clause, code).with_context(|| announced.tried)?;
        let by = seen.by.as_str();
        ensure!(seen.by == announced.by, "{}: {by} refused it", announced.tried);
        self.refused += 1;
        let teller = &self.teller;
        teller.line("")?;
        teller.item(self.refused, announced.tried)?;
        let verdict = format!("Refused by {by}: {clause} {code}").replace(":  ", ": ");
        teller.styled(4, Style::Bad, &verdict)?;
        if !reason.detail.is_empty() {
            teller.styled(4, Style::Plain, &reason.detail)?;
        }
        if !reason.clause.is_empty() {
            teller.styled(4, Style::Quiet, &format!("“{}”", reason.text))?;
        }
        for other in others {
            let line = format!("also {} {}: {}", other.clause, other.code, other.detail);
            teller.styled(4, Style::Plain, &line)?;
        }
        let (tried, by) = (announced.tried, by.to_owned());
        self.summary.refusals.push(RefusalSeen { tried, by, clause, code, all: seen.all() });
        Ok(())
    }

    fn audit(&mut self, evidence: &Evidence) -> Result<()> {
        self.teller.section("The audit")?;
        self.teller.say(
            "The daemons have stopped. Each left a signed ledger of everything it decided. The \
             auditor verifies every document of the register, makes every decision again with the \
             register of that moment, and holds the ledgers against each other.",
        )?;
        self.teller.line("")?;
        let report = evidence.replay()?;
        let mut ledgers = Vec::new();
        for ledger in &report.ledgers {
            let counts = &ledger.counts;
            let name = evidence.party(&ledger.name).to_owned();
            let text = format!(
                "{} entries: permitted {}, refused {}, not taken {}, receipts {}",
                counts.entries, counts.permits, counts.refusals, counts.rejected, counts.receipts
            );
            self.teller.pair(&name, &text)?;
            ledgers.push(LedgerSeen { name, entries: counts.entries });
        }
        self.teller.line("")?;
        let holds = report.holds() && report.is_complete();
        ensure!(holds, "the audit had to pass, and says:\n{report}");
        self.teller.styled(3, Style::Good, "The evidence holds.")?;
        let curious = evidence.asked_past_coordinator(&report, WATCHED)?.code.as_str();
        self.teller.line("")?;
        self.teller.say(
            "It also tells what nobody else would have: the coordinator's own attempt stands in the \
             node's ledger, although the coordinator recorded nothing of it.",
        )?;
        self.told(&report, Style::Quiet)?;
        let tampered = self.tamper(evidence)?;
        let findings = report.findings;
        self.summary.audit = Some(AuditSeen { ledgers, findings, tampered, curious });
        Ok(())
    }

    /// Everything that an audit found, as `audit replay` prints it.
    fn told(&self, report: &Report, faults: Style) -> Result<()> {
        for finding in &report.findings {
            let style = if finding.severity == Severity::Finding { faults } else { Style::Quiet };
            self.teller.line("")?;
            self.teller.styled(3, style, &finding.to_string())?;
        }
        report.left_out.iter().try_for_each(|left| {
            self.teller.line("")?;
            self.teller.styled(3, Style::Quiet, &left.to_string())
        })
    }

    fn tamper(&mut self, evidence: &Evidence) -> Result<TamperSeen> {
        self.teller.section("One byte is changed")?;
        let ledger = evidence.ledger(WATCHED)?;
        let byte = ledger.tamper()?;
        let report = evidence.replay();
        byte.restore()?;
        let report = report?;
        let tampered = ledger.finding(&report, &byte)?;
        let (file, at) = byte.place();
        let changed = format!("One bit of byte {at} was changed in `{}`.", file.display());
        self.teller.say(&changed)?;
        self.teller.say("The auditor replays everything again, and says:")?;
        self.told(&report, Style::Bad)?;
        self.teller.line("")?;
        let restored = evidence.replay()?;
        ensure!(restored.holds(), "the byte was put back, and the audit says:\n{restored}");
        self.teller.say("The byte was put back, and the evidence holds again.")?;
        Ok(tampered)
    }

    fn goodbye(&mut self) -> Result<()> {
        self.teller.section("What now")?;
        if !self.kept {
            self.teller.say(
                "Everything was removed again. `convenant demo --dir DIR --keep` keeps it; \
                 `convenant demo --dir DIR --setup-only` writes a federation whose daemons you start \
                 by hand.",
            )?;
            return Ok(());
        }
        let folder = self.folder.display();
        self.teller.pair("everything", &format!("{folder}"))?;
        self.teller.pair("the documents", &format!("{folder}/documents"))?;
        self.teller.pair("the answers", &format!("{folder}/leader/answers"))?;
        self.teller.pair("a ledger", &format!("{folder}/nodes/{WATCHED}/state/ledger"))?;
        self.teller.line("")?;
        self.teller.say("Check everything yourself:")?;
        self.teller.line("")?;
        self.teller.line(&format!("   convenant audit replay --federation {folder}"))?;
        Ok(())
    }
}

/// The partner in whose ledger a byte is changed, and whom the coordinator asks.
const WATCHED: &str = "toeslagen";

const SWAPPED: Announced = Announced {
    tried: "Ask the IND about a resident of Den Haag, with the voucher that Rotterdam gave for somebody \
            else.",
    by: By::Node,
    expected: ("S10", "GEEN_VOUCHER"),
};

const NOT_ENROLLED: Announced = Announced {
    tried: "As an organisation that is not enrolled, send a query that the leader signed. The \
            certificate is of the right authority.",
    by: By::Coordinator,
    expected: ("", "NIET_GEAUTHENTICEERD"),
};

const FOREIGN: Announced = Announced {
    tried: "Do the same with a home-made certificate that says it is Gemeente Rotterdam.",
    by: By::Coordinator,
    expected: ("", outsiders::HANDSHAKE),
};

const CURIOUS: Announced = Announced {
    tried: "As the coordinator, ask the node of Toeslagen on its own behalf, over the connection that \
            the node expects.",
    by: By::Node,
    expected: ("S6", "MANDAAT"),
};
