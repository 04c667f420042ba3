//! What one ledger says of one exchange, as little as reconciling needs: it is kept until the exchange is over
//! (docs/adr/0029).

use std::{collections::BTreeSet, fmt, sync::Arc};

use convenant_model::{
    DatasetId, Digest, Oin, Problem, ProjectId, Timestamp,
    entry::{Decision, OutcomeEntry, RecordedVerdict, Status, TargetOutcome, TargetVerdict},
    keys::VerifyingKey,
    query::{Query, QueryKind},
    verdict::Refusal,
    vouching::VouchedBy,
};
use convenant_signing::key_id;

/// A decision, and the outcome if there is one yet.
pub(crate) struct Decided {
    pub(crate) index: u64,
    pub(crate) at: Timestamp,
    /// Milliseconds from the decision until the query expired: there are many of these.
    valid_for: i32,
    /// SHA-256 over the signed query.
    pub(crate) signed: Digest,
    pub(crate) ruled: Arc<Ruled>,
    pub(crate) ended: Option<Ended>,
}

/// What was asked and decided. Very many exchanges have it in common, and share it.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Ruled {
    pub(crate) requester: Oin,
    /// The key that signed the question.
    key: VerifyingKey,
    pub(crate) project: ProjectId,
    pub(crate) kind: QueryKind,
    pub(crate) retention_days: u16,
    /// Every target of the query.
    pub(crate) targets: Box<[Asked]>,
}

/// Values of which equal ones are kept once.
pub(crate) struct Shared<T>(BTreeSet<Arc<T>>);

/// One target of a query.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Asked {
    pub(crate) partner: Oin,
    pub(crate) dataset: DatasetId,
    /// What was decided on it; `None` where this party did not decide on it.
    pub(crate) ruling: Option<Ruling>,
}

/// What was decided on a target.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Ruling {
    Permit {
        max_rows: u64,
        /// Whether the dataset answers only for vouched subjects, and the answers that vouched for them.
        vouched: bool,
        vouched_by: BTreeSet<VouchedBy>,
        /// Whether the answer vouches for others.
        vouches: bool,
    },
    Refuse(Stated),
}

/// How an exchange ended.
pub(crate) struct Ended {
    pub(crate) index: u64,
    pub(crate) at: Timestamp,
    pub(crate) results: Box<[Result]>,
}

/// How one target ended.
pub(crate) struct Result {
    pub(crate) target: u32,
    pub(crate) stated: Stated,
    pub(crate) sent: Sent,
}

/// What was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    pub(crate) chunks: u64,
    /// Absent where nothing was sent, and where a relayed answer broke off.
    pub(crate) hash: Option<Digest>,
}

/// A status without its texts.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Stated {
    Answered,
    /// Refused under these clauses: `S10/BUITEN_GEBIED S7/THEMA`.
    Refused(Box<str>),
    Failed(Problem),
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: Ord> Shared<T> {
    /// The value, shared with every equal one before it.
    pub(crate) fn of(&mut self, value: T) -> Arc<T> {
        if let Some(known) = self.0.get(&value) {
            return Arc::clone(known);
        }
        let value = Arc::new(value);
        self.0.insert(Arc::clone(&value));
        value
    }

    /// Lets go of what nobody shares any more.
    pub(crate) fn prune(&mut self) {
        self.0.retain(|value| Arc::strong_count(value) > 1);
    }
}

impl Ruled {
    pub(crate) fn new(decision: &Decision, query: &Query) -> Self {
        let asked = |(number, target): (u32, &convenant_model::query::Target)| {
            let verdict = decision.verdicts.iter().find(|one| one.target == number);
            let ruling = verdict.map(Ruling::of);
            Asked { partner: target.partner.clone(), dataset: target.dataset.clone(), ruling }
        };
        Self {
            requester: query.requester.partner.clone(),
            key: query.requester.key.clone(),
            project: query.project.clone(),
            kind: query.kind,
            retention_days: query.retention_days,
            targets: (0..).zip(&query.targets).map(asked).collect(),
        }
    }

    /// Who asked, in which project and with which key: an organisation and the id of a key, and nobody's name.
    pub(crate) fn asker(&self) -> String {
        let Self { requester, project, key, .. } = self;
        format!("requester={requester} project={project} key={}", key_id(key))
    }
}

impl Decided {
    pub(crate) fn new(
        (index, decision): (u64, &Decision),
        (query, signed): (&Query, Digest),
        ruled: Arc<Ruled>,
    ) -> Self {
        let valid_for = within(query.expires.millis() - decision.at.millis());
        Self { index, at: decision.at, valid_for, signed, ruled, ended: None }
    }

    /// When the query expired; within weeks, which is longer than any query is valid.
    pub(crate) fn expires(&self) -> Timestamp {
        let millis = self.at.millis().saturating_add(i64::from(self.valid_for));
        Timestamp::from_millis(millis).unwrap_or(self.at)
    }

    pub(crate) fn target(&self, number: u32) -> Option<&Asked> {
        self.ruled.targets.get(usize::try_from(number).ok()?)
    }

    pub(crate) fn permits_any(&self) -> bool {
        self.ruled.targets.iter().any(Asked::permitted)
    }

    pub(crate) fn result(&self, target: u32) -> Option<&Result> {
        self.ended.as_ref()?.results.iter().find(|result| result.target == target)
    }
}

impl Asked {
    pub(crate) const fn permitted(&self) -> bool {
        matches!(self.ruling, Some(Ruling::Permit { .. }))
    }

    /// Whether the answer vouches for others.
    pub(crate) const fn vouches(&self) -> bool {
        matches!(self.ruling, Some(Ruling::Permit { vouches: true, .. }))
    }

    pub(crate) const fn max_rows(&self) -> Option<u64> {
        match self.ruling {
            Some(Ruling::Permit { max_rows, .. }) => Some(max_rows),
            Some(Ruling::Refuse(_)) | None => None,
        }
    }
}

impl Ruling {
    fn of(verdict: &TargetVerdict) -> Self {
        match &verdict.verdict {
            RecordedVerdict::Permit { obligations } => Self::Permit {
                max_rows: obligations.max_rows,
                vouched: obligations.vouched.is_some(),
                vouched_by: verdict.vouched_by.clone(),
                vouches: obligations.vouches.is_some(),
            },
            RecordedVerdict::Refuse { refusal } => {
                Self::Refuse(Stated::Refused(codes(refusal).into()))
            }
            RecordedVerdict::Problem { problem } => Self::Refuse(Stated::Failed(*problem)),
        }
    }
}

impl Ended {
    pub(crate) fn new(index: u64, outcome: &OutcomeEntry) -> Self {
        let results = outcome.results.iter().map(Result::of).collect();
        Self { index, at: outcome.at, results }
    }
}

impl Result {
    fn of(outcome: &TargetOutcome) -> Self {
        Self {
            target: outcome.target,
            stated: Stated::of(&outcome.status),
            sent: Sent { bytes: outcome.bytes, chunks: outcome.chunks, hash: outcome.hash },
        }
    }
}

impl Stated {
    pub(crate) fn of(status: &Status) -> Self {
        match status {
            Status::Answered => Self::Answered,
            Status::Refused { refusal } => Self::Refused(codes(refusal).into()),
            Status::Failed { problem } => Self::Failed(*problem),
        }
    }

    pub(crate) fn answered(&self) -> bool {
        *self == Self::Answered
    }

    /// Whether a requester says that nothing, or not all, came.
    pub(crate) const fn broke_off(&self) -> bool {
        matches!(self, Self::Failed(Problem::Cancelled | Problem::Late | Problem::NodeUnavailable))
    }
}

fn within(millis: i64) -> i32 {
    i32::try_from(millis).unwrap_or(if millis < 0 { i32::MIN } else { i32::MAX })
}

/// Clause and code of each violation.
pub(crate) fn codes(refusal: &Refusal) -> String {
    let one = refusal.violations().iter().map(|one| format!("{}/{}", one.clause, one.code));
    one.collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("status=answered"),
            Self::Refused(codes) => write!(f, "status=refused {codes}"),
            Self::Failed(problem) => write!(f, "status=failed {}", problem.code()),
        }
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes={} chunks={}", self.bytes, self.chunks)?;
        self.hash.map_or(Ok(()), |hash| write!(f, " hash={hash}"))
    }
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.stated, self.sent)
    }
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::*;

    /// What is kept of each exchange is what an audit's memory is made of (docs/adr/0029).
    #[test]
    fn little_is_kept_of_each_exchange() {
        assert!(size_of::<Decided>() <= 96, "{}", size_of::<Decided>());
        assert!(size_of::<Result>() <= 88, "{}", size_of::<Result>());
    }

    #[test]
    fn equal_values_are_kept_once() {
        let mut shared = Shared::default();
        let (one, same, other) = (shared.of(1), shared.of(1), shared.of(2));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
    }
}
