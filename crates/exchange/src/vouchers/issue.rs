//! At the node that answers: one leaf for each row that leaves, and one signature at the end.

use convenant_clauses::Permit;
use convenant_ledger::{
    Recorded,
    merkle::{Frontier, empty_root},
};
use convenant_model::{
    FieldName, Oin, Timestamp,
    vouching::{AnswerVouching, Vouching},
};
use convenant_signing::{Salter, SystemRandom, canonical, sign_compact};
use zeroize::Zeroizing;

use super::{VOUCHING_TYPE, leaf};
use crate::{AnswerError, Received, Signatory};

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// Vouches for the rows of one answer. It holds 32 bytes for each bit of their number.
#[derive(Debug)]
pub struct Issuing {
    vouching: Vouching,
    days: u16,
    salter: Salter,
    tree: Frontier,
}

impl Issuing {
    /// Begins, where the recorded permit obliges to vouch; the answer is the one that it permits.
    ///
    /// # Errors
    /// When the permit is for another query, or no randomness can be drawn.
    pub fn begin(
        permit: &Recorded<Permit>,
        received: &Received,
        issuer: &Oin,
        random: &SystemRandom,
    ) -> Result<Option<Self>, AnswerError> {
        let (query, obligations) = (received.query(), permit.item().obligations());
        if permit.item().query_id() != query.id {
            return Err(AnswerError::OtherQuery);
        }
        let Some(vouches) = &obligations.vouches else {
            return Ok(None);
        };
        let salter = Salter::draw(random).map_err(AnswerError::Salts)?;
        let vouching = Vouching {
            issuer: issuer.clone(),
            dataset: obligations.dataset.clone(),
            key: vouches.key.clone(),
            project: query.project.clone(),
            proposal: query.proposal,
            requester: query.requester.partner.clone(),
            query: query.id,
            leaves: 0,
            root: empty_root(),
            at: received.at(),
            expires: received.at(),
        };
        Ok(Some(Self::about(vouching, vouches.days, salter)))
    }

    /// What the statement says; number, root and times are filled in at its end.
    pub(super) fn about(vouching: Vouching, days: u16, salter: Salter) -> Self {
        Self { vouching, days, salter, tree: Frontier::default() }
    }

    /// The field whose values are vouched for.
    #[must_use]
    pub const fn key(&self) -> &FieldName {
        &self.vouching.key
    }

    /// Adds the value of the next row that leaves; a row without one is not counted.
    pub fn add(&mut self, value: &str) {
        self.tree.append(leaf(&self.salter.salt(value.as_bytes()), value));
    }

    /// Signs for all rows: what goes to the requester as the last chunk.
    ///
    /// # Errors
    /// When the statement cannot be written or signed.
    pub fn close(
        self,
        at: Timestamp,
        signatory: &Signatory,
    ) -> Result<Zeroizing<Vec<u8>>, AnswerError> {
        let vouching = Vouching {
            leaves: self.tree.size(),
            root: self.tree.root(),
            at,
            expires: at.plus_seconds(i64::from(self.days) * DAY),
            ..self.vouching
        };
        let statement = sign_compact(VOUCHING_TYPE, &canonical(&vouching)?, &signatory.key)?;
        let answer = AnswerVouching { statement, seed: self.salter.seed().clone() };
        Ok(Zeroizing::new(canonical(&answer)?))
    }
}
