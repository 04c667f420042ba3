//! Transaction-log records of FSC (`fsc-logging`, `logRecord`).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use convenant_model::{
    DatasetId, Digest, Oin, ProjectId, QueryId, Timestamp,
    entry::{Decision, Entry, Receipt, RecordedVerdict, Status},
    query::{Query, Target},
};
use convenant_signing::{CanonicalError, canonical};
use serde::Serialize;
use sha3::{Digest as _, Sha3_512};

use crate::exchange::{NotReadable, query_of};

/// One record: a request of one partner to the service of another, in one direction.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct TransactionRecord {
    /// Id of the query, a UUID version 7.
    pub transaction_id: QueryId,
    /// Whether the party that logs received the request or sent it.
    pub direction: Direction,
    /// Hash of what the request rests on (see [`grant_hash`]).
    pub grant_hash: String,
    /// Who asks.
    pub source: Source,
    /// Who is asked.
    pub destination: Destination,
    /// The dataset, as the covenant names it.
    pub service_name: String,
    /// When, in seconds since 1970.
    pub created_at: i64,
}

/// The direction of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Direction {
    /// Received.
    #[serde(rename = "DIRECTION_INCOMING")]
    Incoming,
    /// Sent.
    #[serde(rename = "DIRECTION_OUTGOING")]
    Outgoing,
}

/// The peer that initiates a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Source {
    /// The requester itself.
    #[serde(rename = "SOURCE_TYPE_SOURCE")]
    Source {
        /// OIN of the requester.
        outway_peer_id: Oin,
    },
    /// The coordinator, for the requester.
    #[serde(rename = "SOURCE_TYPE_DELEGATED_SOURCE")]
    Delegated {
        /// OIN of the coordinator.
        outway_peer_id: Oin,
        /// OIN of the requester.
        delegator_peer_id: Oin,
    },
}

/// The peer that offers the service.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Destination {
    /// The partner that was asked.
    #[serde(rename = "DESTINATION_TYPE_DESTINATION")]
    Destination {
        /// OIN of the partner.
        service_peer_id: Oin,
    },
}

/// What a request rests on: the decided project and the target. FSC hashes a contract and a grant; ours is
/// the approved proposal, and what it lets this requester ask there.
#[derive(Serialize)]
struct Grant<'a> {
    project: &'a ProjectId,
    proposal: &'a Digest,
    requester: &'a Oin,
    partner: &'a Oin,
    dataset: &'a DatasetId,
}

/// The records of an entry: one for each target that was passed on and direction. A refused target was
/// never a transaction; it is in the decision log.
///
/// # Errors
/// When the entry's query cannot be read.
pub fn transaction_records(entry: &Entry) -> Result<Vec<TransactionRecord>, NotReadable> {
    match entry {
        Entry::Decision(decision) => of_decision(decision),
        Entry::Receipt(receipt) => of_receipt(receipt),
        Entry::Outcome(_)
        | Entry::Rejected(_)
        | Entry::Started(_)
        | Entry::Conflict(_)
        | Entry::Read(_) => Ok(Vec::new()),
    }
}

fn of_decision(decision: &Decision) -> Result<Vec<TransactionRecord>, NotReadable> {
    let query = query_of(&decision.signed_query)?;
    let requester = &query.requester.partner;
    let mut records = Vec::new();
    for verdict in &decision.verdicts {
        let target = usize::try_from(verdict.target).ok().and_then(|at| query.targets.get(at));
        let permitted = matches!(verdict.verdict, RecordedVerdict::Permit { .. });
        let Some(target) = target.filter(|_| permitted) else {
            continue;
        };
        let own = Source::Source { outway_peer_id: requester.clone() };
        let delegated = |coordinator: &Oin| Source::Delegated {
            outway_peer_id: coordinator.clone(),
            delegator_peer_id: requester.clone(),
        };
        let record = |direction, source| record(&query, target, direction, source, decision.at);
        if target.partner == decision.party {
            records.push(record(Direction::Incoming, delegated(&decision.peer))?);
        } else {
            // The coordinator: it takes the request from the requester, and sends it on.
            records.push(record(Direction::Incoming, own)?);
            records.push(record(Direction::Outgoing, delegated(&decision.party))?);
        }
    }
    Ok(records)
}

/// A requester has no entry from before it asked; the query itself says when that was. What was refused has
/// a receipt too, and was no transaction.
fn of_receipt(receipt: &Receipt) -> Result<Vec<TransactionRecord>, NotReadable> {
    if matches!(receipt.status, Status::Refused { .. }) {
        return Ok(Vec::new());
    }
    let query = query_of(&receipt.signed_query)?;
    let target = usize::try_from(receipt.target).ok().and_then(|at| query.targets.get(at));
    let source = Source::Source { outway_peer_id: query.requester.partner.clone() };
    let record = |target| record(&query, target, Direction::Outgoing, source, query.created);
    target.map(record).into_iter().collect()
}

fn record(
    query: &Query,
    target: &Target,
    direction: Direction,
    source: Source,
    at: Timestamp,
) -> Result<TransactionRecord, NotReadable> {
    let grant_hash = grant_hash(query, target).map_err(NotReadable::of)?;
    Ok(TransactionRecord {
        transaction_id: query.id,
        direction,
        grant_hash,
        source,
        destination: Destination::Destination { service_peer_id: target.partner.clone() },
        service_name: target.dataset.to_string(),
        created_at: at.millis().div_euclid(1000),
    })
}

/// `$1$3$` and the SHA3-512 in base64url: `HASH_ALGORITHM_SHA3_512` over the canonical JSON (RFC 8785) of what the
/// request rests on, `HASH_TYPE_SERVICE_CONNECTION_GRANT` (fsc-core, "Grant hash").
fn grant_hash(query: &Query, target: &Target) -> Result<String, CanonicalError> {
    let grant = Grant {
        project: &query.project,
        proposal: &query.proposal,
        requester: &query.requester.partner,
        partner: &target.partner,
        dataset: &target.dataset,
    };
    let hash = Sha3_512::digest(canonical(&grant)?);
    Ok(format!("$1$3${}", URL_SAFE_NO_PAD.encode(hash)))
}
