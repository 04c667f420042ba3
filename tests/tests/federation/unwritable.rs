//! A node whose ledger cannot be written.
//!
//! The test runs itself again as the node, and then forbids that process to write to any file
//! (RLIMIT_FSIZE), which the kernel enforces on root too and which needs no mount.

use std::{
    env,
    process::{Command, Stdio},
    sync::Arc,
};

use convenant_model::query::QueryKind;
use convenant_node::{Node, NodeConfig};
use convenant_setup::load;
use convenant_testkit::{
    Daemon, TestClock, World,
    question::{about, question, target},
    today, told,
};

use crate::support::{BRP_FIELDS, Results, in_rotterdam, world};

const NODE: &str = "CONVENANT_TEST_NODE";
const NAME: &str = "unwritable::a_node_that_cannot_record_refuses_and_says_so";

#[test]
fn a_node_that_cannot_record_refuses_and_says_so() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match env::var_os(NODE) {
        Some(config) => runtime.block_on(serve(config.as_ref())),
        None => runtime.block_on(refuse()),
    }
}

/// The node, until it is killed.
async fn serve(config: &std::path::Path) {
    let config: NodeConfig = load(config).unwrap();
    let clock = Arc::new(TestClock::on(today().unwrap()));
    let node = Node::set_up_at(config, clock).unwrap();
    node.run(|at| println!("listening on {at}"), std::future::pending()).await.unwrap();
}

async fn refuse() {
    let world = world(&[]).await;
    let node = start(&world);
    let client = world.client().await.unwrap();
    let ask = async |name: &str| {
        let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
        let asked = about(asked, in_rotterdam(&world, 2)).unwrap();
        let question = question(QueryKind::Lookup, vec![asked]).unwrap();
        let composed = client.compose(question).unwrap();
        let results = Results::of(&world, name);
        let told = told(&results.ask(&client, &composed).await);
        (told, results)
    };
    assert_eq!(ask("before").await.0, ["answered"]);

    limit(&node, "0");
    for name in ["full", "still-full"] {
        let (told, results) = ask(name).await;
        assert_eq!(told, ["NIET_VASTGELEGD"]);
        assert!(results.are_empty(), "rows left a node that recorded nothing");
    }

    // Nothing was half written: with room again the same process goes on.
    limit(&node, "unlimited");
    let (told, results) = ask("after").await;
    assert_eq!(told, ["answered"]);
    assert_eq!(results.rows(0).len(), 2);
}

fn start(world: &World) -> Daemon {
    // Without the trap, the signal would end the process before it could refuse anything.
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap '' XFSZ; exec "$0" --exact "$1" --nocapture"#])
        .arg(env::current_exe().unwrap())
        .arg(NAME)
        .env(NODE, &world.partner("rotterdam").unwrap().config)
        .stdin(Stdio::null());
    Daemon::start(command, &world.path("node.log")).unwrap()
}

/// Sets the largest offset to which a process may write.
fn limit(node: &Daemon, bytes: &str) {
    let process = node.id().to_string();
    // The soft limit only, so that it can be raised again by anybody.
    let limit = format!("--fsize={bytes}:");
    let limited = Command::new("prlimit").args(["--pid", &process, &limit]).status();
    assert!(limited.expect("`prlimit` of util-linux is needed").success());
}
