//! A sealed result file: the bytes of [`MAGIC`], then the chunks of one sealed stream (`convenant_signing`),
//! each behind its length in four bytes, big-endian. The chunks hold an Arrow IPC stream; the last one holds
//! the hash over the account of the answer and nothing else. The encapsulated key is not in the file.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use arrow::{array::RecordBatch, buffer::Buffer, error::ArrowError, ipc::reader::StreamDecoder};
use convenant_model::Digest;
use convenant_signing::{MAX_CHUNK_BYTES, OpenError, Opener, SealError, Sealer};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::output::OutputError;

const MAGIC: &[u8] = b"convenant-kept-v1\n";

/// Seals what is written to it, chunk by chunk.
pub(crate) struct SealingWriter {
    sealer: Sealer,
    // Never grows, so that no copy of it is left behind.
    plain: Zeroizing<Vec<u8>>,
    out: BufWriter<File>,
}

impl SealingWriter {
    pub(crate) fn new(sealer: Sealer, file: File) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        out.write_all(MAGIC)?;
        Ok(Self { sealer, plain: Zeroizing::new(Vec::with_capacity(MAX_CHUNK_BYTES)), out })
    }

    /// Ends the stream with the hash over the answer's account, and brings the file to the disk.
    pub(crate) fn end(mut self, account: &Digest) -> io::Result<File> {
        self.chunk(false)?;
        self.plain.extend_from_slice(account.as_bytes());
        self.chunk(true)?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_data()?;
        Ok(file)
    }

    fn chunk(&mut self, last: bool) -> io::Result<()> {
        if self.plain.is_empty() {
            return Ok(());
        }
        let sealed = self.sealer.seal(&self.plain, last);
        let sealed = sealed.map_err(|error: SealError| io::Error::other(error))?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)?;
        self.plain.clear();
        Ok(())
    }
}

impl Write for SealingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MAX_CHUNK_BYTES - self.plain.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.plain.extend_from_slice(taken);
        if self.plain.len() == MAX_CHUNK_BYTES {
            self.chunk(false)?;
        }
        Ok(taken.len())
    }

    /// Chunks are as long as may be; what is left goes out at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is wrong with a sealed file.
#[derive(Debug, Error)]
pub enum SealedFault {
    /// It does not begin as one.
    #[error("it is no sealed result")]
    Magic,
    /// A chunk is longer than one can be.
    #[error("a chunk of {0} bytes is longer than allowed")]
    Length(usize),
    /// A chunk is not the next one of this answer.
    #[error("a chunk was altered, reordered or taken from another file")]
    Chunk(#[source] OpenError),
    /// It ends before its last chunk.
    #[error("it was cut off")]
    CutOff,
    /// Something follows its last chunk.
    #[error("something was added at its end")]
    Added,
    /// What is told of it beside it is not what was sealed with it.
    #[error("its day, its hash or something else that is noted of it was altered")]
    Account,
    /// What opened is not Arrow.
    #[error("the opened chunks are not Arrow data")]
    Arrow(#[from] ArrowError),
    /// It cannot be read.
    #[error("it cannot be read")]
    Io(#[source] io::Error),
    /// The rows cannot be passed on.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Takes rows.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&RecordBatch) -> Result<(), OutputError>;

/// Opens a sealed file and shows its rows as they come. They count once this returns: only the end tells
/// that nothing was cut off.
pub(crate) fn read(
    path: &Path,
    mut opener: Opener,
    account: &Digest,
    visit: Visit<'_>,
) -> Result<(), SealedFault> {
    let file = File::open(path).map_err(SealedFault::Io)?;
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut magic = [0; MAGIC.len()];
    exact(&mut file, &mut magic)?;
    if magic != MAGIC {
        return Err(SealedFault::Magic);
    }
    let mut decoder = StreamDecoder::new();
    let mut sealed = Vec::new();
    loop {
        next(&mut file, &mut sealed)?;
        let opened = opener.open(&sealed).map_err(SealedFault::Chunk)?;
        if opened.last {
            decoder.finish()?;
            return ended(&mut file, &opened.plain, account);
        }
        let mut buffer = Buffer::from_vec(opened.plain);
        while !buffer.is_empty() {
            if let Some(rows) = decoder.decode(&mut buffer)? {
                visit(&rows)?;
            }
        }
    }
}

fn next(file: &mut impl Read, sealed: &mut Vec<u8>) -> Result<(), SealedFault> {
    let mut length = [0; 4];
    exact(file, &mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    // A sealed chunk has a mark and a tag besides.
    if length > MAX_CHUNK_BYTES + 64 {
        return Err(SealedFault::Length(length));
    }
    sealed.resize(length, 0);
    exact(file, sealed)
}

fn ended(file: &mut impl Read, plain: &[u8], account: &Digest) -> Result<(), SealedFault> {
    if plain != account.as_bytes() {
        return Err(SealedFault::Account);
    }
    match file.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(SealedFault::Added),
        Err(error) => Err(SealedFault::Io(error)),
    }
}

fn exact(file: &mut impl Read, bytes: &mut [u8]) -> Result<(), SealedFault> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => SealedFault::CutOff,
        _ => SealedFault::Io(error),
    })
}
