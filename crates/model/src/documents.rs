//! The documents of the register: what each must say. Who may sign which, and when, is
//! [`crate::register`]'s.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::parse::BoundedText;

mod deciding;
mod ending;
mod organisations;
mod proposing;
mod summary;
mod suspending;

pub use deciding::{
    Attachment, AttachmentKind, Attestation, Designation, Extension, Holder, Mandate,
    ProjectDecision, Role, Ruling, Tested,
};
pub use ending::{
    Closure, Destroyed, Destruction, Feedback, FeedbackItem, FinalReport, Securing, Withdrawal,
};
pub use organisations::{Accession, Departure, Enrolment, NodeEnrolment, Revocation};
pub use proposing::{
    Annex, AnnexField, EarlierMeasure, ExpectedHits, Participant, Proposal, PublishedPredicate,
    Quota, WrittenDecision,
};
pub use summary::Summary;
pub use suspending::{Resumption, Suspension};

/// A line of text in a document.
pub type Line = BoundedText<200>;
/// A paragraph of text in a document.
pub type Paragraph = BoundedText<4000>;

/// A kind of document of the register, as a type.
pub trait Document: Serialize + DeserializeOwned + Summary {
    /// The kind.
    const KIND: DocumentKind;
}

/// Something to be done with a document of a kind that is known only when the program runs.
pub trait Visit {
    /// What comes of it.
    type Output;
    /// Does it with the type of that kind.
    fn visit<T: Document>(self) -> Self::Output;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($document:ty) = $text:literal),* $(,)?) => {
        /// What kind of document something is.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum DocumentKind {
            $($(#[$doc])* $name),*
        }

        impl DocumentKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The member `document` of such a document.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The JWS header `typ` of such a document (RFC 7515 §4.1.9).
            #[must_use]
            pub const fn media_type(self) -> &'static str {
                match self { $(Self::$name => concat!("convenant-", $text, "+json")),* }
            }

            /// Does something with the type of this kind.
            pub fn visit<V: Visit>(self, visitor: V) -> V::Output {
                match self { $(Self::$name => visitor.visit::<$document>()),* }
            }

            /// The kind with this JWS header `typ`.
            #[must_use]
            pub fn from_media_type(typ: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.media_type() == typ)
            }
        }

        $(impl Document for $document {
            const KIND: DocumentKind = DocumentKind::$name;
        })*

        /// Constants for the member `document`, which says what a document is.
        pub mod tag {
            use serde::{Deserialize, Serialize};

            $(
                #[doc = concat!("The constant `", $text, "`.")]
                #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
                pub enum $name {
                    /// The only value.
                    #[serde(rename = $text)]
                    $name,
                }
            )*

            /// The constant `query`; a query is no document of the register.
            #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
            pub enum Query {
                /// The only value.
                #[serde(rename = "query")]
                Query,
            }
        }
    };
}

kinds! {
    /// A version of the covenant.
    Covenant(crate::covenant::CovenantText) = "covenant",
    /// An organisation joins the covenant.
    Accession(Accession) = "accession",
    /// Keys and address of an organisation.
    Enrolment(Enrolment) = "enrolment",
    /// An organisation leaves the covenant.
    Departure(Departure) = "departure",
    /// A key that must no longer be trusted.
    Revocation(Revocation) = "revocation",
    /// An abuse that the LSI designates as a goal.
    Designation(Designation) = "designation",
    /// A project proposal with its data annex and its predicates.
    Proposal(Proposal) = "proposal",
    /// What a participant states that it tested and made before the LSI decides.
    Attestation(Attestation) = "attestation",
    /// A decision of the LSI on a proposal.
    Decision(ProjectDecision) = "decision",
    /// A mandate of the responsible partner or of the project leader.
    Mandate(Mandate) = "mandate",
    /// A later last day of a project.
    Extension(Extension) = "extension",
    /// A suspension of a project, or of what one partner provides in it.
    Suspension(Suspension) = "suspension",
    /// The end of a suspension.
    Resumption(Resumption) = "resumption",
    /// A project that does not begin, or a participant that leaves it.
    Withdrawal(Withdrawal) = "withdrawal",
    /// A project that asks nothing more.
    Closure(Closure) = "closure",
    /// What became of hits.
    Feedback(Feedback) = "feedback",
    /// Data that were destroyed.
    Destruction(Destruction) = "destruction",
    /// What a project brought.
    FinalReport(FinalReport) = "final-report",
    /// How a project's lessons are secured.
    Securing(Securing) = "securing",
}
