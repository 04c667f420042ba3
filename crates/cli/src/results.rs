//! `convenant results`: the answers that were received, and the duty to destroy each by its day.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use convenant_client::{
    ClientConfig,
    output::{Format, OutputError},
    results::{Note, Results, ResultsError},
};
use convenant_model::{Clock as _, DatasetId, Date, Oin, QueryId};
use convenant_transport::SystemClock;
use serde::Serialize;

use crate::{
    args::ConfigFile,
    exit::{Exit, Refused, bad_evidence, usage},
    files::has_folder,
    output,
};

mod destroy;
mod list;

use self::destroy::DestroyArgs;

const LIST: &str = "\
Example:
  convenant results list --config client.toml

What is overdue comes first: while a record of its destruction is missing in the register, every
party refuses the project's next query (clause L6). An answer of which there is only a receipt is
listed as `untracked`: it was received by an earlier version, or the machine stopped at that moment.";

const OPEN: &str = "\
Examples:
  convenant results open 0190a5b8-0000-7000-8000-000000000000 --config client.toml \\
      --out answer.parquet
  convenant results open 0190a5b8-0000-7000-8000-000000000000 --config client.toml \\
      --partner 00000099000000000599 --out -

The file that it writes is noted, and destroyed with the rest. What goes to stdout (as CSV) nobody
keeps track of. After its last day an answer may only be destroyed: exit code 3. Where a file is not
as it was sealed, the exit code is 4.";

#[derive(Subcommand)]
pub(crate) enum ResultsCommand {
    /// List the answers, with the day by which each is to be destroyed.
    #[command(after_help = LIST)]
    List {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Open a sealed answer into a file that people can read.
    #[command(after_help = OPEN)]
    Open(OpenArgs),
    /// Destroy answers, and write the record of it that is to be signed (clause L8).
    #[command(after_help = destroy::EXAMPLES)]
    Destroy(DestroyArgs),
}

#[derive(Args)]
pub(crate) struct OpenArgs {
    /// The query.
    query: QueryId,
    /// The partner that answered, where several did.
    #[arg(long, value_name = "OIN")]
    partner: Option<Oin>,
    /// The dataset, where one partner answered about several.
    #[arg(long, value_name = "ID")]
    dataset: Option<DatasetId>,
    /// File for the rows: `.parquet`, `.csv` or `.arrow`; `-` is stdout, as CSV.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(command: ResultsCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        ResultsCommand::List { config } => list::run(&of(&config)?.1, &config.config, json)?,
        ResultsCommand::Open(args) => open(&args, json)?,
        ResultsCommand::Destroy(args) => destroy::run(&args, json)?,
    }
    Ok(Exit::Done.into())
}

fn of(config: &ConfigFile) -> anyhow::Result<(ClientConfig, Results)> {
    let config: ClientConfig = convenant_setup::load(&config.config)?;
    let results = Results::of(&config);
    Ok((config, results))
}

fn open(args: &OpenArgs, json: bool) -> anyhow::Result<()> {
    let (_, results) = of(&args.config)?;
    let today = SystemClock.now().date();
    if args.out == Path::new("-") {
        let note = one(args, results.list().map_err(judged)?)?;
        let opened = results.open_csv(&note, today, io::stdout().lock());
        return opened.map_err(judged);
    }
    Format::of(&args.out).map_err(|error| usage(error.to_string()))?;
    if args.out.exists() {
        return Err(usage(OutputError::Exists(args.out.clone()).to_string()));
    }
    has_folder(&args.out)?;
    let lock = results.lock()?;
    let note = one(args, results.list().map_err(judged)?)?;
    let deadline = note.answer.deadline;
    let rows = results.open_file(&lock, note, today, &args.out).map_err(judged)?;
    let until = deadline.map(|day| format!(", to be destroyed by {day}")).unwrap_or_default();
    let told = output::number(rows, "row", "rows");
    output::note(&format!("{told} in {}{until}", args.out.display()));
    if json {
        output::json(&Opened { query: args.query, rows, file: &args.out, deadline })?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Opened<'a> {
    query: QueryId,
    rows: u64,
    file: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Date>,
}

/// The one answer that is meant.
fn one(args: &OpenArgs, notes: Vec<Note>) -> anyhow::Result<Note> {
    let mut meant: Vec<_> = notes
        .into_iter()
        .filter(|note| note.answer.query == args.query)
        .filter(|note| args.partner.as_ref().is_none_or(|oin| note.answer.partner == *oin))
        .filter(|note| args.dataset.as_ref().is_none_or(|id| note.answer.dataset == *id))
        .collect();
    match (meant.pop(), meant.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(usage("several answered: choose with `--partner` and `--dataset`")),
        (None, _) => Err(usage(format!("there is no such answer to `{}`", args.query))),
    }
}

/// How an error ends the command.
fn judged(error: ResultsError) -> anyhow::Error {
    match error {
        ResultsError::Overdue { .. } => anyhow::Error::new(error).context(Refused),
        ResultsError::Sealed { .. }
        | ResultsError::Account { .. }
        | ResultsError::Misnamed(_)
        | ResultsError::Disagrees(_)
        | ResultsError::Receipts(_) => bad_evidence(error),
        ResultsError::NotSealed { .. } | ResultsError::NoKey => usage(error.to_string()),
        ResultsError::Key(error) => error.into(),
        ResultsError::Io { .. } | ResultsError::Locked(_) | ResultsError::Output(_) => error.into(),
    }
}
