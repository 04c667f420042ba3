//! A coordinator that is away: nodes go on for as long as the covenant allows, and then refuse.

use convenant_client::{Client, compose::Composed};
use convenant_model::{
    Clock as _,
    entry::{Entry, Status},
    query::QueryKind,
};
use convenant_testkit::{
    Plan, Shown, World,
    question::{about, question, target},
    wire,
};

use super::Turned;
use crate::support::{BRP_FIELDS, Results, in_rotterdam};

/// The example's `register_minutes`, in seconds.
const LIMIT: i64 = 60 * 60;

/// A query of this moment.
fn lookup(world: &World, client: &Client) -> Composed {
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, in_rotterdam(world, 1)).unwrap();
    client.compose(question(QueryKind::Lookup, vec![asked]).unwrap()).unwrap()
}

/// What the node says to whoever holds the coordinator's certificate.
async fn told(world: &World, client: &Client) -> Vec<String> {
    let node = world.partner("rotterdam").unwrap();
    let channel = world.to(&world.coordinator(), node).unwrap();
    let key = node.keys.ledger.verifying_key();
    let asked = wire::answer_request(&lookup(world, client), 0);
    wire::node_told(&wire::ask(channel, asked, key).await)
}

fn decisions(world: &World) -> usize {
    let entries = world.node_entries("rotterdam").unwrap();
    entries.iter().filter(|entry| matches!(entry, Entry::Decision(_))).count()
}

#[tokio::test]
async fn a_node_refuses_once_the_coordinator_is_away_too_long_and_answers_when_it_is_back() {
    let mut world = World::start(&Plan::nodes(&["rotterdam"])).await.unwrap();
    let client = world.client().await.unwrap();
    world.stop_coordinator().await.unwrap();
    // It starts and serves from its own copy.
    world.stop_node("rotterdam").await.unwrap();
    world.clock.advance(LIMIT / 2);
    world.start_node("rotterdam").await.unwrap();
    assert_eq!(told(&world, &client).await, ["answered"]);
    world.clock.advance(LIMIT / 2);
    assert_eq!(told(&world, &client).await, ["answered"]);
    world.clock.advance(1);
    assert_eq!(told(&world, &client).await, ["REGISTER_VEROUDERD"]);
    // Started again, it refuses all the same.
    world.stop_node("rotterdam").await.unwrap();
    // No decision, so no permit, and nothing was read.
    assert_eq!(decisions(&world), 2);
    let last = world.node_entries("rotterdam").unwrap().pop();
    assert!(matches!(last, Some(Entry::Rejected(_))), "{last:?}");
    world.start_node("rotterdam").await.unwrap();
    assert_eq!(told(&world, &client).await, ["REGISTER_VEROUDERD"]);

    world.start_coordinator().await.unwrap();
    let results = Results::of(&world, "back");
    client.refresh().await.unwrap();
    let answered = results.ask(&client, &lookup(&world, &client)).await.unwrap();
    assert_eq!(answered[0].status, Status::Answered, "{answered:?}");
    world.shut_down().await.unwrap();
    assert_eq!(decisions(&world), 3);
}

#[tokio::test]
async fn a_checkpoint_dated_ahead_keeps_no_copy_fresh() {
    let turned = Turned::start().await;
    let ahead = |ahead| Shown { ahead, ..Shown::all_of(turned.documents.clone()) };
    let copy = turned.copy("copy");
    turned.coordinator.show(ahead(LIMIT + 1));
    copy.refresh().await.unwrap();
    assert!(!copy.is_trusted(&turned));
    // A clock that is a little off does no harm, and a right one mends it.
    turned.coordinator.show(ahead(LIMIT));
    copy.refresh().await.unwrap();
    assert!(copy.is_trusted(&turned));
    let now = turned.world.clock.now();
    let still = |seconds| copy.follower.current().trusted(now.plus_seconds(seconds)).is_ok();
    assert!(still(2 * LIMIT) && !still(2 * LIMIT + 1));
}
