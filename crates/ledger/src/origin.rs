//! Names of the ledgers of a federation: `convenant.KIND/OIN`, the origin of their checkpoints and the
//! name of their keys.

use convenant_model::Oin;

use crate::note::{NoteError, NoteName};

/// A coordinator's ledger.
///
/// # Errors
/// Never for an OIN; the form of the name is checked all the same.
pub fn coordinator(party: &Oin) -> Result<NoteName, NoteError> {
    NoteName::new(format!("convenant.coordinator/{party}"))
}

/// A node's ledger.
///
/// # Errors
/// Never for an OIN; the form of the name is checked all the same.
pub fn node(party: &Oin) -> Result<NoteName, NoteError> {
    NoteName::new(format!("convenant.node/{party}"))
}

/// A coordinator's register.
///
/// # Errors
/// Never for an OIN; the form of the name is checked all the same.
pub fn register(coordinator: &Oin) -> Result<NoteName, NoteError> {
    NoteName::new(format!("convenant.register/{coordinator}"))
}

/// A requester's receipts.
///
/// # Errors
/// Never for an OIN; the form of the name is checked all the same.
pub fn receipts(party: &Oin) -> Result<NoteName, NoteError> {
    NoteName::new(format!("convenant.receipts/{party}"))
}
