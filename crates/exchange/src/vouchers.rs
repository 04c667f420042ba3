//! Vouchers on their way (clause S10): a node makes them of an answer ([`Issuing`]), the requester keeps
//! them ([`Kept`]) and passes some on with its subjects ([`pass_on`]), and the node that asks for them
//! checks them (`check`), with its own copy of the register.

use convenant_ledger::merkle::leaf_hash;
use convenant_model::{
    Digest,
    vouching::{SALT_BYTES, Salt},
};
use zeroize::Zeroizing;

mod check;
mod issue;
mod kept;

pub(crate) use check::check;
pub use check::{VoucherFault, VoucherView};
pub use issue::Issuing;
pub use kept::{Kept, KeptError, Taking, VouchingError, pass_on};

/// JWS header `typ` of a signed statement of a node that vouches.
pub const VOUCHING_TYPE: &str = "convenant-vouching+json";

/// The leaf of a value (RFC 9162 §2.1.1 over `salt || value`). A salt has a fixed length, so that no two
/// pairs make the same leaf.
fn leaf(salt: &Salt, value: &str) -> Digest {
    let mut entry = Zeroizing::new(Vec::with_capacity(SALT_BYTES + value.len()));
    entry.extend_from_slice(salt.expose());
    entry.extend_from_slice(value.as_bytes());
    leaf_hash(&entry)
}

#[cfg(test)]
mod tests;
