//! Everything that is wrong with the form of a document at once. The strict parser stops at the first fault; so that
//! fault is mended with a value that means nothing, and the parser is asked again.

use convenant_model::{
    documents::{Document, DocumentKind},
    parse::from_json,
};
use serde_json::{Map, Value, json};

use crate::lang::Lang;

/// Most faults that are looked for. A document with more is some other file.
const MOST: usize = 200;

/// A fault in the form of a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct FormFault {
    /// Path of the member.
    pub(super) member: String,
    what: What,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum What {
    Missing,
    Unknown,
    Empty,
    Other(String),
}

impl FormFault {
    /// The fault in words.
    pub(super) fn said(&self, lang: Lang) -> String {
        let member = &self.member;
        let what = match &self.what {
            What::Missing => lang.of("ontbreekt", "is missing").to_owned(),
            What::Unknown => {
                lang.of("hoort niet in dit document", "does not belong in this document").to_owned()
            }
            What::Empty => lang.of("is nog niet ingevuld", "is not filled in yet").to_owned(),
            What::Other(fault) => {
                format!("{}: {fault}", lang.of("heeft niet de juiste vorm", "is malformed"))
            }
        };
        format!("`{member}` {what} ({} S13)", lang.of("clausule", "clause"))
    }
}

/// Reads a document, and collects what is wrong with its form. The document is there if enough of it could be
/// mended to go on; members at fault then hold values that mean nothing.
pub(super) fn read<T: Document>(table: &toml::Table) -> (Option<T>, Vec<FormFault>) {
    let mut value = serde_json::to_value(table).unwrap_or_default();
    let mut faults: Vec<FormFault> = Vec::new();
    while faults.len() < MOST {
        let bytes = serde_json::to_vec(&value).unwrap_or_default();
        let error = match from_json::<T>(T::KIND.as_str(), &bytes) {
            Ok(document) => return (Some(document), faults),
            Err(error) => error,
        };
        let (member, what) = explain(&error.place.member, &error.message, &value);
        let mended = mend(&mut value, &member, &what, T::KIND);
        let fault = FormFault { member, what };
        let again = faults.contains(&fault);
        if !again {
            faults.push(fault);
        }
        if !mended || again {
            return (None, faults);
        }
    }
    (None, faults)
}

/// The member that is at fault, and how. serde names a missing or unknown member in its message only.
fn explain(path: &str, message: &str, value: &Value) -> (String, What) {
    let inner = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    if let Some(name) = quoted(message, "missing field `") {
        return (inner(name), What::Missing);
    }
    if let Some(name) = quoted(message, "unknown field `") {
        let own = path.rsplit('.').next() == Some(name);
        return (if own { path.to_owned() } else { inner(name) }, What::Unknown);
    }
    let empty = match at(value, path) {
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        _ => false,
    };
    let what = if empty { What::Empty } else { What::Other(message.to_owned()) };
    (path.to_owned(), what)
}

fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    message.strip_prefix(before)?.split('`').next()
}

/// Puts something in the place of a member that the parser takes; whether it could.
fn mend(value: &mut Value, member: &str, what: &What, kind: DocumentKind) -> bool {
    let (parent, name) = member.rsplit_once('.').unwrap_or(("", member));
    if name.ends_with(']') {
        let Some(place) = at_mut(value, member) else { return false };
        *place = filler(name.split('[').next().unwrap_or_default(), kind);
        return true;
    }
    let Some(Value::Object(object)) = at_mut(value, parent) else { return false };
    match what {
        What::Unknown => object.remove(name).is_some(),
        _ => {
            let one = filler(name, kind);
            let many = ["goals", "area", "proposed_by", "kinds"].contains(&name);
            object.insert(name.to_owned(), if many { json!([one]) } else { one });
            true
        }
    }
}

/// A value of the form that a member has, whatever it means.
fn filler(name: &str, kind: DocumentKind) -> Value {
    match name {
        "document" => json!(kind.as_str()),
        "partner" | "responsible" | "provider" | "proposed_by" => json!("00000000000000000000"),
        "project" => json!("ONBEKEND"),
        "theme" | "goals" | "goal" => json!("onbekend"),
        "dataset" => json!("onbekend/onbekend"),
        "name" => json!("onbekend"),
        "start" | "end" | "date" | "valid_from" | "valid_until" | "decided_on" => {
            json!("2000-01-01")
        }
        "category" => json!("a"),
        "version" | "queries" | "subjects" | "least" | "most" | "retention_days" => json!(1),
        "area" => json!("GM0000"),
        "kinds" => json!("lookup"),
        "expression" => json!("onbekend is null"),
        "proposal" | "hash" => json!("0".repeat(64)),
        "quota" | "expected_hits" | "tested" => Value::Object(Map::new()),
        "participant" | "annex" | "earlier_measure" | "predicate" | "field" | "attachment" => {
            json!([])
        }
        _ => json!("onbekend"),
    }
}

/// The value at a path like `annex[0].field[2].name`.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    steps(path).try_fold(value, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Index(index) => value.get(index),
    })
}

fn at_mut<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    steps(path).try_fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(index),
    })
}

enum Step<'p> {
    Member(&'p str),
    Index(usize),
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    let parts = path.split(['.', '[']).filter(|part| !part.is_empty());
    parts.map(|part| match part.strip_suffix(']').map(str::parse) {
        Some(Ok(index)) => Step::Index(index),
        _ => Step::Member(part),
    })
}

/// Whether a fault at `member` says no more than that a member above or below it has no proper form.
pub(super) fn follows(member: &str, faults: &[FormFault]) -> bool {
    let within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    faults.iter().any(|fault| within(member, &fault.member) || within(&fault.member, member))
}

#[cfg(test)]
mod tests {
    use convenant_model::documents::Proposal;

    use super::*;

    #[test]
    fn every_fault_of_form_is_found_at_once() {
        let text = "document = \"proposal\"\nproject = \"P 1\"\nversion = \"een\"\ntitle = \"\"\n\
                    colour = \"blauw\"\n[[annex]]\nprovider = \"0\"\n[quota]\nqueries = 1\n";
        let (document, faults) = read::<Proposal>(&text.parse().unwrap());
        assert!(document.is_some(), "{faults:?}");
        let members: Vec<_> = faults.iter().map(|fault| fault.member.as_str()).collect();
        let expected = [
            "project",
            "version",
            "title",
            "colour",
            "annex[0].provider",
            "annex[0].dataset",
            "annex[0].field",
            "quota.subjects",
            "cause",
            "responsible",
            "start",
            "participant",
        ];
        for member in expected {
            assert!(members.contains(&member), "{member}: {members:?}");
        }
        assert!(!members.contains(&"document"), "{members:?}");
        assert!(follows("annex[0].dataset", &faults) && !follows("quota.queries", &faults));
    }
}
