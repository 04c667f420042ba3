//! Arrow IPC cut into chunks: batches go in, pieces of at most [`CHUNK`] bytes come out, and no more
//! than a batch is held.

use arrow::{array::RecordBatch, datatypes::Schema, error::ArrowError, ipc::writer::StreamWriter};
use convenant_exchange::CHUNK;

/// Room for a few rows; an answer of many makes more.
const FIRST: usize = 16 << 10;

/// Writes batches as one Arrow IPC stream and gives it out in chunks.
pub(crate) struct Chunker {
    writer: StreamWriter<Vec<u8>>,
    given: usize,
}

impl Chunker {
    /// Begins a stream of batches with this schema.
    pub(crate) fn new(schema: &Schema) -> Result<Self, ArrowError> {
        let writer = StreamWriter::try_new(Vec::with_capacity(FIRST), schema)?;
        Ok(Self { writer, given: 0 })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<(), ArrowError> {
        self.writer.write(rows)
    }

    /// Ends the stream: what is left is in [`Self::next_chunk`] and [`Self::rest`].
    pub(crate) fn finish(&mut self) -> Result<(), ArrowError> {
        self.writer.finish()
    }

    /// The next full chunk, if there is one with more behind it; the last chunk is [`Self::rest`].
    pub(crate) fn next_chunk(&mut self) -> Option<&[u8]> {
        let from = self.given;
        if self.writer.get_ref().len() <= from + CHUNK {
            self.discard();
            return None;
        }
        self.given += CHUNK;
        self.writer.get_ref().get(from..from + CHUNK)
    }

    /// What is left, at most one chunk.
    pub(crate) fn rest(&self) -> &[u8] {
        self.writer.get_ref().get(self.given..).unwrap_or_default()
    }

    /// Drops what was given out.
    fn discard(&mut self) {
        let given = std::mem::take(&mut self.given);
        self.writer.get_mut().drain(..given);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{array::Int64Array, buffer::Buffer, ipc::reader::StreamDecoder};

    use super::*;

    #[test]
    fn chunks_are_bounded_and_add_up_to_the_stream() {
        let column = Arc::new(Int64Array::from_iter_values(0..100_000)) as _;
        let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
        let mut chunker = Chunker::new(&batch.schema()).unwrap();
        let mut chunks = Vec::new();
        for _ in 0..3 {
            chunker.write(&batch).unwrap();
            while let Some(chunk) = chunker.next_chunk() {
                chunks.push(chunk.to_vec());
            }
        }
        chunker.finish().unwrap();
        while let Some(chunk) = chunker.next_chunk() {
            chunks.push(chunk.to_vec());
        }
        chunks.push(chunker.rest().to_vec());
        assert!(chunks.len() > 8 && chunks.iter().all(|chunk| chunk.len() <= CHUNK));
        let (mut decoder, mut rows) = (StreamDecoder::new(), 0);
        for chunk in chunks {
            let mut buffer = Buffer::from_vec(chunk);
            while !buffer.is_empty() {
                rows += decoder.decode(&mut buffer).unwrap().map_or(0, |batch| batch.num_rows());
            }
        }
        assert_eq!(rows, 300_000);
    }
}
