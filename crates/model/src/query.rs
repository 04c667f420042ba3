//! The public part of a query: its *shape*. Subjects are never in it; they travel sealed beside it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    covenant::{Class, Covenant, Use},
    digest::Digest,
    documents::tag,
    ids::{DatasetId, FieldName, GoalId, Oin, ProjectId, QueryId, ThemeId},
    keys::{SealingKey, VerifyingKey},
    parse::BoundedText,
    predicate::Predicate,
    subjects::holds_bsn,
    time::Timestamp,
};

/// Most targets of one query.
pub const MAX_TARGETS: usize = 16;

/// The columns of the answer to a count: the number, and whether it is below the covenant's minimum.
pub const COUNT_COLUMNS: [&str; 2] = ["aantal", "onder_minimum"];

/// What the leader signs: everything of a query but its subjects. Travels as the payload of a compact
/// JWS with `typ` `convenant-query+json`.
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
    /// A condition compares this field with a literal, and either the field identifies or the literal
    /// holds a BSN.
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
            Self::Literal { target, field } => {
                write!(f, "the condition of target {target} gives a value for `{field}`")
            }
        }
    }
}

impl Query {
    /// The first place where the shape, readable to everybody on its way, may name a person: a BSN in
    /// the justification or in a literal, or any literal for a field that identifies (clause L14). Such
    /// a query is refused as a whole, and must not stand in a ledger either, which holds no personal
    /// data: it stands there whole, whichever target a party decides on.
    #[must_use]
    pub fn may_name_a_person(&self, covenant: &Covenant) -> Option<Naming<'_>> {
        if holds_bsn(self.justification.as_str()) {
            return Some(Naming::Justification);
        }
        self.targets.iter().enumerate().find_map(|(index, target)| {
            let field = target.names_in_literal(covenant)?;
            Some(Naming::Literal { target: index, field })
        })
    }
}

impl Target {
    fn names_in_literal(&self, covenant: &Covenant) -> Option<&FieldName> {
        let dataset = covenant.dataset(&self.dataset);
        let literals = self.predicate.as_ref().map(Predicate::literals).unwrap_or_default();
        let names = literals.into_iter().find(|(name, literal)| {
            let field = dataset.and_then(|dataset| dataset.field(name));
            holds_bsn(&literal.to_string())
                || field.is_none_or(|f| f.usage == Use::Key || f.class == Class::Bsn)
        });
        names.map(|(name, _)| name)
    }
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
