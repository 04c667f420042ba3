//! Made-up requests in Dutch, for a lawyer.

use std::collections::BTreeSet;

use convenant_clauses::sample::{Fact, Party, Sample};

use super::cases::Case;

/// Facts that are always told, so that they are not told again.
const TOLD: [&str; 8] = [
    "query.goal",
    "query.keyedBy",
    "query.output",
    "query.subjects",
    "query.tested",
    "query.theme",
    "requesterKind",
    "usage.subjects",
];

/// What is asked, by whom, and what is out of the ordinary.
pub(crate) fn question(case: &Case) -> String {
    let sample = &case.sample;
    let text = |path: &str| match sample.facts.get(path) {
        Some(Fact::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let mut parts = vec![format!(
        "{} in `{}` door een partner van de soort `{}`, thema `{}`, doel `{}`",
        kind(sample.kind),
        sample.dataset,
        text("requesterKind"),
        text("query.theme"),
        text("query.goal")
    )];
    let fields = [("query.output", "velden"), ("query.tested", "voorwaarde op")];
    for (path, what) in fields {
        let names = texts(sample, path);
        if !names.is_empty() {
            parts.push(format!("{what} {}", quoted(&names)));
        }
    }
    if let Some(Fact::Number(count @ 1..)) = sample.facts.get("query.subjects") {
        let key = quoted(&texts(sample, "query.keyedBy"));
        parts.push(format!("{count} personen of objecten via {key}"));
    }
    for path in case.odd.iter().filter(|path| !TOLD.contains(&path.as_str())) {
        parts.extend(sample.facts.get(path).map(|fact| phrase(path, fact)));
    }
    parts.join("; ")
}

/// A kind of query as a verb.
pub(crate) fn kind(kind: &str) -> &str {
    match kind {
        "lookup" => "opzoeken",
        "select" => "selecteren",
        "count" => "tellen",
        other => other,
    }
}

/// Ids of rules, clause and code apart: `S10 (VERLOPEN)`.
pub(crate) fn rules<'a>(ids: impl IntoIterator<Item = &'a String>) -> String {
    let one = |id: &String| match id.split_once('/') {
        Some((clause, code)) => format!("{clause} ({code})"),
        None => id.clone(),
    };
    ids.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The names of fields that a request is about.
pub(crate) fn fields(sample: &Sample) -> BTreeSet<String> {
    let paths = ["query.output", "query.tested", "query.keyedBy"];
    paths.iter().flat_map(|path| texts(sample, path)).collect()
}

fn texts(sample: &Sample, path: &str) -> BTreeSet<String> {
    match sample.facts.get(path) {
        Some(Fact::Texts(texts)) => texts.clone(),
        _ => BTreeSet::new(),
    }
}

/// A fact in words; one that this program has no words for, by its name.
fn phrase(path: &str, fact: &Fact) -> String {
    match (path, fact) {
        ("project.monthsRunning", Fact::Number(n)) => {
            format!("het project loopt {n} hele maanden")
        }
        ("project.extended", Fact::Truth(true)) => {
            "de LSI besloot met redenen tot een langere duur".to_owned()
        }
        ("project.approved", Fact::Truth(false)) => {
            "de LSI keurde het project niet goed".to_owned()
        }
        ("project.suspended", Fact::Truth(true)) => "het project is opgeschort".to_owned(),
        ("query.retentionDays", Fact::Number(n)) => match n {
            1 => "1 dag bewaren".to_owned(),
            n => format!("{n} dagen bewaren"),
        },
        ("mandate.maxSubjects", Fact::Number(n)) => {
            format!("een mandaat voor ten hoogste {n} personen of objecten")
        }
        ("usage.queries", Fact::Number(n)) => format!("vraag {n} van het project"),
        _ => format!("`{path}` is {}", value(fact)),
    }
}

fn value(fact: &Fact) -> String {
    let party = |party: &Party| match party {
        Party::Requester => "de vrager",
        Party::Provider => "de bevraagde",
    };
    match fact {
        Fact::Truth(true) | Fact::Served(true) => "waar".to_owned(),
        Fact::Truth(false) | Fact::Served(false) => "niet waar".to_owned(),
        Fact::Number(number) => number.to_string(),
        Fact::Text(text) => format!("`{text}`"),
        Fact::Texts(texts) if texts.is_empty() => "leeg".to_owned(),
        Fact::Texts(texts) => quoted(texts),
        Fact::Party(one) => party(one).to_owned(),
        Fact::Parties(all) if all.is_empty() => "leeg".to_owned(),
        Fact::Parties(all) => all.iter().map(party).collect::<Vec<_>>().join(" en "),
    }
}

fn quoted(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
