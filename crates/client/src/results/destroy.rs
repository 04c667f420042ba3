//! Destroying answers, in an order in which every crash leaves an answer that is still listed, or a tombstone
//! from which the record can be written again.

use std::{collections::BTreeSet, path::PathBuf};

use convenant_model::{Clock, documents::Line};
use thiserror::Error;

use super::{
    Answer, Note, Place, PlainFile, Results, ResultsError, ResultsLock, Tombstone, Way,
    disk::{self, Found},
    record::{RecordError, manner},
};

/// What somebody says about a destruction.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Where.
    pub place: Line,
    /// By whom: a function, not a name.
    pub operator: Line,
    /// What else was done than this program does.
    pub manner: Option<Line>,
    /// That what is not where it was written was destroyed by other means, in the manner said.
    pub copies: bool,
}

/// Why answers were not destroyed.
#[derive(Debug, Error)]
pub enum DestroyError {
    /// A file or an account cannot be read or written.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// Something is not where it was written; nothing was destroyed.
    #[error("not everything is where it was written: {}", .0.join("; "))]
    Elsewhere(Vec<String>),
    /// Means other than this program's need words.
    #[error("how were the copies destroyed? Only whoever did it can say")]
    Manner,
    /// The record could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// What has to be done for one answer.
struct Step {
    answer: Answer,
    files: Vec<PlainFile>,
    ways: BTreeSet<Way>,
}

impl Results {
    /// Destroys these answers; gives them with their tombstones. Those that were destroyed already stay as
    /// they are.
    ///
    /// # Errors
    /// When something is not where it was written and nobody says what became of it: then nothing was
    /// destroyed. When a file cannot be removed: what comes after it is still there and listed.
    pub fn destroy(
        &self,
        _lock: &ResultsLock,
        notes: Vec<Note>,
        statement: &Statement,
        clock: &dyn Clock,
    ) -> Result<Vec<Note>, DestroyError> {
        let (left, mut destroyed): (Vec<_>, Vec<_>) = notes.into_iter().partition(Note::is_left);
        let (mut steps, mut elsewhere) = (Vec::new(), Vec::new());
        for note in left {
            steps.push(step(note, &mut elsewhere)?);
        }
        if !elsewhere.is_empty() && !statement.copies {
            return Err(DestroyError::Elsewhere(elsewhere));
        }
        if !elsewhere.is_empty() && statement.manner.is_none() {
            return Err(DestroyError::Manner);
        }
        let ways = steps.iter().flat_map(|step| &step.ways).copied().collect();
        manner(&ways, statement.manner.iter())?;
        for step in steps {
            destroyed.push(self.perform(step, statement, clock)?);
        }
        Ok(destroyed)
    }

    fn perform(
        &self,
        step: Step,
        statement: &Statement,
        clock: &dyn Clock,
    ) -> Result<Note, ResultsError> {
        let Step { answer, files, ways } = step;
        let (query, target) = (answer.query, answer.target);
        // First the key: from here on nobody opens the sealed file. A crash before leaves the answer as it
        // was, a crash after one whose files are still to be removed, and it says so.
        let place = Place::Erasing { files: files.clone(), ways: ways.clone() };
        let mut note = Note { answer, place };
        self.write(&note)?;
        // Then the files. A crash leaves some of them; the next attempt finds them in the account.
        let sealed = self.sealed_of(query, target);
        for path in [disk::part(&sealed), sealed] {
            disk::remove(&path).map_err(|source| ResultsError::Io { path, source })?;
        }
        for file in &files {
            remove(file)?;
        }
        // Last the tombstone. A crash before leaves an answer that is listed, of which nothing is there.
        note.place = Place::Destroyed(Tombstone {
            at: clock.now(),
            ways,
            manner: statement.manner.clone(),
            place: statement.place.clone(),
            operator: statement.operator.clone(),
            recorded: false,
        });
        self.write(&note)?;
        Ok(note)
    }

    /// Notes that the record of these answers is on disk. A crash before leaves tombstones without a record,
    /// of which the same record is written again; the register takes it once.
    ///
    /// # Errors
    /// When an account cannot be written.
    pub fn recorded(&self, _lock: &ResultsLock, notes: Vec<Note>) -> Result<(), ResultsError> {
        for mut note in notes {
            if let Place::Destroyed(tombstone @ Tombstone { recorded: false, .. }) = &mut note.place
            {
                tombstone.recorded = true;
                self.write(&note)?;
            }
        }
        Ok(())
    }
}

fn step(note: Note, elsewhere: &mut Vec<String>) -> Result<Step, ResultsError> {
    let Note { answer, place } = note;
    let query = answer.query;
    Ok(match place {
        Place::Kept { sealed, files } => {
            let mut ways: BTreeSet<_> = sealed.iter().map(|_| Way::Sealed).collect();
            let mut here = Vec::new();
            for file in files {
                let name = file.path.display().to_string();
                match found(&file)? {
                    Found::Here(_) => {
                        ways.insert(Way::File);
                        here.push(file);
                        continue;
                    }
                    Found::Missing => elsewhere.push(format!("`{name}` is gone")),
                    Found::Changed => elsewhere.push(format!("`{name}` is another file by now")),
                }
                ways.insert(Way::Stated);
            }
            if ways.is_empty() {
                ways.insert(Way::Nothing);
            }
            Step { answer, files: here, ways }
        }
        Place::Untracked => {
            elsewhere.push(format!("nothing tells where the answer to `{query}` went"));
            Step { answer, files: Vec::new(), ways: [Way::Stated].into() }
        }
        Place::Erasing { files, ways } => Step { answer, files, ways },
        // Was set apart before.
        Place::Destroyed(tombstone) => Step { answer, files: Vec::new(), ways: tombstone.ways },
    })
}

fn found(file: &PlainFile) -> Result<Found, ResultsError> {
    file.found().map_err(|source| ResultsError::Io { path: file.path.clone(), source })
}

/// Removes a file that is still the one that was written; another under its name is left alone.
fn remove(file: &PlainFile) -> Result<(), ResultsError> {
    let path: PathBuf = match found(file)? {
        Found::Here(path) => path,
        Found::Missing | Found::Changed => return Ok(()),
    };
    disk::remove(&path).map_err(|source| ResultsError::Io { path, source })
}
