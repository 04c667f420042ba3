//! Whom an answer is about stands at the node before the answer leaves, and nowhere in the clear.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use convenant_demo::population::{Person, ROTTERDAM};
use convenant_model::{
    entry::Entry,
    query::{Query, QueryKind},
};
use convenant_signing::parse_canonical;
use convenant_subjects::{SubjectRecord, records_from};
use convenant_testkit::{
    World,
    question::{about, question, target, when},
    told,
};

use crate::support::{BRP_FIELDS, Results, in_den_haag, in_rotterdam, world};

fn folder(world: &World, node: &str) -> PathBuf {
    World::state(&world.partner(node).unwrap().dir).join("subjects")
}

fn records(world: &World, node: &str) -> Vec<SubjectRecord> {
    let records = records_from(&folder(world, node), 0).unwrap();
    records.map(|record| record.unwrap().0).collect()
}

/// The numbers in a node's records, opened with the key that lies elsewhere.
fn people(world: &World, node: &str) -> BTreeSet<String> {
    let party = world.partner(node).unwrap();
    let open = |record: &SubjectRecord| record.open(&party.keys.subjects, &party.oin).unwrap();
    let values = records(world, node).iter().flat_map(open).collect::<Vec<_>>();
    values.iter().map(|value| value.expose().to_owned()).collect()
}

fn numbers<'a>(people: impl IntoIterator<Item = &'a Person>) -> BTreeSet<String> {
    people.into_iter().map(|person| person.bsn().expose().to_owned()).collect()
}

/// Every file below a folder that holds one of the texts.
fn holding(folder: &Path, texts: &BTreeSet<String>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, texts));
        } else {
            let bytes = fs::read(&path).unwrap();
            let holds = |text: &String| bytes.windows(text.len()).any(|w| w == text.as_bytes());
            if texts.iter().any(holds) {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn everybody_who_is_asked_about_is_on_record_found_or_not() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let asked_about = [in_rotterdam(&world, 2), in_den_haag(&world, 1)].concat();
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, asked_about.clone()).unwrap();
    let composed = client.compose(question(QueryKind::Lookup, vec![asked]).unwrap()).unwrap();
    let results = Results::of(&world, "lookup");
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
    assert_eq!(results.rows(0).len(), 2);

    let expected: BTreeSet<_> = asked_about.iter().map(|s| s.key.expose().to_owned()).collect();
    assert_eq!(people(&world, "rotterdam"), expected);
    let [record] = &records(&world, "rotterdam")[..] else { panic!("one record was expected") };
    let entries = world.node_entries("rotterdam").unwrap();
    let Entry::Decision(decision) = &entries[usize::try_from(record.told.decision).unwrap()] else {
        panic!("the record names no decision");
    };
    let payload =
        convenant_signing::peek_compact(&decision.signed_query, convenant_exchange::QUERY_TYPE);
    let query: Query = parse_canonical(payload.unwrap().payload(), "query").unwrap();
    assert_eq!((query.id, record.told.query), (composed.query.id, composed.query.id));
    let state = World::state(&world.partner("rotterdam").unwrap().dir);
    assert_eq!(holding(&state, &expected), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn whom_rows_are_about_is_on_record_although_their_number_does_not_leave() {
    let world = world(&["svb"]).await;
    let client = world.client().await.unwrap();
    let ask = async |kind, fields: &[&str], predicate: &str, name: &str| {
        let asked = target(world.partner("svb").unwrap(), fields).unwrap();
        let asked = when(asked, predicate).unwrap();
        let composed = client.compose(question(kind, vec![asked]).unwrap()).unwrap();
        let results = Results::of(&world, name);
        assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
        results
    };
    // A number is about nobody in particular.
    ask(QueryKind::Count, &[], "datum_ingang_recht >= '1980-01-01'", "count").await;
    assert_eq!(people(&world, "svb"), BTreeSet::new());

    let results =
        ask(QueryKind::Select, &["leefvorm_aow"], "leefvorm_aow = 'alleenstaand'", "select").await;
    let population = world.federation.population.as_ref().unwrap();
    let alone = population.residents_of(ROTTERDAM).map(|(_, person)| person);
    let expected = numbers(alone.filter(|person| person.has_pension_alone()));
    assert_eq!(people(&world, "svb"), expected);
    assert_eq!(results.rows(0).len(), expected.len());
    let answer = fs::read_to_string(results.path(0)).unwrap();
    assert!(answer.starts_with("leefvorm_aow"), "{answer}");
    assert!(expected.iter().all(|number| !answer.contains(number.as_str())));
    let state = World::state(&world.partner("svb").unwrap().dir);
    assert_eq!(holding(&state, &expected), Vec::<PathBuf>::new());
}
