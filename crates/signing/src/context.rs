//! What a sealed message is bound to, so that it opens nowhere else.

use convenant_model::{Digest, Oin, QueryId};

/// First bytes of every `info`; another version of the format seals under another text.
const VERSION: &[u8] = b"convenant-hpke-v1";

/// Which way a sealed message travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// Subjects, from the project leader to a node.
    Subjects,
    /// Results, from a node to the project leader.
    Result,
    /// A result that the project leader keeps: sealed to a key of its own.
    Kept,
    /// Whom an answer was about, as a node keeps it: sealed to a key of its own.
    Journal,
}

/// The exchange that a sealed message belongs to. Both sides build it from what they know; where they
/// differ, nothing opens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealContext {
    /// Which way the message travels.
    pub direction: Direction,
    /// The query.
    pub query: QueryId,
    /// Index of the target within the query.
    pub target: u32,
    /// The organisation that seals.
    pub sender: Oin,
    /// The organisation that opens.
    pub recipient: Oin,
    /// SHA-256 over the signed query; absent for subjects, whose hash the query itself holds.
    pub signed_query: Option<Digest>,
}

impl SealContext {
    /// The `info` of HPKE (RFC 9180 §5.1): version, direction, and each field after its length, so
    /// that no two contexts share an encoding.
    pub(crate) fn info(&self) -> Vec<u8> {
        let direction: &[u8] = match self.direction {
            Direction::Subjects => b"subjects",
            Direction::Result => b"result",
            Direction::Kept => b"kept",
            Direction::Journal => b"journal",
        };
        let signed_query = self.signed_query.as_ref().map_or(&[][..], |digest| digest.as_bytes());
        let fields = [
            VERSION,
            direction,
            self.query.as_bytes(),
            &self.target.to_be_bytes(),
            self.sender.as_str().as_bytes(),
            self.recipient.as_str().as_bytes(),
            signed_query,
        ];
        let mut info = Vec::with_capacity(160);
        for field in fields {
            // No field has more than 32 bytes.
            info.push(u8::try_from(field.len()).unwrap_or(u8::MAX));
            info.extend_from_slice(field);
        }
        info
    }
}
