//! Where `convenant` keeps its evidence: a ledger in files, a writer that groups entries into durable
//! writes, and the indexes beside them.
//!
//! The segments of a ledger are the evidence. Tiles and checkpoint follow from them, and everything in
//! sled does: delete it, start, and it is there again.
//!
//! **In scope:** segment files, durable writes, the queue before a ledger, signed documents by their
//! hash, the index of queries seen, usage of quotas, notes of witnesses, copies of a ledger, and whether what
//! is published of one follows from its entries.
//!
//! **Out of scope:** Merkle maths, formats and recovery's decisions (`ledger`); what an entry means
//! (`model`, `clauses`).

mod atomic;
mod books;
mod bundles;
mod documents;
mod error;
mod export;
mod file_ledger;
mod file_store;
mod handle;
mod notes;
mod published;
mod seen;
mod segment;
mod usage;
mod writer;

pub use books::{Books, BooksError};
pub use documents::{DocumentError, DocumentStore};
pub use error::{AskError, LedgerOpenError, RecordError};
pub use file_ledger::{Entries, EntriesError, FileLedger};
pub use file_store::FileStore;
pub use handle::{LedgerHandle, Options};
pub use notes::Notes;
pub use published::Published;
pub use seen::{Admission, SeenQueries, Watermark};
pub use segment::Layout;
pub use usage::{Before, UsageBook};
