//! Result files: Parquet, CSV or Arrow, written as rows come and named only once they are verified.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use arrow::{
    array::RecordBatch, csv, datatypes::SchemaRef, error::ArrowError, ipc::writer::FileWriter,
};
use parquet::{
    arrow::ArrowWriter, basic::Compression, errors::ParquetError,
    file::properties::WriterProperties,
};
use thiserror::Error;

/// How a result is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header.
    Csv,
    /// An Arrow IPC file.
    Arrow,
}

/// Why a result file cannot be written.
#[derive(Debug, Error)]
pub enum OutputError {
    /// The name does not say which format.
    #[error("`{}` does not end in `.parquet`, `.csv` or `.arrow`", .0.display())]
    Format(PathBuf),
    /// The file is there already.
    #[error("`{}` exists already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The file system failed.
    #[error("`{}` cannot be written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The rows cannot be written in this format.
    #[error("the rows cannot be written")]
    Arrow(#[from] ArrowError),
    /// The rows cannot be written as Parquet.
    #[error("the rows cannot be written as Parquet")]
    Parquet(#[from] ParquetError),
}

impl Format {
    /// The format that a file name ends in.
    ///
    /// # Errors
    /// When it ends in none.
    pub fn of(path: &Path) -> Result<Self, OutputError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("parquet") => Ok(Self::Parquet),
            Some("csv") => Ok(Self::Csv),
            Some("arrow") => Ok(Self::Arrow),
            _ => Err(OutputError::Format(path.to_owned())),
        }
    }
}

/// A result file under way. Dropped before [`Output::keep`], it leaves nothing behind.
pub struct Output {
    path: PathBuf,
    part: PathBuf,
    writer: Option<Writer>,
    kept: bool,
}

enum Writer {
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
    Csv(Box<csv::Writer<BufWriter<File>>>),
    Arrow(Box<FileWriter<BufWriter<File>>>),
}

impl Output {
    /// Begins a file, readable by its owner only.
    ///
    /// # Errors
    /// When the file exists, or cannot be made.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<Self, OutputError> {
        let format = Format::of(path)?;
        if path.exists() {
            return Err(OutputError::Exists(path.to_owned()));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let io_error = |source| OutputError::Io { path: part.clone(), source };
        let file = BufWriter::with_capacity(1 << 20, file.map_err(io_error)?);
        let writer = match format {
            Format::Parquet => {
                let zstd = Compression::ZSTD(parquet::basic::ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(zstd).build();
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
                Writer::Parquet(Box::new(writer))
            }
            Format::Csv => Writer::Csv(Box::new(csv::Writer::new(file))),
            Format::Arrow => Writer::Arrow(Box::new(FileWriter::try_new(file, schema)?)),
        };
        Ok(Self { path: path.to_owned(), part, writer: Some(writer), kept: false })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), OutputError> {
        match &mut self.writer {
            Some(Writer::Parquet(writer)) => writer.write(rows)?,
            Some(Writer::Csv(writer)) => writer.write(rows)?,
            Some(Writer::Arrow(writer)) => writer.write(rows)?,
            None => {}
        }
        Ok(())
    }

    /// Ends the file and gives it its name. A name that was taken meanwhile is not overwritten.
    ///
    /// # Errors
    /// When it cannot be ended or named.
    pub fn keep(mut self) -> Result<PathBuf, OutputError> {
        let io_error = |source| OutputError::Io { path: self.part.clone(), source };
        let file = match self.writer.take() {
            Some(Writer::Parquet(writer)) => writer.into_inner()?,
            Some(Writer::Csv(writer)) => writer.into_inner(),
            Some(Writer::Arrow(writer)) => writer.into_inner()?,
            None => return Ok(self.path.clone()),
        };
        let file = file.into_inner().map_err(|error| io_error(error.into_error()))?;
        file.sync_all().map_err(io_error)?;
        fs::hard_link(&self.part, &self.path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => OutputError::Exists(self.path.clone()),
            _ => io_error(source),
        })?;
        fs::remove_file(&self.part).map_err(io_error)?;
        self.kept = true;
        Ok(self.path.clone())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.kept {
            // Best effort: the rows in it were never verified.
            let _ = fs::remove_file(&self.part);
        }
    }
}
