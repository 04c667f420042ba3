//! `convenant subject-report`: what a node tells of a person who asks, and the letter that is made of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use convenant_model::{Clock as _, register::RegisterState};
use convenant_node::{NodeConfig, SubjectKeys};
use convenant_setup::{opening_key, pseudonym_key};
use convenant_signing::Jws;
use convenant_store::FileLedger;
use convenant_subjects::{
    Format, Letter, LetterError, Report, ReportError, Reporting, find, rekey,
};
use convenant_transport::SystemClock;

use crate::{
    exit::{Exit, Named as _, bad_evidence, faulty, usage},
    files::{PRIVATE, create},
    output,
};

mod inputs;

use inputs::{own_key, person, reference, register};

const EXAMPLES: &str = "\
Examples:
  convenant subject-report --config node.toml --bsn-file bsn.txt --out rotterdam.json
  convenant subject-report merge --config node.toml rotterdam.json svb.json --out letter.html

Finds, in the node's own account of whom its answers were about, every exchange that concerned
the person (AVG art. 15), and tells purposes, sources, recipients, dates and terms from the node's
ledger and its copy of the register. The node may run meanwhile. The report is signed with the
node's ledger key and does not say whose it is. An exchange of which people are told later, by a
reason and a day that were signed with the query, is in it from the day after.

The number is read from a file of one line, never from the command line, and is nowhere repeated.
How a partner answers a request: docs/citizens.md.";

const MERGE_EXAMPLES: &str = "\
Example:
  convenant subject-report merge --config node.toml rotterdam.json svb.json --out letter.html

Each report must be signed with a ledger key of the partner that it names, by this node's copy of
the register; otherwise the exit code is 4. A partner whose key was revoked since then makes its
report again. The letter is in Dutch, as `.html`, `.md` or `.txt`.";

const REKEY_EXAMPLES: &str = "\
Example:
  convenant subject-report rekey --config node.toml --opening-key subjects.jwk

Stop the node first. Name the new key as `pseudonym_key` in the configuration; the private half of
`seal_to` opens the numbers, and is needed for this alone. Give it once for each key that was ever
named there. The old journal stays as it is until the new one is whole.";

/// The arguments.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct SubjectReportArgs {
    #[command(subcommand)]
    command: Option<SubjectReportCommand>,
    /// Configuration file of the node (TOML).
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    /// File with the person's BSN, on one line.
    #[arg(long, value_name = "FILE", required = true)]
    bsn_file: Option<PathBuf>,
    /// What the office calls the request; reports are joined only where this is the same.
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// File for the signed report [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Subcommand)]
enum SubjectReportCommand {
    /// Join the reports of several nodes into one letter.
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArgs),
    /// Take another pseudonym key into use.
    #[command(after_help = REKEY_EXAMPLES)]
    Rekey(RekeyArgs),
}

#[derive(Args)]
struct MergeArgs {
    /// Configuration file of a node (TOML), whose copy of the register has the partners' keys.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The reports.
    #[arg(value_name = "REPORT", required = true)]
    reports: Vec<PathBuf>,
    /// File for the letter: `.html`, `.md` or `.txt`.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
struct RekeyArgs {
    /// Configuration file of the node (TOML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Private JWK that opens the sealed numbers.
    #[arg(long, value_name = "FILE", required = true)]
    opening_key: Vec<PathBuf>,
}

pub(crate) fn run(args: &SubjectReportArgs, json: bool) -> anyhow::Result<ExitCode> {
    match (&args.command, &args.config, &args.bsn_file) {
        (Some(SubjectReportCommand::Merge(args)), ..) => merge(args)?,
        (Some(SubjectReportCommand::Rekey(args)), ..) => renew(args)?,
        (None, Some(config), Some(bsn)) => report(args, (config, bsn), json)?,
        (None, ..) => return Err(usage("`--config` and `--bsn-file` are missing")),
    }
    Ok(Exit::Done.into())
}

fn report(
    args: &SubjectReportArgs,
    (config, bsn): (&Path, &Path),
    json: bool,
) -> anyhow::Result<()> {
    let person = person(bsn)?;
    let reference = args.reference.as_ref().map(|text| reference(text)).transpose()?;
    let config: NodeConfig = convenant_setup::load(config)?;
    let key = pseudonym_key(&keys(&config)?.pseudonym_key)?;
    let found = find(&config.subjects_folder(), &key, &person)?;
    if found.others > 0 {
        return Err(anyhow::anyhow!(
            "{} under another pseudonym key: `convenant subject-report rekey` first",
            output::number(found.others, "record of the journal is", "records of the journal are")
        ));
    }
    let register = register(&config)?;
    let state = register.state();
    let (party, at) = (&config.party.oin, SystemClock.now());
    let ledger = FileLedger::open_read(config.data.dir.join("ledger"))
        .context("the node's ledger cannot be read")?;
    let report = Report::of(&found, &ledger, Reporting { party, state, at, reference })?;
    let signed = report.sign(&own_key(&config, state)?)?;
    match &args.out {
        Some(out) => {
            create(out, PRIVATE, &signed)?;
            let exchanges = count(report.exchanges.len(), "exchange");
            output::note(&format!("{exchanges} in `{}`", out.display()));
        }
        None if json => {}
        None => output::raw(&signed)?,
    }
    if json { output::json(&report) } else { Ok(()) }
}

fn merge(args: &MergeArgs) -> anyhow::Result<()> {
    let extension = args.out.extension().and_then(|extension| extension.to_str());
    let format = extension.and_then(Format::of_extension).ok_or_else(|| {
        usage(format!("`{}` ends in neither `.html`, `.md` nor `.txt`", args.out.display()))
    })?;
    let config: NodeConfig = convenant_setup::load(&args.config)?;
    let register = register(&config)?;
    let reports = args.reports.iter().map(|path| verified(path, register.state()));
    let reports = reports.collect::<anyhow::Result<Vec<_>>>()?;
    let letter = Letter::of(&reports, SystemClock.now().date());
    let letter = letter.map_err(|error: LetterError| usage(error.to_string()))?;
    create(&args.out, PRIVATE, letter.text(format).as_bytes())?;
    let exchanges: usize = reports.iter().map(|report| report.exchanges.len()).sum();
    let (exchanges, reports) = (count(exchanges, "exchange"), count(reports.len(), "report"));
    output::note(&format!("{exchanges} of {reports} in `{}`", args.out.display()));
    Ok(())
}

/// A number of things, in the singular or the plural.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

fn verified(path: &Path, state: &RegisterState) -> anyhow::Result<Report> {
    let name = || format!("`{}`", path.display());
    let bytes = fs::read(path).named(|| format!("{} cannot be read", name()))?;
    Jws::parse(&bytes).map_err(|error| faulty(error, format!("{} is no signed report", name())))?;
    let report = Report::verify(&bytes, state, SystemClock.now());
    report.map_err(|error: ReportError| bad_evidence(error).context(name()))
}

fn renew(args: &RekeyArgs) -> anyhow::Result<()> {
    let config: NodeConfig = convenant_setup::load(&args.config)?;
    let key = pseudonym_key(&keys(&config)?.pseudonym_key)?;
    let opening = args.opening_key.iter().map(|path| opening_key(path));
    let opening = opening.collect::<Result<Vec<_>, _>>()?;
    let changed = rekey(&config.subjects_folder(), &config.party.oin, &opening, &key)?;
    let records = output::number(changed, "record is", "records are");
    output::note(&format!("{records} under the new key"));
    Ok(())
}

fn keys(config: &NodeConfig) -> anyhow::Result<&SubjectKeys> {
    let keys = config.subjects.as_ref();
    keys.ok_or_else(|| {
        usage("the node keeps no account of people: its configuration has no `[subjects]`")
    })
}
