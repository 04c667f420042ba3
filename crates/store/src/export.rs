//! A ledger's copy for others: what C2SP `tlog-tiles` prescribes, and nothing else.

use std::{io, path::Path};

use convenant_ledger::{
    LedgerVerifier, OpenError, ReadStore as _, SignedCheckpoint, Tail,
    merkle::{Frontier, leaf_hash},
    tile::{Edge, Tile},
};

use crate::{
    atomic::{self, Durability},
    file_ledger::FileLedger,
};

impl FileLedger {
    /// Writes checkpoint, hash tiles and entry bundles of this ledger into `folder`, made from the
    /// entries and compared with the checkpoint. The ledger may be written to meanwhile. `progress` is
    /// told how many entries were copied, of how many.
    ///
    /// # Errors
    /// When the ledger does not hold, has no checkpoint, or a file cannot be written; the copy then has
    /// no checkpoint.
    pub fn export(
        &self,
        folder: &Path,
        verifier: &LedgerVerifier,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<SignedCheckpoint, OpenError> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the ledger has no checkpoint");
        let signed = self.checkpoint(verifier)?.ok_or_else(missing)?;
        let size = signed.checkpoint().size;
        let mut copy = Copy { folder, edge: Edge::default(), written: Ok(()) };
        let mut tree = Frontier::default();
        let tail = self.replay(&mut |found| {
            if tree.size() < size && copy.written.is_ok() {
                let leaf = leaf_hash(found.entry);
                tree.append(leaf);
                copy.push(leaf, found.entry);
                progress(tree.size(), size);
            }
        })?;
        copy.written?;
        require(&tree, tail, &signed)?;
        copy.edge.partials().iter().try_for_each(|tile| write(folder, tile))?;
        // The checkpoint last: without it, a copy is none.
        let path = folder.join("checkpoint");
        atomic::replace(&path, signed.to_string().as_bytes(), Durability::ContentAndName)?;
        Ok(signed)
    }
}

struct Copy<'f> {
    folder: &'f Path,
    edge: Edge,
    written: io::Result<()>,
}

impl Copy<'_> {
    fn push(&mut self, leaf: convenant_model::Digest, entry: &[u8]) {
        let (folder, written) = (self.folder, &mut self.written);
        self.edge.push(leaf, entry, |tile| {
            if written.is_ok() {
                *written = write(folder, &tile);
            }
        });
    }
}

fn write(folder: &Path, tile: &Tile) -> io::Result<()> {
    atomic::replace(&folder.join(tile.id.path()), &tile.bytes, Durability::None)
}

fn require(tree: &Frontier, tail: Tail, signed: &SignedCheckpoint) -> Result<(), OpenError> {
    let (size, expected) = (signed.checkpoint().size, signed.checkpoint().root);
    if tree.size() < size {
        return Err(match tail.is_damaged(size) {
            true => OpenError::Damaged { place: tail.end },
            false => OpenError::Shortened { end: tail.end, size },
        });
    }
    let found = tree.root();
    if found == expected { Ok(()) } else { Err(OpenError::Root { size, expected, found }) }
}
