//! Opening a sealed answer, as long as it may be kept.

use std::{io::Write, path::Path};

use arrow::csv;
use convenant_model::{Date, Digest};
use convenant_signing::Opener;

use super::{
    Note, Place, Results, ResultsError, ResultsLock, SealedFault, WrappedKey,
    sealed::{self, Visit},
};
use crate::output::{Output, OutputError, Sink};

impl Results {
    /// Opens an answer into a new file, which is noted: it has to be destroyed with the rest.
    ///
    /// # Errors
    /// When its day has passed, it is not kept sealed, it does not verify, or the file cannot be written.
    pub fn open_file(
        &self,
        _lock: &ResultsLock,
        mut note: Note,
        today: Date,
        path: &Path,
    ) -> Result<u64, ResultsError> {
        if path.to_str().is_none() {
            return Err(OutputError::Name(path.to_owned()).into());
        }
        let sink = Sink { path: path.to_owned(), sealed: None };
        let (mut output, mut rows) = (None, 0);
        self.rows(&note, today, &mut |batch| {
            let output: &mut Output = match &mut output {
                Some(output) => output,
                none => none.insert(Output::create(&sink, batch.schema_ref())?),
            };
            rows += batch.num_rows() as u64;
            output.write(batch)
        })?;
        if let (Some(output), Place::Kept { files, .. }) = (output, &mut note.place) {
            let ended = output.end(&Digest::from_bytes([0; 32]))?;
            files.push(ended.plain()?);
            // A crash here leaves a file that is noted and has its passing name, by which it is found.
            self.write(&note)?;
            ended.keep()?;
        }
        Ok(rows)
    }

    /// Writes an answer as CSV, once all of it was verified.
    ///
    /// # Errors
    /// As for [`Self::open_file`].
    pub fn open_csv(&self, note: &Note, today: Date, out: impl Write) -> Result<(), ResultsError> {
        self.rows(note, today, &mut |_| Ok(()))?;
        let mut writer = csv::Writer::new(out);
        self.rows(note, today, &mut |batch| Ok(writer.write(batch)?))
    }

    fn rows(&self, note: &Note, today: Date, visit: Visit<'_>) -> Result<(), ResultsError> {
        let answer = &note.answer;
        if let Some(deadline) = answer.deadline.filter(|_| answer.overdue(today)) {
            return Err(ResultsError::Overdue { query: answer.query, deadline });
        }
        let WrappedKey(key) = wrapped(note)?;
        let path = self.sealed_of(answer.query, answer.target);
        let failed = |source| ResultsError::Sealed { path: path.clone(), source };
        let context = answer.context(&self.party);
        let opener = Opener::new(&self.opening_key()?, &context, &key.0);
        let opener = opener.map_err(|error| failed(SealedFault::Chunk(error)))?;
        let account = answer.seal().map_err(|source| ResultsError::Account {
            path: self.account_of(answer),
            source: Box::new(source),
        })?;
        sealed::read(&path, opener, &account, visit).map_err(|fault| match fault {
            SealedFault::Output(error) => error.into(),
            fault => failed(fault),
        })
    }
}

fn wrapped(note: &Note) -> Result<WrappedKey, ResultsError> {
    let why = match &note.place {
        Place::Kept { sealed: Some(key), .. } => return Ok(*key),
        Place::Kept { files, .. } => match files.first() {
            Some(file) => format!("it was written to `{}`", file.path.display()),
            None => "nothing of it was kept".to_owned(),
        },
        Place::Untracked => "there is a receipt of it, and no trace of where it went".to_owned(),
        Place::Erasing { .. } | Place::Destroyed(_) => "it was destroyed".to_owned(),
    };
    Err(ResultsError::NotSealed { query: note.answer.query, why })
}
