//! One query to several partners: a result for each, and one that fails does not spoil the others.

use std::time::Duration;

use convenant_client::compose::Composed;
use convenant_model::{entry::Entry, query::QueryKind, subjects::Subject};
use convenant_testkit::{
    World,
    question::{about, question, target},
    told, wire,
};

use crate::support::{BRP_FIELDS, Results, in_rotterdam, world};

/// A lookup at these partners.
fn lookup(
    world: &World,
    client: &convenant_client::Client,
    partners: &[(&str, &[&str])],
) -> Composed {
    let targets = partners.iter().map(|(name, fields)| {
        let party = world.partner(name).unwrap();
        let people = in_rotterdam(world, 2);
        let people = if party.kind == "gemeente" {
            people
        } else {
            people.into_iter().map(|one| Subject { verify: None, ..one }).collect()
        };
        about(target(party, fields).unwrap(), people).unwrap()
    });
    client.compose(question(QueryKind::Lookup, targets.collect()).unwrap()).unwrap()
}

const JOB_FIELDS: &[&str] = &["burgerservicenummer", "datum_aanvang_inkomstenverhouding"];

#[tokio::test]
async fn each_partner_answers_refuses_or_fails_for_itself() {
    let mut world = world(&["rotterdam", "svb", "toeslagen"]).await;
    let client = world.client().await.unwrap();
    let composed = lookup(
        &world,
        &client,
        &[
            ("rotterdam", BRP_FIELDS),
            // Not running.
            ("denhaag", BRP_FIELDS),
            // Refused by the coordinator: not granted.
            ("uwv", &["burgerservicenummer", "sector"]),
            ("svb", &["burgerservicenummer", "leefvorm_aow"]),
        ],
    );
    let results = Results::of(&world, "fanout");
    let sent = results.ask(&client, &composed).await;
    assert_eq!(
        told(&sent),
        ["answered", "KNOOPPUNT_NIET_BEREIKBAAR", "L1/NIET_NOODZAKELIJK", "S7/THEMA", "answered",]
    );
    assert_eq!(results.rows(0).len(), 2);
    assert!(!results.path(1).exists() && !results.path(2).exists() && results.path(3).exists());
    client.close().await;
    world.shut_down().await.unwrap();
    // The coordinator recorded all four, the leader has a receipt of each.
    let entries = world.coordinator_entries().unwrap();
    let outcome = entries.iter().find_map(|entry| match entry {
        Entry::Outcome(outcome) => Some(outcome),
        _ => None,
    });
    assert_eq!(outcome.unwrap().results.len(), 4);
    let receipts = world.receipts().unwrap();
    let receipts = receipts.iter().filter(|entry| matches!(entry, Entry::Receipt(_)));
    assert_eq!(receipts.count(), 4);
}

#[tokio::test]
async fn a_refusal_of_one_node_comes_with_its_clauses() {
    let world = world(&["rotterdam", "denhaag"]).await;
    let client = world.client().await.unwrap();
    let mut composed =
        lookup(&world, &client, &[("rotterdam", BRP_FIELDS), ("denhaag", BRP_FIELDS)]);
    // The coordinator cannot see that the second has one subject fewer than it says.
    composed.query.targets[1].subjects.as_mut().unwrap().count = 3;
    wire::sign_again(&mut composed, &world.federation.leader.key).unwrap();
    let results = Results::of(&world, "fanout");
    let sent = results.ask(&client, &composed).await.unwrap();
    let convenant_model::entry::Status::Refused { refusal } = &sent[1].status else {
        panic!("{sent:?}")
    };
    let violation = &refusal.violations()[0];
    assert_eq!((violation.clause.as_str(), violation.code.as_str()), ("L14", "BSN"));
    assert!(violation.text.contains("burgerservicenummer") || violation.text.contains("BSN"));
    assert!(violation.detail.contains("verzegeld zijn er 2"), "{}", violation.detail);
    assert_eq!(told(&Ok(sent)), ["answered", "L14/BSN"]);
}

#[tokio::test]
async fn a_query_that_every_partner_must_refuse_is_one_refusal() {
    let world = world(&[]).await;
    let client = world.client().await.unwrap();
    let fields: &[&str] = &["burgerservicenummer", "loon_sv"];
    let composed = lookup(&world, &client, &[("uwv", fields)]);
    let results = Results::of(&world, "fanout");
    let refused = results.ask(&client, &composed).await;
    assert!(matches!(refused, Err(convenant_client::ClientError::Refused(_))), "{refused:?}");
    assert_eq!(told(&refused), ["L1/NIET_NOODZAKELIJK", "S7/THEMA"]);
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_late_and_the_others_are_not() {
    let world = world(&["rotterdam"]).await;
    let mut silent = world.silence("uwv").await.unwrap();
    let client = world.client().await.unwrap();
    let composed = lookup(&world, &client, &[("rotterdam", BRP_FIELDS), ("uwv", JOB_FIELDS)]);
    let results = Results::of(&world, "fanout");
    let sent = client.send(&composed, Duration::from_secs(3), |at, _| results.path(at)).await;
    silent.asked(1).await.unwrap();
    assert_eq!(told(&sent), ["answered", "TE_LAAT"]);
    assert_eq!(results.rows(0).len(), 2);
}
