//! `convenant covenant`: a small covenant is checked, and compared with versions of it that differ in one
//! thing each.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{code, convenant, done, stderr, stdout, text};

const SMALL: &str = r#"document = "covenant"
goal = [{ id = "doel", text = "Een doel" }]
theme = [{ id = "thema", text = "Een thema" }]
partner = [
  { kind = "gemeente", name = "Iedere gemeente" },
  { kind = "uwv", name = "UWV", oin = "00000099000000002000" },
]

[covenant]
id = "klein"
version = 1
title = "Klein convenant"
valid_from = "2026-01-01"
query_minutes = 15
register_minutes = 60
max_rows = 100
minimum_cell = 10
count_rounding = 5

[[dataset]]
id = "uwv/inkomsten"
title = "Inkomsten"
area = [{ field = "gemeente", kind = "GM" }]
field = [
  { name = "burgerservicenummer", type = "bsn", class = "bsn", category = "h", use = "key", themes = ["thema"] },
  { name = "gemeente", type = "gemeentecode", class = "ordinary", category = "h", use = "scope", filterable = true, themes = ["thema"] },
  { name = "beroep", type = "text", class = "ordinary", category = "a", use = "allowed", filterable = true, themes = ["thema"] },
]

[[clause]]
id = "T1"
title = "Duur"
stage = ["query"]
text = "Een project duurt niet te lang. Daarna is het voorbij."
params = { months = 12 }
[[clause.rule]]
code = "DUUR"
cedar = "forbid (principal, action, resource) unless { context.project.monthsRunning < context.covenant.T1.months };"

[[clause]]
id = "T2"
title = "Velden"
stage = ["query"]
text = "Alleen aangewezen velden worden gebruikt om te kiezen."
[[clause.rule]]
code = "VELD"
cedar = "forbid (principal, action, resource) unless { resource.filterable.containsAll(context.query.tested) };"
[[clause.rule]]
code = "DOEL"
cedar = "forbid (principal, action, resource) unless { context.covenant.goals.contains(context.query.goal) };"

[[clause]]
id = "T3"
title = "Toezicht"
stage = ["afterwards"]
text = "Iemand ziet toe."
organisational = "De toezichthouder."
"#;

/// The covenant in a file, changed as told; each change must meet something.
fn version(dir: &Path, name: &str, changes: &[(&str, &str)]) -> String {
    let changed = changes.iter().fold(SMALL.to_owned(), |content, (from, to)| {
        assert!(content.contains(from), "nothing to change: {from}");
        content.replace(from, to)
    });
    let path = dir.join(name);
    fs::write(&path, changed).unwrap();
    text(&path).to_owned()
}

/// What `diff` says about a version with these changes.
fn diff(changes: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (version(dir.path(), "old", &[]), version(dir.path(), "new", changes));
    stdout(&done(&["covenant", "diff", &old, &new]))
}

#[test]
fn a_check_explains_each_clause_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let output = done(&["covenant", "check", &version(dir.path(), "c", &[])]);
    let said = stdout(&output);
    let line = |id: &str| said.lines().find(|line| line.starts_with(id)).unwrap();
    let explained = "Een project duurt niet te lang. — weigert met DUUR; months = 12";
    assert!(line("T1").ends_with(explained), "{said}");
    assert!(line("T3").ends_with("Iemand ziet toe. — organisatorisch: De toezichthouder."));
    assert!(said.contains("3 regels, elk strikt getypeerd, geprobeerd op "), "{said}");
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
}

#[test]
fn a_check_warns_of_rules_that_do_nothing_or_too_much() {
    let dir = tempfile::tempdir().unwrap();
    let never = (
        "context.project.monthsRunning < context.covenant.T1.months",
        "context.project.monthsRunning < context.covenant.T1.months || context.query.subjects < 2000",
    );
    let always = (
        "forbid (principal, action, resource) unless { resource.f",
        "forbid (principal, action, resource) when { context.query.kind == \\\"count\\\" } unless { false && resource.f",
    );
    let warned = |change| {
        let file = version(dir.path(), "c", &[change]);
        stderr(&done(&["covenant", "check", &file]))
    };
    let told = warned(never);
    assert!(told.contains("regel T1 (DUUR) weigert geen van de "), "{told}");
    assert!(told.contains("`just prove`") && told.lines().count() == 1, "{told}");
    let told = warned(always);
    assert!(told.contains("regel T2 (VELD) weigert elke voorbeeldvraag om te tellen"), "{told}");
}

#[test]
fn every_rule_of_the_example_is_seen_to_refuse() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/assets/covenant.toml");
    let output = done(&["covenant", "check", "--json", file]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let warnings = report["warnings"].as_array().unwrap().iter();
    let warnings: Vec<_> = warnings.filter_map(Value::as_str).collect();
    assert!(warnings.iter().all(|warning| !warning.starts_with("regel")), "{warnings:#?}");
    assert!(report["samples"].as_u64().unwrap() > 1000, "{}", report["samples"]);
}

#[test]
fn a_longer_term_is_wider_with_an_example() {
    let said = diff(&[("version = 1", "version = 2"), ("months = 12", "months = 18")]);
    assert!(said.contains("klein: versie 1 → versie 2"), "{said}");
    assert!(said.contains("ruimer    getal T1 months: 12 → 18 (volgens voorbeelden)"), "{said}");
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let example = "nieuw toegestaan: opzoeken in `uwv/inkomsten` door een partner van de soort \
        `gemeente`, thema `thema`, doel `doel`; velden `beroep`; 3 personen of objecten via \
        `burgerservicenummer`; het project loopt 12 hele maanden; de oude versie weigert dit onder \
        T1 (DUUR)";
    assert!(flat.contains(example), "{said}");
    assert!(said.contains(" nieuw toegestaan, 0 nieuw geweigerd"), "{said}");
}

#[test]
fn a_shorter_term_is_stricter() {
    let said = diff(&[("months = 12", "months = 6")]);
    assert!(said.contains("strenger  getal T1 months: 12 → 6 (volgens voorbeelden)"), "{said}");
    assert!(said.contains("nieuw geweigerd: "), "{said}");
    assert!(!said.contains("nieuw toegestaan: "), "{said}");
}

#[test]
fn a_field_that_no_longer_chooses_is_stricter_with_an_example() {
    let said =
        diff(&[("filterable = true, themes = [\"thema\"] },\n]", "themes = [\"thema\"] },\n]")]);
    let line = "strenger  veld uwv/inkomsten.beroep: filterable ja → filterable nee";
    assert!(said.contains(line), "{said}");
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("voorwaarde op `beroep`"), "{said}");
    assert!(flat.contains("de nieuwe versie weigert dit onder T2 (VELD)"), "{said}");
    assert!(said.contains("1 verschil: 1 strenger"), "{said}");
}

#[test]
fn limits_goals_partners_and_texts_are_told() {
    let said = diff(&[
        ("max_rows = 100", "max_rows = 50"),
        ("minimum_cell = 10", "minimum_cell = 5"),
        (
            "{ id = \"doel\", text = \"Een doel\" }",
            "{ id = \"doel\", text = \"Een doel\" }, { id = \"tweede\", text = \"Nog een\" }",
        ),
        ("{ kind = \"gemeente\", name = \"Iedere gemeente\" },", ""),
        ("Iemand ziet toe.", "Iemand ziet goed toe."),
    ]);
    for line in [
        "strenger  grens max_rows: 100 → 50",
        "ruimer    grens minimum_cell: 10 → 5",
        "ruimer    doel tweede: niets → Nog een",
        "strenger  partner gemeente: Iedere gemeente → niets",
        "anders    clausule T3 tekst: Iemand ziet toe. → Iemand ziet goed toe.",
        "5 verschillen: 2 ruimer, 2 strenger, 1 anders",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("doel `tweede`; velden `beroep`"), "the goal has an example: {said}");
}

#[test]
fn a_changed_rule_shows_both_texts_and_what_they_do() {
    let said = diff(&[(
        "unless { context.project.monthsRunning <",
        "unless { context.project.extended || context.project.monthsRunning <",
    )]);
    assert!(said.contains("ruimer    regel T1/DUUR (volgens voorbeelden)"), "{said}");
    assert!(said.contains("          oud:\n            forbid "), "{said}");
    assert!(said.contains("unless { context.project.extended || "), "{said}");
    assert!(said.contains("de LSI besloot met redenen"), "{said}");
    let said = diff(&[(
        "\"forbid (principal, action, resource) unless { context.covenant.goals",
        "\"forbid (principal, action, resource) when { context.query.subjects > 2 } unless { context.covenant.goals",
    )]);
    assert!(said.contains("ruimer    regel T2/DOEL"), "fewer requests are refused: {said}");
}

#[test]
fn json_says_the_same_and_always_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let old = version(dir.path(), "old", &[]);
    let new = version(dir.path(), "new", &[("months = 12", "months = 18")]);
    let arguments = ["covenant", "diff", "--json", &old, &new];
    let output = done(&arguments);
    assert_eq!(output.stdout, done(&arguments).stdout);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let difference = &report["differences"][0];
    assert_eq!(difference["effect"], "ruimer");
    assert_eq!(difference["by_example"], true);
    assert_eq!((&difference["old"], &difference["new"]), (&"12".into(), &"18".into()));
    assert_eq!(difference["examples"][0]["now"], "toegestaan");
    assert_eq!(difference["examples"][0]["refused_by"][0], "T1/DUUR");
    assert_eq!(report["samples"]["newly_refused"], 0);
}

#[test]
fn the_same_text_differs_in_nothing_and_another_covenant_is_no_version() {
    assert!(diff(&[]).contains("geen verschillen"));
    let dir = tempfile::tempdir().unwrap();
    let old = version(dir.path(), "old", &[]);
    let new = version(dir.path(), "new", &[("id = \"klein\"", "id = \"groot\"")]);
    let output = convenant(&["covenant", "diff", &old, &new]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("`klein` and `groot` are different covenants"));
}
