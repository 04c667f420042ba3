//! Published tiles, held against the entries: others make their proofs from these tiles.

use std::io;

use convenant_ledger::{
    ReadStore as _,
    tile::{Edge, Tile},
};
use convenant_model::Digest;

use crate::file_ledger::FileLedger;

/// The tiles that the checkpoint of a ledger refers to, to be compared as its entries are read.
#[derive(Debug)]
pub struct Published {
    ledger: FileLedger,
    /// Number of entries that the checkpoint states.
    size: u64,
    entries: u64,
    edge: Edge,
    unlike: Vec<String>,
}

impl Published {
    /// Those of the present checkpoint.
    ///
    /// # Errors
    /// When the checkpoint is none or cannot be read.
    pub fn of(ledger: &FileLedger) -> io::Result<Self> {
        Ok(Self {
            ledger: ledger.clone(),
            size: ledger.covered()?,
            entries: 0,
            edge: Edge::default(),
            unlike: Vec::new(),
        })
    }

    /// The next entry, with its leaf hash.
    pub fn push(&mut self, leaf: Digest, entry: &[u8]) {
        if self.entries == self.size {
            return;
        }
        self.entries += 1;
        let mut full = Vec::new();
        self.edge.push(leaf, entry, |tile| full.push(tile));
        full.iter().for_each(|tile| self.compare(tile));
    }

    /// The paths of the tiles that are missing, cannot be read, or are not those of the entries.
    #[must_use]
    pub fn unlike(mut self) -> Vec<String> {
        for tile in self.edge.partials() {
            self.compare(&tile);
        }
        self.unlike
    }

    fn compare(&mut self, tile: &Tile) {
        let path = tile.id.path();
        match self.ledger.read(&path) {
            Ok(Some(bytes)) if bytes == tile.bytes => {}
            Ok(None) if !tile.id.is_full() && self.has_grown() => {}
            Ok(_) | Err(_) => self.unlike.push(path),
        }
    }

    /// Whether another checkpoint took the place of the one that the tiles are compared for: its partial tiles
    /// are gone then.
    fn has_grown(&self) -> bool {
        self.ledger.covered().is_ok_and(|size| size != self.size)
    }
}
