//! A party's own copy of the register: fetched from the coordinator, verified document by document,
//! kept on disk, and never taken back. Nobody's word is needed: a coordinator can withhold documents,
//! and then the copy grows stale and the party refuses; it can neither forge, reorder nor remove one.
//!
//! **In scope:** [`Follower`] (fetch, verify, keep), [`Snapshot`] (what decisions are made with) and
//! [`folder`] (documents on disk, the same layout at the coordinator and its followers).
//!
//! **Out of scope:** which documents are admitted (`model`), the tree over them (`ledger`), and
//! receiving new ones (`coordinator`).

mod error;
pub mod folder;
mod follower;
mod incoming;
mod snapshot;

pub use error::FollowError;
pub use follower::{Follower, Limits};
pub use snapshot::{Distrust, Snapshot};
