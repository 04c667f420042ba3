//! CSV (RFC 4180): every column is read as text, and given its type where it is needed.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    sync::Arc,
};

use arrow::{
    csv::ReaderBuilder,
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
    record_batch::RecordBatch,
};

use super::{Blocks, FileSource};
use crate::{binding::Column, error::SourceError};

/// Rows of one block. The reader makes room for all of them at once, also where a file has a few.
const BLOCK_ROWS: usize = 1024;

/// The names of a file's columns, with the bytes at its beginning that say so.
pub(super) struct Header {
    bytes: Vec<u8>,
    names: Vec<String>,
}

impl Header {
    /// Reads the header of a file that is at its beginning; leaves it there.
    fn read(file: &mut File) -> Result<Self, csv::Error> {
        let mut reader = csv::Reader::from_reader(&*file);
        let names = reader.headers()?.iter().map(str::to_owned).collect();
        let length = reader.position().byte();
        file.rewind()?;
        let mut bytes = Vec::new();
        (&*file).take(length).read_to_end(&mut bytes)?;
        file.rewind()?;
        Ok(Self { bytes, names })
    }

    /// Whether a file that is at its beginning has this header; leaves it there.
    fn begins(&self, file: &mut File) -> io::Result<bool> {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        (&*file).take(self.bytes.len() as u64).read_to_end(&mut bytes)?;
        file.rewind()?;
        Ok(bytes == self.bytes)
    }
}

/// The header of a file: the one that it had when it was last opened, as most have, or else it is read anew.
fn header(source: &FileSource, file: &mut File) -> Result<Arc<Header>, SourceError> {
    if let Some(known) = source.header.load_full() {
        let same = known.begins(file).map_err(|error| source.malformed(error.to_string()))?;
        if same {
            return Ok(known);
        }
    }
    let read = Header::read(file).map_err(|error| source.malformed(error.to_string()))?;
    let read = Arc::new(read);
    // One that ends with the file may be the beginning of another, while somebody writes the file.
    let whole = matches!(read.bytes.last(), Some(b'\n' | b'\r'));
    source.header.store(whole.then(|| Arc::clone(&read)));
    Ok(read)
}

pub(super) fn open(source: &FileSource, columns: &[Arc<Column>]) -> Result<Blocks, SourceError> {
    let mut file = source.file()?;
    let header = header(source, &mut file)?;
    let positions = columns
        .iter()
        .map(|column| position(source, &header, column))
        .collect::<Result<Vec<_>, _>>()?;
    let texts = |name: &String| Field::new(name, DataType::Utf8, true);
    let texts = Schema::new(header.names.iter().map(texts).collect::<Vec<_>>());
    let reader = ReaderBuilder::new(Arc::new(texts))
        .with_header(true)
        .with_batch_size(BLOCK_ROWS)
        .with_projection(positions)
        .build(file)
        .map_err(|error| malformed(source, error))?;
    let fields = columns.iter().map(|c| Field::new(c.field.as_str(), DataType::Utf8, true));
    let named = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let source = source.clone();
    Ok(Box::new(reader.map(move |batch| {
        batch
            .and_then(|batch| RecordBatch::try_new(Arc::clone(&named), batch.columns().to_vec()))
            .map_err(|error| malformed(&source, error))
    })))
}

fn position(source: &FileSource, header: &Header, column: &Column) -> Result<usize, SourceError> {
    let named = |(_, name): &(usize, &String)| **name == column.name;
    let mut found = header.names.iter().enumerate().filter(named);
    match (found.next(), found.count()) {
        (Some((position, _)), 0) => Ok(position),
        (first, more) => Err(source.no_such_column(column, usize::from(first.is_some()) + more)),
    }
}

/// The reader's own messages name the line and how many fields it has, and no value: every column is
/// text, so none is parsed.
fn malformed(source: &FileSource, error: ArrowError) -> SourceError {
    source.malformed(match error {
        ArrowError::CsvError(fault) => fault,
        ArrowError::IoError(fault, _) => fault,
        _ => "not a CSV file".to_owned(),
    })
}
