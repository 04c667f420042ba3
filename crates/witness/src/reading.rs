//! Ledgers, read by auditors over the network: file by file, as C2SP `tlog-tiles` serves them.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use convenant_model::{Oin, Problem};
use convenant_store::RecordError;
use convenant_transport::Peer;
use convenant_wire::{
    problem::status,
    v1::{ReadRequest, ReadResponse, ledger_server::Ledger},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

use crate::readers::Readers;

/// Where reading a ledger begins.
const CHECKPOINT: &str = "checkpoint";
/// Files that are read at once: each is in memory until it is sent.
const AT_ONCE: usize = 8;

/// Whether a party may read.
pub type Entitled = Arc<dyn Fn(&Oin) -> bool + Send + Sync>;

/// The ledgers of a party, by origin, who may read them, and the record of who does.
pub struct Shelf {
    ledgers: BTreeMap<String, PathBuf>,
    entitled: Entitled,
    readers: Readers,
    places: Arc<Semaphore>,
}

impl Shelf {
    /// A shelf with the folder of each ledger.
    #[must_use]
    pub fn new(ledgers: BTreeMap<String, PathBuf>, entitled: Entitled, readers: Readers) -> Self {
        Self { ledgers, entitled, readers, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// The gRPC face of a shelf.
pub struct LedgerService(pub Arc<Shelf>);

#[tonic::async_trait]
impl Ledger for LedgerService {
    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        let peer = request.extensions().get::<Peer>().cloned();
        let Some(peer) = peer.filter(|peer| (self.0.entitled)(&peer.oin)) else {
            let why = "only auditors that the register enrols read ledgers";
            return Err(status(Problem::NotAllowed, why));
        };
        let ReadRequest { origin, path } = request.into_inner();
        let missing = || status(Problem::NotFound, "no such ledger, or no such file in it");
        let folder = self.0.ledgers.get(&origin).ok_or_else(missing)?;
        if !is_served(&path) {
            return Err(missing());
        }
        let (folder, wanted) = (folder.clone(), path.clone());
        let place = Arc::clone(&self.0.places).acquire_owned().await;
        let place = place.map_err(|_| status(Problem::Internal, "nothing is read any more"))?;
        let read = tokio::task::spawn_blocking(move || file(&folder, &wanted)).await;
        match read {
            Ok(Ok(content)) => {
                if path == CHECKPOINT {
                    tracing::info!(peer = %peer.oin, origin, "an auditor reads the ledger");
                }
                if let Some(first) = self.0.readers.first_entry(&origin, &path) {
                    put_on_record(&self.0, (peer, place), first).await?;
                }
                Ok(Response::new(ReadResponse { content: content.into() }))
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
            Ok(Err(error)) => {
                tracing::error!(%error, path, "a file of the ledger cannot be read");
                Err(status(Problem::Internal, "the file cannot be read"))
            }
            Err(_) => Err(status(Problem::Internal, "reading broke off")),
        }
    }
}

/// What cannot be put on record is not given. In a task of its own: a reader that goes away must not stop it
/// between disk and memory, or each such reading would make an entry.
async fn put_on_record(
    shelf: &Arc<Shelf>,
    (reader, place): (Peer, OwnedSemaphorePermit),
    first: u64,
) -> Result<(), Status> {
    let shelf = Arc::clone(shelf);
    let noted = tokio::spawn(async move {
        // Kept as long: whoever hangs up again and again leaves no more than these behind.
        let _place = place;
        let noted: Result<(), RecordError> = shelf.readers.note(&reader, first).await;
        noted.inspect_err(
            |error| tracing::error!(%error, peer = %reader.oin, "reading cannot be recorded"),
        )
    });
    match noted.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(status(Problem::NotRecorded, "that it is read cannot be recorded")),
        Err(_) => Err(status(Problem::Internal, "recording broke off")),
    }
}

/// A file of the folder. A partial tile that is gone because the ledger grew is the beginning of the wider
/// one, or of the full one, that took its place.
fn file(folder: &Path, path: &str) -> io::Result<Vec<u8>> {
    let gone = match fs::read(folder.join(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => error,
        read => return read,
    };
    let Some((tile, width)) = path.rsplit_once(".p/") else {
        return Err(gone);
    };
    let width: usize = width.parse().map_err(|_| io::ErrorKind::NotFound)?;
    let wider = fs::read_dir(folder.join(format!("{tile}.p"))).ok().and_then(|listed| {
        let names = listed.filter_map(|one| one.ok()?.file_name().to_str()?.parse().ok());
        names.filter(|other: &usize| *other > width).max()
    });
    let source = wider.map_or_else(|| tile.to_owned(), |wider| format!("{tile}.p/{wider}"));
    let bytes = fs::read(folder.join(source))?;
    let length = if tile.starts_with("tile/entries/") {
        length_of_entries(&bytes, width)
    } else {
        width.checked_mul(32)
    };
    let part = length.and_then(|length| bytes.get(..length));
    part.map(<[u8]>::to_vec).ok_or(gone)
}

/// Bytes of the first entries of a bundle: each is preceded by its length in two bytes.
fn length_of_entries(bundle: &[u8], entries: usize) -> Option<usize> {
    (0..entries).try_fold(0, |at, _| {
        let length = bundle.get(at..)?.first_chunk()?;
        Some(at + 2 + usize::from(u16::from_be_bytes(*length)))
    })
}

/// Whether a path is one of the files that make up a copy. None of them leads out of the folder.
fn is_served(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    match parts.as_slice() {
        [CHECKPOINT] => true,
        ["tile", rest @ ..] => !rest.is_empty() && rest.iter().all(|part| is_tile(part)),
        ["documents", name] => name.strip_suffix(".jws").is_some_and(is_number),
        ["witnessing" | "witnessed", name] => {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
            name.starts_with("convenant.") && name.chars().all(plain)
        }
        _ => false,
    }
}

/// `entries`, a level, a width, or a group of the index: `x001`, `234`, `067.p`.
fn is_tile(part: &str) -> bool {
    let number = part.strip_prefix('x').unwrap_or(part);
    part == "entries" || is_number(number.strip_suffix(".p").unwrap_or(number))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_tile_that_is_gone_is_the_beginning_of_what_took_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let read = |path: &str| file(dir.path(), path).map_err(|error| error.kind());
        let gone = Err(io::ErrorKind::NotFound);
        write("tile/0/000.p/3", &[[1; 32], [2; 32], [3; 32]].concat());
        assert_eq!(read("tile/0/000.p/2"), Ok([[1; 32], [2; 32]].concat()));
        assert_eq!(read("tile/0/000.p/4"), gone, "nothing is made up");
        assert_eq!(read(&format!("tile/0/000.p/{}", u64::MAX)), gone);
        write("tile/entries/000", b"\x00\x01a\x00\x02bb\x00\x00");
        assert_eq!(read("tile/entries/000.p/2"), Ok(b"\x00\x01a\x00\x02bb".to_vec()));
        assert_eq!(read("tile/entries/000.p/3"), Ok(b"\x00\x01a\x00\x02bb\x00\x00".to_vec()));
        assert_eq!(read("tile/entries/000.p/4"), gone);
        assert_eq!(read("checkpoint"), gone);
    }

    #[test]
    fn only_files_of_a_copy_are_served() {
        for path in [
            "checkpoint",
            "tile/0/000",
            "tile/1/x001/x234/067.p/12",
            "tile/entries/001",
            "documents/00000012.jws",
            "witnessing/convenant.node_00000099000000004000",
        ] {
            assert!(is_served(path), "{path}");
        }
        for path in [
            "",
            "/",
            "checkpoint/",
            "../checkpoint",
            "tile",
            "tile/",
            "tile/../lock",
            "tile//0",
            "tile/0/..",
            "lock",
            "segments/00000000000000000000.seg",
            "documents/../lock",
            "documents/1.jwk",
            "witnessing/..",
            "witnessed/",
            "/etc/passwd",
            "tile/.p",
        ] {
            assert!(!is_served(path), "{path}");
        }
    }
}
