//! How entries stand in a segment file.
//!
//! A frame is a header of 24 bytes, all numbers little-endian, and the entry:
//!
//! | bytes | meaning |
//! |---|---|
//! | 0–3 | length of the entry, never zero |
//! | 4–7 | CRC-32 over the other 20 bytes of the header and the entry |
//! | 8–15 | index of the entry |
//! | 16–23 | number of entries that were durable when this one was written |
//!
//! Segments are preallocated with zeros, so a header of zeros is the end. The last number tells a
//! torn write from damage: a broken frame with index `i` may only be cut off when no whole frame
//! after it says that more than `i` entries were durable.

use std::io::{self, Read};

use crate::entry::MAX_ENTRY;

/// Length of a frame's header in bytes.
pub const HEADER: usize = 24;

/// Appends the frame of one entry to a buffer.
pub fn encode(out: &mut Vec<u8>, index: u64, durable: u64, entry: &[u8]) {
    // Entries are at most `MAX_ENTRY` bytes by construction (`EntryBytes`).
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
    let header = Header { length, check: 0, index, durable };
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&header.sum(entry).to_le_bytes());
    out.extend_from_slice(&index.to_le_bytes());
    out.extend_from_slice(&durable.to_le_bytes());
    out.extend_from_slice(entry);
}

#[derive(Clone, Copy)]
struct Header {
    length: u32,
    check: u32,
    index: u64,
    durable: u64,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (check, rest) = rest.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let durable = rest.first_chunk()?;
        let header = Self {
            length: u32::from_le_bytes(*length),
            check: u32::from_le_bytes(*check),
            index: u64::from_le_bytes(*index),
            durable: u64::from_le_bytes(*durable),
        };
        header.plausible().then_some(header)
    }

    const fn plausible(self) -> bool {
        self.length > 0 && self.length as usize <= MAX_ENTRY && self.durable <= self.index
    }

    fn sum(self, entry: &[u8]) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&self.length.to_le_bytes());
        sum.update(&self.index.to_le_bytes());
        sum.update(&self.durable.to_le_bytes());
        sum.update(entry);
        sum.finalize()
    }
}

/// Reads the frames of one segment in sequence, one entry in memory at a time.
#[derive(Debug)]
pub struct Frames<R> {
    input: R,
    next: u64,
    offset: u64,
    /// Bytes of the frame that was read last.
    held: Vec<u8>,
}

/// What stands behind the last whole frame of a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Residue {
    /// Bytes up to the last that is not zero.
    pub bytes: u64,
    /// Whether a whole frame among them says that more entries were durable than precede it: then an
    /// entry that was on record is damaged.
    pub proves_damage: bool,
    /// Whether they are the beginning of a frame of which the segment does not hold the end.
    pub cut: bool,
}

impl<R: Read> Frames<R> {
    /// Starts at the beginning of a segment whose first entry has the index `first`.
    pub const fn new(input: R, first: u64) -> Self {
        Self { input, next: first, offset: 0, held: Vec::new() }
    }

    /// Index of the next entry.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.next
    }

    /// Offset of the next frame in bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next entry; `None` behind the last whole frame.
    ///
    /// # Errors
    /// When the segment cannot be read.
    pub fn next_entry(&mut self) -> io::Result<Option<&[u8]>> {
        self.held.clear();
        self.fill(HEADER)?;
        let Some(header) = Header::parse(&self.held).filter(|h| h.index == self.next) else {
            return Ok(None);
        };
        let length = HEADER + header.length as usize;
        self.fill(length)?;
        let Some(entry) = self.held.get(HEADER..length) else {
            return Ok(None);
        };
        if header.sum(entry) != header.check {
            return Ok(None);
        }
        self.next += 1;
        self.offset += length as u64;
        Ok(Some(entry))
    }

    /// Looks at everything behind the last whole frame, after [`Self::next_entry`] gave `None`.
    ///
    /// # Errors
    /// When the segment cannot be read.
    pub fn residue(mut self) -> io::Result<Residue> {
        self.input.read_to_end(&mut self.held)?;
        let end = self.held.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let whole = Header::parse(&self.held).map_or(HEADER, |h| HEADER + h.length as usize);
        let cut = end > 0 && self.held.len() < whole;
        self.held.truncate(end);
        Ok(Residue { bytes: end as u64, proves_damage: self.durable_frame_follows(), cut })
    }

    fn durable_frame_follows(&self) -> bool {
        (0..self.held.len()).any(|start| {
            let rest = self.held.get(start..).unwrap_or_default();
            let Some(header) = Header::parse(rest).filter(|h| h.durable > self.next) else {
                return false;
            };
            let entry = rest.get(HEADER..HEADER + header.length as usize);
            entry.is_some_and(|entry| header.sum(entry) == header.check)
        })
    }

    fn fill(&mut self, length: usize) -> io::Result<()> {
        let wanted = length.saturating_sub(self.held.len()) as u64;
        self.input.by_ref().take(wanted).read_to_end(&mut self.held).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(groups: &[&[&str]]) -> Vec<u8> {
        let (mut out, mut index) = (Vec::new(), 0);
        for group in groups {
            let durable = index;
            for entry in *group {
                encode(&mut out, index, durable, entry.as_bytes());
                index += 1;
            }
        }
        out.extend_from_slice(&[0; 100]);
        out
    }

    fn read(bytes: &[u8]) -> (u64, Residue) {
        let mut frames = Frames::new(bytes, 0);
        while frames.next_entry().unwrap().is_some() {}
        (frames.index(), frames.residue().unwrap())
    }

    #[test]
    fn whole_frames_are_read_and_zeros_end_them() {
        let clean = Residue { bytes: 0, proves_damage: false, cut: false };
        assert_eq!(read(&segment(&[&["one"], &["two", "three"]])), (3, clean));
        assert_eq!(read(&[]), (0, clean));
    }

    #[test]
    fn a_frame_cut_at_any_byte_is_torn_and_proves_no_damage() {
        let whole = segment(&[&["one"], &["two"]]);
        let (first, both) = (HEADER + 3, 2 * (HEADER + 3));
        for cut in first..both {
            let (entries, residue) = read(&whole[..cut]);
            assert_eq!(entries, 1, "cut at {cut}");
            assert!(!residue.proves_damage && residue.bytes <= (cut - first) as u64);
            assert_eq!(residue.cut, residue.bytes > 0, "cut at {cut}");
        }
    }

    #[test]
    fn any_flipped_byte_before_a_later_group_proves_damage() {
        let whole = segment(&[&["one"], &["two"]]);
        for at in 0..HEADER + 3 {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            let (entries, residue) = read(&bytes);
            assert!(entries == 0 && residue.proves_damage, "byte {at}");
        }
    }

    #[test]
    fn a_hole_within_the_last_group_proves_no_damage() {
        let mut bytes = segment(&[&["one"], &["two", "three"]]);
        bytes[HEADER + 3..HEADER + 10].fill(0);
        let (entries, residue) = read(&bytes);
        assert!(entries == 1 && residue.bytes > 0 && !residue.proves_damage && !residue.cut);
    }
}
