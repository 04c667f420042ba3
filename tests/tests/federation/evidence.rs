//! What remains of an exchange: three ledgers that agree, and nothing in them about anybody.

use std::{collections::BTreeSet, fs};

use convenant_client::compose::Subjects;
use convenant_demo::population::ROTTERDAM;
use convenant_exchange::{OUTCOME_TYPE, QUERY_TYPE};
use convenant_model::{
    FieldName, QueryId,
    entry::{Decision, Entry, OutcomeEntry, Receipt, SignedOutcome, Status},
    query::QueryKind,
    subjects::Subject,
};
use convenant_signing::{SigningKey, SystemRandom, parse_canonical, peek_compact};
use convenant_testkit::{
    CapturedLog, World,
    evidence::{Forbidden, files_under},
    question::{about, question, target, when},
    told, wire,
};
use convenant_wire::v1::{QueryRequest, broker_client::BrokerClient};

use crate::{
    support::{BRP_FIELDS, LONG_FIELDS, Results, in_den_haag, in_rotterdam, world},
    under_way::long_winded,
};

fn decision_on(entries: &[Entry], query: QueryId) -> (u64, &Decision) {
    let found = (0..).zip(entries).find_map(|(index, entry)| match entry {
        Entry::Decision(decision) if decision.query == query => Some((index, decision)),
        _ => None,
    });
    found.expect("the decision is on record")
}

fn outcome_of(entries: &[Entry], query: QueryId) -> &OutcomeEntry {
    let found = entries.iter().find_map(|entry| match entry {
        Entry::Outcome(outcome) if outcome.query == query => Some(outcome),
        _ => None,
    });
    found.expect("the outcome is on record")
}

fn receipt_of(entries: &[Entry], query: QueryId, target: u32) -> &Receipt {
    let found = entries.iter().find_map(|entry| match entry {
        Entry::Receipt(receipt) if receipt.query == query && receipt.target == target => {
            Some(receipt)
        }
        _ => None,
    });
    found.expect("the receipt is on record")
}

#[tokio::test]
async fn the_ledgers_of_coordinator_node_and_leader_agree() {
    let mut world = world(&["rotterdam", "denhaag"]).await;
    let client = world.client().await.unwrap();
    let names = ["rotterdam", "denhaag"];
    let targets = names.iter().map(|name| {
        let asked = target(world.partner(name).unwrap(), BRP_FIELDS).unwrap();
        about(asked, in_rotterdam(&world, 4)).unwrap()
    });
    let question = question(QueryKind::Lookup, targets.collect()).unwrap();
    let composed = client.compose(question).unwrap();
    let results = Results::of(&world, "results");
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered", "answered"]);
    client.close().await;
    world.shut_down().await.unwrap();

    let query = composed.query.id;
    let (coordinator, receipts) = (world.coordinator_entries().unwrap(), world.receipts().unwrap());
    let (at, brokered) = decision_on(&coordinator, query);
    assert_eq!(brokered.signed_query, composed.signed);
    let relayed = outcome_of(&coordinator, query);
    assert_eq!(relayed.decision, at);
    for (number, name) in (0..).zip(names) {
        let node = world.node_entries(name).unwrap();
        let (at, decided) = decision_on(&node, query);
        assert_eq!(decided.signed_query, brokered.signed_query);
        assert_eq!((decided.register, decided.covenant), (brokered.register, brokered.covenant));
        let answered = outcome_of(&node, query);
        assert_eq!(answered.decision, at);
        assert_eq!(answered.results[0], relayed.results[number as usize]);
        assert_eq!(answered.results[0].status, Status::Answered);

        let receipt = receipt_of(&receipts, query, number);
        assert_eq!(receipt.signed_query, brokered.signed_query);
        assert_eq!(receipt.status, Status::Answered);
        let signed = receipt.outcome.as_ref().unwrap();
        let unverified = peek_compact(signed, OUTCOME_TYPE).unwrap();
        let key = world.partner(name).unwrap().keys.ledger.verifying_key();
        let verified = unverified.verify(key).unwrap();
        let outcome: SignedOutcome = parse_canonical(verified.payload(), "outcome").unwrap();
        assert_eq!(outcome.decision, Some(at));
        assert_eq!(Some(outcome.hash), answered.results[0].hash);
        assert_eq!(outcome.rows, if number == 0 { 4 } else { 0 });
    }
}

#[tokio::test]
async fn a_refusal_is_on_record_at_coordinator_and_node() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, in_rotterdam(&world, 1)).unwrap();
    let question = question(QueryKind::Lookup, vec![asked]).unwrap();
    let mut composed = client.compose(question).unwrap();
    composed.query.targets[0].fields.push(FieldName::new("leeftijd").unwrap());
    wire::sign_again(&mut composed, &world.federation.leader.key).unwrap();
    let told = crate::support::attempt(&world, &client, &composed).await;
    assert_eq!(told.node, ["L1/NIET_NOODZAKELIJK"]);
    client.close().await;
    // The leader signed it, and has to be able to show what became of it.
    let receipts = world.receipts().unwrap();
    let receipt = receipt_of(&receipts, composed.query.id, 0);
    assert!(matches!(receipt.status, Status::Refused { .. }), "{:?}", receipt.status);
    assert_eq!((&receipt.signed_query, &receipt.outcome), (&composed.signed, &None));
    world.shut_down().await.unwrap();
    let node = world.node_entries("rotterdam").unwrap();
    for entries in [&world.coordinator_entries().unwrap(), &node] {
        let (_, decision) = decision_on(entries, composed.query.id);
        let verdict = &decision.verdicts[0].verdict;
        let convenant_model::entry::RecordedVerdict::Refuse { refusal } = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(refusal.violations()[0].code, "NIET_NOODZAKELIJK");
        assert!(entries.iter().all(|entry| !matches!(entry, Entry::Outcome(_))));
    }
}

#[tokio::test]
async fn a_requester_that_goes_away_leaves_no_open_decision() {
    let mut world = world(&[]).await;
    long_winded(&mut world, "rotterdam", "brp_persoon.csv").await;
    let client = world.client().await.unwrap();
    let asked = target(world.partner("rotterdam").unwrap(), LONG_FIELDS).unwrap();
    let asked = when(asked, "verblijfplaats_functie_adres = 'W'").unwrap();
    let composed = client.compose(question(QueryKind::Select, vec![asked]).unwrap()).unwrap();
    let request = QueryRequest { signed_query: composed.signed.clone(), subjects: Vec::new() };
    let mut answer = BrokerClient::new(client.channel()).query(request).await.unwrap().into_inner();
    // The node has decided and begun; more than what is under way is still to come.
    assert!(answer.message().await.unwrap().is_some());
    drop(answer);
    client.close().await;
    // Both stop at once, and write how it ended before they do.
    world.shut_down().await.unwrap();
    for entries in [world.coordinator_entries().unwrap(), world.node_entries("rotterdam").unwrap()]
    {
        let (at, _) = decision_on(&entries, composed.query.id);
        let outcome = outcome_of(&entries, composed.query.id);
        assert_eq!(outcome.decision, at);
        let status = &outcome.results[0].status;
        assert!(matches!(status, Status::Failed { .. }), "{status:?}");
    }
}

#[tokio::test]
async fn nobody_is_named_in_a_ledger_a_log_or_a_register() {
    let log = CapturedLog::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .json()
        .with_env_filter("info,convenant=trace")
        .with_writer(move || writer.clone())
        .init();
    let mut world = world(&["rotterdam", "denhaag"]).await;
    let forbidden = forbidden(&world);
    converse(&world).await;
    world.shut_down().await.unwrap();

    let federation = &world.federation;
    let parties = federation.partners.iter().map(|party| &party.dir);
    let folders = parties.chain([&federation.coordinator.dir, &federation.leader.dir]);
    let mut searched = 0;
    for folder in folders.map(|folder| World::state(folder)).filter(|folder| folder.exists()) {
        for file in files_under(&folder).unwrap() {
            assert!(!forbidden.is_in(&fs::read(&file).unwrap()), "{}", file.display());
            searched += 1;
        }
    }
    assert!(searched > 20, "{searched} files");
    // What stands in the ledgers in base64 as well.
    let entries = [
        world.coordinator_entries().unwrap(),
        world.node_entries("rotterdam").unwrap(),
        world.receipts().unwrap(),
    ];
    let mut shapes = 0;
    for entry in entries.iter().flatten() {
        for (text, typ) in signed_texts(entry) {
            let payload = peek_compact(text, typ).unwrap().payload().to_vec();
            assert!(!forbidden.is_in(&payload), "{}", String::from_utf8_lossy(&payload));
            shapes += 1;
        }
    }
    assert!(shapes > 6, "{shapes} signed texts");
    let lines = log.bytes();
    assert!(String::from_utf8_lossy(&lines).contains("the node serves"));
    assert!(!forbidden.is_in(&lines), "a log line names somebody");
    // The search finds what it looks for.
    let bsn = in_rotterdam(&world, 1)[0].key.expose().to_owned();
    assert!(forbidden.is_in(format!("{{\"x\":\"{bsn}\"}}").as_bytes()));
}

fn signed_texts(entry: &Entry) -> Vec<(&str, &'static str)> {
    match entry {
        Entry::Decision(decision) => vec![(&decision.signed_query, QUERY_TYPE)],
        Entry::Receipt(receipt) => {
            let outcome = receipt.outcome.as_deref().map(|signed| (signed, OUTCOME_TYPE));
            let query = (receipt.signed_query.as_str(), QUERY_TYPE);
            std::iter::once(query).chain(outcome).collect()
        }
        _ => Vec::new(),
    }
}

/// Every BSN and every BAG object of the population.
fn forbidden(world: &World) -> Forbidden {
    let population = world.federation.population.as_ref().unwrap();
    let bsns = population.people().map(|(_, person)| person.bsn());
    let objects = population.addresses().iter().map(|address| address.bag_object());
    let texts: Vec<_> = bsns.chain(objects).map(|text| text.expose().to_owned()).collect();
    Forbidden::new(texts)
}

/// Queries that are answered, refused and rejected, about people and about addresses.
async fn converse(world: &World) {
    let client = world.client().await.unwrap();
    let rotterdam = world.partner("rotterdam").unwrap();
    let compose =
        |kind, asked| client.compose_anything(question(kind, vec![asked]).unwrap()).unwrap();
    let people = [in_rotterdam(world, 10), in_den_haag(world, 10)].concat();
    let lookup = about(target(rotterdam, BRP_FIELDS).unwrap(), people).unwrap();
    let answered = compose(QueryKind::Lookup, lookup.clone());
    let results = Results::of(world, "lookup");
    assert_eq!(told(&results.ask(&client, &answered).await), ["answered"]);
    assert_eq!(told(&results.ask(&client, &answered).await), ["HERHAALDE_VRAAG"]);

    let mut select = target(rotterdam, BRP_FIELDS).unwrap();
    select.subjects = Some(addresses(world));
    let select = compose(QueryKind::Select, select);
    let results = Results::of(world, "select");
    assert_eq!(told(&results.ask(&client, &select).await), ["answered"]);
    assert!(!results.rows(0).is_empty());

    let stranger = SigningKey::generate(&SystemRandom::new()).unwrap();
    let mut refused = compose(QueryKind::Lookup, lookup.clone());
    refused.query.requester.key = stranger.verifying_key().clone();
    wire::sign_again(&mut refused, &stranger).unwrap();
    assert_eq!(crate::support::attempt(world, &client, &refused).await.node, ["S6/MANDAAT"]);
    // Whoever writes a BSN where everybody can read it is refused, and that is all that is kept of it.
    let bsn = in_rotterdam(world, 1)[0].key.expose().to_owned();
    let condition = format!("burgerservicenummer = '{bsn}'");
    let named = when(target(rotterdam, BRP_FIELDS).unwrap(), &condition).unwrap();
    let told_of = crate::support::attempt(world, &client, &compose(QueryKind::Select, named)).await;
    assert!(told_of.coordinator.contains(&"L14/BSN".to_owned()), "{told_of:?}");
    assert_eq!(told_of.coordinator, told_of.node);

    let mut mismatched = compose(QueryKind::Lookup, lookup);
    mismatched.query.targets[0].subjects.as_mut().unwrap().count += 1;
    wire::sign_again(&mut mismatched, &world.federation.leader.key).unwrap();
    let results = Results::of(world, "mismatched");
    assert_eq!(told(&results.ask(&client, &mismatched).await), ["L14/BSN"]);
    client.close().await;
}

/// Five addresses in Rotterdam as sealed keys.
fn addresses(world: &World) -> Subjects {
    let population = world.federation.population.as_ref().unwrap();
    let addresses = population.addresses().iter();
    let addresses = addresses.filter(|address| address.municipality() == ROTTERDAM).take(5);
    Subjects {
        key: FieldName::new("verblijfplaats_adresseerbaar_object_identificatie").unwrap(),
        verified_by: None,
        list: addresses.map(|one| Subject { key: one.bag_object(), verify: None }).collect(),
        vouchers: Vec::new(),
    }
}

#[tokio::test]
async fn after_a_restart_what_was_seen_is_seen_and_what_was_used_is_used() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let compose = |world: &World| {
        let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
        let asked = about(asked, in_rotterdam(world, 3)).unwrap();
        client.compose(question(QueryKind::Lookup, vec![asked]).unwrap()).unwrap()
    };
    let mut asked = Vec::new();
    let index = World::state(&world.partner("rotterdam").unwrap().dir).join("index");
    for round in 0..3 {
        let composed = compose(&world);
        let results = Results::of(&world, &format!("round-{round}"));
        assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
        asked.push(composed);
        world.stop_node("rotterdam").await.unwrap();
        if round == 1 {
            assert!(index.exists());
            fs::remove_dir_all(&index).unwrap();
        }
        world.start_node("rotterdam").await.unwrap();
        for earlier in &asked {
            let told = crate::support::attempt(&world, &client, earlier).await;
            assert_eq!(told.node, ["HERHAALDE_VRAAG"], "round {round}");
        }
    }
    world.shut_down().await.unwrap();
    let node = world.node_entries("rotterdam").unwrap();
    let used = asked.iter().map(|composed| decision_on(&node, composed.query.id).1.used);
    let used: Vec<_> = used.map(|used| (used.queries, used.subjects)).collect();
    assert_eq!(used, [(0, 0), (1, 3), (2, 6)]);
    let starts = node.iter().filter(|entry| matches!(entry, Entry::Started(_))).count();
    assert_eq!(starts, 4);
    let ids: BTreeSet<_> = asked.iter().map(|composed| composed.query.id).collect();
    assert_eq!(ids.len(), 3);
}
