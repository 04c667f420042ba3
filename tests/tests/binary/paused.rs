//! A node that stands still (SIGSTOP) and goes on: it is late, and nobody is accused of anything when it goes on.

use std::time::Duration;

use convenant_client::{Client, ClientConfig};
use convenant_model::{Problem, entry::Status};
use convenant_setup::load;
use convenant_testkit::PortBlock;

use crate::{
    books::{NODE, audit},
    deployment::{Deployment, written},
};

/// What an audit may say of a query that nobody waited for any more when its node took it.
const EXPLAINED: [&str; 4] =
    ["UITWISSELING_OPEN", "KNOOPPUNT_NIET_BEREIKT", "NIET_AANGEKOMEN", "BYTES_NA_LAATSTE_REGEL"];

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stands_still_is_late_and_goes_on_where_it_stood() {
    let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
    let federation = written(folder.path(), 50, &ports);
    let poll = ("CONVENANT__REGISTER__POLL_SECONDS", "1".to_owned());
    let mut deployment = Deployment::found(federation, &[poll]);
    deployment.start_daemon(NODE);
    let config: ClientConfig = load(&deployment.federation.leader.config).unwrap();
    let client = Client::open(&config).await.unwrap();
    client.refresh().await.unwrap();
    let ask = async |patience: u64| {
        let composed = deployment.lookup(&client, NODE, 0);
        let path = folder.path().join(format!("{}.csv", composed.query.id));
        let sent = client.send(&composed, Duration::from_secs(patience), |_, _| path.clone());
        sent.await.unwrap().remove(0).status
    };
    assert_eq!(ask(60).await, Status::Answered);
    deployment.freeze(NODE);
    for _ in 0..3 {
        assert_eq!(ask(1).await, Status::Failed { problem: Problem::Late });
    }
    deployment.thaw(NODE);
    assert_eq!(ask(60).await, Status::Answered);
    client.close().await;
    deployment.stop();
    let said = audit(&deployment, &EXPLAINED);
    assert!(!said.contains_key("TEGENSTRIJD_GEMELD"), "{said:?}");
}
