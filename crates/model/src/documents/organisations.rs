//! Organisations: how they join, what keys they have, how they leave.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Line, Paragraph, tag};
use crate::{
    digest::Digest,
    ids::{CovenantId, DatasetId, Oin},
    keys::{SealingKey, VerifyingKey},
    parse::BoundedText,
    time::{Date, Timestamp},
};

/// An accession (*toetreding*, clause S2): an organisation of a kind that may join does so. Signed with
/// its own signing key, which its first enrolment must have.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Accession {
    /// Always `accession`.
    pub document: tag::Accession,
    /// The covenant that it joins.
    pub covenant: CovenantId,
    /// The organisation.
    pub partner: Oin,
    /// Its name.
    pub name: Line,
    /// Its kind: one of which the covenant lets every member join.
    pub kind: BoundedText<64>,
    /// First day.
    pub from: Date,
    /// Reference of the organisation's own decision to join.
    pub reference: Line,
    /// Signs documents in the organisation's name.
    pub signing_key: VerifyingKey,
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

/// A departure (*uittreding*): an organisation leaves, and with it everything that it was granted or
/// provides ends. Signed by the organisation or by the LSI's quorum. A later enrolment ends it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Departure {
    /// Always `departure`.
    pub document: tag::Departure,
    /// The organisation.
    pub partner: Oin,
    /// From when on.
    pub from: Timestamp,
    /// Why.
    pub reason: Paragraph,
}

/// A revocation of a key (*intrekking van een sleutel*): from an instant on, nothing that it signs or
/// opens counts. What was recorded before keeps its worth. Signed by the organisation whose key it is, or
/// by the LSI's quorum. Certificates are revoked by their authority, with a CRL.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Always `revocation`.
    pub document: tag::Revocation,
    /// The organisation whose key it is.
    pub partner: Oin,
    /// The key: for signing documents, queries, or a ledger.
    pub key: VerifyingKey,
    /// From when on.
    pub from: Timestamp,
    /// Why.
    pub reason: Paragraph,
}
