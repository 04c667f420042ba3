//! From answers to the record that they were destroyed.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use clap::{ArgGroup, Args};
use convenant_client::results::{
    DestroyError, Note, RecordError, Results, ResultsLock, Statement, record,
};
use convenant_model::{
    Clock as _, Date, Oin, ProjectId, QueryId,
    documents::{Destruction, Line},
    subjects::holds_bsn,
};
use convenant_transport::SystemClock;

use super::judged;
use crate::{args::ConfigFile, exit::usage, files::can_be_made, output, project};

pub(super) const EXAMPLES: &str = "\
Examples:
  convenant results destroy --overdue --config client.toml --place Rotterdam \\
      --operator projectleider --out destruction.toml
  convenant sign destruction.toml --key signing.jwk
  convenant register submit destruction.jws --config client.toml

  At the end of a project, when nothing of it is left anywhere:
    convenant results destroy --all --project P-2026-001 --complete ...

For each answer first the key of the sealed file is erased, without which nobody can open it; then
the file is removed, and every file that `query --out` (with the vouchers beside it) and
`results open` wrote of it. Nothing is overwritten, because on today's disks that proves nothing;
the record says what was done. A file that is no longer where it was written, or is another by now,
is named, and nothing is destroyed: say with `--copies-destroyed` that every copy is gone, and with
`--manner` how. Copies that nobody
noted are the leader's to destroy and to state in any case.

What is destroyed stays in the list, without its rows. Where this command is cut short, run it
again: the record is written from what is noted. Named by their QUERY, destroyed answers get their
record once more. The organisation that received the data signs it. The register takes a record
with `--complete` only once the project has ended.";

#[derive(Args)]
#[command(group = ArgGroup::new("which").args(["queries", "overdue", "all"]).required(true))]
pub(crate) struct DestroyArgs {
    /// Queries of which the answers are destroyed.
    #[arg(value_name = "QUERY")]
    queries: Vec<QueryId>,
    /// Every answer whose day has passed.
    #[arg(long)]
    overdue: bool,
    /// Every answer.
    #[arg(long)]
    all: bool,
    /// Of this project only; a record is about one project.
    #[arg(long, value_name = "ID")]
    project: Option<ProjectId>,
    /// Where it is done.
    #[arg(long, value_name = "TEXT")]
    place: String,
    /// By whom: a function, not a name.
    #[arg(long, value_name = "FUNCTION")]
    operator: String,
    /// What was done besides what this command does.
    #[arg(long, value_name = "TEXT")]
    manner: Option<String>,
    /// State that what is not where it was written was destroyed by other means, as `--manner` says.
    #[arg(long, requires = "manner")]
    copies_destroyed: bool,
    /// State that nothing of the project is left with this organisation.
    #[arg(long, requires = "project")]
    complete: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// File for the record (TOML), which must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(args: &DestroyArgs, json: bool) -> anyhow::Result<()> {
    let statement = args.statement()?;
    can_be_made(&args.out)?;
    let (config, results) = super::of(&args.config)?;
    let lock = results.lock()?;
    let notes = results.list().map_err(judged)?;
    let meant = args.meant(&notes, SystemClock.now().date())?;
    let Some(project) = args.one_project(&notes, &meant)? else {
        output::note("there is nothing to destroy");
        return Ok(());
    };
    args.confirm(&meant)?;
    let destroyed = results.destroy(&lock, meant, &statement, &SystemClock).map_err(refused)?;
    let about = (&project, args.complete);
    let said = (&statement, SystemClock.now());
    let document = record(&config.party.oin, about, &destroyed, said);
    let document = document.map_err(|error| refused(error.into()))?;
    keep(args, (&results, &lock), destroyed, document, json)
}

fn keep(
    args: &DestroyArgs,
    (results, lock): (&Results, &ResultsLock),
    destroyed: Vec<Note>,
    document: Option<Destruction>,
    json: bool,
) -> anyhow::Result<()> {
    output::note(&format!("{} answer(s) destroyed", destroyed.len()));
    match document {
        Some(document) => project::write(&args.out, &document, Some(&args.config.config), json)?,
        None => output::note("numbers are about nobody: there is nothing to record"),
    }
    // The record is on disk: what is destroyed need not be offered again.
    results.recorded(lock, destroyed).map_err(judged)
}

impl DestroyArgs {
    fn statement(&self) -> anyhow::Result<Statement> {
        let line = |option: &str, text: &str| {
            let line = Line::new(text).map_err(|error| usage(format!("`{option}`: {error}")))?;
            if holds_bsn(text) {
                return Err(usage(format!("`{option}` holds a BSN")));
            }
            Ok(line)
        };
        let manner = self.manner.as_deref().map(|text| line("--manner", text)).transpose()?;
        Ok(Statement {
            place: line("--place", &self.place)?,
            operator: line("--operator", &self.operator)?,
            manner,
            copies: self.copies_destroyed,
        })
    }

    /// The answers that are meant. A record names an answer by query and partner, so what one partner
    /// answered to one query goes together.
    fn meant(&self, notes: &[Note], today: Date) -> anyhow::Result<Vec<Note>> {
        let here = |note: &&Note| {
            self.project.as_ref().is_none_or(|project| note.answer.project == *project)
        };
        let named = |query| notes.iter().filter(here).any(|note| note.answer.query == query);
        if let Some(unknown) = self.queries.iter().find(|query| !named(**query)) {
            return Err(usage(format!("there is no answer to `{unknown}`")));
        }
        let chosen = |note: &&Note| match note {
            note if self.all => note.is_open(),
            note if self.overdue => note.is_open() && note.answer.overdue(today),
            note => self.queries.contains(&note.answer.query),
        };
        let pairs: BTreeSet<_> = notes.iter().filter(here).filter(chosen).map(pair).collect();
        Ok(notes.iter().filter(|note| pairs.contains(&pair(note))).cloned().collect())
    }

    /// The project that the record is about; `None` where there is nothing to do.
    fn one_project(&self, notes: &[Note], meant: &[Note]) -> anyhow::Result<Option<ProjectId>> {
        let projects: BTreeSet<_> = meant.iter().map(|note| &note.answer.project).collect();
        let ids: Vec<_> = projects.iter().map(|project| project.as_str()).collect();
        if ids.len() > 1 {
            let ids = ids.join("`, `");
            return Err(usage(format!(
                "a record is about one project: choose `--project` of `{ids}`"
            )));
        }
        if let (true, Some(project)) = (self.complete, &self.project) {
            let meant: BTreeSet<_> = meant.iter().map(pair).collect();
            let mut of_project = notes.iter().filter(|note| note.answer.project == *project);
            if let Some(left) =
                of_project.find(|note| note.is_left() && !meant.contains(&pair(note)))
            {
                let query = left.answer.query;
                return Err(usage(format!("not complete: the answer to `{query}` would be left")));
            }
            return Ok(Some(project.clone()));
        }
        Ok(projects.into_iter().next().cloned())
    }

    /// Nothing brings an answer back.
    fn confirm(&self, meant: &[Note]) -> anyhow::Result<()> {
        let left = meant.iter().filter(|note| note.is_left()).count();
        if self.yes || left == 0 {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(usage("nobody is there to confirm: give `--yes`"));
        }
        output::note(&format!("{left} answer(s) will be destroyed. Nothing brings them back."));
        output::note("Type `yes` to go on:");
        let mut said = String::new();
        io::stdin().read_line(&mut said)?;
        if said.trim() == "yes" {
            Ok(())
        } else {
            Err(usage("not confirmed; nothing was destroyed"))
        }
    }
}

fn pair(note: &Note) -> (QueryId, &Oin) {
    (note.answer.query, &note.answer.partner)
}

fn refused(error: DestroyError) -> anyhow::Error {
    match error {
        DestroyError::Results(error) => judged(error),
        DestroyError::Elsewhere(_) => {
            let next =
                "nothing was destroyed; where every copy is gone, say so with `--copies-destroyed`";
            usage(format!("{error}\n{next}"))
        }
        DestroyError::Manner | DestroyError::Record(RecordError::Manner(_)) => {
            usage(format!("`--manner`: {error}"))
        }
        DestroyError::Record(RecordError::Differs(_)) => usage(error.to_string()),
        DestroyError::Record(RecordError::Left(_)) => error.into(),
    }
}
