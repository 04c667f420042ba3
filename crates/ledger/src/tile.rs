//! Tiles as C2SP `tlog-tiles` lays them out: hash tiles of height 8, and entry bundles.
//!
//! Everything here can be made again from the entries. A tile that is full never changes.

use convenant_model::Digest;
use thiserror::Error;

use crate::merkle::{HashSource, node_hash};

/// Hashes in a full tile, and entries in a full bundle.
pub const WIDTH: u64 = 256;
/// Levels of the tree in one tile.
const HEIGHT: u32 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Row {
    /// Hashes at level `8 × n` of the tree.
    Hashes(u32),
    /// The entries themselves.
    Entries,
}

/// Name of a tile.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TileId {
    row: Row,
    index: u64,
    width: u64,
}

impl TileId {
    /// The tile `index` of a row as it is in a tree of `size` leaves; `None` where it would be empty.
    #[must_use]
    pub fn within(row: Row, index: u64, size: u64) -> Option<Self> {
        let hashes = match row {
            Row::Hashes(level) => size.checked_shr(HEIGHT * level).unwrap_or(0),
            Row::Entries => size,
        };
        let width = hashes.checked_sub(index.checked_mul(WIDTH)?)?.min(WIDTH);
        (width > 0).then_some(Self { row, index, width })
    }

    /// The partial tiles of a tree of `size` leaves: those that will still change.
    #[must_use]
    pub fn partials(size: u64) -> Vec<Self> {
        let hashes = (0..HEIGHT).map(Row::Hashes);
        [Row::Entries]
            .into_iter()
            .chain(hashes)
            .filter_map(|row| {
                let level = if let Row::Hashes(level) = row { level } else { 0 };
                let last = size.checked_shr(HEIGHT * level)? / WIDTH;
                Self::within(row, last, size)
            })
            .collect()
    }

    /// Its index in its row.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Number of hashes or entries in the tile, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u64 {
        self.width
    }

    /// Whether the tile is complete and will never change.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// Path below the ledger's folder: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
    #[must_use]
    pub fn path(&self) -> String {
        let row = match self.row {
            Row::Hashes(level) => level.to_string(),
            Row::Entries => "entries".to_owned(),
        };
        // tlog-tiles: N in groups of three digits, each but the last preceded by `x`.
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        if self.is_full() {
            format!("tile/{row}/{number}")
        } else {
            format!("tile/{row}/{number}.p/{}", self.width)
        }
    }
}

/// A tile and its bytes.
#[derive(Clone, Debug)]
pub struct Tile {
    /// Its name.
    pub id: TileId,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The right edge of the tiles: what is needed to go on writing them.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    rows: Vec<Vec<Digest>>,
    bundle: Vec<u8>,
    size: u64,
}

impl Edge {
    /// Appends an entry and hands out each tile that it completes.
    pub fn push(&mut self, leaf: Digest, entry: &[u8], mut full: impl FnMut(Tile)) {
        self.size += 1;
        // Entries are at most 65,535 bytes by construction (`EntryBytes`).
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        if self.size.is_multiple_of(WIDTH) {
            let id = TileId { row: Row::Entries, index: self.size / WIDTH - 1, width: WIDTH };
            // Growing anew from nothing would cost more than all else here.
            let next = Vec::with_capacity(self.bundle.len());
            full(Tile { id, bytes: std::mem::replace(&mut self.bundle, next) });
        }
        self.push_hash(0, leaf, &mut full);
    }

    fn push_hash(&mut self, level: usize, hash: Digest, full: &mut impl FnMut(Tile)) {
        if self.rows.len() == level {
            self.rows.push(Vec::new());
        }
        let Some(row) = self.rows.get_mut(level) else {
            return;
        };
        row.push(hash);
        if row.len() as u64 == WIDTH {
            let level_number = u32::try_from(level).unwrap_or(u32::MAX);
            let before = self.size >> (HEIGHT * level_number);
            let id =
                TileId { row: Row::Hashes(level_number), index: before / WIDTH - 1, width: WIDTH };
            full(Tile { id, bytes: concat(row) });
            if let Some(parent) = perfect_root(std::mem::take(row)) {
                self.push_hash(level + 1, parent, full);
            }
        }
    }

    /// The partial tiles as they are now.
    #[must_use]
    pub fn partials(&self) -> Vec<Tile> {
        let bytes_of = |id: TileId| self.partial(&id).map(|bytes| Tile { id, bytes });
        TileId::partials(self.size).into_iter().filter_map(bytes_of).collect()
    }

    /// The bytes of one partial tile, if the edge holds exactly that one.
    #[must_use]
    pub fn partial(&self, id: &TileId) -> Option<Vec<u8>> {
        if TileId::within(id.row, id.index, self.size) != Some(*id) || id.is_full() {
            return None;
        }
        match id.row {
            Row::Entries => Some(self.bundle.clone()),
            Row::Hashes(level) => self.rows.get(level as usize).map(|row| concat(row)),
        }
    }
}

fn concat(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Root over a power of two of hashes; `None` without any.
fn perfect_root(mut hashes: Vec<Digest>) -> Option<Digest> {
    while hashes.len() > 1 {
        hashes = hashes.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    hashes.pop()
}

/// Why a tile cannot be used.
#[derive(Debug, Error)]
pub enum TileError<E> {
    /// The tile could not be read.
    #[error("tile `{path}` could not be read")]
    Read {
        /// Its path.
        path: String,
        /// What went wrong.
        source: E,
    },
    /// The tile has not the length that its name calls for, or its entries do not fill it.
    #[error("tile `{path}` is malformed: {length} bytes")]
    Malformed {
        /// Its path.
        path: String,
        /// Bytes found.
        length: usize,
    },
    /// The tree has no such hash.
    #[error("a tree of {size} entries has no hash {index} at level {level}")]
    OutOfRange {
        /// Level of the hash, 0 for leaves.
        level: u32,
        /// Index of the hash.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
}

/// Hashes of a tree of `size` leaves, taken from its tiles.
#[derive(Debug)]
pub struct TileHashes<F> {
    size: u64,
    read: F,
}

impl<F> TileHashes<F> {
    /// Reads tiles with `read`.
    pub const fn new(size: u64, read: F) -> Self {
        Self { size, read }
    }
}

impl<F, E> HashSource for TileHashes<F>
where
    F: Fn(&TileId) -> Result<Vec<u8>, E>,
{
    type Error = TileError<E>;

    fn hash(&self, level: u32, index: u64) -> Result<Digest, TileError<E>> {
        let out_of_range = || TileError::OutOfRange { level, index, size: self.size };
        let (row, within) = (level / HEIGHT, level % HEIGHT);
        // The subtree's hashes in that row: 2^within of them, all in one tile.
        let first = index << within;
        let id =
            TileId::within(Row::Hashes(row), first / WIDTH, self.size).ok_or_else(out_of_range)?;
        let hashes = hashes_of(&id, &self.read)?;
        let start = usize::try_from(first % WIDTH).map_err(|_| out_of_range())?;
        let range = hashes.get(start..start + (1 << within)).ok_or_else(out_of_range)?;
        perfect_root(range.to_vec()).ok_or_else(out_of_range)
    }
}

/// The hashes in a hash tile.
///
/// # Errors
/// When the tile cannot be read or has not the length that its name calls for.
pub fn hashes_of<E>(
    id: &TileId,
    read: impl FnOnce(&TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<Digest>, TileError<E>> {
    let bytes = read(id).map_err(|source| TileError::Read { path: id.path(), source })?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    if hashes.len() as u64 != id.width || !rest.is_empty() {
        return Err(TileError::Malformed { path: id.path(), length: bytes.len() });
    }
    Ok(hashes.iter().map(|hash| Digest::from_bytes(*hash)).collect())
}

/// The entries in a bundle.
///
/// # Errors
/// When the tile cannot be read or does not hold as many entries as its name calls for.
pub fn entries_of<E>(
    id: &TileId,
    read: impl FnOnce(&TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<Vec<u8>>, TileError<E>> {
    let bytes = read(id).map_err(|source| TileError::Read { path: id.path(), source })?;
    let entries = whole_entries(&bytes);
    let length: usize = entries.iter().map(|entry| 2 + entry.len()).sum();
    let complete = length == bytes.len() && entries.len() as u64 == id.width;
    if complete {
        Ok(entries)
    } else {
        Err(TileError::Malformed { path: id.path(), length: bytes.len() })
    }
}

/// The entries with which a bundle begins, up to the first that is not whole (tlog-tiles: each preceded by its length
/// in two bytes, big-endian). None is empty.
#[must_use]
pub fn whole_entries(bundle: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut entries) = (bundle, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((entry, after)) = after.split_at_checked(length).filter(|_| length > 0) else {
            break;
        };
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::merkle::{self, Frontier, leaf_hash};

    #[test]
    fn paths_are_those_of_tlog_tiles() {
        let path = |row, index, size| TileId::within(row, index, size).unwrap().path();
        assert_eq!(path(Row::Hashes(0), 0, 256), "tile/0/000");
        assert_eq!(path(Row::Hashes(0), 1_234_067, u64::MAX), "tile/0/x001/x234/067");
        assert_eq!(path(Row::Hashes(1), 0, 256 * 5), "tile/1/000.p/5");
        assert_eq!(path(Row::Entries, 1, 257), "tile/entries/001.p/1");
        assert_eq!(TileId::within(Row::Hashes(0), 1, 256), None);
    }

    #[test]
    fn tiles_give_the_tree_and_the_entries_back() {
        let size = 256 * 257 + 3;
        let (mut edge, mut tree) = (Edge::default(), Frontier::default());
        let mut tiles = HashMap::new();
        for index in 0..size {
            let entry = index.to_string();
            tree.append(leaf_hash(entry.as_bytes()));
            edge.push(leaf_hash(entry.as_bytes()), entry.as_bytes(), |tile| {
                tiles.insert(tile.id.path(), tile.bytes);
            });
        }
        tiles.extend(edge.partials().into_iter().map(|tile| (tile.id.path(), tile.bytes)));
        let read = |id: &TileId| tiles.get(&id.path()).cloned().ok_or(id.path());
        let hashes = TileHashes::new(size, read);
        assert_eq!(merkle::root(&hashes, size).unwrap(), tree.root());
        let proof = merkle::inclusion_proof(&hashes, 65_793, size).unwrap();
        let leaf = leaf_hash(b"65793");
        assert_eq!(merkle::verify_inclusion(&leaf, 65_793, size, &proof, &tree.root()), Ok(()));

        let last = TileId::within(Row::Entries, 257, size).unwrap();
        assert_eq!(entries_of(&last, read).unwrap(), [b"65792", b"65793", b"65794"]);
        let cut = entries_of(&last, |id| read(id).map(|bytes| bytes[..9].to_vec()));
        assert!(matches!(cut, Err(TileError::Malformed { length: 9, .. })));
    }
}
