//! Every answer with its day: what is overdue first.

use std::{collections::BTreeSet, path::Path};

use convenant_client::results::{Answer, Note, Place, Results};
use convenant_model::{Clock as _, Date};
use convenant_transport::SystemClock;
use serde::Serialize;

use super::judged;
use crate::output;

/// What has to be done about an answer. The order is that of the list.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Overdue,
    Kept,
    Destroyed,
}

impl State {
    fn of(note: &Note, today: Date) -> Self {
        match note {
            note if !note.is_left() => Self::Destroyed,
            note if note.answer.overdue(today) => Self::Overdue,
            _ => Self::Kept,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Overdue => "! overdue",
            Self::Kept => "kept",
            Self::Destroyed => "destroyed",
        }
    }
}

#[derive(Serialize)]
struct Listed {
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_left: Option<i32>,
    #[serde(flatten)]
    answer: Answer,
    place: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
}

pub(super) fn run(results: &Results, config: &Path, json: bool) -> anyhow::Result<()> {
    let today = SystemClock.now().date();
    let notes = results.list().map_err(judged)?;
    let mut listed: Vec<_> = notes.into_iter().map(|note| Listed::new(note, today)).collect();
    listed.sort_by_key(|one| (one.state, one.answer.deadline.is_none(), one.answer.deadline));
    if json {
        output::json(&listed)?;
    } else {
        let rows = listed.iter().map(Listed::row);
        let head = ["STATE", "QUERY", "PROJECT", "PARTNER", "ROWS", "BY", "DAYS", "WHERE"];
        let rows: Vec<_> = std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect();
        output::columns(&rows).iter().try_for_each(|line| output::line(line))?;
    }
    let overdue = listed.iter().filter(|one| one.state == State::Overdue);
    let projects: BTreeSet<_> = overdue.clone().map(|one| &one.answer.project).collect();
    if !projects.is_empty() {
        output::note(&format!(
            "{} answer(s) should have been destroyed (clause L6), and the project's next query is \
             refused until a record says so:",
            overdue.count()
        ));
    }
    for project in projects {
        output::note(&format!(
            "  convenant results destroy --overdue --project {project} --config {} --place PLACE --operator \
             FUNCTION --out destruction-{project}.toml",
            output::argument(config)
        ));
    }
    Ok(())
}

impl Listed {
    fn new(note: Note, today: Date) -> Self {
        let state = State::of(&note, today);
        let (place, files) = place(&note.place);
        let deadline = note.answer.deadline.filter(|_| state != State::Destroyed);
        let days_left = deadline.map(|day| day.days_since_epoch() - today.days_since_epoch());
        Self { state, days_left, answer: note.answer, place, files }
    }

    fn row(&self) -> Vec<String> {
        let Answer { query, project, partner, rows, deadline, .. } = &self.answer;
        let days = self.days_left.map_or_else(String::new, |days| days.to_string());
        let by = deadline.map_or_else(|| "-".to_owned(), |day| day.to_string());
        let place = [&[self.place.to_owned()], self.files.as_slice()].concat().join(", ");
        vec![
            self.state.words().to_owned(),
            query.to_string(),
            project.to_string(),
            partner.to_string(),
            rows.to_string(),
            by,
            days,
            output::shown(&place),
        ]
    }
}

fn place(place: &Place) -> (&'static str, Vec<String>) {
    let shown = |path: &Path| path.display().to_string();
    match place {
        Place::Kept { sealed, files } => {
            let kept = match (sealed, files.as_slice()) {
                (Some(_), _) => "sealed",
                (None, []) => "nothing kept",
                (None, _) => "in a file",
            };
            (kept, files.iter().map(|file| shown(&file.path)).collect())
        }
        Place::Untracked => ("untracked", Vec::new()),
        Place::Erasing { files, .. } => {
            ("half destroyed", files.iter().map(|file| shown(&file.path)).collect())
        }
        Place::Destroyed(tombstone) if tombstone.recorded => ("record written", Vec::new()),
        Place::Destroyed(_) => ("record not written", Vec::new()),
    }
}
