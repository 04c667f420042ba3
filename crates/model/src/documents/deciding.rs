//! What is stated and decided before a project may ask, and afterwards about how long.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Line, Paragraph, tag};
use crate::{
    digest::Digest,
    ids::{GoalId, Oin, ProjectId},
    keys::VerifyingKey,
    time::Date,
};

/// A designation (*aanwijzing*, clause S3): the LSI names an abuse under a goal that needs it. Signed by
/// the LSI's quorum.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Designation {
    /// Always `designation`.
    pub document: tag::Designation,
    /// The goal, one that needs a designation.
    pub goal: GoalId,
    /// The abuse in one line.
    pub title: Line,
    /// What it is, and why it belongs with the covenant's goals.
    pub text: Paragraph,
    /// First day on which projects may ask for this goal.
    pub valid_from: Date,
    /// Last day.
    pub valid_until: Date,
}

/// An attestation (clauses L2, S14 and S16): what a participant tested and made before the LSI decides on
/// exactly this proposal. Signed by that participant.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Always `attestation`.
    pub document: tag::Attestation,
    /// The project.
    pub project: ProjectId,
    /// SHA-256 over the canonical bytes of the proposal.
    pub proposal: Digest,
    /// The participant.
    pub partner: Oin,
    /// What it tested (clause L2).
    pub tested: Tested,
    /// The papers, one of every kind.
    pub attachment: Vec<Attachment>,
}

/// What was tested, each with its conclusion (clause L2).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tested {
    /// That every datum is necessary.
    pub necessity: Line,
    /// That the burden on people is in proportion.
    pub proportionality: Line,
    /// That no datum could be left out.
    pub data_minimisation: Line,
    /// That no milder means would do.
    pub no_milder_means: Line,
}

/// A paper that was made before the decision; it stays with its maker, its hash is on record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// Its reference.
    pub id: Line,
    /// When it was made.
    pub date: Date,
    /// SHA-256 over the file.
    pub hash: Digest,
    /// What it concludes.
    pub conclusion: Line,
}

/// The papers that an attestation has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentKind {
    /// Data protection impact assessment (AVG 35, clause S14).
    Dpia,
    /// Advice of the data protection officer (AVG 39, clause S14).
    FgAdvice,
    /// Security plan.
    SecurityPlan,
    /// Risk analysis.
    RiskAnalysis,
    /// Communication plan (clause S16).
    CommunicationPlan,
}

impl AttachmentKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Dpia,
        Self::FgAdvice,
        Self::SecurityPlan,
        Self::RiskAnalysis,
        Self::CommunicationPlan,
    ];
}

/// A decision of the LSI on a proposal (*LSI-besluit*, clause S4). Signed by the LSI's quorum.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectDecision {
    /// Always `decision`.
    pub document: tag::Decision,
    /// The project.
    pub project: ProjectId,
    /// SHA-256 over the canonical bytes of the proposal that was decided on.
    pub proposal: Digest,
    /// Hashes of the attestations that were decided on: one of every participant, where the outcome is
    /// `approved`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub attestations: BTreeSet<Digest>,
    /// The day of the decision.
    pub decided_on: Date,
    /// What was decided.
    pub outcome: Ruling,
    /// Why, and under which conditions.
    pub reason: Paragraph,
    /// First day on which the project may exchange data.
    pub valid_from: Date,
    /// Last day.
    pub valid_until: Date,
    /// Whether more than twelve months were decided on with reasons (clause S11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extended: bool,
}

/// What the LSI decided.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// The project may run.
    Approved,
    /// The project may not run.
    Rejected,
}

/// A mandate (clause S6): the responsible partner names the project leader and who else works on the
/// project. Signed by that partner; or by the leader, who names team members under the leader's own mandate.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mandate {
    /// Always `mandate`.
    pub document: tag::Mandate,
    /// The project.
    pub project: ProjectId,
    /// SHA-256 over the canonical bytes of the decided proposal.
    pub proposal: Digest,
    /// The partner that gives the mandate.
    pub partner: Oin,
    /// SHA-256 over the canonical bytes of the mandate of the leader who signs this one; absent where the
    /// responsible partner does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<Digest>,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_until: Date,
    /// Most subjects in one query.
    pub max_subjects: u32,
    /// Who may query.
    pub holder: Vec<Holder>,
}

/// A person with a mandate, known by function and key.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// The person's function; not a name.
    pub function: Line,
    /// What the person may do.
    pub role: Role,
    /// The key with which the person signs.
    pub key: VerifyingKey,
}

/// Role of a mandate's holder.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The operational project leader: asks, and names the team.
    Leader,
    /// A member of the leader's team: asks.
    Analyst,
    /// Guides the project from preparation to securing: sees documents, never data (clause S15).
    Adviser,
    /// Reads evidence, never data (clause S14).
    Auditor,
}

impl Role {
    /// The role as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Analyst => "analyst",
            Self::Adviser => "adviser",
            Self::Auditor => "auditor",
        }
    }
}

/// An extension (*verlenging*, clause S11): the LSI moves the last day of a running project, with reasons.
/// Signed by the LSI's quorum.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Always `extension`.
    pub document: tag::Extension,
    /// The project.
    pub project: ProjectId,
    /// SHA-256 over the canonical bytes of the decided proposal.
    pub proposal: Digest,
    /// The day of the decision, not after the last day so far.
    pub decided_on: Date,
    /// The new last day.
    pub valid_until: Date,
    /// Why.
    pub reason: Paragraph,
}
