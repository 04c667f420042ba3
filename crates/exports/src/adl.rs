//! Decision records of ADL (`authorization-decision-log`), at its level of detail 4: request and response in
//! full, and references to the policies, to all information, and to engine and configuration.

use convenant_model::{
    Digest, Oin, Problem,
    entry::{Decision, RecordedVerdict, TargetVerdict},
    query::{Query, Target},
    verdict::Violation,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    exchange::{NotReadable, query_of, reference},
    trace::{SpanId, TraceId, trace},
};

/// One decision of one party.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionRecord {
    /// The requester's trace; without one, the query's id, of which 74 bits are random.
    pub trace_id: TraceId,
    /// The decision: the first bytes of its leaf hash, so that it is the same whenever it is exported
    /// (docs/adr/0030).
    pub span_id: SpanId,
    /// The requester's span, where it traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<SpanId>,
    /// Which API of AuthZEN the decision has the shape of.
    pub event_name: EventName,
    /// When, in milliseconds since 1970.
    pub timestamp: u64,
    /// Whether the rules could be evaluated; a refusal is no error.
    pub status: Status,
    /// Source references.
    pub attributes: Value,
    /// Which party decided, in which ledger.
    pub resource: Producer,
    /// Request and response in the shape of AuthZEN.
    pub body: Value,
}

/// The shape of a decision.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum EventName {
    /// One target.
    #[serde(rename = "adl.access_evaluation")]
    Evaluation,
    /// Several targets of one query.
    #[serde(rename = "adl.access_evaluations")]
    Evaluations,
}

/// Whether an evaluation was completed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Status {
    /// It was, whatever the verdict.
    Unset,
    /// The rules could not be evaluated; that refuses.
    Error,
}

/// Who decided, and where that is on record.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Producer {
    /// The party.
    #[serde(rename = "convenant.party")]
    pub party: Oin,
    /// Name of its ledger.
    #[serde(rename = "convenant.ledger")]
    pub ledger: String,
    /// Index of the entry.
    #[serde(rename = "convenant.entry")]
    pub entry: u64,
    /// Leaf hash of the entry.
    #[serde(rename = "convenant.leaf")]
    pub leaf: Digest,
}

/// The record of a decision that stands at `producer`.
///
/// # Errors
/// When the entry's query cannot be read.
pub fn decision_record(
    decision: &Decision,
    producer: Producer,
) -> Result<DecisionRecord, NotReadable> {
    let query = query_of(&decision.signed_query)?;
    let (trace_id, parent_span_id) = trace(&query);
    let several = decision.verdicts.len() > 1;
    let failed = decision.verdicts.iter().any(|one| is_failure(&one.verdict));
    Ok(DecisionRecord {
        trace_id,
        span_id: SpanId::of(&producer.leaf),
        parent_span_id,
        event_name: if several { EventName::Evaluations } else { EventName::Evaluation },
        timestamp: decision.at.millis().unsigned_abs(),
        status: if failed { Status::Error } else { Status::Unset },
        attributes: attributes(decision, &producer),
        body: json!({
            "adl.core.request": request(decision, &query, several),
            "adl.core.response": response(decision, several),
        }),
        resource: producer,
    })
}

const fn is_failure(verdict: &RecordedVerdict) -> bool {
    matches!(verdict, RecordedVerdict::Problem { problem: Problem::RuleError })
}

fn attributes(decision: &Decision, producer: &Producer) -> Value {
    let facts: Map<_, _> = decision
        .verdicts
        .iter()
        .map(|one| (format!("target-{}", one.target), reference(&one.slice).into()))
        .collect();
    json!({
        "adl.core.policies": { "convenant": reference(&decision.covenant) },
        "adl.core.information": {
            "register": { "size": decision.register.size, "root": reference(&decision.register.root) },
            "ledger": { "origin": producer.ledger, "size": producer.entry },
            "facts": facts,
        },
        "adl.core.configuration": { "engine": decision.engine },
        "adl.fsc.transaction_id": decision.query.to_string(),
    })
}

/// AuthZEN: who, what, on which resource, in which circumstances.
fn request(decision: &Decision, query: &Query, several: bool) -> Value {
    let mut resources = decision.verdicts.iter().map(|one| resource(one, query));
    let (name, asked) = if several {
        let each: Vec<_> = resources.map(|resource| json!({ "resource": resource })).collect();
        ("evaluations", each.into())
    } else {
        ("resource", resources.next().unwrap_or_default())
    };
    json!({
        "subject": {
            "type": "organisation",
            "id": query.requester.partner,
            "properties": { "key": query.requester.key },
        },
        "action": { "name": query.kind },
        "context": {
            "time": decision.at,
            "peer": decision.peer,
            "project": query.project,
            "proposal": reference(&query.proposal),
            "goal": query.goal,
            "theme": query.theme,
            "retention_days": query.retention_days,
            "justification": query.justification,
            "used": decision.used,
            "counted": decision.counted,
        },
        name: asked,
    })
}

fn resource(verdict: &TargetVerdict, query: &Query) -> Value {
    let target = usize::try_from(verdict.target).ok().and_then(|at| query.targets.get(at));
    target.map_or(
        Value::Null,
        |Target { partner, dataset, fields, predicate, subjects, .. }| {
            json!({
                "type": "dataset",
                "id": format!("{partner}/{dataset}"),
                "properties": {
                    "target": verdict.target,
                    "fields": fields,
                    "predicate": predicate,
                    "subjects": subjects,
                },
            })
        },
    )
}

fn response(decision: &Decision, several: bool) -> Value {
    let mut each = decision.verdicts.iter().map(|one| answer(&one.verdict));
    if several {
        json!({ "evaluations": each.collect::<Vec<_>>() })
    } else {
        each.next().unwrap_or_default()
    }
}

fn answer(verdict: &RecordedVerdict) -> Value {
    match verdict {
        RecordedVerdict::Permit { obligations } => {
            json!({ "decision": true, "context": { "obligations": obligations } })
        }
        RecordedVerdict::Refuse { refusal } => {
            let reasons: Vec<_> = refusal.violations().iter().map(reason).collect();
            json!({ "decision": false, "context": { "reason": reasons } })
        }
        RecordedVerdict::Problem { problem } => {
            json!({ "decision": false, "context": { "reason": [{ "code": problem.code() }] } })
        }
    }
}

fn reason(violation: &Violation) -> Value {
    let Violation { clause, code, text, detail } = violation;
    json!({ "clause": clause, "code": code, "text": text, "detail": detail })
}
