//! The append-only evidence of `convenant`: what an entry is, how entries become a Merkle tree, how
//! the tree is signed and proven, and in which order all that reaches a disk.
//!
//! No data leaves a party without a recorded decision, so [`Recorded`] can only be had for an entry
//! that a [`Ledger`] reports as durable. Everything beside the entries themselves (tiles, checkpoint,
//! indexes) can be made again from them.
//!
//! **In scope:** canonical entries, RFC 9162 Merkle maths, C2SP signed notes, checkpoints,
//! cosignatures and when to give one, tiles, framing of entries in segments, recovery, and the [`Store`] that a shell
//! must provide.
//!
//! **Out of scope:** files, threads and clocks (`store`), what an entry means (`model`), and whether
//! a decision in an entry was right (`audit`).

pub mod checkpoint;
mod document;
mod entry;
pub mod frame;
mod ledger;
pub mod merkle;
pub mod note;
pub mod origin;
pub mod register;
mod replay;
mod store;
pub mod tile;
pub mod witness;

pub use checkpoint::{Checkpoint, LedgerSigner, LedgerVerifier, SignedCheckpoint};
pub use document::{DocumentEntry, MAX_DOCUMENT};
pub use entry::{
    Draft, EntryBytes, EntryError, MAX_ENTRY, Mismatch, NotRecorded, Position, Recorded,
};
pub use ledger::{CommitError, Ledger, PublishError, ReadError, Recovery};
pub use replay::{OpenError, Replayed, replay};
pub use store::{AppendError, Found, Place, ReadStore, Store, Tail};
