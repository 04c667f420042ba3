//! The documents as JSON, each the smallest that is admitted, so that a test says in one line what is different.

use serde_json::{Value, json};

use crate::world::{LEADER, about, digest, key, key_of};

pub(crate) const COORDINATOR: &str = "00000099000000001000";
pub(crate) const GEMEENTE: &str = "00000099000000000599";
pub(crate) const UWV: &str = "00000099000000002000";
pub(crate) const SVB: &str = "00000099000000003000";
/// An organisation of a kind that is open, of which the register knows nothing.
pub(crate) const STRANGER: &str = "00000099000000000518";
pub(crate) const PROJECT: &str = "P-1";
pub(crate) const QUERY: &str = "01890a5d-ac96-7b2a-9d1f-3c4e5f6a7b8c";

/// A document with members changed, each named by its JSON pointer (RFC 6901). Null takes a member away.
pub(crate) fn with<const N: usize>(mut document: Value, changes: [(&str, Value); N]) -> Value {
    for (pointer, value) in changes {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Object(members) if value.is_null() => drop(members.remove(member)),
            Value::Object(members) => drop(members.insert(member.to_owned(), value)),
            Value::Array(items) => items[member.parse::<usize>().unwrap()] = value,
            other => panic!("{other}"),
        }
    }
    document
}

pub(crate) fn covenant() -> Value {
    let field = |name: &str, kind: &str, class: &str, category: &str, usage: &str| {
        json!({"name": name, "type": kind, "class": class, "category": category, "use": usage,
               "themes": ["adres"], "filterable": usage == "allowed" && class == "ordinary"})
    };
    let fields = || {
        let mut other = field("reis", "integer", "ordinary", "b", "allowed");
        other["themes"] = json!(["leefbaar"]);
        json!([
            field("bsn", "bsn", "bsn", "h", "key"),
            field("gemeente", "gemeentecode", "ordinary", "h", "scope"),
            field("loon", "integer", "ordinary", "a", "allowed"),
            field("geloof", "text", "special", "h", "allowed"),
            field("delict", "text", "criminal", "j", "allowed"),
            other,
            {"name": "geheim", "type": "text", "class": "ordinary", "use": "refused"},
        ])
    };
    let area = json!([{"field": "gemeente", "kind": "GM"}]);
    let dataset = |id: &str| json!({"id": id, "title": "x", "area": area, "field": fields()});
    json!({
        "document": "covenant",
        "covenant": {"id": "lsi", "version": 1, "title": "voorbeeld", "valid_from": "2026-01-01",
            "query_minutes": 15, "register_minutes": 60, "max_rows": 100, "minimum_cell": 10,
            "count_rounding": 5},
        "goal": [{"id": "fraude", "text": "x"},
                 {"id": "misstand", "text": "x", "needs_designation": true}],
        "theme": [{"id": "adres", "text": "x"}, {"id": "leefbaar", "text": "x"}],
        "partner": [{"kind": "gemeente", "name": "x"}, {"kind": "uwv", "name": "x", "oin": UWV},
                    {"kind": "svb", "name": "x", "oin": SVB}],
        "dataset": [
            dataset("uwv/werk"),
            {"id": "uwv/landelijk", "title": "x", "area": [], "field": fields()},
            {"id": "uwv/politie", "title": "x", "area": area, "field": fields(), "wpg": true},
            {"id": "uwv/om", "title": "x", "area": area, "field": fields(), "wjsg": true},
            dataset("gemeente/brp"),
        ],
        "clause": [{"id": "S11", "title": "x", "stage": ["approval"], "text": "x",
                    "params": {"months": 12, "months_extended": 24}, "organisational": "x"}],
    })
}

pub(crate) fn accession(oin: &str) -> Value {
    json!({"document": "accession", "covenant": "lsi", "partner": oin, "name": "x",
           "kind": "gemeente", "from": "2026-01-01", "reference": "besluit",
           "signing_key": key(key_of(oin))})
}

pub(crate) fn enrolment(oin: &str) -> Value {
    let kind = match oin {
        UWV => "uwv",
        SVB => "svb",
        COORDINATOR => "coordinator",
        _ => "gemeente",
    };
    json!({"document": "enrolment", "partner": oin, "name": "x", "kind": kind,
           "valid_from": "2026-01-01", "valid_until": "2030-12-31",
           "signing_key": key(key_of(oin)), "ledger_key": key(100 + key_of(oin)),
           "tls_pins": [digest(oin.as_bytes())]})
}

/// How to reach the node of an organisation, which serves one dataset.
pub(crate) fn node(dataset: &str) -> Value {
    let sealing_key = convenant_model::keys::SealingKey::new([9; 32]);
    json!({"address": "localhost:1", "sealing_key": sealing_key, "datasets": [dataset]})
}

pub(crate) fn departure(oin: &str, from: &str) -> Value {
    json!({"document": "departure", "partner": oin, "from": from, "reason": "x"})
}

pub(crate) fn revocation(oin: &str, number: u8, from: &str) -> Value {
    json!({"document": "revocation", "partner": oin, "key": key(number), "from": from, "reason": "x"})
}

pub(crate) fn designation() -> Value {
    json!({"document": "designation", "goal": "misstand", "title": "x", "text": "x",
           "valid_from": "2026-01-01", "valid_until": "2027-12-31"})
}

/// A municipality and UWV; UWV provides, the municipality is responsible.
pub(crate) fn proposal() -> Value {
    json!({
        "document": "proposal", "project": PROJECT, "version": 1, "title": "x", "theme": "adres",
        "goals": ["fraude"], "cause": "x",
        "earlier_measure": [{"means": "x", "result": "x", "date": "2025-01-01"}],
        "added_value": "x", "area": ["GM0599"],
        "participant": [{"partner": GEMEENTE, "role": "x"}, {"partner": UWV, "role": "x"}],
        "proposed_by": [GEMEENTE], "responsible": GEMEENTE,
        "start": "2026-01-01", "end": "2026-12-31", "capacity": "x",
        "quota": {"queries": 10, "subjects": 100},
        "annex": [{"provider": UWV, "dataset": "uwv/werk", "kinds": ["lookup"],
            "basis_provider": "een", "basis_receiver": "twee", "retention_days": 30,
            "field": [{"name": "loon", "category": "a", "necessity": "x"}]}],
        "predicate": [{"id": "P1", "version": 1, "dataset": "uwv/werk", "expression": "loon > 1",
            "explanation": "x", "expected_hits": {"least": 1, "most": 9}, "false_positives": "x"}],
    })
}

pub(crate) fn attestation(oin: &str) -> Value {
    let paper = |kind: &str| {
        json!({"kind": kind, "id": "x", "date": "2025-12-01", "hash": digest(b"x"),
               "conclusion": "x"})
    };
    let papers = ["dpia", "fg-advice", "security-plan", "risk-analysis", "communication-plan"];
    let attestation = json!({
        "document": "attestation", "project": PROJECT, "partner": oin,
        "tested": {"necessity": "x", "proportionality": "x", "data_minimisation": "x",
                   "no_milder_means": "x"},
        "attachment": papers.map(paper),
    });
    about(attestation, &proposal())
}

/// An approval, still without the attestations that it rests on.
pub(crate) fn decision() -> Value {
    let decision = json!({"document": "decision", "project": PROJECT, "decided_on": "2026-01-20",
        "outcome": "approved", "reason": "x", "valid_from": "2026-02-01",
        "valid_until": "2026-12-31"});
    about(decision, &proposal())
}

pub(crate) fn mandate() -> Value {
    let mandate = json!({"document": "mandate", "project": PROJECT, "partner": GEMEENTE,
        "valid_from": "2026-02-01", "valid_until": "2026-12-31", "max_subjects": 10,
        "holder": [{"function": "x", "role": "leader", "key": key(LEADER)}]});
    about(mandate, &proposal())
}

/// The leader names a member of the team.
pub(crate) fn team() -> Value {
    let above = crate::world::Signed::new(
        convenant_model::documents::DocumentKind::Mandate,
        &mandate(),
        &[],
    );
    with(
        mandate(),
        [
            ("/under", json!(above.hash())),
            ("/holder", json!([{"function": "x", "role": "analyst", "key": key(22)}])),
        ],
    )
}

pub(crate) fn extension(until: &str) -> Value {
    let extension = json!({"document": "extension", "project": PROJECT,
        "decided_on": "2026-12-01", "valid_until": until, "reason": "x"});
    about(extension, &proposal())
}

fn event(document: &str, from: &str) -> Value {
    json!({"document": document, "project": PROJECT, "from": from, "reason": "x"})
}

/// A suspension of the whole project, or by one partner.
pub(crate) fn suspension(partner: Option<&str>, from: &str) -> Value {
    with(event("suspension", from), [("/partner", json!(partner))])
}

/// The end of a suspension of the whole project.
pub(crate) fn resumption(suspension: &Value, from: &str) -> Value {
    let kind = convenant_model::documents::DocumentKind::Suspension;
    let hash = crate::world::Signed::new(kind, suspension, &[]).hash();
    with(event("resumption", from), [("/suspension", json!(hash))])
}

/// A withdrawal of the project, or of one participant from it.
pub(crate) fn withdrawal(partner: Option<&str>, from: &str) -> Value {
    with(event("withdrawal", from), [("/partner", json!(partner))])
}

pub(crate) fn closure(from: &str) -> Value {
    event("closure", from)
}

pub(crate) fn feedback() -> Value {
    json!({"document": "feedback", "project": PROJECT, "partner": GEMEENTE, "complete": true,
        "item": [{"query": QUERY, "provider": UWV, "hits": 3, "usable": 2, "followed_up": 1,
                  "assessor": "x", "result": "x", "reason": "x"}]})
}

pub(crate) fn destruction(at: &str) -> Value {
    json!({"document": "destruction", "project": PROJECT, "partner": GEMEENTE, "complete": true,
        "item": [{"query": QUERY, "provider": UWV, "manifest": digest(b"x")}],
        "manner": "x", "destroyed_at": at, "place": "x", "operator": "x"})
}

pub(crate) fn report() -> Value {
    json!({"document": "final-report", "project": PROJECT, "queries": 1, "subjects": 3, "hits": 3,
        "confirmed": 1, "corrections_in_favour": 0, "summary": "x", "lessons": "x"})
}

pub(crate) fn securing() -> Value {
    json!({"document": "securing", "project": PROJECT, "owner": "x", "measures": "x",
           "date": "2026-07-01"})
}
