//! Result files: Parquet, CSV or Arrow, written as rows come and named only once they are verified.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
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
    /// The vouchers cannot be written.
    #[error("the vouchers cannot be written")]
    Vouchers,
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

/// A result file under way. Dropped, it leaves nothing behind.
pub struct Output {
    path: PathBuf,
    part: Part,
    writer: Writer,
}

/// A result file that is complete and on disk, and has no name yet. Dropped, it leaves nothing behind.
pub struct Ended {
    path: PathBuf,
    part: Part,
}

/// A file that is removed when this is dropped.
struct Part(PathBuf);

impl Part {
    /// Begins the file that is to get a name, readable by its owner only.
    fn create(path: &Path) -> Result<(File, Self), OutputError> {
        if path.exists() {
            return Err(OutputError::Exists(path.to_owned()));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let file = file.map_err(|source| OutputError::Io { path: part.clone(), source })?;
        Ok((file, Self(part)))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Best effort: what is in it was never verified, or has its name by now.
        let _ = fs::remove_file(&self.0);
    }
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
        let (file, part) = Part::create(path)?;
        let file = BufWriter::with_capacity(1 << 20, file);
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
        Ok(Self { path: path.to_owned(), part, writer })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), OutputError> {
        match &mut self.writer {
            Writer::Parquet(writer) => writer.write(rows)?,
            Writer::Csv(writer) => writer.write(rows)?,
            Writer::Arrow(writer) => writer.write(rows)?,
        }
        Ok(())
    }

    /// Ends the file and brings it to the disk. Blocks.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn end(self) -> Result<Ended, OutputError> {
        let Self { path, part, writer } = self;
        let io_error = |source| OutputError::Io { path: part.0.clone(), source };
        let file = match writer {
            Writer::Parquet(writer) => writer.into_inner()?,
            Writer::Csv(writer) => writer.into_inner(),
            Writer::Arrow(writer) => writer.into_inner()?,
        };
        let file = file.into_inner().map_err(|error| io_error(error.into_error()))?;
        file.sync_data().map_err(io_error)?;
        Ok(Ended { path, part })
    }
}

impl Ended {
    /// Writes a file that is whole already, and brings it to the disk. Blocks.
    ///
    /// # Errors
    /// When the file exists, or cannot be written.
    pub fn whole(path: &Path, bytes: &[u8]) -> Result<Self, OutputError> {
        let (mut file, part) = Part::create(path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        written.map_err(|source| OutputError::Io { path: part.0.clone(), source })?;
        Ok(Self { path: path.to_owned(), part })
    }

    /// The name that it is to get.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name. A name that was taken meanwhile is not overwritten.
    ///
    /// # Errors
    /// When it cannot be named.
    pub fn keep(self) -> Result<PathBuf, OutputError> {
        let io_error = |source| OutputError::Io { path: self.part.0.clone(), source };
        fs::hard_link(&self.part.0, &self.path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => OutputError::Exists(self.path.clone()),
            _ => io_error(source),
        })?;
        fs::remove_file(&self.part.0).map_err(io_error)?;
        Ok(self.path)
    }
}
