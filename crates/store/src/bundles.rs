//! The entries of a ledger's copy: a folder with checkpoint and tiles and no segments, as
//! [`FileLedger::export`] writes it and as any copy of a C2SP `tlog-tiles` log looks.

use std::{io, vec::IntoIter};

use convenant_ledger::{
    Place,
    tile::{Row, TileId, WIDTH, whole_entries},
};

use crate::file_ledger::FileLedger;

/// Reads bundle after bundle, one in memory at a time.
#[derive(Debug)]
pub(crate) struct Bundles {
    ledger: FileLedger,
    /// Entries that the checkpoint states.
    size: u64,
    place: Place,
    current: IntoIter<Vec<u8>>,
}

/// Why there is no next entry.
pub(crate) enum BundleFault {
    /// All that the checkpoint states were read.
    End(Place),
    /// The bundle is not there.
    Missing(Place),
    /// The bundle holds less than its name says: what was read is whole, and this entry is not.
    Malformed(Place),
    /// The bundle cannot be read.
    Io(io::Error),
}

impl Bundles {
    pub(crate) fn new(ledger: FileLedger, size: u64) -> Self {
        let place = Place { segment: String::new(), offset: 0, index: 0 };
        Self { ledger, size, place, current: Vec::new().into_iter() }
    }

    /// The next entry, and where it stands.
    pub(crate) fn next_entry(&mut self) -> Result<(Place, Vec<u8>), BundleFault> {
        if self.current.as_slice().is_empty() {
            self.current = self.bundle()?.into_iter();
        }
        let place = self.place.clone();
        let entry = self.current.next().ok_or_else(|| BundleFault::Malformed(place.clone()))?;
        self.place.index += 1;
        self.place.offset += 2 + entry.len() as u64;
        Ok((place, entry))
    }

    fn bundle(&mut self) -> Result<Vec<Vec<u8>>, BundleFault> {
        let id = TileId::within(Row::Entries, self.place.index / WIDTH, self.size);
        let Some(id) = id.filter(|_| self.place.index < self.size) else {
            return Err(BundleFault::End(self.place.clone()));
        };
        // The one before ended within an entry.
        if !self.place.index.is_multiple_of(WIDTH) {
            return Err(BundleFault::Malformed(self.place.clone()));
        }
        self.place = Place { segment: id.path(), offset: 0, index: self.place.index };
        let bundle = self.ledger.tile(&id).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BundleFault::Missing(self.place.clone()),
            _ => BundleFault::Io(error),
        })?;
        // What is behind as many as its name says is no entry, and the published tile not that of the entries.
        let mut entries = whole_entries(&bundle);
        entries.truncate(usize::try_from(id.width()).unwrap_or(usize::MAX));
        Ok(entries)
    }
}
