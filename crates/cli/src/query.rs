//! `convenant query`: a project leader's question, from the command line to files.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};
use convenant_client::{
    Client, ClientConfig, ClientError,
    compose::{ComposeError, Composed},
    output::Keep,
    results::ResultsError,
};
use convenant_model::{
    Date, FieldName, GoalId, ProjectId,
    query::{QueryKind, Target},
    register::RegisterState,
};
use tracing::Instrument as _;

use crate::{
    args::{ConfigFile, number},
    daemon,
    exit::usage,
    output,
    register::{distrusted, out_of_reach, why},
    telemetry::{self, Role},
};

mod asking;
mod files;
mod known;
mod report;
mod subjects;
mod vouchers;

use self::{
    asking::{Asked, Resolved},
    report::Report,
};

const ABOUT: &str = "\
Ask partners a question under an approved project.

The question is signed with the leader's key, and its subjects are sealed to each partner's
node: the coordinator sees which fields are asked of whom, and no subject and no answer. Each
node decides for itself, and signs what it answers. Rows count only when that signature matches
them to the byte.";

const EXAMPLES: &str = "\
Examples:
  Fields of given people, verified by date of birth (clause L14); each line of the file is
  `999993653,19850731`:
    convenant query --config client.toml --project P-2026-001 --goal toeslagenfraude \\
      --target rotterdam/brp_persoon --fields burgerservicenummer,verblijfplaats_datum_van \\
      --subjects people.csv --justification \"controle dossier 12\"

  The same in a file that anybody who gets hold of it can read:
    convenant query ... --out people.parquet

  The same of two partners, in `jobs.uwv.csv` and `jobs.svb.csv`:
    convenant query ... --target uwv/uwv/polisadministratie_inkomstenverhouding \\
      --target svb/svb/aow_uitkering --out jobs.csv

  Some datasets hold no area and answer only for people whom a partner found within the
  project's area and vouches for. The first query keeps vouchers in `found.csv.vouchers`, the
  second passes on those of its subjects:
    convenant query ... --target rotterdam/brp_persoon --fields burgerservicenummer,... \\
      --subjects people.csv --vouch --out found.csv
    convenant query ... --target ind/verblijfsrecht --fields datum_ingang \\
      --subjects found-bsn.csv --vouchers found.csv.vouchers --out titles.csv

  How many rows satisfy a condition; small numbers are not disclosed:
    convenant query ... --kind count --where \"verblijfplaats_functie_adres = 'B'\" --out count.csv

PARTNER is an OIN, or a part of one enrolled partner's name. Where the dataset's kind is left
out, it is the partner's: `rotterdam/brp_persoon`.

Without `--out`, answers are kept sealed on this machine, under the key `[keys] sealing` of the
configuration: `convenant results` lists, opens and destroys them. Either way it is noted by which
day each answer must be destroyed.

A condition compares fields that the covenant calls filterable with literals: `=`, `!=`, `<`,
`<=`, `>`, `>=`, `in (...)`, `between ... and ...`, `is null`, joined by `and`, `or`, `not`. A
text stands between single quotes. People never stand in a condition: they are sealed, with
`--subjects`.

What became of each target is told on stderr. Exit codes, the first that applies: 4 when an
answer does not match the node's signature, 3 when a target was refused, 1 when one did not
answer, 0 when all did.";

/// Most seconds to wait: a day, by when every query has expired.
const MAX_SECONDS: u64 = 24 * 60 * 60;

#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The project under which is asked.
    #[arg(long, value_name = "ID")]
    project: ProjectId,
    /// Whom to ask which dataset; once for each.
    #[arg(long = "target", value_name = "PARTNER/DATASET", required = true)]
    targets: Vec<String>,
    /// The fields, with commas between them; none for a count.
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
    fields: Vec<FieldName>,
    /// A condition on the rows.
    #[arg(long = "where", value_name = "EXPR")]
    condition: Option<String>,
    /// Subjects, one line each and no line with names of columns: `KEY` or `KEY,VERIFY`; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    subjects: Option<PathBuf>,
    /// The field that the keys are values of [default: the dataset's BSN].
    #[arg(long, value_name = "FIELD", requires = "subjects")]
    key: Option<FieldName>,
    /// Let the partner vouch for the rows, so that datasets without an area answer for them; the vouchers
    /// are kept in FILE.vouchers beside `--out` [default field: the one that vouchers can be for].
    #[arg(long, value_name = "FIELD", num_args = 0..=1, require_equals = true, requires = "out")]
    vouch: Option<Option<FieldName>>,
    /// Vouchers that came with an earlier answer in the same project, for these subjects.
    #[arg(long, value_name = "FILE", requires = "subjects")]
    vouchers: Vec<PathBuf>,
    /// What to ask [default: lookup for people, select otherwise].
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// The goal [default: the project's only goal].
    #[arg(long, value_name = "ID")]
    goal: Option<GoalId>,
    /// Days for which the result will be kept [default: the most that the project allows].
    #[arg(long, value_name = "DAYS", value_parser = number::<u16>(0..=u16::MAX.into()))]
    retention: Option<u16>,
    /// Why this is asked now; part of the evidence, so without personal data.
    #[arg(long, value_name = "TEXT")]
    justification: String,
    /// The last day on which the people whom this is about are not told of it, where telling would harm a
    /// running investigation (UAVG art. 41); at most until all of the project must be destroyed.
    #[arg(long, value_name = "DATE", requires = "delay_reason")]
    delay_until: Option<Date>,
    /// Which harm telling them would do; part of the evidence, so without personal data.
    #[arg(long, value_name = "TEXT", requires = "delay_until")]
    delay_reason: Option<String>,
    /// Minutes for which the query is valid.
    #[arg(long, value_name = "NUMBER", default_value_t = 5,
          value_parser = number::<u16>(0..=u16::MAX.into()))]
    minutes: u16,
    /// Seconds to wait for the answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 120,
          value_parser = number::<u64>(1..=MAX_SECONDS))]
    timeout: u64,
    /// File for the rows: `.parquet`, `.csv` or `.arrow`; one for each target [default: kept sealed].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Fields of given subjects.
    Lookup,
    /// Rows that satisfy a condition or have a given key.
    Select,
    /// The number of such rows.
    Count,
}

impl From<Kind> for QueryKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Lookup => Self::Lookup,
            Kind::Select => Self::Select,
            Kind::Count => Self::Count,
        }
    }
}

pub(crate) async fn run(args: QueryArgs, json: bool) -> anyhow::Result<ExitCode> {
    let asked = Asked::read(&args)?;
    let config: ClientConfig = convenant_setup::load(&args.config.config)?;
    if args.out.is_none() && config.keys.sealing.is_none() {
        return Err(usage(format!("{}; or give `--out`", ResultsError::NoKey)));
    }
    let telemetry = telemetry::start(Role::Client, &config.party.oin, &config.telemetry)?;
    // The root of the trace over leader, coordinator and nodes.
    let span = tracing::info_span!("query", otel.kind = "client", project = %args.project);
    let report = ask(&args, asked, &config).instrument(span).await;
    telemetry.stop().await;
    let report = report?;
    if json {
        output::json(&report)?;
    }
    report.tell(&args.config.config);
    Ok(report.exit().into())
}

async fn ask(args: &QueryArgs, asked: Asked, config: &ClientConfig) -> anyhow::Result<Report> {
    let stop = daemon::told_to_stop()?;
    let client = Client::open(config).await.map_err(distrusted)?;
    let spinner = output::spinner("asking");
    let answered = tokio::select! {
        answered = send(args, asked, &client) => answered,
        // Half a result is none: what was begun is removed.
        () = stop => Err(anyhow::anyhow!("interrupted")),
    };
    client.close().await;
    spinner.finish_and_clear();
    answered
}

async fn send(args: &QueryArgs, asked: Asked, client: &Client) -> anyhow::Result<Report> {
    let refreshed = client.refresh().await;
    let copy = client.register();
    let prepared = match refreshed {
        Ok(_) => prepare(args, asked, client, copy.register().state())?,
        // What is wrong with the question is told all the same, as far as the copy from before knows.
        Err(error) if out_of_reach(&error) && copy.position().size > 0 => {
            let prepared = prepare(args, asked, client, copy.register().state());
            let Err(fault) = prepared else { return Err(distrusted(error)) };
            output::note(&format!("warning: {}; this is by the copy from before", why(error)));
            return Err(fault);
        }
        Err(error) => return Err(distrusted(error)),
    };
    let Prepared { composed, targets, files } = prepared;
    let mut report = Report::new(&composed, targets);
    let timeout = Duration::from_secs(args.timeout);
    let keep = |index: usize, _: &Target| match &files {
        Some(files) => Keep::File(files.get(index).cloned().unwrap_or_default()),
        None => Keep::Sealed,
    };
    match client.send(&composed, timeout, keep).await {
        Ok(results) => report.add(results),
        Err(ClientError::Refused(refusal)) => report.refused(refusal),
        Err(error) => return Err(distrusted(error)),
    }
    Ok(report)
}

/// A query that can be sent, and where its answers go.
struct Prepared {
    composed: Composed,
    targets: Vec<Resolved>,
    files: Option<Vec<PathBuf>>,
}

/// Everything that can be found wrong without anybody else.
fn prepare(
    args: &QueryArgs,
    asked: Asked,
    client: &Client,
    state: &RegisterState,
) -> anyhow::Result<Prepared> {
    let (question, targets) = asked.question(args, state)?;
    let named = |out: &PathBuf| files::names(out, &targets, args.vouch.is_some());
    let files = args.out.as_ref().map(named).transpose()?;
    let composed = client.compose(question).map_err(|error| match error {
        // None of it was sent.
        ClientError::Compose(
            ComposeError::Names(_)
            | ComposeError::Project(_)
            | ComposeError::Goal { .. }
            | ComposeError::Node(_)
            | ComposeError::TooMany(_),
        ) => usage(error.to_string()),
        error => error.into(),
    })?;
    Ok(Prepared { composed, targets, files })
}
