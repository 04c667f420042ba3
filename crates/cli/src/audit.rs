//! `convenant audit replay`: every decision made again, from the evidence alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{ArgGroup, Args, Subcommand};
use convenant_audit::{LedgerName, Report, Statement};

use crate::{
    exit::{Exit, usage},
    files::{PRIVATE, can_be_made, create},
    lang::Lang,
    output,
};

mod copies;
mod evidence;
mod federation;
mod html;
mod naming;
mod reading;

use self::{copies::Counted, evidence::Evidence};

const ABOUT: &str = "\
Decide every exchange again from the evidence alone.

From the register, the ledgers and public keys, and without a network: every document's
signatures and admission, every ledger against its signed checkpoint, every query's signature,
every decision with the rules and the register of that moment, every quota, every outcome and
receipt, and the parties' ledgers against each other. Nobody's word is taken for anything. The
ledgers hold no personal data.";

const EXAMPLES: &str = "\
Examples:
  convenant audit replay --federation federation
  convenant audit replay --register register --config auditor/client.toml \\
      --ledger evidence/*/ledger --report audit.html
  convenant audit replay --register register --lsi-key lsi/*.pub.jwk --quorum 2 \\
      --register-key register.pub.jwk --ledger coordinator node-uwv receipts

A ledger's folder is `state/ledger` of a daemon or `state/receipts` of a client, copied while
nothing is under way. Whose it is, its checkpoint says; whether that is so, the keys in the
register decide.

Prints a summary in Dutch; with `--json`, everything. `--report` writes a page that answers an
auditor's questions one by one and needs neither network nor script, in Dutch or English. Unusual
use is told of by the rules in docs/audit.md and is never a fault of the evidence. What each code
means, which innocent cause it may have and what to do next stands in docs/codes.md.

Exit code 4 when something does not hold: each finding names the ledger and, where that can be
told, the entry.";

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Replay a register and ledgers.
    #[command(long_about = ABOUT, after_help = EXAMPLES)]
    Replay(ReplayArgs),
}

#[derive(Args)]
#[command(group = ArgGroup::new("what").required(true))]
#[command(group = ArgGroup::new("trust").args(["config", "lsi_key"]))]
pub(crate) struct ReplayArgs {
    /// Folder of an example federation, as `convenant demo` makes it: everything in it.
    #[arg(long, value_name = "DIR", group = "what")]
    federation: Option<PathBuf>,
    /// Folder of the register: the coordinator's or any follower's.
    #[arg(long, value_name = "DIR", group = "what", requires_all = ["trust", "ledger"])]
    register: Option<PathBuf>,
    /// Folders of ledgers.
    #[arg(long, value_name = "DIR", num_args = 1.., requires = "register",
          conflicts_with = "federation")]
    ledger: Vec<PathBuf>,
    /// Configuration file of a client: the keys of the LSI and of the register are as it says.
    #[arg(long, value_name = "FILE", requires = "register", conflicts_with = "federation")]
    config: Option<PathBuf>,
    /// Public keys of the LSI (JWK).
    #[arg(long, value_name = "FILE", num_args = 1.., requires_all = ["quorum", "register_key"],
          conflicts_with = "federation")]
    lsi_key: Vec<PathBuf>,
    /// How many of the LSI's keys make a quorum.
    #[arg(long, value_name = "NUMBER", requires = "lsi_key", conflicts_with = "federation",
          value_parser = crate::args::number::<usize>(1..=u64::MAX))]
    quorum: Option<usize>,
    /// Public key that signs the register's checkpoints (JWK).
    #[arg(long, value_name = "FILE", requires = "lsi_key", conflicts_with = "federation")]
    register_key: Option<PathBuf>,
    /// Write the report to a new file: `.json` or `.html`.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Language of a report in HTML [default: nl].
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

pub(crate) fn run(command: &AuditCommand, json: bool) -> anyhow::Result<ExitCode> {
    let AuditCommand::Replay(args) = command;
    let form = args.report.as_deref().map(Form::of).transpose()?;
    if args.lang.is_some() && !matches!(form, Some(Form::Html)) {
        return Err(usage(
            "`--lang` is the language of `--report FILE.html`, and no such report is asked for",
        ));
    }
    let report = replay(&Evidence::gather(args)?)?;
    if let Some((form, path)) = form.zip(args.report.as_deref()) {
        form.write(path, &report, args.lang.unwrap_or_default())?;
    }
    if json {
        output::json(&report)?;
    } else {
        let text = report.to_string();
        text.lines().try_for_each(|line| output::line(&output::shown(line)))?;
    }
    let exit = if report.holds() { Exit::Done } else { Exit::Evidence };
    Ok(exit.into())
}

/// The audit of an example federation.
pub(crate) fn of_federation(dir: &Path) -> anyhow::Result<Report> {
    replay(&Evidence::federation(dir)?)
}

fn replay(evidence: &Evidence) -> anyhow::Result<Report> {
    let register = evidence.register()?;
    let mut named = BTreeMap::<LedgerName, Vec<&Path>>::new();
    let (mut statements, mut known) = (Vec::<Statement>::new(), BTreeSet::new());
    let mut found: Vec<_> = evidence.tiles_of_register(&register)?.into_iter().collect();
    for folder in evidence.ledgers() {
        let name = naming::name(folder, &register)?;
        // Another copy of the ledger may hold the same.
        let (said, misnamed) = evidence::statements(folder, &name)?;
        let said = said.into_iter();
        statements.extend(said.filter(|one| known.insert((one.by.clone(), one.note.clone()))));
        found.extend(misnamed);
        named.entry(name).or_default().push(folder);
    }
    let (ledgers, copied) = copies::counted(&register, named)?;
    found.extend(copied);
    let bar = output::bar("regels");
    bar.set_length(ledgers.iter().map(|one| evidence::size(one.folder)).sum());
    let mut passes = 0;
    let report = convenant_audit::audit(&register, |replay| {
        passes += 1;
        if passes > 1 {
            bar.set_message("regels, nogmaals: er kwam later nog iets bij wat af leek");
        }
        replay.statements(&statements);
        replay.find(found.iter().cloned());
        let begin = |ledger: &Counted<'_>| {
            reading::begin(replay, ledger, &statements).with_context(|| ledger.to_string())
        };
        let mut sources = ledgers.iter().map(begin).collect::<anyhow::Result<Vec<_>>>()?;
        // From the beginning also where everything is read once more.
        bar.set_position(0);
        replay.read(&mut sources, || bar.inc(1));
        for (source, ledger) in sources.into_iter().zip(&ledgers) {
            replay.find(source.entries.behind(&ledger.name));
            replay.add(reading::finish(source).with_context(|| ledger.to_string())?);
        }
        anyhow::Ok(())
    });
    bar.finish_and_clear();
    report
}

/// The forms of a report in a file.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Html,
}

impl Form {
    fn of(path: &Path) -> anyhow::Result<Self> {
        can_be_made(path)?;
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Ok(Self::Json),
            Some("html") => Ok(Self::Html),
            _ => Err(usage(format!("`{}` ends in neither `.json` nor `.html`", path.display()))),
        }
    }

    fn write(self, path: &Path, report: &Report, lang: Lang) -> anyhow::Result<()> {
        let text = match self {
            Self::Json => serde_json::to_string_pretty(report)?,
            Self::Html => html::page(report, lang),
        };
        create(path, PRIVATE, text.as_bytes())
    }
}
