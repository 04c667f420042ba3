//! How a project ends: what became of its hits, that its data were destroyed, and what it brought.

use serde::{Deserialize, Serialize};

use super::{Line, Paragraph, tag};
use crate::{
    digest::Digest,
    ids::{Oin, ProjectId, QueryId},
    time::{Date, Timestamp},
};

/// A withdrawal (*intrekking*). Of a project before anybody has a mandate, signed by the responsible partner or
/// by the LSI's quorum; or of one participant from a project, signed by that participant or by the LSI's
/// quorum: from then on nothing is asked of it, and if it is the responsible partner, nothing is asked at all.
/// A second one counts where it is earlier.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Always `withdrawal`.
    pub document: tag::Withdrawal,
    /// The project.
    pub project: ProjectId,
    /// The participant that leaves; absent where the project is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<Oin>,
    /// From when on.
    pub from: Timestamp,
    /// Why.
    pub reason: Paragraph,
}

/// A closure (*afsluiting*): the project asks nothing more. Signed by the responsible partner or by the LSI's
/// quorum; a second one counts where it is earlier.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// Always `closure`.
    pub document: tag::Closure,
    /// The project.
    pub project: ProjectId,
    /// From when on.
    pub from: Timestamp,
    /// Why.
    pub reason: Paragraph,
}

/// Feedback on hits (*terugkoppeling*, clauses L6, L7 and L16). Signed by whoever received them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// Always `feedback`.
    pub document: tag::Feedback,
    /// The project.
    pub project: ProjectId,
    /// The receiver.
    pub partner: Oin,
    /// Whether this is the last: all hits of the project were reported on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub complete: bool,
    /// One for each answer that is reported on.
    #[serde(default)]
    pub item: Vec<FeedbackItem>,
}

/// What became of the hits in one answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackItem {
    /// The query.
    pub query: QueryId,
    /// The partner that answered.
    pub provider: Oin,
    /// Hits in the answer.
    pub hits: u64,
    /// Hits that were of use.
    pub usable: u64,
    /// Hits that were followed up, each after an assessment by a person.
    pub followed_up: u64,
    /// The function of whoever assessed them (clause L16); not a name.
    pub assessor: Line,
    /// What came of them.
    pub result: Paragraph,
    /// Why hits were not followed up; needed where `followed_up` is less than `hits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Paragraph>,
}

/// A destruction record (*proces-verbaal van vernietiging*, clause L8). Signed by the receiver whose copies
/// were destroyed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Destruction {
    /// Always `destruction`.
    pub document: tag::Destruction,
    /// The project.
    pub project: ProjectId,
    /// The receiver.
    pub partner: Oin,
    /// Whether nothing of the project is left with this receiver.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub complete: bool,
    /// What was destroyed.
    #[serde(default)]
    pub item: Vec<Destroyed>,
    /// In which manner.
    pub manner: Line,
    /// When, or by when all of it.
    pub destroyed_at: Timestamp,
    /// Where.
    pub place: Line,
    /// By whom: a function, not a name.
    pub operator: Line,
}

/// An answer that was destroyed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Destroyed {
    /// The query.
    pub query: QueryId,
    /// The partner that answered.
    pub provider: Oin,
    /// The hash in the answer's signed outcome, which stands for what was destroyed.
    pub manifest: Digest,
    /// When, where that was before the record says that all of them were: each answer has a last day of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroyed_at: Option<Timestamp>,
}

/// The final report (*eindrapport*). Signed by the responsible partner, after everything was destroyed and
/// every hit reported on. It can be published: it holds numbers and no persons.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FinalReport {
    /// Always `final-report`.
    pub document: tag::FinalReport,
    /// The project.
    pub project: ProjectId,
    /// Queries that were permitted.
    pub queries: u64,
    /// People or objects that were asked about.
    pub subjects: u64,
    /// Hits.
    pub hits: u64,
    /// Hits that turned out right.
    pub confirmed: u64,
    /// Corrections in the citizen's favour.
    pub corrections_in_favour: u64,
    /// A summary for the public (clause S16).
    pub summary: Paragraph,
    /// What was learned.
    pub lessons: Paragraph,
}

/// The securing of what was learned (*borging*): the last step. Signed by the responsible partner.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Securing {
    /// Always `securing`.
    pub document: tag::Securing,
    /// The project.
    pub project: ProjectId,
    /// Who sees to it: a function, not a name.
    pub owner: Line,
    /// What is done with the lessons.
    pub measures: Paragraph,
    /// The day from which on it is in place.
    pub date: Date,
}
