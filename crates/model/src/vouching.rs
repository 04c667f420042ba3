//! Vouchers (clause S10). A dataset without an area of its own answers only for subjects that a partner
//! vouched for in the same project: it disclosed them, and a field of its own dataset held them within
//! the area.
//!
//! A node vouches for a whole answer with one signature, over a Merkle root (RFC 9162 §2.1) of one leaf
//! for each row. A leaf is `salt || value`; the salt follows from the value and a secret of that answer.
//! Whoever is shown the salt of one value can check that value and guess no other: a BSN has fewer than
//! 10⁹ values, so that a leaf without a salt would tell it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    digest::Digest,
    ids::{DatasetId, FieldName, Oin, ProjectId, QueryId},
    keys::Base64Bytes,
    time::Timestamp,
};

mod bound;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
/// Bytes of the secret that the salts of one answer follow from.
pub const SEED_BYTES: usize = 32;

/// A key for which a dataset takes vouchers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VouchedKey {
    /// The key field.
    pub key: FieldName,
    /// Whose answers may vouch for its values.
    pub by: Vec<VouchingField>,
}

/// A field of a dataset that holds its own area.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VouchingField {
    /// The dataset.
    pub dataset: DatasetId,
    /// Its key field whose values are vouched for.
    pub field: FieldName,
}

/// What a node signs of those whom one answer disclosed: the payload of a compact JWS with `typ`
/// `convenant-vouching+json` under its ledger key. It travels sealed, and only so.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vouching {
    /// The partner that vouches.
    pub issuer: Oin,
    /// The dataset that was answered from; a field of it held the area.
    pub dataset: DatasetId,
    /// The field whose values are vouched for.
    pub key: FieldName,
    /// The project.
    pub project: ProjectId,
    /// Hash of the decided proposal's canonical bytes, in which the area stands.
    pub proposal: Digest,
    /// The organisation that was answered, and alone may pass the vouchers on.
    pub requester: Oin,
    /// The query that was answered.
    pub query: QueryId,
    /// Number of leaves.
    pub leaves: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// When it was signed.
    pub at: Timestamp,
    /// From when on it no longer holds.
    pub expires: Timestamp,
}

/// An answer that vouched for subjects, as the node that took that records it.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VouchedBy {
    /// The partner that vouched.
    pub issuer: Oin,
    /// The query that it answered.
    pub query: QueryId,
}

/// What comes with an answer that vouches, sealed to the requester as the last chunk of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerVouching {
    /// The [`Vouching`] as signed.
    pub statement: String,
    /// The secret that every salt follows from. It is never passed on: with it, the leaves that were
    /// not passed on could be guessed.
    pub seed: Seed,
}

/// Vouchers of one answer for some of those whom it disclosed, sealed to the node that asks for them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vouchers {
    /// The [`Vouching`] as signed.
    pub statement: String,
    /// A voucher for each subject, by ascending leaf.
    pub vouchers: Vec<Voucher>,
    /// Roots of the subtrees that hold none of these leaves, from left to right.
    pub proof: Vec<Digest>,
}

/// What shows that one subject is in the tree; written as `[leaf, salt]`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "(u64, Salt)", into = "(u64, Salt)")]
pub struct Voucher {
    /// Index of its leaf.
    pub leaf: u64,
    /// Salt of its leaf.
    pub salt: Salt,
}

impl From<(u64, Salt)> for Voucher {
    fn from((leaf, salt): (u64, Salt)) -> Self {
        Self { leaf, salt }
    }
}

impl From<Voucher> for (u64, Salt) {
    fn from(voucher: Voucher) -> Self {
        (voucher.leaf, voucher.salt)
    }
}

macro_rules! secret_bytes {
    ($(#[$doc:meta])* $name:ident, $length:expr) => {
        $(#[$doc])*
        #[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Wraps the bytes.
            #[must_use]
            pub const fn new(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes. Never put them in a log or an error.
            #[must_use]
            pub const fn expose(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Base64Bytes(self.0).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Base64Bytes::deserialize(deserializer).map(|bytes| Self(bytes.0))
            }
        }
    };
}

secret_bytes!(
    /// The salt of one leaf. With it, a leaf tells its value to whoever tries them all.
    Salt, SALT_BYTES
);
secret_bytes!(
    /// The secret that the salts of one answer follow from.
    Seed, SEED_BYTES
);
