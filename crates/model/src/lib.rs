//! The vocabulary of `convenant`: identifiers, documents, queries, verdicts and evidence as checked
//! types.
//!
//! A value of a type here is proof that it was checked: every constructor parses, none of the types
//! has a `validate()`. This is a core crate: it reads no clock, no file, no socket and no random
//! source; time enters through [`time::Clock`].
//!
//! **In scope:** what the parties say to each other and keep as evidence, and the register as a pure
//! fold over signed documents ([`register::RegisterState`]).
//!
//! **Out of scope:** cryptography (`signing`), the covenant's rules (`clauses`), bytes on the wire
//! (`wire`) and on disk (`ledger`, `store`).

pub mod area;
pub mod counted;
pub mod covenant;
mod delay;
pub mod digest;
pub mod documents;
pub mod entry;
pub mod ids;
pub mod kept;
pub mod keys;
pub mod parse;
pub mod predicate;
pub mod problem;
pub mod query;
pub mod register;
pub mod shared;
pub mod subjects;
pub mod time;
pub mod value;
pub mod verdict;
pub mod vouching;

pub use digest::Digest;
pub use ids::{
    ClauseId, CovenantId, DatasetId, FieldName, GoalId, KeyId, Oin, ProjectId, QueryId, ThemeId,
};
pub use problem::Problem;
pub use time::{Clock, Date, PartialDate, Timestamp};
