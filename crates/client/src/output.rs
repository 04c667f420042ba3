//! Result files: Parquet, CSV or Arrow, or sealed; written as rows come and named only once they are
//! verified.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use arrow::{
    array::RecordBatch,
    csv,
    datatypes::SchemaRef,
    error::ArrowError,
    ipc::writer::{FileWriter, StreamWriter},
};
use convenant_model::{
    Digest,
    keys::{Base64Bytes, SealingKey},
};
use convenant_signing::{SealContext, SealError, Sealer, SystemRandom};
use parquet::{
    arrow::ArrowWriter, basic::Compression, errors::ParquetError,
    file::properties::WriterProperties,
};
use thiserror::Error;

use crate::results::{PlainFile, WrappedKey, disk, sealed::SealingWriter};

/// How an answer is to be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Keep {
    /// In this file, for people and other programs to read.
    File(PathBuf),
    /// Sealed, among the client's results.
    Sealed,
}

impl From<PathBuf> for Keep {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

/// Where an answer goes.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The file.
    pub path: PathBuf,
    /// To whom it is sealed there, and what it is bound to; otherwise everybody who may open the file reads
    /// it.
    pub sealed: Option<(SealingKey, SealContext)>,
}

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
    /// A name that cannot be noted, and so not found again when the file has to be destroyed.
    #[error("`{}` is not a name in Unicode", .0.display())]
    Name(PathBuf),
    /// The rows cannot be sealed.
    #[error("the rows cannot be sealed")]
    Seal(#[from] SealError),
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
    key: Option<WrappedKey>,
}

/// A file that is removed when this is dropped.
struct Part(PathBuf);

impl Part {
    /// Begins the file that is to get a name, readable by its owner only.
    fn create(path: &Path) -> Result<(File, Self), OutputError> {
        if path.exists() {
            return Err(OutputError::Exists(path.to_owned()));
        }
        let part = disk::part(path);
        let file = disk::begin(&part);
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
    Sealed(Box<StreamWriter<SealingWriter>>, WrappedKey),
}

impl Output {
    /// Begins a file, readable by its owner only.
    ///
    /// # Errors
    /// When the file exists, or cannot be made.
    pub fn create(sink: &Sink, schema: &SchemaRef) -> Result<Self, OutputError> {
        let path = sink.path.clone();
        let (writer, part) = match &sink.sealed {
            Some((key, context)) => {
                let (file, part) = Part::create(&path)?;
                (Writer::sealed(file, key, context, schema)?, part)
            }
            None => {
                let format = Format::of(&path)?;
                let (file, part) = Part::create(&path)?;
                (Writer::plain(file, format, schema)?, part)
            }
        };
        Ok(Self { path, part, writer })
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
            Writer::Sealed(writer, _) => writer.write(rows)?,
        }
        Ok(())
    }

    /// Ends the file and brings it to the disk. A sealed one ends with the hash over the account of the
    /// answer. Blocks.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn end(self, account: &Digest) -> Result<Ended, OutputError> {
        let Self { path, part, writer } = self;
        let io_error = |source| OutputError::Io { path: part.0.clone(), source };
        let (file, key) = match writer {
            Writer::Parquet(writer) => (writer.into_inner()?, None),
            Writer::Csv(writer) => (writer.into_inner(), None),
            Writer::Arrow(writer) => (writer.into_inner()?, None),
            Writer::Sealed(writer, key) => {
                writer.into_inner()?.end(account).map_err(io_error)?;
                return Ok(Ended { path, part, key: Some(key) });
            }
        };
        let file = file.into_inner().map_err(|error| io_error(error.into_error()))?;
        file.sync_data().map_err(io_error)?;
        Ok(Ended { path, part, key })
    }
}

impl Writer {
    fn sealed(
        file: File,
        key: &SealingKey,
        context: &SealContext,
        schema: &SchemaRef,
    ) -> Result<Self, OutputError> {
        let (sealer, key) = Sealer::new(key, context, &SystemRandom::new())?;
        let writer = SealingWriter::new(sealer, file).map_err(ArrowError::from)?;
        let writer = StreamWriter::try_new(writer, schema)?;
        Ok(Self::Sealed(Box::new(writer), WrappedKey(Base64Bytes(key))))
    }

    fn plain(file: File, format: Format, schema: &SchemaRef) -> Result<Self, OutputError> {
        let file = BufWriter::with_capacity(1 << 20, file);
        Ok(match format {
            Format::Parquet => {
                let zstd = Compression::ZSTD(parquet::basic::ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(zstd).build();
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
                Writer::Parquet(Box::new(writer))
            }
            Format::Csv => Writer::Csv(Box::new(csv::Writer::new(file))),
            Format::Arrow => Writer::Arrow(Box::new(FileWriter::try_new(file, schema)?)),
        })
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
        Ok(Self { path: path.to_owned(), part, key: None })
    }

    /// The name that it is to get.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key of a sealed file.
    #[must_use]
    pub const fn key(&self) -> Option<WrappedKey> {
        self.key
    }

    /// How a file that people can read will be recognised.
    ///
    /// # Errors
    /// When it is gone.
    pub fn plain(&self) -> Result<PlainFile, OutputError> {
        let io_error = |source| OutputError::Io { path: self.part.0.clone(), source };
        let found = disk::look(&self.part.0).map_err(io_error)?;
        let (bytes, modified) = found.ok_or_else(|| io_error(io::ErrorKind::NotFound.into()))?;
        // Later commands run in other folders.
        let path = std::path::absolute(&self.path).map_err(io_error)?;
        Ok(PlainFile { path, bytes, modified })
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
        disk::sync_parent(&self.path).map_err(io_error)?;
        Ok(self.path)
    }
}
