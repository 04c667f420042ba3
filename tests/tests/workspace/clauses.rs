//! The matrix of clauses in `docs/clauses.md` is complete and true.

use std::{collections::BTreeSet, fs, path::Path};

use convenant_demo::documents::COVENANT_TOML;
use convenant_model::{
    covenant::{Clause, CovenantText},
    parse::from_toml,
    register::Breach,
};

use crate::root;

/// The cells of a line, without their white space.
fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

/// The texts in backticks.
fn quoted(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The names of every test of the workspace.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            tests(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let named = text
                .split("#[test]")
                .skip(1)
                .filter_map(|after| Some(after.split_once("fn ")?.1.split('(').next()?.to_owned()));
            found.extend(named);
        }
    }
}

#[test]
fn every_clause_has_its_line_its_codes_and_its_tests() {
    let page = fs::read_to_string(root().join("docs/clauses.md")).unwrap();
    let covenant: CovenantText = from_toml("covenant.toml", COVENANT_TOML).unwrap();
    let mut known = BTreeSet::new();
    for folder in ["crates", "tests"] {
        tests(&root().join(folder), &mut known);
    }
    let lines: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(lines.len(), covenant.clause.len());
    for clause in &covenant.clause {
        let own = lines.iter().map(|line| cells(line)).find(|one| one[0] == clause.id.as_str());
        let own = own.unwrap_or_else(|| panic!("{} has no line", clause.id));
        check(clause, &own, &known);
    }
}

fn check(clause: &Clause, line: &[&str], known: &BTreeSet<String>) {
    let [id, title, rules, documents, tests] = line else { panic!("{line:?}") };
    assert_eq!(*title, clause.title.as_str(), "{id}");
    let own: BTreeSet<_> = clause.rule.iter().map(|rule| rule.code.as_str()).collect();
    assert_eq!(quoted(rules), own, "{id}: rules");
    let breaches = Breach::ALL.iter().filter(|breach| breach.clause() == *id);
    let breaches: BTreeSet<_> = breaches.map(|breach| breach.code()).collect();
    assert_eq!(quoted(documents), breaches, "{id}: documents");
    let tests = quoted(tests);
    let unchecked = own.is_empty() && breaches.is_empty();
    assert!(unchecked || !tests.is_empty(), "{id} names no test");
    let missing: Vec<_> = tests.iter().filter(|name| !known.contains(**name)).collect();
    assert!(missing.is_empty(), "{id}: {missing:?}");
}
