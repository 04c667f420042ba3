//! The project leader's side of a query: compose, seal, sign, send, open, verify, save.
//!
//! Nothing that comes back counts until the node's signed outcome matches it to the byte: until then a
//! result exists only as a `.part` file, which is removed when the outcome does not hold.
//!
//! **In scope:** [`Client`]; [`compose`], which turns a question into a signed query with sealed
//! subjects; [`receive`], which opens and verifies one target's answer; [`output`], the files;
//! [`results`], which keeps answers sealed and knows by when each is to be destroyed.
//!
//! **Out of scope:** parsing a command line (`cli`), and what becomes of a file after it was written.

mod client;
pub mod compose;
mod config;
pub mod output;
pub mod receive;
pub mod results;
mod vouchers;

pub use client::{Client, ClientError, TargetResult};
pub use config::ClientConfig;
pub use vouchers::{VouchersFile, vouchers_path};
