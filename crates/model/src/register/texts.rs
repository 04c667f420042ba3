//! The texts of a document that hold a BSN (clause L14). Every party reads the register and keeps what it
//! holds, so nothing that a person writes into it may name anybody. Every text of a document is looked at, so
//! that a member that is added later need not be listed anywhere.

use serde_json::Value;

use crate::{
    digest::Digest,
    ids::QueryId,
    keys::Base64Bytes,
    subjects::{holds_bsn, spells_bsn},
};

/// Members in which numbers stand with points or hyphens between them that mean no BSN.
const REFERENCES: [&str; 7] =
    ["address", "cedar", "id", "municipal_reference", "own_task", "project", "reference"];
/// A condition, of which the literals are looked at one by one.
const EXPRESSION: &str = "expression";

/// Paths of the members that hold a BSN, for instance `item[0].result`.
pub(super) fn members_with_bsn(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look(document, "", "", &mut found);
    found
}

/// Whether a text of a document may hold a BSN, from its JSON alone: most hold no such number at all, and need
/// not be looked through. Quotes part one text from the next; an escape could stand for a digit.
pub(super) fn may_hold_bsn(json: &[u8]) -> bool {
    std::str::from_utf8(json).map_or(true, |text| text.contains("\\u") || holds_bsn(text))
}

fn look(value: &Value, path: &str, member: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if names_somebody(text, member) => found.push(path.to_owned()),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                look(item, &format!("{path}[{i}]"), member, found);
            }
        }
        Value::Object(members) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (name, value) in members {
                look(value, &format!("{path}{dot}{name}"), name, found);
            }
        }
        _ => {}
    }
}

fn names_somebody(text: &str, member: &str) -> bool {
    let holds = if REFERENCES.contains(&member) { spells_bsn(text) } else { holds_bsn(text) };
    // Hashes, keys and ids of queries hold digits as they fall.
    holds
        && member != EXPRESSION
        && text.parse::<Digest>().is_err()
        && text.parse::<Base64Bytes<32>>().is_err()
        && text.parse::<QueryId>().is_err()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn what_need_not_be_looked_through_holds_none() {
        for document in [
            json!({"title": "over 999993653"}),
            json!({"a": 12, "title": "9999-93 653", "b": "1"}),
            json!(["1", "999993653", "2"]),
        ] {
            assert!(may_hold_bsn(document.to_string().as_bytes()), "{document}");
        }
        assert!(may_hold_bsn(br#"{"title": "\u0039999936\u00353"}"#));
        assert!(!may_hold_bsn(br#"{"from": "2026-01-01T00:00:00.000Z", "n": 999993654}"#));
    }

    #[test]
    fn every_text_is_looked_at_and_no_hash() {
        let digits = "a".repeat(27) + "999993653" + &"b".repeat(28);
        let document = json!({
            "title": "over 999993653",
            "list": ["x", {"text": "9999 93 653"}],
            "hash": digits,
            "query": "01890a5d-ac96-7b2a-9999-93653c4e5f6a",
            "reference": "9999-93653", "id": "zaak 999993653",
            "expression": "leeftijd = 999993653",
        });
        let found: BTreeSet<_> = members_with_bsn(&document).into_iter().collect();
        assert_eq!(found, ["id", "list[1].text", "title"].map(str::to_owned).into());
    }
}
