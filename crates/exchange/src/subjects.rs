//! The sealed part of a query: made at the requester, opened at the node and matched with what the
//! signed shape says of it.

use std::collections::BTreeSet;

use convenant_clauses::Permit;
use convenant_model::{
    Oin, QueryId,
    keys::SealingKey,
    parse::from_json_up_to,
    query::SubjectShape,
    subjects::{SealedSubjects, Subject},
    value::FieldType,
    vouching::{VouchedBy, Vouchers},
};
use convenant_signing::{
    Direction, OpeningKey, SealContext, SealError, SystemRandom, canonical, open_once, seal_once,
    sha256,
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    Received,
    vouchers::{VoucherFault, VoucherView, check},
};

/// Most bytes of unsealed subjects with their vouchers: some 150,000 of them.
const MOST_BYTES: usize = 8 << 20;

/// Why sealed subjects cannot be used. None of these tells anything of a subject.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SubjectFault {
    /// The shape has subjects and none came, or the other way round.
    #[error("the query's shape and its sealed subjects do not go together")]
    Presence,
    /// The sealed bytes are not those that the requester signed.
    #[error("the sealed subjects are not those that the requester signed")]
    Hash,
    /// They do not open with this node's key, or not for this query.
    #[error("the sealed subjects do not open here")]
    Sealed,
    /// What opened is malformed, or belongs to another query or target.
    #[error("the unsealed subjects are malformed or belong to another query")]
    Malformed,
    /// Another number of subjects than the shape says.
    #[error("the shape says {shape} subjects, {found} were sealed")]
    Count {
        /// What the shape says.
        shape: u32,
        /// What came.
        found: usize,
    },
    /// The same subject twice.
    #[error("a subject is asked for twice")]
    Repeated,
    /// A subject lacks the verifying attribute, or has one that the shape does not announce.
    #[error("the subjects and the announced verifying attribute do not go together")]
    Verification,
    /// Values that are not of the key's type; for a BSN that is clause L14.
    #[error("{found} of the subjects are not of type `{kind}`", kind = kind.as_str())]
    NotOfType {
        /// How many.
        found: usize,
        /// The key's type.
        kind: FieldType,
    },
}

/// Why unsealed subjects are not asked about. None of these tells anything of a subject.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Unfit {
    /// They are not what the requester signed (clause L14).
    #[error(transparent)]
    Subjects(#[from] SubjectFault),
    /// Nobody vouched for them (clause S10).
    #[error(transparent)]
    Vouchers(#[from] VoucherFault),
}

/// Subjects that opened and match the signed shape, with the vouchers that came with them. They are asked
/// about once their vouchers were looked at.
#[derive(Debug)]
pub struct Unsealed {
    subjects: Vec<Subject>,
    vouchers: Vec<Vouchers>,
}

impl Unsealed {
    /// The subjects, if somebody vouched for each of them where the permit needs that, and no vouchers
    /// came where it does not; with the answers that vouched for them, for the record.
    ///
    /// # Errors
    /// Names the first fault of the vouchers.
    pub fn vouched(
        self,
        permit: &Permit,
        view: &VoucherView<'_>,
    ) -> Result<(Vec<Subject>, BTreeSet<VouchedBy>), VoucherFault> {
        let obligations = permit.obligations();
        match &obligations.vouched {
            None if self.vouchers.is_empty() => Ok((self.subjects, BTreeSet::new())),
            None => Err(VoucherFault::Surplus),
            Some(key) => {
                let dataset = permit.covenant().dataset(&obligations.dataset);
                let key = dataset.and_then(|dataset| dataset.vouched_key(key));
                let key = key.ok_or(VoucherFault::Key)?;
                let by = check(key, &self.subjects, &self.vouchers, view)?;
                Ok((self.subjects, by))
            }
        }
    }
}

/// Seals subjects, and vouchers for them, to a node, bound to a query and target. The result's hash goes
/// into the shape.
///
/// # Errors
/// When the node's key is not usable or no randomness can be drawn.
pub fn seal_subjects(
    key: &SealingKey,
    (query, target): (QueryId, u32),
    (sender, recipient): (&Oin, &Oin),
    (subjects, vouchers): (&[Subject], &[Vouchers]),
    random: &SystemRandom,
) -> Result<Vec<u8>, SealError> {
    let (subjects, vouchers) = (subjects.to_vec(), vouchers.to_vec());
    let part = SealedSubjects { query, target, subjects, vouchers };
    let plain = Zeroizing::new(canonical(&part).map_err(|_| SealError::Limit)?);
    seal_once(key, &context(query, target, sender, recipient), &plain, random)
}

/// Opens the subjects of one target and matches them with the signed shape.
///
/// # Errors
/// When they are not what the requester signed, or not what the shape says they are.
pub fn open_subjects(
    key: &OpeningKey,
    received: &Received,
    (target, own): (u32, &Oin),
    (shape, kind): (&SubjectShape, FieldType),
    sealed: &[u8],
) -> Result<Unsealed, SubjectFault> {
    if sha256(sealed) != shape.sealed {
        return Err(SubjectFault::Hash);
    }
    let query = received.query();
    let context = context(query.id, target, &query.requester.partner, own);
    let plain = open_once(key, &context, sealed).map_err(|_| SubjectFault::Sealed)?;
    let part: SealedSubjects =
        from_json_up_to(MOST_BYTES, "subjects", &plain).map_err(|_| SubjectFault::Malformed)?;
    if part.query != query.id || part.target != target {
        return Err(SubjectFault::Malformed);
    }
    Ok(Unsealed { subjects: matched(part.subjects, shape, kind)?, vouchers: part.vouchers })
}

fn matched(
    subjects: Vec<Subject>,
    shape: &SubjectShape,
    kind: FieldType,
) -> Result<Vec<Subject>, SubjectFault> {
    if subjects.len() != shape.count as usize {
        return Err(SubjectFault::Count { shape: shape.count, found: subjects.len() });
    }
    if subjects.iter().any(|subject| subject.verify.is_some() != shape.verified_by.is_some()) {
        return Err(SubjectFault::Verification);
    }
    let found = subjects.iter().filter(|subject| !kind.admits(subject.key.expose())).count();
    if found > 0 {
        return Err(SubjectFault::NotOfType { found, kind });
    }
    let distinct: std::collections::HashSet<_> =
        subjects.iter().map(|subject| &subject.key).collect();
    if distinct.len() != subjects.len() {
        return Err(SubjectFault::Repeated);
    }
    Ok(subjects)
}

fn context(query: QueryId, target: u32, sender: &Oin, recipient: &Oin) -> SealContext {
    SealContext {
        direction: Direction::Subjects,
        query,
        target,
        sender: sender.clone(),
        recipient: recipient.clone(),
        signed_query: None,
    }
}
