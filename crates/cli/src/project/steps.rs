//! Documents of a project's life that a few arguments make: each is written as TOML, to be read, signed and
//! submitted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use convenant_model::{
    Clock as _, Date, Digest, Oin, ProjectId, Timestamp,
    documents::{
        Closure, Document, DocumentKind, Extension, Holder, Mandate, Paragraph, ProjectDecision,
        Resumption, Role, Ruling, Securing, Suspension, Withdrawal, tag,
    },
    parse::{BoundedText, from_json},
    register::{Decided, Envelope as _, Project, RegisterState},
};
use convenant_setup::verifying_key;
use convenant_signing::Jws;
use convenant_transport::SystemClock;

use super::{
    next,
    tried::{Tried, still_runs, would_be_taken},
};
use crate::{
    args::number,
    exit::{Named as _, usage},
    files::{PUBLIC, create},
    lang::Lang,
    names::unknown,
    output,
};

/// What every such document says, and where it goes.
#[derive(Args, Debug)]
pub(crate) struct Written {
    /// Why; part of the register, so without personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// From when on, like `2026-01-31T12:00:00.000Z` [default: now].
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    #[command(flatten)]
    tried: Tried,
    #[command(flatten)]
    out: Out,
}

/// Where a document goes.
#[derive(Args, Debug)]
pub(crate) struct Out {
    /// File for the document (TOML), which must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What the LSI decides.
#[derive(Args, Debug)]
pub(crate) struct DecisionArgs {
    /// The project.
    project: ProjectId,
    /// Reject the proposal [default: approve it].
    #[arg(long)]
    reject: bool,
    /// Why, and under which conditions.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// First day [default: the proposal's].
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last day [default: the proposal's].
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Day of the decision [default: today].
    #[arg(long, value_name = "DATE")]
    decided_on: Option<Date>,
    /// More than the usual duration is decided on, with reasons (S11).
    #[arg(long)]
    extended: bool,
    #[command(flatten)]
    out: Out,
}

/// Whom a mandate names.
#[derive(Args, Debug)]
pub(crate) struct MandateArgs {
    /// The project.
    project: ProjectId,
    /// Public key of the project leader (JWK).
    #[arg(long, value_name = "FILE")]
    leader: Vec<PathBuf>,
    /// Public keys of team members, who may ask.
    #[arg(long, value_name = "FILE")]
    analyst: Vec<PathBuf>,
    /// Public keys of advisers, who see documents and never data (S15).
    #[arg(long, value_name = "FILE")]
    adviser: Vec<PathBuf>,
    /// Public keys of auditors, who read evidence and never data.
    #[arg(long, value_name = "FILE")]
    auditor: Vec<PathBuf>,
    /// Most people or objects in one query.
    #[arg(long, value_name = "NUMBER", value_parser = number::<u32>(0..=u32::MAX.into()))]
    max_subjects: u32,
    /// First day [default: today, or the project's first].
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last day [default: the project's].
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Hash of the leader's own mandate, where the leader names the team and signs.
    #[arg(long, value_name = "HASH")]
    under: Option<Digest>,
    #[command(flatten)]
    out: Out,
}

/// A later last day.
#[derive(Args, Debug)]
pub(crate) struct ExtensionArgs {
    /// The project.
    project: ProjectId,
    /// The new last day.
    #[arg(long, value_name = "DATE")]
    until: Date,
    /// Day of the decision [default: today].
    #[arg(long, value_name = "DATE")]
    decided_on: Option<Date>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    out: Out,
}

/// How what was learned is secured.
#[derive(Args, Debug)]
pub(crate) struct SecuringArgs {
    /// The project.
    project: ProjectId,
    /// Who sees to it: a function, not a name.
    #[arg(long, value_name = "FUNCTION")]
    owner: String,
    /// What is done with the lessons.
    #[arg(long, value_name = "TEXT")]
    measures: String,
    /// From which day on [default: today].
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    #[command(flatten)]
    tried: Tried,
    #[command(flatten)]
    out: Out,
}

/// Writes a document that is to be signed, and returns once it is on disk.
pub(crate) fn write(
    out: &Path,
    document: &impl Document,
    config: Option<&Path>,
    json: bool,
) -> anyhow::Result<()> {
    write_new(out, &toml::to_string_pretty(document)?)?;
    next::sign(out, config);
    if json { output::json(document) } else { output::line(&out.display().to_string()) }
}

pub(super) fn write_new(out: &Path, text: &str) -> anyhow::Result<()> {
    create(out, PUBLIC, text.as_bytes())
}

pub(super) fn today() -> Date {
    SystemClock.now().date()
}

pub(super) async fn suspend(
    project: ProjectId,
    partner: Option<Oin>,
    written: &Written,
    json: bool,
) -> anyhow::Result<()> {
    let document = tag::Suspension::Suspension;
    let (from, reason) = (written.from(), written.reason()?);
    let runs = Some(project.clone());
    written.write(&Suspension { document, project, partner, from, reason }, runs, json).await
}

pub(super) async fn resume(suspension: &Path, written: &Written, json: bool) -> anyhow::Result<()> {
    let jws = signed_suspension(suspension)?;
    let suspended: Suspension = from_json("suspension", jws.payload())?;
    let resumption = Resumption {
        document: tag::Resumption::Resumption,
        project: suspended.project,
        suspension: jws.payload_hash(),
        from: written.from(),
        reason: written.reason()?,
    };
    written.write(&resumption, None, json).await
}

pub(super) async fn withdraw(
    project: ProjectId,
    partner: Option<Oin>,
    written: &Written,
    json: bool,
) -> anyhow::Result<()> {
    let document = tag::Withdrawal::Withdrawal;
    let (from, reason) = (written.from(), written.reason()?);
    let runs = Some(project.clone());
    written.write(&Withdrawal { document, project, partner, from, reason }, runs, json).await
}

pub(super) async fn close(project: ProjectId, written: &Written, json: bool) -> anyhow::Result<()> {
    let document = tag::Closure::Closure;
    let (from, reason) = (written.from(), written.reason()?);
    let runs = Some(project.clone());
    written.write(&Closure { document, project, from, reason }, runs, json).await
}

/// Names the latest version of the proposal, and every attestation of it that the register holds.
pub(super) fn decide(
    state: &RegisterState,
    args: DecisionArgs,
    config: Option<&Path>,
    json: bool,
) -> anyhow::Result<()> {
    let found = known(state, &args.project)?;
    let latest = found.latest();
    let none = || usage(format!("`{}` has no proposal yet", args.project));
    let (hash, proposal) = latest.ok_or_else(none)?;
    let attested = found.attestations().filter(|(_, one)| one.proposal == *hash);
    let decision = ProjectDecision {
        document: tag::Decision::Decision,
        proposal: *hash,
        attestations: attested.map(|(hash, _)| *hash).collect(),
        decided_on: args.decided_on.unwrap_or_else(today),
        outcome: if args.reject { Ruling::Rejected } else { Ruling::Approved },
        reason: text("--reason", &args.reason)?,
        valid_from: args.from.unwrap_or(proposal.start),
        valid_until: args.until.unwrap_or(proposal.end),
        extended: args.extended,
        project: args.project,
    };
    args.out.write(&decision, config, json)
}

pub(super) fn mandate(
    state: &RegisterState,
    args: MandateArgs,
    (config, lang): (Option<&Path>, Lang),
    json: bool,
) -> anyhow::Result<()> {
    let decided = approved(state, &args.project)?;
    let named = [
        (Role::Leader, "operationeel projectleider", &args.leader),
        (Role::Analyst, "analist", &args.analyst),
        (Role::Adviser, "adviseur", &args.adviser),
        (Role::Auditor, "auditor", &args.auditor),
    ];
    let mut holder = Vec::new();
    for (role, function, files) in named {
        for file in files {
            let key = verifying_key(file)?;
            holder.push(Holder { function: text("function", function)?, role, key });
        }
    }
    let mandate = Mandate {
        document: tag::Mandate::Mandate,
        proposal: decided.hash,
        partner: decided.proposal.responsible.clone(),
        under: args.under,
        valid_from: args.from.unwrap_or_else(|| today().max(decided.decision.valid_from)),
        valid_until: args.until.unwrap_or_else(|| decided.last_day()),
        max_subjects: args.max_subjects,
        holder,
        project: args.project,
    };
    still_runs(state, &mandate.project, lang)?;
    would_be_taken(&mandate, state, lang)?;
    args.out.write(&mandate, config, json)
}

pub(super) fn extend(
    state: &RegisterState,
    args: ExtensionArgs,
    (config, lang): (Option<&Path>, Lang),
    json: bool,
) -> anyhow::Result<()> {
    let extension = Extension {
        document: tag::Extension::Extension,
        proposal: approved(state, &args.project)?.hash,
        decided_on: args.decided_on.unwrap_or_else(today),
        valid_until: args.until,
        reason: text("--reason", &args.reason)?,
        project: args.project,
    };
    still_runs(state, &extension.project, lang)?;
    would_be_taken(&extension, state, lang)?;
    args.out.write(&extension, config, json)
}

pub(super) async fn secure(args: SecuringArgs, json: bool) -> anyhow::Result<()> {
    let securing = Securing {
        document: tag::Securing::Securing,
        project: args.project,
        owner: text("--owner", &args.owner)?,
        measures: text("--measures", &args.measures)?,
        date: args.date.unwrap_or_else(today),
    };
    args.tried.allows(&securing, None).await?;
    args.out.write(&securing, args.tried.config(), json)
}

pub(super) fn known<'s>(
    state: &'s RegisterState,
    project: &ProjectId,
) -> anyhow::Result<&'s Project> {
    let known = || state.projects().map(|(id, _)| id.as_str());
    let unknown = || unknown("the register holds no project", project.as_str(), known());
    state.project(project).ok_or_else(unknown)
}

pub(super) fn approved<'s>(
    state: &'s RegisterState,
    project: &ProjectId,
) -> anyhow::Result<&'s Decided> {
    let decided = known(state, project)?.decided().filter(|decided| decided.approves());
    decided.ok_or_else(|| usage(format!("the LSI has not approved `{project}`")))
}

fn text<const N: usize>(argument: &str, text: &str) -> anyhow::Result<BoundedText<N>> {
    BoundedText::new(text).map_err(|error| usage(format!("`{argument}`: {error}")))
}

fn signed_suspension(path: &Path) -> anyhow::Result<Jws> {
    let name = path.display();
    let bytes = fs::read(path).named(|| format!("`{name}` cannot be read"))?;
    let jws = Jws::parse(&bytes).map_err(|error| usage(format!("`{name}`: {error}")))?;
    if jws.typ() != DocumentKind::Suspension.media_type() {
        return Err(usage(format!("`{name}` is no signed suspension")));
    }
    Ok(jws)
}

impl Written {
    async fn write(
        &self,
        document: &impl Document,
        runs: Option<ProjectId>,
        json: bool,
    ) -> anyhow::Result<()> {
        self.tried.allows(document, runs.as_ref()).await?;
        self.out.write(document, self.tried.config(), json)
    }

    fn from(&self) -> Timestamp {
        self.from.unwrap_or_else(|| SystemClock.now())
    }

    fn reason(&self) -> anyhow::Result<Paragraph> {
        text("--reason", &self.reason)
    }
}

impl Out {
    fn write(
        &self,
        document: &impl Document,
        config: Option<&Path>,
        json: bool,
    ) -> anyhow::Result<()> {
        write(&self.out, document, config, json)
    }

    /// Writes a new file.
    pub(super) fn write_text(&self, text: &str) -> anyhow::Result<()> {
        write_new(&self.out, text)
    }

    pub(super) fn name(&self) -> String {
        self.out.display().to_string()
    }
}
