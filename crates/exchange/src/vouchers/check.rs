//! At the node that asks for vouchers: whether each subject was vouched for, by whom it takes that from.
//! Everything is held against this node's own copy of the register.

use std::collections::BTreeSet;

use convenant_model::{
    KeyId, Oin, Timestamp,
    documents::{Enrolment, Proposal},
    keys::VerifyingKey,
    query::Query,
    register::{Project, RegisterState},
    subjects::Subject,
    vouching::{VouchedBy, VouchedKey, Vouchers, Vouching},
};
use convenant_signing::{JwsError, key_id, parse_canonical, peek_compact};
use thiserror::Error;

use super::{VOUCHING_TYPE, leaf};
use crate::SKEW_SECONDS;

/// Most answers that vouch for the subjects of one query: each is a signature to verify, and stands in the
/// record.
const MOST_ANSWERS: usize = 128;
/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// What vouchers are held against.
#[derive(Clone, Copy, Debug)]
pub struct VoucherView<'a> {
    /// The register of which was decided.
    pub state: &'a RegisterState,
    /// The query with whose subjects they came.
    pub query: &'a Query,
    /// The instant of which was decided.
    pub at: Timestamp,
}

/// Why vouchers do not do. None of these tells anything of a subject.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum VoucherFault {
    /// Subjects came without.
    #[error("{missing} of {subjects} subjects came without a voucher")]
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        subjects: usize,
    },
    /// Vouchers came for more subjects than there are, or where none are asked for.
    #[error("vouchers came that are for none of the subjects")]
    Surplus,
    /// Vouchers of too many answers.
    #[error("vouchers of {found} answers came, at most {MOST_ANSWERS} are taken")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// A statement is none.
    #[error("a partner's statement is malformed")]
    Malformed,
    /// The issuer did not sign it with the ledger key that it is enrolled with.
    #[error("a statement is not signed with the ledger key of the partner that it names")]
    Signature,
    /// It is from somebody who cannot vouch in this project.
    #[error(
        "a statement is from an organisation that is not enrolled today, takes no part in the project, or \
         answers from no dataset in it that holds its own area"
    )]
    Issuer,
    /// The issuer suspended what it provides.
    #[error("a statement is from a partner that suspended what it provides in the project")]
    Withheld,
    /// It was made in another project, or under another version of this one.
    #[error("a statement is for another project, or for another version of it")]
    Project,
    /// Another organisation was answered.
    #[error("a statement was made to another organisation")]
    Requester,
    /// It is for a field that says nothing of this key.
    #[error("a statement is for another field than this dataset takes vouchers for")]
    Key,
    /// It no longer holds.
    #[error("a statement has expired")]
    Expired,
    /// It was made in the future, or for longer than the covenant allows.
    #[error("a statement is of the future, or holds for longer than the covenant allows")]
    NotYetValid,
    /// A subject is not among those whom the statement is about.
    #[error("a subject is not the one that its voucher is for")]
    Subject,
}

/// Checks that vouchers for this key cover every subject, and gives the answers that they are of. They come
/// in the order of the subjects.
pub(crate) fn check(
    key: &VouchedKey,
    subjects: &[Subject],
    vouchers: &[Vouchers],
    view: &VoucherView<'_>,
) -> Result<BTreeSet<VouchedBy>, VoucherFault> {
    if vouchers.len() > MOST_ANSWERS {
        return Err(VoucherFault::TooMany { found: vouchers.len() });
    }
    let (mut left, mut by) = (subjects, BTreeSet::new());
    for part in vouchers {
        let (own, rest) =
            left.split_at_checked(part.vouchers.len()).ok_or(VoucherFault::Surplus)?;
        if own.is_empty() {
            return Err(VoucherFault::Surplus);
        }
        let vouching = view.statement(&part.statement, key)?;
        belong(own, part, &vouching)?;
        by.insert(VouchedBy { issuer: vouching.issuer, query: vouching.query });
        left = rest;
    }
    match left.len() {
        0 => Ok(by),
        missing => Err(VoucherFault::Missing { missing, subjects: subjects.len() }),
    }
}

/// Whether each of these subjects has its leaf in the tree that was signed.
fn belong(subjects: &[Subject], part: &Vouchers, vouching: &Vouching) -> Result<(), VoucherFault> {
    let leaves = subjects.iter().zip(&part.vouchers);
    let leaves = leaves
        .map(|(subject, voucher)| (voucher.leaf, leaf(&voucher.salt, subject.key.expose())))
        .collect::<Vec<_>>();
    let (size, root) = (vouching.leaves, &vouching.root);
    convenant_ledger::merkle::verify_several(&leaves, size, &part.proof, root)
        .map_err(|_| VoucherFault::Subject)
}

impl VoucherView<'_> {
    /// A statement that holds for this query and key.
    fn statement(&self, signed: &str, key: &VouchedKey) -> Result<Vouching, VoucherFault> {
        let malformed = |_: JwsError| VoucherFault::Malformed;
        let unverified = peek_compact(signed, VOUCHING_TYPE).map_err(malformed)?;
        let vouching: Vouching = parse_canonical(unverified.payload(), "vouching")
            .map_err(|_| VoucherFault::Malformed)?;
        let enrolment = self.state.enrolment_at(&vouching.issuer, self.at);
        let enrolment = enrolment.ok_or(VoucherFault::Issuer)?;
        let signer = self.ledger_key(&vouching.issuer, unverified.key_id());
        let signer = signer.ok_or(VoucherFault::Signature)?;
        unverified.verify(signer).map_err(|_| VoucherFault::Signature)?;
        self.purpose(&vouching, key)?;
        self.time(&vouching)?;
        self.issuer(&vouching, enrolment)?;
        Ok(vouching)
    }

    /// The issuer's ledger key with this id, of now or of before: a statement outlives the key that signed it,
    /// unless that was revoked.
    fn ledger_key(&self, issuer: &Oin, id: &KeyId) -> Option<&VerifyingKey> {
        let mut keys = self.state.enrolments_of(issuer).map(|enrolment| &enrolment.ledger_key);
        let key = keys.find(|key| key_id(key) == *id)?;
        (!self.state.is_revoked(issuer, key, self.at)).then_some(key)
    }

    fn purpose(&self, vouching: &Vouching, key: &VouchedKey) -> Result<(), VoucherFault> {
        if vouching.project != self.query.project || vouching.proposal != self.query.proposal {
            return Err(VoucherFault::Project);
        }
        if vouching.requester != self.query.requester.partner {
            return Err(VoucherFault::Requester);
        }
        if key.accepts(&vouching.dataset, &vouching.key) { Ok(()) } else { Err(VoucherFault::Key) }
    }

    fn time(&self, vouching: &Vouching) -> Result<(), VoucherFault> {
        if vouching.expires <= self.at {
            return Err(VoucherFault::Expired);
        }
        let covenant = self.state.covenant();
        let days = covenant.and_then(|one| one.covenant.head().voucher_days).unwrap_or_default();
        let lasts = vouching.expires.seconds_since(vouching.at);
        if vouching.at.seconds_since(self.at) > SKEW_SECONDS || lasts > i64::from(days) * DAY {
            return Err(VoucherFault::NotYetValid);
        }
        Ok(())
    }

    /// Whether the issuer can have answered, in this project, from a dataset that holds its own area.
    fn issuer(&self, vouching: &Vouching, enrolment: &Enrolment) -> Result<(), VoucherFault> {
        let project = self.state.project(&vouching.project);
        let decided = project.and_then(Project::decided);
        let decided = decided.filter(|decided| decided.hash == vouching.proposal);
        let proposal = &decided.ok_or(VoucherFault::Project)?.proposal;
        let covenant = self.state.covenant().map(|one| &one.covenant);
        let dataset = covenant.and_then(|covenant| covenant.dataset(&vouching.dataset));
        let served = enrolment.node.as_ref().is_some_and(|node| {
            node.datasets.contains(&vouching.dataset)
                && vouching.dataset.kind() == enrolment.kind.as_str()
        });
        let may = served
            && takes_part(proposal, &vouching.issuer)
            && grants(proposal, vouching)
            && dataset.is_some_and(|dataset| dataset.holds_area(&proposal.area));
        if !may {
            return Err(VoucherFault::Issuer);
        }
        let withheld = project.and_then(|one| one.withheld(&vouching.issuer, self.at));
        if withheld.is_some() { Err(VoucherFault::Withheld) } else { Ok(()) }
    }
}

fn takes_part(proposal: &Proposal, oin: &Oin) -> bool {
    proposal.participant.iter().any(|one| one.partner == *oin)
}

/// Whether the annex lets the issuer answer with the field that it vouches for.
fn grants(proposal: &Proposal, vouching: &Vouching) -> bool {
    let mut annexes = proposal
        .annex
        .iter()
        .filter(|annex| annex.provider == vouching.issuer && annex.dataset == vouching.dataset);
    annexes.any(|annex| annex.field.iter().any(|field| field.name == vouching.key))
}
