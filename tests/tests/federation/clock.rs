//! A clock that is set back, in the midst of an exchange and between two starts: what happened is on record
//! as it was seen, the audit holds, and no query is answered twice.

use std::fs;

use convenant_model::{
    QueryId, Timestamp,
    entry::{Entry, Status},
    query::QueryKind,
};
use convenant_testkit::{
    World,
    question::{question, target, when},
    told,
};
use convenant_wire::v1::{QueryRequest, broker_client::BrokerClient};

use crate::{
    replay::audit,
    support::{LONG_FIELDS, Results, attempt, both, world},
    under_way::long_winded,
    witnesses::{exchange, lookup},
};

/// When a party decided on a query, when it ended and how.
fn course(entries: &[Entry], query: QueryId) -> (Timestamp, Timestamp, Status) {
    let decided = entries.iter().find_map(|entry| match entry {
        Entry::Decision(one) if one.query == query => Some(one.at),
        _ => None,
    });
    let ended = entries.iter().find_map(|entry| match entry {
        Entry::Outcome(one) if one.query == query => Some((one.at, one.results[0].status.clone())),
        _ => None,
    });
    let (at, status) = ended.expect("the outcome is on record");
    (decided.expect("the decision is on record"), at, status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_between_decision_and_outcome() {
    let mut world = world(&[]).await;
    long_winded(&mut world, "rotterdam", "brp_persoon.csv").await;
    let client = world.client().await.unwrap();
    // By a little the answer goes on; by hours the copy of the register is of no known age.
    let mut asked = Vec::new();
    for (back, answered) in [(60, true), (4 * 3600, false)] {
        let long = target(world.partner("rotterdam").unwrap(), LONG_FIELDS).unwrap();
        let long = when(long, "verblijfplaats_functie_adres = 'W'").unwrap();
        let composed = client.compose(question(QueryKind::Select, vec![long]).unwrap()).unwrap();
        let request = QueryRequest { signed_query: composed.signed.clone(), subjects: Vec::new() };
        let sent = BrokerClient::new(client.channel()).query(request).await.unwrap();
        let mut frames = sent.into_inner();
        assert!(frames.message().await.unwrap().is_some());
        world.clock.advance(-back);
        // Both parties wrote how it ended before the stream does.
        while frames.message().await.unwrap().is_some() {}
        world.clock.advance(back);
        asked.push((composed.query.id, answered));
    }
    client.close().await;
    world.shut_down().await.unwrap();
    for entries in [world.coordinator_entries().unwrap(), world.node_entries("rotterdam").unwrap()]
    {
        for (query, answered) in &asked {
            let (decided, ended, status) = course(&entries, *query);
            assert_eq!(status == Status::Answered, *answered, "{status:?}");
            assert!(ended < decided, "recorded as the clock told");
        }
    }
    let report = audit(&world);
    assert!(report.holds(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_between_two_starts() {
    let mut world = world(&["rotterdam"]).await;
    for back in [60, 3600] {
        exchange(&world).await;
        world.shut_down().await.unwrap();
        world.clock.advance(-back);
        world.start_coordinator().await.unwrap();
        world.start_node("rotterdam").await.unwrap();
        exchange(&world).await;
    }
    world.shut_down().await.unwrap();
    let report = audit(&world);
    assert!(report.holds(), "{report}");
}

/// A start with a clock that is hours ahead finds every query expired; once the clock is right again, they
/// are not.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_clock_ran_ahead_is_not_answered_again() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let composed = lookup(&world, &client);
    let results = Results::of(&world, "first");
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
    world.shut_down().await.unwrap();
    for party in [&world.federation.coordinator, world.partner("rotterdam").unwrap()] {
        // As a crash leaves it: the index stands for nothing.
        fs::remove_dir_all(World::state(&party.dir).join("index")).unwrap();
    }
    world.clock.advance(3 * 3600);
    world.start_coordinator().await.unwrap();
    world.start_node("rotterdam").await.unwrap();
    world.clock.advance(-3 * 3600);
    let told = attempt(&world, &client, &composed).await;
    assert_eq!(told, both(&["HERHAALDE_VRAAG"]));
    client.close().await;
    world.shut_down().await.unwrap();
    let report = audit(&world);
    assert!(report.holds(), "{report}");
}
