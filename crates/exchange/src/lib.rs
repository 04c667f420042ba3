//! The state machine of one exchange, used by node and coordinator alike:
//!
//! ```text
//! Received ──decide──► Decided ──record──► Recorded<Permit> ──► Answer ──close──► Closed
//!    │                    │
//!    └► Rejection         └► Refused            (each recorded and answered in the same way)
//! ```
//!
//! Each step consumes the one before it, so the wrong order does not compile: nothing is sealed to the
//! requester without a `Recorded<Permit>`, and nothing is signed off twice.
//!
//! **In scope:** what must hold of a query before it is decided on, matching the unsealed subjects
//! with the signed shape and their vouchers with the register, sealing an answer chunk by chunk, and the
//! signed outcome at its end.
//!
//! **Out of scope:** the covenant's rules (`clauses`), what is written where (`ledger`, `store`),
//! where rows come from (`source`) and how bytes travel (`transport`).

mod answer;
mod received;
mod subjects;
mod vouchers;

pub use answer::{Answer, AnswerError, Closed, Envelope, Signatory, decline};
pub use convenant_model::{query::QUERY_TYPE, time::SKEW_SECONDS};
pub use received::{Received, Rejection, View, check_signed};
pub use subjects::{SubjectFault, Unfit, Unsealed, open_subjects, seal_subjects};
pub use vouchers::{
    Issuing, Kept, KeptError, Taking, VOUCHING_TYPE, VoucherFault, VoucherView, VouchingError,
    pass_on,
};

/// JWS header `typ` of a signed outcome.
pub const OUTCOME_TYPE: &str = "convenant-outcome+json";
/// Most bytes of Arrow IPC in one chunk.
pub const CHUNK: usize = 256 << 10;
