//! The documents of the register: what each must say. Who may sign which, and when, is
//! [`crate::register`]'s.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    area::AreaCode,
    covenant::Category,
    digest::Digest,
    ids::{DatasetId, FieldName, GoalId, Oin, ProjectId, ThemeId},
    keys::{SealingKey, VerifyingKey},
    parse::BoundedText,
    query::QueryKind,
    time::{Date, Timestamp},
};

/// A line of text in a document.
pub type Line = BoundedText<200>;
/// A paragraph of text in a document.
pub type Paragraph = BoundedText<4000>;

/// Constants for the member `document`, which says what a document is.
pub mod tag {
    use serde::{Deserialize, Serialize};

    macro_rules! tags {
        ($($name:ident = $text:literal),*) => {$(
            #[doc = concat!("The constant `", $text, "`.")]
            #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
            pub enum $name {
                /// The only value.
                #[serde(rename = $text)]
                $name,
            }
        )*};
    }

    tags!(
        Covenant = "covenant",
        Enrolment = "enrolment",
        Proposal = "proposal",
        Decision = "decision",
        Mandate = "mandate",
        Suspension = "suspension",
        Resumption = "resumption",
        Query = "query"
    );
}

/// What kind of document something is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// A version of the covenant.
    Covenant,
    /// Keys and address of an organisation.
    Enrolment,
    /// A project proposal with its data annex.
    Proposal,
    /// A decision of the LSI on a proposal.
    Decision,
    /// A mandate of the responsible partner.
    Mandate,
    /// A suspension of a project, or of what one partner provides in it.
    Suspension,
    /// The end of a suspension.
    Resumption,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Covenant,
        Self::Enrolment,
        Self::Proposal,
        Self::Decision,
        Self::Mandate,
        Self::Suspension,
        Self::Resumption,
    ];

    /// The member `document` of such a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Covenant => "covenant",
            Self::Enrolment => "enrolment",
            Self::Proposal => "proposal",
            Self::Decision => "decision",
            Self::Mandate => "mandate",
            Self::Suspension => "suspension",
            Self::Resumption => "resumption",
        }
    }

    /// The JWS header `typ` of such a document (RFC 7515 §4.1.9).
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Covenant => "convenant-covenant+json",
            Self::Enrolment => "convenant-enrolment+json",
            Self::Proposal => "convenant-proposal+json",
            Self::Decision => "convenant-decision+json",
            Self::Mandate => "convenant-mandate+json",
            Self::Suspension => "convenant-suspension+json",
            Self::Resumption => "convenant-resumption+json",
        }
    }
}

/// Enrolment of an organisation: how to reach it, and its keys. Signed by the LSI's quorum, which
/// vouches for it, and by its own signing key, which proves possession.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Always `enrolment`.
    pub document: tag::Enrolment,
    /// The organisation.
    pub partner: Oin,
    /// Its name.
    pub name: Line,
    /// Its kind: a kind of partner of the covenant, or `coordinator` or `auditor`.
    pub kind: BoundedText<64>,
    /// First day on which the enrolment holds.
    pub valid_from: Date,
    /// Last day on which it holds.
    pub valid_until: Date,
    /// Signs documents in the organisation's name.
    pub signing_key: VerifyingKey,
    /// Signs outcomes and ledger checkpoints.
    pub ledger_key: VerifyingKey,
    /// SHA-256 over the SubjectPublicKeyInfo of each TLS key that the organisation uses.
    pub tls_pins: Vec<Digest>,
    /// Its node; absent for an organisation that only asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeEnrolment>,
}

/// The node of an organisation.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEnrolment {
    /// `host:port` at which the coordinator reaches it.
    pub address: Line,
    /// The key to which subjects are sealed.
    pub sealing_key: SealingKey,
    /// The datasets that it serves.
    pub datasets: BTreeSet<DatasetId>,
}

/// A project proposal (*projectvoorstel*) with its data annex (*gegevensbijlage*). Signed by every
/// proposing partner and by every partner that the annex lets provide data.
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
    /// What each partner provides.
    pub annex: Vec<Annex>,
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

/// A mandate (clause S6): the responsible partner names who may query. Signed by that partner.
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
    /// Leader or team member.
    pub role: Role,
    /// The key with which the person signs queries.
    pub key: VerifyingKey,
}

/// Role of a mandate's holder.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The operational project leader.
    Leader,
    /// A member of the leader's team.
    Analyst,
}

/// A suspension (*opschorting*): from an instant on nothing is exchanged, until a [`Resumption`]. Of the
/// whole project it is signed by the LSI's quorum; of what one participant provides, by that participant
/// alone, who needs nobody's leave for it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// Always `suspension`.
    pub document: tag::Suspension,
    /// The project.
    pub project: ProjectId,
    /// The participant that stops providing; absent where the LSI suspends the whole project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<Oin>,
    /// From when on.
    pub from: Timestamp,
    /// Why.
    pub reason: Paragraph,
}

/// The end of a suspension (*hervatting*), signed by whoever suspended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Resumption {
    /// Always `resumption`.
    pub document: tag::Resumption,
    /// The project.
    pub project: ProjectId,
    /// SHA-256 over the canonical bytes of the suspension that ends.
    pub suspension: Digest,
    /// From when on the suspension no longer holds.
    pub from: Timestamp,
    /// Why.
    pub reason: Paragraph,
}
