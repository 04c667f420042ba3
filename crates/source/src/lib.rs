//! A partner's own register as Arrow batches: CSV, Parquet and PostgreSQL behind one small trait.
//!
//! No data without a recorded decision: a source is opened with a `Recorded<Permit>` and with nothing
//! else, and what it reads follows from the permit's obligations, whatever the query says. Every
//! adapter gives the same rows for the same permit: the area of the project, the subjects and the
//! predicate (with the three-valued logic of SQL) are applied here, at the data.
//!
//! **In scope:** the binding of covenant fields to columns with their types, checked before anything
//! is served ([`Binding`], [`Source::check`]); projection, area, subjects and predicate; streaming in
//! batches of at most [`BATCH_ROWS`] rows, so that memory does not grow with the answer.
//!
//! **Out of scope:** whether a query is permitted (`clauses`), rounding of counts and sealing
//! (`node`), whether vouchers hold (`exchange`), and a dataset that has neither a column with its area nor
//! takes vouchers, which is not served.
//!
//! No text of a requester ever becomes part of an SQL statement, and no value of a row or of a subject
//! appears in an error or a log.

mod adapter;
mod batch;
mod binding;
mod config;
mod error;
mod file;
mod filter;
mod plan;
mod postgres;
mod value;

#[cfg(test)]
mod tests;

pub use adapter::{BATCH_ROWS, BatchStream, Source, open};
pub use batch::{Batch, Persons};
pub use binding::Binding;
pub use config::{DatasetConfig, FileConfig, PostgresConfig, SourceConfig};
pub use error::{BindingError, SourceError};
