//! A decision record, member by member, held against what ADL (`authorization-decision-log`) prescribes and against the
//! entry that it is made of.

use std::collections::BTreeSet;

use convenant_ledger::merkle::leaf_hash;
use convenant_model::{Timestamp, query::QUERY_TYPE};
use convenant_signing::{canonical, peek_compact};
use serde_json::{Map, Value, json};

/// A record of ADL and the entry of a ledger from which it was made, as `ledger entries` prints that.
struct Held<'a> {
    record: &'a Value,
    index: &'a Value,
    entry: &'a Value,
    query: Value,
}

/// Holds every member of a record against its entry, in the ledger with this name.
pub(crate) fn is_decision(record: &Value, decision: &Value, ledger: &str) {
    let (index, entry) = (&decision["index"], &decision["entry"]);
    let query = peek_compact(entry["signed_query"].as_str().unwrap(), QUERY_TYPE).unwrap();
    let query = serde_json::from_slice(query.payload()).unwrap();
    let held = Held { record, index, entry, query };
    held.is_a_span();
    held.is_of(ledger);
    held.asks_as_authzen_does();
    held.answers_as_authzen_does();
    held.names_its_sources(ledger);
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn is_hex(value: &Value, length: usize) -> bool {
    let text = value.as_str().unwrap();
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A digest as a source reference.
fn reference(digest: &Value) -> Value {
    format!("sha256:{}", digest.as_str().unwrap()).into()
}

impl Held<'_> {
    fn verdicts(&self) -> &[Value] {
        self.entry["verdicts"].as_array().unwrap()
    }

    fn several(&self) -> bool {
        self.verdicts().len() > 1
    }

    /// Leaf hash of the entry.
    fn leaf(&self) -> String {
        leaf_hash(&canonical(self.entry).unwrap()).to_string()
    }

    /// Ids, time and status. The trace goes on where the requester signed one, and is the query's own otherwise; what the
    /// span's id is, is told in docs/adr/0030.
    fn is_a_span(&self) {
        let (record, query) = (self.record, &self.query);
        let mut expected =
            vec!["trace_id", "span_id", "event_name", "timestamp", "status", "attributes"];
        expected.extend(["resource", "body"]);
        let trace = match query["trace"].as_str() {
            Some(traceparent) => {
                let parts: Vec<_> = traceparent.split('-').collect();
                expected.push("parent_span_id");
                assert!(is_hex(&record["parent_span_id"], 16));
                assert_eq!(record["parent_span_id"], parts[2]);
                parts[1].to_owned()
            }
            None => query["id"].as_str().unwrap().replace('-', ""),
        };
        assert_eq!(members(record), expected.into_iter().collect(), "{record}");
        assert!(is_hex(&record["trace_id"], 32) && is_hex(&record["span_id"], 16), "{record}");
        assert_eq!(record["trace_id"], trace);
        assert_eq!(record["span_id"], self.leaf()[..16]);
        let name = if self.several() { "adl.access_evaluations" } else { "adl.access_evaluation" };
        assert_eq!(record["event_name"], name);
        let at: Timestamp = serde_json::from_value(self.entry["at"].clone()).unwrap();
        assert_eq!(record["timestamp"].as_u64().unwrap(), u64::try_from(at.millis()).unwrap());
        assert_eq!(record["status"], "Unset", "a refusal is no error");
    }

    /// Who made it, so that records of several organisations can stand side by side.
    fn is_of(&self, ledger: &str) {
        let expected = json!({
            "convenant.party": self.entry["party"],
            "convenant.ledger": ledger,
            "convenant.entry": self.index,
            "convenant.leaf": self.leaf(),
        });
        assert_eq!(self.record["resource"], expected);
    }

    fn asks_as_authzen_does(&self) {
        let (entry, query) = (self.entry, &self.query);
        let mut resources: Vec<_> = self.verdicts().iter().map(|one| self.resource(one)).collect();
        let (name, asked) = match self.several() {
            true => {
                let each = resources.into_iter().map(|one| json!({ "resource": one }));
                ("evaluations", each.collect::<Vec<_>>().into())
            }
            false => ("resource", resources.remove(0)),
        };
        let expected = json!({
            "subject": {
                "type": "organisation",
                "id": query["requester"]["partner"],
                "properties": { "key": query["requester"]["key"] },
            },
            "action": { "name": query["kind"] },
            name: asked,
            "context": {
                "time": entry["at"],
                "peer": entry["peer"],
                "project": query["project"],
                "proposal": reference(&query["proposal"]),
                "goal": query["goal"],
                "theme": query["theme"],
                "retention_days": query["retention_days"],
                "justification": query["justification"],
                "used": entry["used"],
                "counted": entry.get("counted").cloned().unwrap_or_else(|| json!([])),
            },
        });
        assert_eq!(self.record["body"]["adl.core.request"], expected);
    }

    fn resource(&self, verdict: &Value) -> Value {
        let at = usize::try_from(verdict["target"].as_u64().unwrap()).unwrap();
        let target = &self.query["targets"][at];
        let [partner, dataset] = ["partner", "dataset"].map(|name| target[name].as_str().unwrap());
        json!({
            "type": "dataset",
            "id": format!("{partner}/{dataset}"),
            "properties": {
                "target": at,
                "fields": target["fields"],
                "predicate": target["predicate"],
                "subjects": target["subjects"],
            },
        })
    }

    fn answers_as_authzen_does(&self) {
        let mut answers: Vec<_> = self.verdicts().iter().map(answer).collect();
        let expected = match self.several() {
            true => json!({ "evaluations": answers }),
            false => answers.remove(0),
        };
        assert_eq!(self.record["body"]["adl.core.response"], expected);
    }

    /// Request and response stand in full, the rest by reference: each of the five aspects once.
    fn names_its_sources(&self, ledger: &str) {
        let facts = self
            .verdicts()
            .iter()
            .map(|verdict| (format!("target-{}", verdict["target"]), reference(&verdict["slice"])));
        let (entry, register) = (self.entry, &self.entry["register"]);
        let expected = json!({
            "adl.core.policies": { "convenant": reference(&entry["covenant"]) },
            "adl.core.information": {
                "register": { "size": register["size"], "root": reference(&register["root"]) },
                // What was on record before: the used quota is counted from there.
                "ledger": { "origin": ledger, "size": self.index },
                "facts": facts.collect::<Map<_, _>>(),
            },
            "adl.core.configuration": { "engine": entry["engine"] },
            "adl.fsc.transaction_id": entry["query"],
        });
        assert_eq!(self.record["attributes"], expected);
        let body = BTreeSet::from(["adl.core.request", "adl.core.response"]);
        assert_eq!(members(&self.record["body"]), body);
    }
}

fn answer(verdict: &Value) -> Value {
    let verdict = &verdict["verdict"];
    match verdict["verdict"].as_str().unwrap() {
        "permit" => {
            json!({ "decision": true, "context": { "obligations": verdict["obligations"] } })
        }
        "refuse" => json!({ "decision": false, "context": { "reason": verdict["refusal"] } }),
        "problem" => {
            let reason = json!([{ "code": verdict["problem"] }]);
            json!({ "decision": false, "context": { "reason": reason } })
        }
        other => panic!("{other}"),
    }
}
