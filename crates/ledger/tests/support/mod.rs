//! A store in memory that can fail at any step, and that a restarted ledger can be opened on.

use std::{cell::RefCell, collections::BTreeMap, io, rc::Rc};

use convenant_ledger::{
    AppendError, EntryBytes, Found, Ledger, LedgerSigner, OpenError, Place, ReadStore, Recovery,
    Store, Tail,
    frame::{Frames, Residue},
    note::NoteName,
};
use convenant_model::{
    Oin, Timestamp,
    entry::{Entry, Started},
};
use convenant_signing::{SigningKey, SystemRandom};

/// What the next step of its kind does instead of succeeding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The append finds no room; nothing stays.
    Full,
    /// The append fails and is rolled back.
    Refused,
    /// The append ends in doubt, and so much of the group stays on the disk: a share of 256.
    Unknown { persisted: u8 },
    /// A tile cannot be written.
    Tile,
    /// The checkpoint cannot be written.
    Checkpoint,
    /// A tile cannot be removed.
    Remove,
}

#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) segment: Vec<u8>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) fault: Option<Fault>,
}

/// The disk survives the ledger that used it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStore(pub(crate) Rc<RefCell<Disk>>);

impl MemoryStore {
    pub(crate) fn fail(&self, fault: Fault) {
        self.0.borrow_mut().fault = Some(fault);
    }

    fn take(&self, fault: Fault) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        if disk.fault != Some(fault) {
            return Ok(());
        }
        disk.fault = None;
        Err(io::ErrorKind::Other.into())
    }
}

impl ReadStore for MemoryStore {
    fn replay(&self, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<Tail> {
        let segment = self.0.borrow().segment.clone();
        let mut frames = Frames::new(segment.as_slice(), 0);
        loop {
            let (index, offset) = (frames.index(), frames.offset());
            let Some(entry) = frames.next_entry()? else {
                break;
            };
            visit(Found { index, segment: "memory", offset, entry });
        }
        let end =
            Place { segment: "memory".into(), offset: frames.offset(), index: frames.index() };
        let Residue { bytes: torn_bytes, proves_damage, cut } = frames.residue()?;
        Ok(Tail { end, torn_bytes, cut, proves_damage })
    }

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.borrow().files.get(path).cloned())
    }
}

impl Store for MemoryStore {
    fn append(&mut self, _first: u64, frames: &[u8]) -> Result<(), AppendError> {
        let mut disk = self.0.borrow_mut();
        let error = io::ErrorKind::Other.into();
        match disk.fault {
            Some(Fault::Full) => {
                disk.fault = None;
                Err(AppendError::Full(error))
            }
            Some(Fault::Refused) => {
                disk.fault = None;
                Err(AppendError::Refused(error))
            }
            Some(Fault::Unknown { persisted }) => {
                disk.fault = None;
                let kept = frames.len() * (usize::from(persisted) + 1) / 256;
                disk.segment.extend_from_slice(&frames[..kept]);
                Err(AppendError::Unknown(error))
            }
            _ => {
                disk.segment.extend_from_slice(frames);
                Ok(())
            }
        }
    }

    fn settle(&mut self, tail: &Tail, _doubtful: Option<&Place>) -> io::Result<()> {
        self.0.borrow_mut().segment.truncate(tail.end.offset as usize);
        Ok(())
    }

    fn publish_tile(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.take(Fault::Tile)?;
        self.0.borrow_mut().files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn publish_checkpoint(&self, text: &str) -> io::Result<()> {
        self.take(Fault::Checkpoint)?;
        self.0.borrow_mut().files.insert("checkpoint".to_owned(), text.as_bytes().to_vec());
        Ok(())
    }

    fn remove_tile(&self, path: &str) -> io::Result<()> {
        self.take(Fault::Remove)?;
        self.0.borrow_mut().files.remove(path);
        Ok(())
    }
}

/// One key for a test, and the ledger it opens.
pub(crate) struct Bench {
    pub(crate) store: MemoryStore,
    jwk: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let key = SigningKey::generate(&SystemRandom::new()).unwrap();
        Self { store: MemoryStore::default(), jwk: key.to_jwk().to_string() }
    }

    pub(crate) fn signer(&self) -> LedgerSigner {
        let key = SigningKey::from_jwk(&self.jwk, &SystemRandom::new()).unwrap();
        LedgerSigner::new(NoteName::new("ledger.example/test").unwrap(), key).unwrap()
    }

    pub(crate) fn open(&self) -> Result<(Ledger<MemoryStore>, Recovery), OpenError> {
        Ledger::open(self.store.clone(), self.signer(), now(), &mut |_| {})
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000).unwrap()
}

pub(crate) fn entry(number: u64) -> EntryBytes {
    EntryBytes::of(&started(number)).unwrap()
}

pub(crate) fn started(number: u64) -> Entry {
    Entry::Started(Started {
        party: Oin::new("00000099000000001000").unwrap(),
        at: now(),
        software: "test".into(),
        torn_bytes: number,
    })
}
