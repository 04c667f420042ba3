//! Help that teaches is part of the interface: its text is a snapshot.

use insta::assert_snapshot;

use crate::{code, convenant, done, stderr, stdout};

fn help(arguments: &[&str]) -> String {
    stdout(&done(&[arguments, &["--help"]].concat()))
}

#[test]
fn of_the_command_itself() {
    assert_snapshot!("convenant", help(&[]));
}

#[test]
fn of_covenant_keys_certs_and_sign() {
    assert_snapshot!("covenant_check", help(&["covenant", "check"]));
    assert_snapshot!("covenant_diff", help(&["covenant", "diff"]));
    assert_snapshot!("keys_new", help(&["keys", "new"]));
    assert_snapshot!("keys_show", help(&["keys", "show"]));
    assert_snapshot!("certs_example", help(&["certs", "example"]));
    assert_snapshot!("sign", help(&["sign"]));
}

#[test]
fn of_project() {
    assert_snapshot!("project", help(&["project"]));
    assert_snapshot!("project_new", help(&["project", "new"]));
    assert_snapshot!("project_check", help(&["project", "check"]));
    assert_snapshot!("project_mandate", help(&["project", "mandate"]));
    assert_snapshot!("project_suspend", help(&["project", "suspend"]));
    assert_snapshot!("project_resume", help(&["project", "resume"]));
}

#[test]
fn of_register() {
    assert_snapshot!("register", help(&["register"]));
    assert_snapshot!("register_submit", help(&["register", "submit"]));
    assert_snapshot!("register_verify", help(&["register", "verify"]));
}

#[test]
fn of_the_daemons() {
    assert_snapshot!("node_check", help(&["node", "check"]));
    assert_snapshot!("node_run", help(&["node", "run"]));
    assert_snapshot!("coordinator_run", help(&["coordinator", "run"]));
}

#[test]
fn of_query() {
    assert_snapshot!("query", help(&["query"]));
}

#[test]
fn of_results() {
    assert_snapshot!("results_list", help(&["results", "list"]));
    assert_snapshot!("results_open", help(&["results", "open"]));
    assert_snapshot!("results_destroy", help(&["results", "destroy"]));
}

#[test]
fn of_ledger_and_audit() {
    assert_snapshot!("ledger", help(&["ledger"]));
    assert_snapshot!("ledger_transactions", help(&["ledger", "transactions"]));
    assert_snapshot!("ledger_verify", help(&["ledger", "verify"]));
    assert_snapshot!("audit_replay", help(&["audit", "replay"]));
}

#[test]
fn of_subject_report() {
    assert_snapshot!("subject_report", help(&["subject-report"]));
    assert_snapshot!("subject_report_merge", help(&["subject-report", "merge"]));
    assert_snapshot!("subject_report_rekey", help(&["subject-report", "rekey"]));
}

#[test]
fn without_a_command_help_goes_to_stderr() {
    let output = convenant(&[]);
    assert_eq!(code(&output), 2);
    assert!(stdout(&output).is_empty());
    assert!(stderr(&output).contains("convenant demo"));
}
