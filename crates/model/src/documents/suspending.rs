//! The emergency brake, and its release.

use serde::{Deserialize, Serialize};

use super::{Paragraph, tag};
use crate::{
    digest::Digest,
    ids::{Oin, ProjectId},
    time::Timestamp,
};

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
