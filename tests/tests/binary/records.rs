//! The demo's ledgers as records of FSC and ADL, held against what those standards prescribe.

use std::{collections::BTreeSet, path::Path};

use convenant_testkit::Program;
use serde_json::Value;

use crate::{adl::is_decision, deployment::shown};

const COORDINATOR: &str = "00000099000000001000";
const ROTTERDAM: &str = "00000099000000000599";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn lines(program: &Program, arguments: &[&str]) -> Vec<Value> {
    let once = program.run(arguments).unwrap();
    assert!(once.status.success(), "{}", shown(&once));
    let again = program.run(arguments).unwrap();
    assert_eq!(once.stdout, again.stdout, "exported again, a record is the same");
    let lines = String::from_utf8(once.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn records(program: &Program, form: &str, ledger: &Path) -> Vec<Value> {
    lines(program, &["ledger", "records", "--as", form, "--dir", text(ledger)])
}

fn entries(program: &Program, ledger: &Path, kind: &str) -> Vec<Value> {
    let all = lines(program, &["ledger", "entries", "--dir", text(ledger)]);
    all.into_iter().filter(|one| one["entry"]["entry"] == kind).collect()
}

fn permits(decisions: &[Value]) -> usize {
    let verdicts = decisions.iter().flat_map(|one| one["entry"]["verdicts"].as_array().unwrap());
    verdicts.filter(|one| one["verdict"]["verdict"] == "permit").count()
}

#[test]
fn the_demo_s_ledgers_are_records_of_fsc_and_adl() {
    let (dir, program) = (tempfile::tempdir().unwrap(), Program::find().unwrap());
    let federation = dir.path().join("federation");
    let demo = ["demo", "--dir", text(&federation), "--keep", "--persons", "300"];
    let demo = program.run(&demo).unwrap();
    assert!(demo.status.success(), "{}", shown(&demo));
    let coordinator = federation.join("coordinator/state/ledger");
    let node = federation.join("nodes/rotterdam/state/ledger");
    let receipts = federation.join("leader/state/receipts");

    let decisions = entries(&program, &coordinator, "decision");
    let transactions = records(&program, "fsc", &coordinator);
    // It takes each request that is passed on, and sends it.
    assert_eq!(transactions.len(), 2 * permits(&decisions));
    let own = entries(&program, &node, "decision");
    let at_node = records(&program, "fsc", &node);
    assert_eq!(at_node.len(), permits(&own));
    for one in &at_node {
        assert_eq!(one["direction"], "DIRECTION_INCOMING");
        assert_eq!(one["source"]["type"], "SOURCE_TYPE_DELEGATED_SOURCE");
        assert_eq!(one["source"]["outway_peer_id"], COORDINATOR);
        assert_eq!(one["destination"]["service_peer_id"], ROTTERDAM);
    }
    let sent = records(&program, "fsc", &receipts);
    let asked = entries(&program, &receipts, "receipt");
    let passed_on = asked.iter().filter(|one| one["entry"]["status"]["status"] != "refused");
    assert_eq!(sent.len(), passed_on.count());
    assert!(sent.len() < asked.len(), "the demo asks what is refused, too");
    for one in transactions.iter().chain(&at_node).chain(&sent) {
        is_transaction(one);
    }
    // All parties speak of the same transaction under the same grant.
    let grant = |one: &Value| (one["transaction_id"].clone(), one["grant_hash"].clone());
    for one in &at_node {
        assert!(transactions.iter().any(|other| grant(other) == grant(one)), "{one}");
    }

    let logged = records(&program, "adl", &coordinator);
    assert_eq!(logged.len(), decisions.len());
    let name = format!("convenant.coordinator/{COORDINATOR}");
    for (record, decision) in logged.iter().zip(&decisions) {
        is_decision(record, decision, &name);
    }
    let logged_at_node = records(&program, "adl", &node);
    assert_eq!(logged_at_node.len(), own.len());
    for (record, decision) in logged_at_node.iter().zip(&own) {
        is_decision(record, decision, &format!("convenant.node/{ROTTERDAM}"));
    }
    let spans: BTreeSet<_> = logged.iter().map(|one| one["span_id"].as_str().unwrap()).collect();
    assert_eq!(spans.len(), logged.len(), "one span a decision");
    let events: BTreeSet<_> =
        logged.iter().map(|one| one["event_name"].as_str().unwrap()).collect();
    assert_eq!(events, BTreeSet::from(["adl.access_evaluation", "adl.access_evaluations"]));
    assert!(records(&program, "adl", &receipts).is_empty(), "a requester decides nothing");

    let named = ["ledger", "records", "--as", "fsc", "--from", "3", "--limit", "5", "--dir"];
    assert!(lines(&program, &[&named[..], &[text(&coordinator)]].concat()).len() <= 10);
}

/// fsc-logging, `GET /logs`: pages over a ledger give what the ledger's records are.
#[test]
fn pages_of_transactions_are_all_records_in_either_order() {
    let (dir, program) = (tempfile::tempdir().unwrap(), Program::find().unwrap());
    let federation = dir.path().join("federation");
    let demo = ["demo", "--dir", text(&federation), "--keep", "--persons", "300"];
    let demo = program.run(&demo).unwrap();
    assert!(demo.status.success(), "{}", shown(&demo));
    let ledger = federation.join("coordinator/state/ledger");
    let all = records(&program, "fsc", &ledger);
    let page = |options: &[&str]| -> Value {
        let command = [&["ledger", "transactions", "--dir", text(&ledger)], options].concat();
        let [page] = <[Value; 1]>::try_from(lines(&program, &command)).unwrap();
        let members: BTreeSet<_> = page.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, BTreeSet::from(["pagination", "records"]));
        page
    };
    let found = |options: &[&str]| page(options)["records"].as_array().unwrap().clone();
    let paged = |options: &[&str]| {
        let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let from = if cursor.is_empty() { vec![] } else { vec!["--cursor", &cursor] };
            let page = page(&[options, &from].concat());
            found.extend(page["records"].as_array().unwrap().iter().cloned());
            pages += 1;
            cursor = page["pagination"]["next_cursor"].as_str().unwrap().to_owned();
            if cursor.is_empty() {
                return (found, pages);
            }
        }
    };
    assert!(all.len() > 4 && !all.len().is_multiple_of(3), "{}", all.len());
    assert_eq!(paged(&["--limit", "3"]), (all.clone(), all.len().div_ceil(3)));
    // A last page that is full is the last.
    assert_eq!(paged(&["--limit", &all.len().to_string()]), (all.clone(), 1));
    let backwards: Vec<_> = all.iter().rev().cloned().collect();
    let descending = ["--limit", "3", "--sort-order", "SORT_ORDER_DESCENDING"];
    assert_eq!(paged(&descending), (backwards, all.len().div_ceil(3)));
    assert_eq!(found(&[]), all[..all.len().min(25)]);

    let of = |key: &str, values: &[&str]| -> Vec<Value> {
        let wanted = |one: &&Value| values.contains(&one[key].as_str().unwrap());
        all.iter().filter(wanted).take(25).cloned().collect()
    };
    let (first, last) = (&all[0], &all[all.len() - 1]);
    for (option, key) in [
        ("--service-name", "service_name"),
        ("--grant-hash", "grant_hash"),
        ("--transaction-id", "transaction_id"),
    ] {
        let [one, two] = [first, last].map(|record| record[key].as_str().unwrap());
        assert_eq!(found(&[option, one]), of(key, &[one]), "{option}");
        assert_eq!(found(&[option, &format!("{one},{two}")]), of(key, &[one, two]), "{option}");
        assert!(of(key, &[one]).len() < all.len(), "{option} chooses");
    }
    let both = ["--service-name", first["service_name"].as_str().unwrap(), "--transaction-id"];
    let other = all.iter().find(|one| one["service_name"] != first["service_name"]).unwrap();
    let other = other["transaction_id"].as_str().unwrap();
    let service = first["service_name"].as_str().unwrap();
    let both = found(&[&both[..], &[other]].concat());
    assert!(
        both.iter().all(|one| one["service_name"] == service && one["transaction_id"] == other)
    );
    let at = first["created_at"].as_i64().unwrap();
    let after = found(&["--after", &at.to_string(), "--limit", "1000"]);
    assert!(after.iter().all(|one| one["created_at"].as_i64().unwrap() > at));
    let before = found(&["--before", &(at + 1).to_string(), "--limit", "1000"]);
    assert!(before.iter().all(|one| one["created_at"].as_i64().unwrap() <= at));
    assert!(!before.is_empty() && before.len() + after.len() == all.len());

    for wrong in [
        ["--limit", "0"],
        ["--limit", "1001"],
        ["--cursor", "next"],
        ["--sort-order", "ASC"],
        ["--transaction-id", "7"],
    ] {
        let command = [&["ledger", "transactions", "--dir", text(&ledger)], &wrong[..]].concat();
        assert_eq!(program.run(&command).unwrap().status.code(), Some(2), "{wrong:?}");
    }
}

/// fsc-logging, `logRecord`: every member, and nothing else.
fn is_transaction(record: &Value) {
    let members: BTreeSet<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "transaction_id",
        "direction",
        "grant_hash",
        "source",
        "destination",
        "service_name",
        "created_at",
    ];
    assert_eq!(members, BTreeSet::from(expected));
    let id = record["transaction_id"].as_str().unwrap();
    assert!(id.len() == 36 && id.as_bytes()[14] == b'7', "a UUID of version 7: {id}");
    let hash = record["grant_hash"].as_str().unwrap();
    // SHA3-512 in base64url without padding.
    assert_eq!(hash.strip_prefix("$1$3$").unwrap().len(), 86);
    assert!((3..=255).contains(&record["service_name"].as_str().unwrap().len()));
    assert!(record["created_at"].as_i64().unwrap() > 1_700_000_000);
    for peer in [&record["source"]["outway_peer_id"], &record["destination"]["service_peer_id"]] {
        assert_eq!(peer.as_str().unwrap().len(), 20);
    }
}
