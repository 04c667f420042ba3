//! What became of each target: for people on stderr, for machines as JSON, for scripts as exit code.

use std::path::{Path, PathBuf};

use convenant_client::{TargetResult, VouchersFile, compose::Composed, receive::ReceiveError};
use convenant_model::{
    Date, Oin, Problem, ProjectId, QueryId, Timestamp,
    entry::Status,
    query::QueryKind,
    verdict::{Refusal, Violation},
};
use serde::Serialize;

use super::asking::Resolved;
use crate::{exit::Exit, output};

/// What became of a query.
#[derive(Serialize)]
pub(super) struct Report {
    query: QueryId,
    project: ProjectId,
    kind: QueryKind,
    /// The clauses, where the coordinator refused the query as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Violation>,
    targets: Vec<TargetReport>,
    #[serde(skip)]
    asked: Vec<Resolved>,
}

#[derive(Serialize)]
struct TargetReport {
    partner: Oin,
    name: String,
    dataset: String,
    status: Ended,
    rows: u64,
    /// Whether the rows are out of proportion to the residents of the area (clause S12).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    alarm: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// Whether the file is sealed: `convenant results open` opens it.
    sealed: bool,
    /// The last day on which the answer may be kept (clause L6).
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vouchers: Option<VouchersReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
    /// Why an answer that came was not accepted here.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// What vouches for the rows.
#[derive(Serialize)]
struct VouchersReport {
    file: PathBuf,
    rows: u64,
    expires: Timestamp,
}

impl From<VouchersFile> for VouchersReport {
    fn from(from: VouchersFile) -> Self {
        Self { file: from.path, rows: from.rows, expires: from.expires }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Ended {
    Answered,
    Refused,
    Unavailable,
    Late,
    Failed,
    /// An answer came, and could not be kept here.
    NotKept,
    /// An answer came that does not match the node's signature; its rows are gone.
    NotAccepted,
}

impl Ended {
    const fn of(problem: Problem) -> Self {
        match problem {
            Problem::NodeUnavailable | Problem::SourceUnavailable => Self::Unavailable,
            Problem::Late => Self::Late,
            _ => Self::Failed,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::NotKept => "not kept",
            Self::NotAccepted => "not accepted",
        }
    }
}

impl Report {
    pub(super) fn new(composed: &Composed, asked: Vec<Resolved>) -> Self {
        Self {
            query: composed.query.id,
            project: composed.query.project.clone(),
            kind: composed.query.kind,
            refused: Vec::new(),
            targets: Vec::new(),
            asked,
        }
    }

    pub(super) fn add(&mut self, results: Vec<TargetResult>) {
        for result in results {
            let asked = self.asked.get(result.target as usize);
            let name = asked.map_or_else(String::new, |asked| output::shown(&asked.name));
            let dataset = asked.map_or_else(String::new, |asked| asked.dataset.to_string());
            self.targets.push(TargetReport::new(result, name, dataset));
        }
    }

    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.refused = refusal.into();
    }

    pub(super) fn exit(&self) -> Exit {
        let any = |wanted: Ended| self.targets.iter().any(|target| target.status == wanted);
        if any(Ended::NotAccepted) {
            Exit::Evidence
        } else if any(Ended::Refused) || !self.refused.is_empty() {
            Exit::Refused
        } else if self.targets.iter().all(|target| target.status == Ended::Answered) {
            Exit::Done
        } else {
            Exit::Failed
        }
    }

    /// Tells a person, who goes on with the same configuration.
    pub(super) fn tell(&self, config: &Path) {
        output::note(&format!("query {} under {}", self.query, self.project));
        if !self.refused.is_empty() {
            output::note("refused by the coordinator under the covenant");
            self.refused.iter().for_each(tell_violation);
        }
        let rows: Vec<_> = self.targets.iter().map(TargetReport::row).collect();
        for (line, target) in output::columns(&rows).iter().zip(&self.targets) {
            output::note(line);
            if let Some(VouchersReport { file, rows, expires }) = &target.vouchers {
                let (rows, file) = (output::number(*rows, "row", "rows"), file.display());
                output::note(&format!("  vouchers for {rows} in {file}, until {expires}"));
            }
            if target.alarm {
                output::note(&output::wrapped(ALARM, 2, 92));
            }
            target.violations.iter().for_each(tell_violation);
        }
        let sealed: Vec<_> = self.targets.iter().filter(|target| target.sealed).collect();
        for target in &sealed {
            let (query, config) = (self.query, output::argument(config));
            // Where one answer is sealed, it is the query's only one.
            let (whose, file) = match sealed.len() {
                1 => (String::new(), format!("{query}.csv")),
                _ => (
                    format!(" --partner {}", target.partner),
                    format!("{query}.{}.csv", target.partner),
                ),
            };
            output::note(&format!(
                "to read it: convenant results open {query} --config {config}{whose} --out {file}"
            ));
        }
    }
}

/// Of an answer that is out of proportion to the residents of the area.
const ALARM: &str = "S12 EVENREDIGHEID: dit antwoord gaat over een groot deel van alle inwoners van het \
                     gebied. Leg het voor aan de functionaris voor gegevensbescherming voordat u verdergaat.";

impl TargetReport {
    fn new(result: TargetResult, name: String, dataset: String) -> Self {
        let (status, problem, violations) = match result.status {
            Status::Answered => (Ended::Answered, None, Vec::new()),
            Status::Refused { refusal } => (Ended::Refused, None, refusal.into()),
            Status::Failed { problem } => (Ended::of(problem), Some(problem), Vec::new()),
        };
        let status = match &result.refused_here {
            None => status,
            Some(ReceiveError::Output(_)) => Ended::NotKept,
            Some(_) => Ended::NotAccepted,
        };
        Self {
            partner: result.partner,
            name,
            dataset,
            status,
            rows: result.rows,
            alarm: result.alarm,
            file: result.file,
            vouchers: result.vouchers.map(VouchersReport::from),
            sealed: result.sealed,
            deadline: result.deadline,
            problem: problem.filter(|_| result.refused_here.is_none()),
            violations,
            fault: result.refused_here.as_ref().map(in_words),
        }
    }

    fn row(&self) -> Vec<String> {
        let rows = output::number(self.rows, "row", "rows");
        let detail = match (&self.file, self.problem, &self.fault) {
            (_, _, Some(fault)) => output::shown(fault),
            (_, Some(problem), _) => format!("{}: {}", problem.code(), problem.explanation()),
            (Some(_), ..) if self.sealed => format!("{rows}, sealed{}", self.until()),
            (Some(file), ..) => format!("{rows} in {}{}", file.display(), self.until()),
            _ => String::new(),
        };
        vec![self.name.clone(), self.dataset.clone(), self.status.words().to_owned(), detail]
    }
}

impl TargetReport {
    fn until(&self) -> String {
        let until = |day: Date| format!(", to be destroyed by {day}");
        self.deadline.map(until).unwrap_or_default()
    }
}

fn in_words(error: &ReceiveError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        words = format!("{words}: {source}");
        cause = source.source();
    }
    words
}

/// A clause that refuses: what offends it, and what it says.
fn tell_violation(violation: &Violation) {
    let Violation { clause, code, detail, text } = violation;
    output::note(&format!("  {clause} {}", output::shown(code)));
    output::note(&output::wrapped(detail, 4, 92));
    output::note(&output::wrapped(text, 6, 90));
}
