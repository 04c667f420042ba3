//! `convenant demo`, as a newcomer runs it: the built binary, with real daemons on real sockets.

#![cfg(test)]

use std::{collections::BTreeSet, error::Error, path::Path, process::Command};

use serde_json::Value;

/// Runs the demo over few people, and gives what it printed on stdout and on stderr.
fn demo(args: &[&str]) -> Result<(Value, String), Box<dyn Error>> {
    let output = Command::new(env!("CARGO_BIN_EXE_convenant"))
        .args(["demo", "--json", "--persons", "300"])
        .args(args)
        .output()?;
    let errors = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(0), "{errors}");
    Ok((serde_json::from_slice(&output.stdout)?, errors))
}

#[test]
fn the_story_is_seen_as_announced() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().display().to_string();
    let (seen, errors) = demo(&["--dir", &dir, "--keep"]).unwrap();
    assert_eq!(errors, "", "a run that ends well says nothing on stderr");
    assert_eq!(seen["ok"], true);

    let refusals = seen["refusals"].as_array().unwrap();
    let pair = |one: &Value| (one["clause"].to_string(), one["code"].to_string());
    let distinct: BTreeSet<_> = refusals.iter().map(pair).collect();
    assert!(distinct.len() >= 8, "{distinct:?}");
    let clauses: BTreeSet<_> = refusals.iter().filter_map(|one| one["clause"].as_str()).collect();
    for clause in ["L1", "L13", "L14", "S2", "S3", "S4", "S6", "S7", "S10", "S12"] {
        assert!(clauses.contains(clause), "{clause}: {clauses:?}");
    }
    let by: BTreeSet<_> = refusals.iter().filter_map(|one| one["by"].as_str()).collect();
    assert_eq!(by.len(), 2, "coordinator and nodes both refuse: {by:?}");

    let answers = seen["answers"].as_array().unwrap();
    let partners: BTreeSet<_> = answers.iter().filter_map(|one| one["partner"].as_str()).collect();
    assert_eq!(partners.len(), 6, "{partners:?}");

    let audit = &seen["audit"];
    assert_eq!(audit["ledgers"].as_array().unwrap().len(), 8);
    assert_eq!(audit["tampered"]["code"], "REGEL_BESCHADIGD");
    assert!(audit["tampered"]["changed_entry"].as_u64().unwrap() > 0);
    assert_eq!(audit["tampered"]["named_entry"], audit["tampered"]["changed_entry"]);
    assert_eq!(audit["curious"], "GEWEIGERD_BUITEN_COORDINATOR");

    // Whoever audits what was kept is told the same.
    let audited = Command::new(env!("CARGO_BIN_EXE_convenant"))
        .args(["audit", "replay", "--json", "--federation", &dir])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&audited.stdout).unwrap();
    assert_eq!(report["findings"], audit["findings"]);
    assert!(!report["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_setup_is_complete_and_runs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (seen, _) = demo(&["--setup-only", "--dir", &dir.path().display().to_string()]).unwrap();
    assert_eq!(seen["daemons"].as_array().unwrap().len(), 7);
    for daemon in seen["daemons"].as_array().unwrap() {
        let config = daemon.as_str().unwrap().rsplit(' ').next().unwrap();
        assert!(Path::new(config).is_file(), "{config}");
    }
    for file in ["pki/ca.pem", "leader/client.toml", "auditor/client.toml", "README.md"] {
        assert!(dir.path().join(file).is_file(), "{file}");
    }
    assert!(!dir.path().join("coordinator/state").exists(), "a daemon ran");
}

#[test]
fn what_is_not_kept_is_removed_and_what_was_there_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mine = dir.path().join("mine.txt");
    std::fs::write(&mine, "mine").unwrap();
    let refused = Command::new(env!("CARGO_BIN_EXE_convenant"))
        .args(["demo", "--persons", "300", "--dir"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert_ne!(refused.status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");

    let new = dir.path().join("new");
    demo(&["--dir", &new.display().to_string()]).unwrap();
    assert!(!new.exists(), "without --keep nothing stays");
}
