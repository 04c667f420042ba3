//! The proposal of a project, with its annexes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Line, Paragraph, tag};
use crate::{
    area::AreaCode,
    covenant::Category,
    digest::Digest,
    ids::{DatasetId, FieldName, GoalId, Oin, ProjectId, ThemeId},
    parse::BoundedText,
    predicate::Predicate,
    query::QueryKind,
    time::Date,
};

/// A project proposal (*projectvoorstel*) with its data annex (*gegevensbijlage*) and its predicates.
/// Signed by every proposing partner, by the responsible partner, and by every partner that the annex lets
/// provide data.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Always `proposal`.
    pub document: tag::Proposal,
    /// Id of the project.
    pub project: ProjectId,
    /// Version of the proposal, from 1; a version is never changed.
    pub version: u32,
    /// Title.
    pub title: Line,
    /// The theme (clause S7).
    pub theme: ThemeId,
    /// The goals (clause S3).
    pub goals: BTreeSet<GoalId>,
    /// What gave rise to it.
    pub cause: Paragraph,
    /// What was tried before (clause S8); at least one.
    pub earlier_measure: Vec<EarlierMeasure>,
    /// Why acting together adds something (clause S9).
    pub added_value: Paragraph,
    /// The area (clause S10); at least one code.
    pub area: BTreeSet<AreaCode>,
    /// The participants (clause S9: at least two).
    pub participant: Vec<Participant>,
    /// The partners that propose.
    pub proposed_by: BTreeSet<Oin>,
    /// The partner that is responsible (clause S5).
    pub responsible: Oin,
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
    /// Bounds of effort (clause S10).
    pub quota: Quota,
    /// How many people of which organisations work on it, in one line (clause S10).
    pub capacity: Line,
    /// Reference of the decision of a municipality that takes part; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub municipal_reference: Option<Line>,
    /// What each partner provides.
    pub annex: Vec<Annex>,
    /// The conditions on which the project selects and counts, published with it (clauses S12 and J1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predicate: Vec<PublishedPredicate>,
}

/// A measure that was tried before, and what came of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierMeasure {
    /// The means.
    pub means: Line,
    /// Its result.
    pub result: Paragraph,
    /// When.
    pub date: Date,
}

/// A partner that takes part in a project.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The partner.
    pub partner: Oin,
    /// Its part in the project.
    pub role: Line,
}

/// Bounds of a project's effort at each party.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Most permitted queries.
    pub queries: u64,
    /// Most subjects in permitted queries together.
    pub subjects: u64,
    /// Most numbers that are given (clause L4); without it, none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cells: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_none(number: &u64) -> bool {
    *number == 0
}

/// What one partner provides from one dataset, field by field.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Annex {
    /// The partner that provides.
    pub provider: Oin,
    /// The dataset.
    pub dataset: DatasetId,
    /// The kinds of query.
    pub kinds: BTreeSet<QueryKind>,
    /// The provider's legal basis (clause A3).
    pub basis_provider: Line,
    /// The receiver's legal basis (clause A3).
    pub basis_receiver: Line,
    /// Most days for which the receiver keeps a result.
    pub retention_days: u16,
    /// Reference of the request with which the police or the prosecutor, as receiver, asked for the data for
    /// a task of their own (clause L9); only for such a receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_task: Option<Line>,
    /// The written decision that police data may be used for this cooperation (clause L11, Wpg 20); only
    /// for a dataset under the Wpg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wpg_decision: Option<WrittenDecision>,
    /// The fields.
    pub field: Vec<AnnexField>,
}

/// A field that a project is granted.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnnexField {
    /// Name of the field.
    pub name: FieldName,
    /// Its category (clause L3).
    pub category: Category,
    /// Why it is necessary (clause L1).
    pub necessity: Line,
}

/// A decision that was written elsewhere, by what identifies it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenDecision {
    /// Its reference.
    pub reference: Line,
    /// When it was taken.
    pub date: Date,
    /// SHA-256 over the file.
    pub hash: Digest,
}

/// A condition that a project may select or count by, and look up under: published, versioned and
/// deterministic (clause J1). A query uses it word for word.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedPredicate {
    /// Id within the project, for instance `P1`.
    pub id: BoundedText<64>,
    /// Version, from 1.
    pub version: u32,
    /// The dataset that it is about.
    pub dataset: DatasetId,
    /// The condition.
    pub expression: Predicate,
    /// What it looks for, in plain Dutch.
    pub explanation: Paragraph,
    /// How many hits are expected.
    pub expected_hits: ExpectedHits,
    /// The mistakes that it is known to make.
    pub false_positives: Paragraph,
}

/// A range of numbers of hits.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedHits {
    /// At least.
    pub least: u64,
    /// At most.
    pub most: u64,
}
