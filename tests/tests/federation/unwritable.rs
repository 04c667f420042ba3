//! A party whose ledger cannot be written.
//!
//! A test runs itself again as the daemon, and then forbids that process to write to any file
//! (RLIMIT_FSIZE), which the kernel enforces on root too and which needs no mount.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use convenant_coordinator::{Coordinator, CoordinatorConfig};
use convenant_demo::Party;
use convenant_ledger::origin;
use convenant_model::{Problem, entry::Entry, query::QueryKind};
use convenant_node::{Node, NodeConfig};
use convenant_setup::load;
use convenant_testkit::{
    Daemon, TestClock, World,
    question::{about, question, target},
    today, told,
};
use convenant_wire::problem::{self, PeerProblem};
use tokio::runtime::Runtime;

use crate::{
    readers::{auditor, bundle, read, reads},
    support::{BRP_FIELDS, Results, in_rotterdam, world},
};

/// The configuration file of the daemon that a process is to be.
const CONFIG: &str = "CONVENANT_TEST_CONFIG";

#[test]
fn a_node_that_cannot_record_refuses_and_says_so() {
    let runtime = runtime();
    match env::var_os(CONFIG) {
        Some(config) => runtime.block_on(node(config.as_ref())),
        None => runtime.block_on(async {
            let world = world(&[]).await;
            let config = &world.partner("rotterdam").unwrap().config;
            let name = "unwritable::a_node_that_cannot_record_refuses_and_says_so";
            let node = start(&world, config, name);
            refuses(&world, &node).await;
        }),
    }
}

#[test]
fn a_coordinator_that_cannot_record_refuses_and_says_so() {
    let runtime = runtime();
    match env::var_os(CONFIG) {
        Some(config) => runtime.block_on(coordinator(config.as_ref())),
        None => runtime.block_on(async {
            let mut world = world(&["rotterdam"]).await;
            world.stop_coordinator().await.unwrap();
            let config = &world.federation.coordinator.config;
            let name = "unwritable::a_coordinator_that_cannot_record_refuses_and_says_so";
            let coordinator = start(&world, config, name);
            refuses(&world, &coordinator).await;
            world.shut_down().await.unwrap();
            // The node was asked only what the coordinator has on record.
            let decided = world.node_entries("rotterdam").unwrap();
            let decided = decided.iter().filter(|one| matches!(one, Entry::Decision(_)));
            assert_eq!(decided.count(), 2);
        }),
    }
}

#[test]
fn a_node_that_cannot_record_who_reads_its_ledger_gives_nothing_of_it() {
    let runtime = runtime();
    match env::var_os(CONFIG) {
        Some(config) => runtime.block_on(node(config.as_ref())),
        None => runtime.block_on(async {
            let world = world(&[]).await;
            let party = world.partner("rotterdam").unwrap();
            let name =
                "unwritable::a_node_that_cannot_record_who_reads_its_ledger_gives_nothing_of_it";
            let node = start(&world, &party.config, name);
            let origin = origin::node(&party.oin).unwrap();
            gives_nothing(&world, party, &node, origin.as_str()).await;
            drop(node);
            assert_recorded_once(&world, world.node_entries("rotterdam").unwrap());
        }),
    }
}

#[test]
fn a_coordinator_that_cannot_record_who_reads_its_ledger_gives_nothing_of_it() {
    let runtime = runtime();
    match env::var_os(CONFIG) {
        Some(config) => runtime.block_on(coordinator(config.as_ref())),
        None => runtime.block_on(async {
            let mut world = world(&[]).await;
            world.stop_coordinator().await.unwrap();
            let party = &world.federation.coordinator;
            let name =
                "unwritable::a_coordinator_that_cannot_record_who_reads_its_ledger_gives_nothing_of_it";
            let coordinator = start(&world, &party.config, name);
            let origin = origin::coordinator(&party.oin).unwrap();
            gives_nothing(&world, party, &coordinator, origin.as_str()).await;
            drop(coordinator);
            assert_recorded_once(&world, world.coordinator_entries().unwrap());
        }),
    }
}

/// Gives an auditor no entry while it cannot record that, says why, and gives them again.
async fn gives_nothing(world: &World, party: &Party, daemon: &Daemon, origin: &str) {
    let channel = world.to(&auditor(world), party).unwrap();
    limit(daemon, "0");
    // What tells nothing of the entries is given all the same.
    let path = bundle(&channel, origin).await;
    for _ in 0..2 {
        let refused = read(&channel, origin, &path).await.unwrap_err();
        assert_eq!(problem::read(&refused), PeerProblem::Problem(Problem::NotRecorded));
        assert_eq!(refused.message(), "that it is read cannot be recorded");
    }
    limit(daemon, "unlimited");
    assert!(!read(&channel, origin, &path).await.unwrap().is_empty());
}

/// What was refused left nothing, and what was given is on record.
fn assert_recorded_once(world: &World, entries: Vec<Entry>) {
    let [read] = <[_; 1]>::try_from(reads(entries)).unwrap();
    assert_eq!((&read.reader, read.from), (&world.federation.auditor.oin, 0));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// The node, until it is killed.
async fn node(config: &Path) {
    let config: NodeConfig = load(config).unwrap();
    let node = Node::set_up_at(config, clock()).unwrap();
    node.run(|at| println!("listening on {at}"), std::future::pending()).await.unwrap();
}

/// The coordinator, until it is killed.
async fn coordinator(config: &Path) {
    let config: CoordinatorConfig = load(config).unwrap();
    let coordinator = Coordinator::set_up_at(config, clock()).await.unwrap();
    coordinator.run(|at| println!("listening on {at}"), std::future::pending()).await.unwrap();
}

fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::on(today().unwrap()))
}

/// Answers while it can record, refuses while it cannot, and answers again.
async fn refuses(world: &World, daemon: &Daemon) {
    let client = world.client().await.unwrap();
    let ask = async |name: &str| {
        let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
        let asked = about(asked, in_rotterdam(world, 2)).unwrap();
        let question = question(QueryKind::Lookup, vec![asked]).unwrap();
        let composed = client.compose(question).unwrap();
        let results = Results::of(world, name);
        let told = told(&results.ask(&client, &composed).await);
        (told, results)
    };
    assert_eq!(ask("before").await.0, ["answered"]);

    limit(daemon, "0");
    for name in ["full", "still-full"] {
        let (told, results) = ask(name).await;
        assert_eq!(told, ["NIET_VASTGELEGD"]);
        assert!(results.are_empty(), "rows left a party that recorded nothing");
    }

    // Nothing was half written: with room again the same process goes on.
    limit(daemon, "unlimited");
    let (told, results) = ask("after").await;
    assert_eq!(told, ["answered"]);
    assert_eq!(results.rows(0).len(), 2);
}

fn start(world: &World, config: &Path, test: &str) -> Daemon {
    // Without the trap, the signal would end the process before it could refuse anything.
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap '' XFSZ; exec "$0" --exact "$1" --nocapture"#])
        .arg(env::current_exe().unwrap())
        .arg(test)
        .env(CONFIG, config)
        .stdin(Stdio::null());
    Daemon::start(command, &world.path("daemon.log")).unwrap()
}

/// Sets the largest offset to which a process may write.
fn limit(daemon: &Daemon, bytes: &str) {
    let process = daemon.id().to_string();
    // The soft limit only, so that it can be raised again by anybody.
    let limit = format!("--fsize={bytes}:");
    let limited = Command::new("prlimit").args(["--pid", &process, &limit]).status();
    assert!(limited.expect("`prlimit` of util-linux is needed").success());
}
