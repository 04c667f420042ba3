//! At the requester: vouchers as they came with an answer, kept beside it and passed on with subjects.

use std::{collections::HashMap, convert::Infallible, fmt};

use convenant_ledger::merkle::{Frontier, HashSource, node_hash, prove_several};
use convenant_model::{
    Digest,
    keys::VerifyingKey,
    parse::{from_json, from_json_up_to},
    subjects::{Identifying, Subject},
    vouching::{AnswerVouching, Seed, Voucher, Vouchers, Vouching},
};
use convenant_signing::{
    CanonicalError, Salter, canonical, key_id, parse_canonical, peek_compact, verify_compact,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{VOUCHING_TYPE, leaf};

/// Most bytes of kept vouchers: those of a million rows.
const MOST_BYTES: usize = 128 << 20;

/// Why the vouchers of an answer are not taken.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum VouchingError {
    /// They are none.
    #[error("the partner's vouchers are malformed")]
    Malformed,
    /// The partner did not sign them with its ledger key.
    #[error("the partner's statement is not signed with its ledger key")]
    Signature,
    /// The statement is about another answer.
    #[error("the partner's statement disagrees in `{0}`")]
    Disagrees(&'static str),
}

/// Why kept vouchers cannot be read.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum KeptError {
    /// The bytes are no vouchers.
    #[error("not vouchers as they are kept")]
    Malformed,
    /// Their parts do not belong together.
    #[error("the kept vouchers are damaged")]
    Damaged,
}

/// The values that an answer disclosed, until what vouches for them comes.
#[derive(Debug, Default)]
pub struct Taking {
    values: Vec<Identifying>,
}

/// Vouchers of one answer. The leaves and the secret behind them tell whom they are about, to whoever
/// tries every value: they are personal data.
pub struct Kept {
    signed: String,
    vouching: Vouching,
    salter: Salter,
    leaves: Vec<Digest>,
}

/// [`Kept`] as bytes: canonical JSON.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    leaves: Vec<Digest>,
    seed: Seed,
    statement: String,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("vouching", &self.vouching).finish_non_exhaustive()
    }
}

impl Taking {
    /// Adds the value of the next row that has one.
    pub fn add(&mut self, value: &str) {
        self.values.push(Identifying::new(value.to_owned()));
    }

    /// Takes what came at the end of the answer. `expected` has the members that the requester knows;
    /// number, root and times are the issuer's to say.
    ///
    /// # Errors
    /// When it is not signed under `key`, or not about the values that came.
    pub fn finish(
        self,
        came: &[u8],
        key: &VerifyingKey,
        expected: impl FnOnce(Vouching) -> Vouching,
    ) -> Result<Kept, VouchingError> {
        let came: AnswerVouching =
            from_json("vouchers", came).map_err(|_| VouchingError::Malformed)?;
        let own = key_id(key);
        let key_of = |id: &_| (*id == own).then(|| key.clone());
        let verified = verify_compact(&came.statement, VOUCHING_TYPE, key_of)
            .map_err(|_| VouchingError::Signature)?;
        let vouching: Vouching = parse_canonical(verified.payload(), "vouching")
            .map_err(|_| VouchingError::Malformed)?;
        if vouching != expected(vouching.clone()) {
            return Err(VouchingError::Disagrees("about"));
        }
        let salter = Salter::new(came.seed);
        let leaf =
            |value: &Identifying| leaf(&salter.salt(value.expose().as_bytes()), value.expose());
        let leaves = self.values.iter().map(leaf).collect::<Vec<_>>();
        let kept = Kept { signed: came.statement, vouching, salter, leaves };
        if kept.is_whole() { Ok(kept) } else { Err(VouchingError::Disagrees("root")) }
    }
}

impl Kept {
    /// What the issuer signed.
    #[must_use]
    pub const fn vouching(&self) -> &Vouching {
        &self.vouching
    }

    /// The vouchers as bytes, for a file that only its owner reads.
    ///
    /// # Errors
    /// Never with what was received or read.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, CanonicalError> {
        let written = Written {
            leaves: self.leaves.clone(),
            seed: self.salter.seed().clone(),
            statement: self.signed.clone(),
        };
        Ok(Zeroizing::new(canonical(&written)?))
    }

    /// Reads them again. Whether the statement holds is for the node that asks for vouchers to say.
    ///
    /// # Errors
    /// When the bytes are not what [`Self::to_bytes`] gave.
    pub fn read(bytes: &[u8]) -> Result<Self, KeptError> {
        let written: Written =
            from_json_up_to(MOST_BYTES, "vouchers", bytes).map_err(|_| KeptError::Malformed)?;
        let statement = peek_compact(&written.statement, VOUCHING_TYPE);
        let statement = statement.map_err(|_| KeptError::Malformed)?;
        let vouching = parse_canonical(statement.payload(), "vouching");
        let vouching = vouching.map_err(|_| KeptError::Malformed)?;
        let (salter, leaves) = (Salter::new(written.seed), written.leaves);
        let kept = Self { signed: written.statement, vouching, salter, leaves };
        if kept.is_whole() { Ok(kept) } else { Err(KeptError::Damaged) }
    }

    fn is_whole(&self) -> bool {
        let mut tree = Frontier::default();
        self.leaves.iter().for_each(|leaf| tree.append(*leaf));
        tree.size() == self.vouching.leaves && tree.root() == self.vouching.root
    }

    /// Index of each leaf; where rows have the same value, of the first.
    fn places(&self) -> HashMap<Digest, u64> {
        let mut places = HashMap::with_capacity(self.leaves.len());
        for (index, leaf) in (0..).zip(&self.leaves) {
            places.entry(*leaf).or_insert(index);
        }
        places
    }

    fn voucher(&self, places: &HashMap<Digest, u64>, subject: &Subject) -> Option<Voucher> {
        let value = subject.key.expose();
        let salt = self.salter.salt(value.as_bytes());
        let leaf = *places.get(&leaf(&salt, value))?;
        Some(Voucher { leaf, salt })
    }

    fn part(&self, vouchers: Vec<Voucher>) -> Vouchers {
        let indexes: Vec<_> = vouchers.iter().map(|voucher| voucher.leaf).collect();
        // Its indexes ascend and lie within its leaves, so there is a proof.
        let proof = prove_several(&Leaves(&self.leaves), &indexes, self.leaves.len() as u64);
        let proof = proof.unwrap_or_default();
        Vouchers { statement: self.signed.clone(), vouchers, proof }
    }
}

/// Chooses a voucher for each subject, and puts the subjects into the order in which vouchers travel.
///
/// # Errors
/// With the places of the subjects for whom there is none.
pub fn pass_on(
    kept: &[&Kept],
    subjects: Vec<Subject>,
) -> Result<(Vec<Subject>, Vec<Vouchers>), Vec<usize>> {
    let places: Vec<_> = kept.iter().map(|one| (*one, one.places())).collect();
    let mut parts: Vec<Vec<(Voucher, Subject)>> = kept.iter().map(|_| Vec::new()).collect();
    let mut missing = Vec::new();
    for (place, subject) in subjects.into_iter().enumerate() {
        let found = places.iter().zip(&mut parts).find_map(|((one, places), part)| {
            one.voucher(places, &subject).map(|voucher| (voucher, part))
        });
        match found {
            Some((voucher, part)) => part.push((voucher, subject)),
            None => missing.push(place),
        }
    }
    if !missing.is_empty() {
        return Err(missing);
    }
    let (mut ordered, mut vouchers) = (Vec::new(), Vec::new());
    for (one, mut part) in kept.iter().zip(parts).filter(|(_, part)| !part.is_empty()) {
        part.sort_by_key(|(voucher, _)| voucher.leaf);
        let (own, of_them): (Vec<_>, Vec<_>) = part.into_iter().unzip();
        vouchers.push(one.part(own));
        ordered.extend(of_them);
    }
    Ok((ordered, vouchers))
}

/// The leaves of a tree. Each subtree of a proof is hashed once.
struct Leaves<'a>(&'a [Digest]);

impl HashSource for Leaves<'_> {
    type Error = Infallible;

    fn hash(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
        let Some(below) = level.checked_sub(1) else {
            let leaf = usize::try_from(index).ok().and_then(|index| self.0.get(index));
            return Ok(leaf.copied().unwrap_or_else(|| Digest::from_bytes([0; 32])));
        };
        Ok(node_hash(&self.hash(below, 2 * index)?, &self.hash(below, 2 * index + 1)?))
    }
}
