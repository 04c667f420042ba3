//! What the ledgers hold. An entry is evidence and holds no personal data: subjects appear as counts
//! and as hashes over sealed bytes, results as counts and hashes over sealed chunks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    ids::{Oin, QueryId},
    problem::Problem,
    query::RegisterPosition,
    time::{Date, Timestamp},
    verdict::{Obligations, Refusal},
    vouching::VouchedBy,
};

/// What can be put on record. `ledger` makes a `Recorded<T>` of it once its entry is on disk.
pub trait Recordable {
    /// The entry that stands for this value.
    fn entry(&self) -> Entry;
}

impl Recordable for Entry {
    fn entry(&self) -> Entry {
        self.clone()
    }
}

/// One entry of an exchange ledger, written as canonical JSON (RFC 8785).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "entry", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// A query was decided on; written before anything is answered.
    Decision(Decision),
    /// How an exchange that was permitted ended at this party.
    Outcome(OutcomeEntry),
    /// A message of an authenticated peer that could not be taken as a query.
    Rejected(Rejected),
    /// What the requester received and accepted or refused.
    Receipt(Receipt),
    /// The party started; says what recovery had to mend.
    Started(Started),
    /// Another party showed a ledger that contradicts what it showed before.
    Conflict(Conflict),
    /// An auditor read this ledger over the network; written before anything of it is given.
    Read(LedgerRead),
}

/// What a party decided on a query: a node on the one target that is its own, the coordinator on every
/// target, so that a target that is refused does not spoil the others and is on record all the same.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The party that decided.
    pub party: Oin,
    /// Id of the query.
    pub query: QueryId,
    /// The peer over whose connection the query came.
    pub peer: Oin,
    /// The query exactly as signed: a compact JWS. Its payload is the shape.
    pub signed_query: String,
    /// The instant of which the rules were asked.
    pub at: Timestamp,
    /// The register that was decided with.
    pub register: RegisterPosition,
    /// SHA-256 over the covenant's canonical bytes.
    pub covenant: Digest,
    /// What was used of the project's quota before this query (clause S10).
    pub used: Usage,
    /// For each target of a count, the day on which the same was counted before, or what could be subtracted
    /// from it (clause L4); left out where nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<Option<Date>>,
    /// Engine and language version of the rules and the schema of their facts, for instance
    /// `cedar-policy 4.14.1, language 4.6, facts 0123456789abcdef, edition 2`.
    pub engine: String,
    /// One verdict for each target decided, by index of the target; never empty.
    pub verdicts: Vec<TargetVerdict>,
}

/// The verdict on one target of a query.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TargetVerdict {
    /// Index of the target in the query.
    pub target: u32,
    /// SHA-256 over the request and the entities that the rules saw.
    pub slice: Digest,
    /// The verdict.
    pub verdict: RecordedVerdict,
    /// The answers that vouched for the subjects, at a node whose dataset needs that (clause S10).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub vouched_by: BTreeSet<VouchedBy>,
}

/// A verdict as it stands in a ledger.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RecordedVerdict {
    /// Permitted.
    Permit {
        /// What the permit obliges to.
        obligations: Obligations,
    },
    /// Refused by clauses of the covenant.
    Refuse {
        /// Every clause that refuses.
        refusal: Refusal,
    },
    /// Refused for another reason.
    Problem {
        /// The reason.
        problem: Problem,
    },
}

/// What a project used of its quota at one party.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Permitted queries.
    pub queries: u64,
    /// Subjects in permitted queries.
    pub subjects: u64,
    /// Numbers that were permitted (clause L4).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cells: u64,
    /// Answers that should have been destroyed by now and, by the register, were not (clause L6).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overdue: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How an exchange ended at this party.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeEntry {
    /// The party that writes.
    pub party: Oin,
    /// Id of the query.
    pub query: QueryId,
    /// Index of this party's decision entry in its own ledger.
    pub decision: u64,
    /// When the exchange ended.
    pub at: Timestamp,
    /// One for each target: a node writes one, the coordinator as many as the query has.
    pub results: Vec<TargetOutcome>,
}

/// How one target of a query ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TargetOutcome {
    /// Index of the target in the query.
    pub target: u32,
    /// The partner that was asked.
    pub partner: Oin,
    /// What became of it.
    pub status: Status,
    /// Sealed bytes that were sent or relayed.
    pub bytes: u64,
    /// Sealed chunks that were sent or relayed.
    pub chunks: u64,
    /// Hash over the sealed chunks (see [`SignedOutcome::hash`]); absent where none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
    /// Whether the rows are so large a part of an area's residents that people should look at it before
    /// they go on (clause S12).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alarm: bool,
}

/// What became of one target.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Status {
    /// Answered in full.
    Answered,
    /// Refused under the covenant.
    Refused {
        /// The clauses that refuse.
        refusal: Refusal,
    },
    /// Not answered for another reason; whatever was sent before is void.
    Failed {
        /// The reason.
        problem: Problem,
    },
}

/// What the node signs at the end of each answer, as the payload of a compact JWS with `typ`
/// `convenant-outcome+json` under its ledger key. The requester accepts nothing without it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOutcome {
    /// Id of the query.
    pub query: QueryId,
    /// SHA-256 over the signed query (the bytes of its compact JWS), so that an answer cannot be
    /// passed off as one to a different question.
    pub signed_query: Digest,
    /// Index of the target.
    pub target: u32,
    /// The partner that answers.
    pub partner: Oin,
    /// What became of it.
    pub status: Status,
    /// Rows in the answer; for a count always zero, because the count is in the sealed result.
    pub rows: u64,
    /// Sealed bytes.
    pub bytes: u64,
    /// Sealed chunks.
    pub chunks: u64,
    /// SHA-256 over the SHA-256 of each sealed chunk, in sequence.
    pub hash: Digest,
    /// Whether the rows are so large a part of an area's residents that people should look at it before
    /// they go on (clause S12).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alarm: bool,
    /// Index of the decision in the node's ledger; absent where nothing could be recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<u64>,
    /// When the node signed.
    pub at: Timestamp,
}

/// A message that could not be taken as a query.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rejected {
    /// The party that writes.
    pub party: Oin,
    /// The authenticated peer that sent it.
    pub peer: Oin,
    /// When.
    pub at: Timestamp,
    /// The reason.
    pub problem: Problem,
    /// SHA-256 over the message's signed part.
    pub message: Digest,
    /// Id of the query, where the message was readable that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryId>,
}

/// What the requester received for one target.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The requester's organisation.
    pub party: Oin,
    /// Id of the query.
    pub query: QueryId,
    /// Index of the target.
    pub target: u32,
    /// The partner that was asked.
    pub partner: Oin,
    /// When.
    pub at: Timestamp,
    /// The query exactly as signed.
    pub signed_query: String,
    /// The node's signed outcome exactly as received; absent where none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What the requester made of it.
    pub status: Status,
}

/// The party started.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// The party that writes.
    pub party: Oin,
    /// When.
    pub at: Timestamp,
    /// Version of the software.
    pub software: String,
    /// Bytes of an incomplete last entry that recovery cut off; nothing was answered on them.
    pub torn_bytes: u64,
}

/// As a witness of another party's ledger, this party was shown a checkpoint that it could not cosign:
/// the ledger was set back, or does not begin with what it was. Both checkpoints are signed by the
/// other party, so that they speak for themselves.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// The party that writes.
    pub party: Oin,
    /// When.
    pub at: Timestamp,
    /// The party whose ledger it is.
    pub peer: Oin,
    /// The checkpoint that was cosigned last: a signed note.
    pub held: String,
    /// The checkpoint that was shown now: a signed note.
    pub shown: String,
}

/// An auditor read entries of this ledger over the network. One entry stands for what one reader reads in
/// some minutes ([`LedgerRead::MINUTES`]): it tells what there was to read when it began, and what is
/// written in those minutes may have been read too.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerRead {
    /// The party that writes, whose ledger it is.
    pub party: Oin,
    /// When.
    pub at: Timestamp,
    /// The reader.
    pub reader: Oin,
    /// The key of the reader's certificate: SHA-256 over its SubjectPublicKeyInfo (RFC 7469 §2.4).
    pub pin: Digest,
    /// The first entry that was given, or one before it.
    pub from: u64,
    /// Number of entries there were.
    pub until: u64,
}

impl LedgerRead {
    /// For so many minutes an entry stands for what its reader reads, from its first entry on.
    pub const MINUTES: i64 = 10;
}
