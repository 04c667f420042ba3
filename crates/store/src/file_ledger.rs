//! A ledger's folder, for reading: auditors and tools use it without the party's keys.
//!
//! ```text
//! segments/00000000000000000000.seg   frames; the name is the index of the first entry
//! tile/…                              C2SP tlog-tiles
//! checkpoint                          C2SP tlog-checkpoint
//! ```
//!
//! A copy has no `segments`; its entries are in the bundles `tile/entries/…`.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _, Take},
    path::{Path, PathBuf},
};

use convenant_ledger::{
    Checkpoint, Found, LedgerVerifier, OpenError, Place, ReadStore, Replayed, SignedCheckpoint,
    Tail,
    checkpoint::CheckpointError,
    frame::{Frames, Residue},
    replay,
    tile::{Row, TileHashes, TileId, WIDTH},
};
use thiserror::Error;

use crate::{
    atomic,
    bundles::{BundleFault, Bundles},
};

const SEGMENTS: &str = "segments";

/// A ledger's folder, for reading.
#[derive(Clone, Debug)]
pub struct FileLedger {
    folder: PathBuf,
}

/// A segment's path and the index of its first entry.
#[derive(Clone, Debug)]
struct SegmentName {
    name: String,
    first: u64,
}

impl SegmentName {
    fn of(first: u64) -> Self {
        Self { name: format!("{SEGMENTS}/{first:020}.seg"), first }
    }
}

/// Why entries cannot be read.
#[derive(Debug, Error)]
pub enum EntriesError {
    /// A segment cannot be read.
    #[error("the ledger could not be read")]
    Io(#[source] io::Error),
    /// The checkpoint is no checkpoint: how many entries there should be, nobody knows.
    #[error(transparent)]
    Checkpoint(io::Error),
    /// An entry is not whole although others follow it or the checkpoint covers it.
    #[error("{0} is damaged")]
    Damaged(Place),
    /// Everything that there is is whole, and ends before what the checkpoint covers.
    #[error("the entries end before {0}, and the checkpoint covers more")]
    Shortened(Place),
}

impl From<io::Error> for EntriesError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Checkpoint(error),
            _ => Self::Io(error),
        }
    }
}

/// The file is there, and is none of a signed checkpoint.
#[derive(Debug, Error)]
#[error("`{}` is no checkpoint", path.display())]
struct NoCheckpoint {
    path: PathBuf,
    source: CheckpointError,
}

impl EntriesError {
    /// Whether a writer beside the reader can cause this.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Damaged(_) | Self::Shortened(_))
    }
}

impl FileLedger {
    /// Opens a ledger's folder.
    ///
    /// # Errors
    /// When it is not the folder of a ledger.
    pub fn open_read(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let ledger = Self { folder: folder.into() };
        if !ledger.is_copy() {
            ledger.segments()?;
        }
        Ok(ledger)
    }

    /// Whether this is a copy, as [`Self::export`] writes it.
    fn is_copy(&self) -> bool {
        !self.segments_folder().exists() && self.path("checkpoint").exists()
    }

    pub(crate) const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Checks the whole ledger against its checkpoint and shows each entry.
    ///
    /// # Errors
    /// When an entry is damaged, altered or missing, or the checkpoint is not this ledger's.
    pub fn verify(
        &self,
        verifier: &LedgerVerifier,
        visit: &mut dyn FnMut(&Found<'_>),
    ) -> Result<Replayed, OpenError> {
        replay(self, verifier, &mut |found, _| visit(found))
    }

    /// The checkpoint; `None` where none was published.
    ///
    /// # Errors
    /// When it is not one of this ledger, or cannot be read.
    pub fn checkpoint(
        &self,
        verifier: &LedgerVerifier,
    ) -> Result<Option<SignedCheckpoint>, OpenError> {
        let bytes = self.read("checkpoint")?;
        let parse = |bytes: Vec<u8>| SignedCheckpoint::parse(&bytes, verifier);
        bytes.map(parse).transpose().map_err(|error: CheckpointError| error.into())
    }

    /// The entries in sequence, one in memory at a time. Stops before a torn end; an end before what
    /// the checkpoint states is an error. Signatures and roots are for [`Self::verify`] to check.
    ///
    /// # Errors
    /// When the folder cannot be read, or its checkpoint is none.
    pub fn entries(&self) -> Result<Entries, EntriesError> {
        // Before the segments, so that a ledger that is being written is never found too short.
        let covered = self.covered()?;
        self.entries_of(covered)
    }

    /// The entries as far as they are whole, whatever the checkpoint states: for where it is no checkpoint, or another
    /// ledger's.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn whole_entries(&self) -> Result<Entries, EntriesError> {
        self.entries_of(if self.is_copy() { self.bundled() } else { 0 })
    }

    /// The entries, of which there should be so many.
    fn entries_of(&self, covered: u64) -> Result<Entries, EntriesError> {
        if self.is_copy() {
            return Ok(Entries(Kind::Bundles(Some(Bundles::new(self.clone(), covered)))));
        }
        let mut segments = self.segments()?.into_iter();
        let current = match segments.next() {
            Some(segment) => Some((self.frames(&segment, 0)?, segment.name)),
            None => None,
        };
        let segments = Segments { ledger: self.clone(), segments, current, covered, behind: None };
        Ok(Entries(Kind::Segments(segments)))
    }

    /// The same from one entry on, without a look at the segments before the one that holds it.
    ///
    /// # Errors
    /// When the folder cannot be read, or its checkpoint is none.
    pub fn entries_from(
        &self,
        first: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, Vec<u8>), EntriesError>> + use<>, EntriesError>
    {
        let mut entries = self.entries()?;
        if let Kind::Segments(segments) = &mut entries.0 {
            segments.skip_to(first)?;
        }
        Ok(entries.filter(move |item| item.as_ref().map_or(true, |(index, _)| *index >= first)))
    }

    /// Number of entries that the checkpoint states, unverified.
    pub(crate) fn covered(&self) -> io::Result<u64> {
        let Some(bytes) = self.read("checkpoint")? else { return Ok(0) };
        Checkpoint::unverified_size(&bytes).map_err(|source| {
            let path = self.path("checkpoint");
            io::Error::new(io::ErrorKind::InvalidData, NoCheckpoint { path, source })
        })
    }

    /// Number of entries in the bundles of a copy, by their names.
    fn bundled(&self) -> u64 {
        let ends = |size: u64| {
            let last = TileId::within(Row::Entries, size.saturating_sub(1) / WIDTH, size);
            last.is_some_and(|last| self.path(&last.path()).exists())
        };
        let full = (1..).take_while(|bundles| ends(bundles * WIDTH)).last().unwrap_or(0) * WIDTH;
        (full + 1..full + WIDTH).rev().find(|size| ends(*size)).unwrap_or(full)
    }

    /// Hashes of the published tree of `size` entries, for proofs.
    pub fn hashes(&self, size: u64) -> TileHashes<impl Fn(&TileId) -> io::Result<Vec<u8>> + '_> {
        TileHashes::new(size, |id: &TileId| self.tile(id))
    }

    pub(crate) fn tile(&self, id: &TileId) -> io::Result<Vec<u8>> {
        self.read(&id.path())?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    pub(crate) fn segment_path(&self, first: u64) -> PathBuf {
        self.path(&SegmentName::of(first).name)
    }

    pub(crate) fn segments_folder(&self) -> PathBuf {
        self.path(SEGMENTS)
    }

    fn segments(&self) -> io::Result<Vec<SegmentName>> {
        let mut segments = Vec::new();
        let folder = self.segments_folder();
        for item in fs::read_dir(&folder).map_err(atomic::unread(&folder))? {
            let path = item?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if let (Ok(first), Some("seg")) = (name.parse(), extension(&path)) {
                segments.push(SegmentName::of(first));
            }
        }
        segments.sort_by_key(|segment| segment.first);
        Ok(segments)
    }

    fn frames(&self, segment: &SegmentName, first: u64) -> io::Result<Frames<Input>> {
        let path = self.path(&segment.name);
        let unread = atomic::unread(&path);
        let file = File::open(&path).map_err(&unread)?;
        let is = file.metadata().map_err(&unread)?;
        if is.is_dir() {
            return Err(unread(io::ErrorKind::IsADirectory.into()));
        }
        let length = is.len();
        Ok(Frames::new(BufReader::with_capacity(256 * 1024, file).take(length), first))
    }
}

type Input = Take<BufReader<File>>;

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

impl ReadStore for FileLedger {
    fn replay(&self, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<Tail> {
        if self.is_copy() { self.replay_bundles(visit) } else { self.replay_segments(visit) }
    }

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        atomic::read(&self.path(path))
    }
}

impl FileLedger {
    fn replay_bundles(&self, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<Tail> {
        let mut bundles = Bundles::new(self.clone(), self.covered()?);
        loop {
            let (end, proves_damage) = match bundles.next_entry() {
                Ok((Place { segment, offset, index }, entry)) => {
                    visit(Found { index, segment: &segment, offset, entry: &entry });
                    continue;
                }
                Err(BundleFault::End(end) | BundleFault::Missing(end)) => (end, false),
                Err(BundleFault::Malformed(end)) => (end, true),
                Err(BundleFault::Io(error)) => return Err(error),
            };
            return Ok(Tail { end, torn_bytes: 0, cut: false, proves_damage });
        }
    }

    fn replay_segments(&self, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<Tail> {
        let mut segments = self.segments()?;
        if segments.is_empty() {
            let end = Place { segment: SegmentName::of(0).name, offset: 0, index: 0 };
            return Ok(Tail { end, torn_bytes: 0, cut: false, proves_damage: false });
        }
        let followers: Vec<_> = segments.iter().skip(1).map(|segment| segment.first).collect();
        let mut next = 0;
        for (at, segment) in segments.drain(..).enumerate() {
            let mut frames = self.frames(&segment, next)?;
            while let (offset, index, Some(entry)) =
                (frames.offset(), frames.index(), frames.next_entry()?)
            {
                visit(Found { index, segment: &segment.name, offset, entry });
            }
            let end = Place {
                segment: segment.name.clone(),
                offset: frames.offset(),
                index: frames.index(),
            };
            let Residue { bytes: torn_bytes, proves_damage, cut } = frames.residue()?;
            let follower = followers.get(at).copied();
            // A segment is begun only when the one before it is complete and durable.
            let gap = follower.is_some_and(|first| first != end.index || torn_bytes > 0);
            if follower.is_none() || gap || segment.first != next {
                let proves_damage = proves_damage || gap || segment.first != next;
                return Ok(Tail { end, torn_bytes, cut, proves_damage });
            }
            next = end.index;
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// The entries of a ledger in sequence. See [`FileLedger::entries`].
#[derive(Debug)]
pub struct Entries(Kind);

impl Entries {
    /// Once all were read: the segment in which something stands behind the last of them that is no entry, and how many
    /// bytes.
    #[must_use]
    pub fn behind(&self) -> Option<(&str, u64)> {
        let Kind::Segments(Segments { behind: Some((segment, bytes)), .. }) = &self.0 else {
            return None;
        };
        Some((segment, *bytes))
    }
}

#[derive(Debug)]
enum Kind {
    Segments(Segments),
    Bundles(Option<Bundles>),
}

#[derive(Debug)]
struct Segments {
    ledger: FileLedger,
    segments: std::vec::IntoIter<SegmentName>,
    current: Option<(Frames<Input>, String)>,
    covered: u64,
    behind: Option<(String, u64)>,
}

impl Segments {
    fn skip_to(&mut self, first: u64) -> io::Result<()> {
        let all = self.segments.as_slice();
        let Some(at) = all.iter().rposition(|segment| segment.first <= first) else {
            return Ok(());
        };
        if let Some(segment) = self.segments.nth(at) {
            self.current = Some((self.ledger.frames(&segment, segment.first)?, segment.name));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<(u64, Vec<u8>)>, EntriesError> {
        loop {
            let Some((mut frames, name)) = self.current.take() else {
                return Ok(None);
            };
            let index = frames.index();
            if let Some(entry) = frames.next_entry()? {
                let entry = entry.to_vec();
                self.current = Some((frames, name));
                return Ok(Some((index, entry)));
            }
            let place = Place { segment: name, offset: frames.offset(), index };
            let residue = frames.residue()?;
            let follower = self.segments.next();
            // As `replay_segments` weighs it.
            let gap = |segment: &SegmentName| segment.first != index || residue.bytes > 0;
            let gap = follower.as_ref().is_some_and(gap);
            let short = follower.is_none() && index < self.covered;
            if gap || residue.proves_damage || (short && residue.bytes > 0 && !residue.cut) {
                return Err(EntriesError::Damaged(place));
            }
            if short {
                return Err(EntriesError::Shortened(place));
            }
            match follower {
                Some(segment) => {
                    self.current = Some((self.ledger.frames(&segment, index)?, segment.name));
                }
                None if residue.bytes > 0 => self.behind = Some((place.segment, residue.bytes)),
                None => {}
            }
        }
    }
}

impl Iterator for Entries {
    type Item = Result<(u64, Vec<u8>), EntriesError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Kind::Segments(segments) => segments.step().transpose(),
            Kind::Bundles(bundles) => next_of(bundles),
        }
    }
}

/// The next entry of a copy; after a fault there is none.
fn next_of(bundles: &mut Option<Bundles>) -> Option<Result<(u64, Vec<u8>), EntriesError>> {
    let fault = match bundles.as_mut()?.next_entry() {
        Ok((place, entry)) => return Some(Ok((place.index, entry))),
        Err(fault) => fault,
    };
    *bundles = None;
    match fault {
        BundleFault::End(_) => None,
        BundleFault::Missing(place) => Some(Err(EntriesError::Shortened(place))),
        BundleFault::Malformed(place) => Some(Err(EntriesError::Damaged(place))),
        BundleFault::Io(error) => Some(Err(error.into())),
    }
}
