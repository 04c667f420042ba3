//! The public part of a query: its *shape*. Subjects are never in it; they travel sealed beside it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    covenant::Covenant,
    digest::Digest,
    documents::tag,
    ids::{DatasetId, FieldName, GoalId, Oin, ProjectId, QueryId, ThemeId},
    keys::{SealingKey, VerifyingKey},
    parse::BoundedText,
    predicate::Predicate,
    subjects::{holds_bsn, spells_bsn},
    time::Timestamp,
};

pub use crate::delay::DelayedDisclosure;

/// JWS header `typ` of a signed query.
pub const QUERY_TYPE: &str = "convenant-query+json";
/// Most targets of one query.
pub const MAX_TARGETS: usize = 16;

/// The columns of the answer to a count: the number, and whether it is below the covenant's minimum.
pub const COUNT_COLUMNS: [&str; 2] = ["aantal", "onder_minimum"];

/// What the leader signs: everything of a query but its subjects. Travels as the payload of a compact
/// JWS with `typ` [`QUERY_TYPE`].
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Always `query`.
    pub document: tag::Query,
    /// Id, chosen by the requester; a node answers an id once.
    pub id: QueryId,
    /// The register that the query was written against.
    pub register: RegisterPosition,
    /// The project under which is asked.
    pub project: ProjectId,
    /// Hash of the decided proposal's canonical bytes.
    pub proposal: Digest,
    /// One of the project's goals (clause S3).
    pub goal: GoalId,
    /// The project's theme (clause S7).
    pub theme: ThemeId,
    /// What kind of answer is asked.
    pub kind: QueryKind,
    /// Whom is asked what; a result comes back for each.
    pub targets: Vec<Target>,
    /// Days for which the requester wants to keep the result.
    pub retention_days: u16,
    /// Why this query is needed now; free text without personal data.
    pub justification: BoundedText<1000>,
    /// Why the people whom this is about are not to be told of it for a while, and until when; absent where
    /// they may be told at once. It cannot be added afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delayed_disclosure: Option<DelayedDisclosure>,
    /// When the query was signed.
    pub created: Timestamp,
    /// When it ceases to be valid.
    pub expires: Timestamp,
    /// Who asks.
    pub requester: Requester,
    /// W3C trace context (`traceparent`) of the requester, if it traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<BoundedText<64>>,
}

/// Where a query's shape may name a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Naming<'a> {
    /// The justification holds a BSN.
    Justification,
    /// The reason not to tell people yet holds a BSN.
    Delay,
    /// A name that covenant or register should know holds a BSN.
    Name,
    /// What should be a `traceparent` is something else.
    Trace,
    /// A condition compares this field with a literal, and either the covenant does not call the field
    /// filterable or the literal holds a BSN.
    Literal {
        /// Index of the target.
        target: usize,
        /// The field.
        field: &'a FieldName,
    },
}

impl fmt::Display for Naming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Justification => f.write_str("the justification holds a BSN"),
            Self::Delay => f.write_str("the reason of `delayed_disclosure` holds a BSN"),
            Self::Trace => f.write_str("`trace` is no `traceparent`"),
            Self::Name => f.write_str("the name of a project, dataset or field holds a BSN"),
            Self::Literal { target, field } => {
                write!(
                    f,
                    "the condition of target {target} gives a value for `{field}`, which identifies, or \
                     which the covenant does not call filterable"
                )
            }
        }
    }
}

impl Query {
    /// The first place where the shape, readable to everybody on its way, may name a person: a BSN in
    /// the justification, in the reason of a delay, in a name or in a literal, or any literal for a field that is not filterable,
    /// such as one that identifies (clause L14). Such a query is refused as a whole, and must not stand in
    /// a ledger either, which holds no personal data: it stands there whole, whichever target a party
    /// decides on.
    #[must_use]
    pub fn may_name_a_person(&self, covenant: &Covenant) -> Option<Naming<'_>> {
        if holds_bsn(self.justification.as_str()) {
            return Some(Naming::Justification);
        }
        if self.delayed_disclosure.as_ref().is_some_and(|delay| holds_bsn(delay.reason.as_str())) {
            return Some(Naming::Delay);
        }
        if self.trace.as_ref().is_some_and(|trace| !is_traceparent(trace.as_str())) {
            return Some(Naming::Trace);
        }
        let own = [self.project.as_str(), self.goal.as_str(), self.theme.as_str()];
        let names = self.targets.iter().flat_map(Target::names);
        if own.into_iter().chain(names).any(spells_bsn) {
            return Some(Naming::Name);
        }
        self.targets.iter().enumerate().find_map(|(index, target)| {
            let field = target.named_by_literal(covenant)?;
            Some(Naming::Literal { target: index, field })
        })
    }
}

impl Target {
    /// Every name that the requester chose.
    fn names(&self) -> impl Iterator<Item = &str> {
        let keys = self.subjects.as_ref().map(|shape| (&shape.key, shape.verified_by.as_ref()));
        let keys = keys.into_iter().flat_map(|(key, verify)| [Some(key), verify]).flatten();
        let tested = self.predicate.as_ref().map(Predicate::fields).unwrap_or_default();
        let fields = self.fields.iter().chain(keys).chain(tested).chain(&self.vouch);
        let fields = fields.map(FieldName::as_str);
        fields.chain([self.dataset.as_str()])
    }

    fn named_by_literal(&self, covenant: &Covenant) -> Option<&FieldName> {
        let dataset = covenant.dataset(&self.dataset);
        let literals = self.predicate.as_ref().map(Predicate::literals).unwrap_or_default();
        let names = literals.into_iter().find(|(name, literal)| {
            let field = dataset.and_then(|dataset| dataset.field(name));
            holds_bsn(&literal.to_string()) || field.is_none_or(|field| !field.filterable)
        });
        names.map(|(name, _)| name)
    }
}

/// Whether a text is a `traceparent` (W3C Trace Context §3.2): version, trace id, parent id and flags in
/// lower-case hexadecimal, and nothing that could say more.
#[must_use]
pub fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [2, 32, 16, 2] && parts.into_iter().all(hex)
}

/// A position in the register: the number of documents and the RFC 9162 root over them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterPosition {
    /// Number of documents.
    pub size: u64,
    /// Merkle tree hash of those documents.
    pub root: Digest,
}

/// What kind of answer is asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueryKind {
    /// Permitted fields of given subjects.
    Lookup,
    /// Rows within the project's area that satisfy the predicate and, where there are sealed subjects,
    /// have one of their keys.
    Select,
    /// The number of such rows.
    Count,
}

impl QueryKind {
    /// The kind as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Select => "select",
            Self::Count => "count",
        }
    }
}

/// One partner's dataset and what is asked of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The partner whose node is asked.
    pub partner: Oin,
    /// The dataset.
    pub dataset: DatasetId,
    /// The fields asked for; empty for a count.
    pub fields: Vec<FieldName>,
    /// Condition on fields that the covenant calls filterable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Predicate>,
    /// What is public of the sealed subjects; absent where the query has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<SubjectShape>,
    /// One of the fields asked for: the node is to vouch for its values, so that a dataset without an
    /// area of its own answers for them (clause S10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouch: Option<FieldName>,
}

/// What is public of the sealed subjects of one target.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectShape {
    /// The key field that the subjects are values of.
    pub key: FieldName,
    /// The field with which each subject is verified (clause L14), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<FieldName>,
    /// How many subjects there are.
    pub count: u32,
    /// SHA-256 over the sealed bytes.
    pub sealed: Digest,
}

/// Who asks: an organisation, and the key of the person in it who holds the mandate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// The organisation.
    pub partner: Oin,
    /// The key that signs the query; a mandate must name it (clause S6).
    pub key: VerifyingKey,
    /// The key to which results are sealed, made fresh for this query.
    pub sealing_key: SealingKey,
}
