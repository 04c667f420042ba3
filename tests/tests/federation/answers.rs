//! What is permitted is answered, right to the row, and nothing beside it.

use std::collections::BTreeSet;

use convenant_demo::population::ROTTERDAM;
use convenant_model::query::QueryKind;
use convenant_testkit::{
    question::{about, question, target, when},
    told,
};

use crate::support::{BRP_FIELDS, Results, in_den_haag, in_rotterdam, world};

#[tokio::test]
async fn a_lookup_gives_the_asked_fields_of_residents_of_the_area_only() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let wanted = in_rotterdam(&world, 5);
    let people = [wanted.clone(), in_den_haag(&world, 5)].concat();
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, people).unwrap();
    let composed = client.compose(question(QueryKind::Lookup, vec![asked]).unwrap()).unwrap();

    let results = Results::of(&world, "lookup");
    let sent = results.ask(&client, &composed).await;
    assert_eq!(told(&sent), ["answered"], "{sent:?}");
    let rows = results.rows(0);
    let found: BTreeSet<_> = rows.iter().map(|row| row[0].as_str()).collect();
    let expected: BTreeSet<_> = wanted.iter().map(|subject| subject.key.expose()).collect();
    assert_eq!(found, expected);
    assert!(rows.iter().all(|row| row[2] == ROTTERDAM.code));
    assert_eq!(sent.unwrap()[0].rows, 5);
}

#[tokio::test]
async fn a_wrong_second_attribute_finds_nobody() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let mut people = in_rotterdam(&world, 2);
    let other = people[1].verify.clone();
    assert_ne!(people[0].verify, other);
    people[0].verify = other;
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, people.clone()).unwrap();
    let composed = client.compose(question(QueryKind::Lookup, vec![asked]).unwrap()).unwrap();
    let results = Results::of(&world, "lookup");
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
    let rows = results.rows(0);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][0], people[1].key.expose());
}

#[tokio::test]
async fn a_count_is_rounded_and_a_small_one_is_suppressed() {
    let world = world(&["svb"]).await;
    let client = world.client().await.unwrap();
    let ask = async |predicate: &str, name: &str| {
        let asked = target(world.partner("svb").unwrap(), &[]).unwrap();
        let asked = when(asked, predicate).unwrap();
        let composed = client.compose(question(QueryKind::Count, vec![asked]).unwrap()).unwrap();
        let results = Results::of(&world, name);
        assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
        results.rows(0)
    };
    let many = ask("datum_ingang_recht >= '1980-01-01'", "many").await;
    let count: u64 = many[0][0].parse().unwrap();
    assert!(count >= 10 && count.is_multiple_of(5), "{count}");
    assert_eq!(many[0][1], "false");
    // The two could be subtracted, so four weeks lie between them (clause L4).
    world.clock.advance(28 * 24 * 60 * 60);
    client.refresh().await.unwrap();
    let few = ask("datum_ingang_recht >= '2100-01-01'", "few").await;
    assert_eq!(few, [["", "true"]]);
}

#[tokio::test]
async fn a_select_gives_the_rows_that_satisfy_the_predicate() {
    let world = world(&["svb"]).await;
    let client = world.client().await.unwrap();
    let asked = target(world.partner("svb").unwrap(), &["burgerservicenummer", "leefvorm_aow"]);
    let asked = when(asked.unwrap(), "leefvorm_aow = 'alleenstaand'").unwrap();
    let composed = client.compose(question(QueryKind::Select, vec![asked]).unwrap()).unwrap();
    let results = Results::of(&world, "select");
    let sent = results.ask(&client, &composed).await;
    assert_eq!(told(&sent), ["answered"], "{sent:?}");
    let population = world.federation.population.as_ref().unwrap();
    let alone = population.residents_of(ROTTERDAM).map(|(_, person)| person);
    let alone = alone.filter(|person| person.has_pension_alone());
    let expected: BTreeSet<_> = alone.map(|person| person.bsn().expose().to_owned()).collect();
    let found: BTreeSet<_> = results.rows(0).into_iter().map(|row| row[0].clone()).collect();
    assert!(!found.is_empty());
    assert_eq!(found, expected);
}
