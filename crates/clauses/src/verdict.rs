//! Verdicts as values: a permit that nobody else can make, and a refusal that says why.

use std::{collections::BTreeSet, fmt, sync::Arc};

use convenant_model::{
    ClauseId, Date, Digest, Oin, Problem, QueryId, Timestamp,
    covenant::Covenant,
    entry::{Decision, Entry, Recordable, RecordedVerdict, TargetVerdict, Usage},
    query::{Query, RegisterPosition, Target},
    verdict::{Obligations, Refusal, Violation},
    vouching::VouchedBy,
};

use crate::{Request, Rules};

/// The clause and code of what typed code finds wrong with whom a query is about.
pub(crate) const SUBJECTS: (&str, &str) = ("L14", "BSN");
/// The same of vouchers.
pub(crate) const VOUCHERS: (&str, &str) = ("S10", "GEEN_VOUCHER");

/// The decision on one target of a query.
#[derive(Debug)]
pub enum Verdict {
    /// Permitted.
    Permit(Box<Permit>),
    /// Refused.
    Refuse(Box<Refused>),
}

/// Leave to answer one target of a query. Only this crate makes one; it opens no data source before it
/// is on record.
#[derive(Clone)]
pub struct Permit {
    record: Arc<Record>,
    target: u32,
    slice: Digest,
    obligations: Obligations,
    vouched_by: BTreeSet<VouchedBy>,
}

/// A refusal of one target of a query.
#[derive(Clone)]
pub struct Refused {
    record: Arc<Record>,
    target: u32,
    slice: Digest,
    outcome: Outcome,
}

/// The verdicts on all targets of one query, put on record as one entry.
#[derive(Debug)]
pub struct Combined {
    record: Arc<Record>,
    verdicts: Vec<Verdict>,
}

/// Why a target is not answered.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Refusal(Refusal),
    Problem(Problem),
}

impl Outcome {
    /// Refused under a clause by typed code rather than by a rule; a covenant without that clause leaves
    /// the problem. `detail` is Dutch and holds no personal data.
    pub(crate) fn under(
        covenant: &Covenant,
        (clause, code): (&str, &str),
        detail: String,
        otherwise: Problem,
    ) -> Self {
        let clause = ClauseId::new(clause).ok().and_then(|id| covenant.clause(&id));
        let violation = clause.map(|clause| Violation {
            clause: clause.id.clone(),
            code: code.to_owned(),
            text: clause.text.to_string(),
            detail,
        });
        let refusal = Refusal::new(violation.into_iter().collect());
        refusal.map_or(Self::Problem(otherwise), Self::Refusal)
    }
}

/// What every entry about a decision on the same query says.
pub(crate) struct Record {
    covenant: Arc<Covenant>,
    covenant_hash: Digest,
    query: Arc<Query>,
    signed_query: String,
    party: Oin,
    peer: Oin,
    at: Timestamp,
    register: RegisterPosition,
    used: Usage,
    counted: Vec<Option<Date>>,
    engine: String,
}

impl Record {
    pub(crate) fn new(rules: &Rules, request: &Request<'_>) -> Self {
        Self {
            covenant: Arc::clone(&rules.covenant),
            covenant_hash: rules.covenant_hash,
            query: Arc::clone(request.query),
            signed_query: request.signed_query.to_owned(),
            party: request.party.clone(),
            peer: request.peer.clone(),
            at: request.at,
            register: request.register,
            used: request.used,
            counted: request.counted.to_vec(),
            engine: rules.engine().to_owned(),
        }
    }

    fn entry(&self, verdicts: Vec<TargetVerdict>) -> Entry {
        Entry::Decision(Decision {
            party: self.party.clone(),
            query: self.query.id,
            peer: self.peer.clone(),
            signed_query: self.signed_query.clone(),
            at: self.at,
            register: self.register,
            covenant: self.covenant_hash,
            used: self.used,
            counted: self.counted.clone(),
            engine: self.engine.clone(),
            verdicts,
        })
    }
}

impl Verdict {
    pub(crate) fn new(
        record: &Arc<Record>,
        target: u32,
        slice: Digest,
        outcome: Result<Obligations, Outcome>,
    ) -> Self {
        let record = Arc::clone(record);
        match outcome {
            Ok(obligations) => {
                let vouched_by = BTreeSet::new();
                Self::Permit(Box::new(Permit { record, target, slice, obligations, vouched_by }))
            }
            Err(outcome) => Self::Refuse(Box::new(Refused { record, target, slice, outcome })),
        }
    }

    /// Index of the target that was decided on.
    #[must_use]
    pub const fn target(&self) -> u32 {
        match self {
            Self::Permit(permit) => permit.target,
            Self::Refuse(refused) => refused.target,
        }
    }

    fn recorded(&self) -> TargetVerdict {
        match self {
            Self::Permit(permit) => permit.recorded(),
            Self::Refuse(refused) => refused.recorded(),
        }
    }
}

impl Recordable for Verdict {
    fn entry(&self) -> Entry {
        match self {
            Self::Permit(permit) => permit.entry(),
            Self::Refuse(refused) => refused.entry(),
        }
    }
}

impl Permit {
    /// The query that was decided on.
    #[must_use]
    pub fn query(&self) -> &Arc<Query> {
        &self.record.query
    }

    /// Its id.
    #[must_use]
    pub fn query_id(&self) -> QueryId {
        self.record.query.id
    }

    /// Index of the target that may be answered.
    #[must_use]
    pub const fn target(&self) -> u32 {
        self.target
    }

    /// That target; `None` never, because a permit is of a target that the query has.
    #[must_use]
    pub fn asked(&self) -> Option<&Target> {
        let index = usize::try_from(self.target).ok()?;
        self.record.query.targets.get(index)
    }

    /// What the answer is bound to.
    #[must_use]
    pub const fn obligations(&self) -> &Obligations {
        &self.obligations
    }

    /// The covenant under which was permitted.
    #[must_use]
    pub fn covenant(&self) -> &Arc<Covenant> {
        &self.record.covenant
    }

    /// Number of sealed subjects, which count towards the project's quota.
    #[must_use]
    pub fn subjects(&self) -> u64 {
        let subjects = self.asked().and_then(|target| target.subjects.as_ref());
        subjects.map_or(0, |shape| u64::from(shape.count))
    }

    /// The answers that vouched for the subjects: empty until somebody checked.
    #[must_use]
    pub const fn vouched_by(&self) -> &BTreeSet<VouchedBy> {
        &self.vouched_by
    }

    /// Notes for the record which answers vouched for the unsealed subjects (clause S10). Whoever calls has
    /// checked that they do; a dataset that needs it is opened with no permit that lacks it.
    #[must_use]
    pub fn with_vouchers(self, vouched_by: BTreeSet<VouchedBy>) -> Self {
        Self { vouched_by, ..self }
    }

    /// Refuses after all, because the unsealed subjects are not valid (clause L14): only whoever can
    /// unseal them can find that out. `detail` says in Dutch what is wrong, in numbers and names of
    /// fields. A covenant without that clause leaves [`Problem::BadSubjects`].
    #[must_use]
    pub fn refuse_subjects(self, detail: String) -> Refused {
        let covenant = &self.record.covenant;
        let outcome = Outcome::under(covenant, SUBJECTS, detail, Problem::BadSubjects);
        Refused { record: self.record, target: self.target, slice: self.slice, outcome }
    }

    /// Refuses after all, because nobody vouched for all of the unsealed subjects (clause S10). `detail` and
    /// the want of that clause are as in [`Self::refuse_subjects`]; the problem is [`Problem::NotVouched`].
    #[must_use]
    pub fn refuse_vouchers(self, detail: String) -> Refused {
        let covenant = &self.record.covenant;
        let outcome = Outcome::under(covenant, VOUCHERS, detail, Problem::NotVouched);
        Refused { record: self.record, target: self.target, slice: self.slice, outcome }
    }

    fn recorded(&self) -> TargetVerdict {
        TargetVerdict {
            target: self.target,
            slice: self.slice,
            verdict: RecordedVerdict::Permit { obligations: self.obligations.clone() },
            vouched_by: self.vouched_by.clone(),
        }
    }
}

impl Recordable for Permit {
    fn entry(&self) -> Entry {
        self.record.entry(vec![self.recorded()])
    }
}

impl Refused {
    /// The query that was decided on.
    #[must_use]
    pub fn query(&self) -> &Arc<Query> {
        &self.record.query
    }

    /// Its id.
    #[must_use]
    pub fn query_id(&self) -> QueryId {
        self.record.query.id
    }

    /// Index of the target that is not answered.
    #[must_use]
    pub const fn target(&self) -> u32 {
        self.target
    }

    /// The clauses that refuse; absent where something else does.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match &self.outcome {
            Outcome::Refusal(refusal) => Some(refusal),
            Outcome::Problem(_) => None,
        }
    }

    /// The problem to report: [`Problem::Refused`] where clauses refuse.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        match &self.outcome {
            Outcome::Refusal(_) => Problem::Refused,
            Outcome::Problem(problem) => *problem,
        }
    }

    fn recorded(&self) -> TargetVerdict {
        let verdict = match &self.outcome {
            Outcome::Refusal(refusal) => RecordedVerdict::Refuse { refusal: refusal.clone() },
            Outcome::Problem(problem) => RecordedVerdict::Problem { problem: *problem },
        };
        let (target, slice) = (self.target, self.slice);
        TargetVerdict { target, slice, verdict, vouched_by: BTreeSet::new() }
    }
}

impl Recordable for Refused {
    fn entry(&self) -> Entry {
        self.record.entry(vec![self.recorded()])
    }
}

impl Combined {
    pub(crate) const fn new(record: Arc<Record>, verdicts: Vec<Verdict>) -> Self {
        Self { record, verdicts }
    }

    /// The query that was decided on.
    #[must_use]
    pub fn query(&self) -> &Arc<Query> {
        &self.record.query
    }

    /// One verdict for each target, in the query's order.
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// The targets that may be asked.
    pub fn permits(&self) -> impl Iterator<Item = &Permit> {
        self.verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Permit(permit) => Some(permit.as_ref()),
            Verdict::Refuse(_) => None,
        })
    }

    /// The targets that are refused.
    pub fn refusals(&self) -> impl Iterator<Item = &Refused> {
        self.verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Permit(_) => None,
            Verdict::Refuse(refused) => Some(refused.as_ref()),
        })
    }
}

impl Recordable for Combined {
    fn entry(&self) -> Entry {
        let verdicts = self.verdicts.iter().map(Verdict::recorded);
        self.record.entry(verdicts.collect())
    }
}

// A query's predicate holds literals, which have no place in a log.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("query", &self.query.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("query", &self.record.query.id)
            .field("target", &self.target)
            .field("obligations", &self.obligations)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("query", &self.record.query.id)
            .field("target", &self.target)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
