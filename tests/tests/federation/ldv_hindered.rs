//! What stands in the way of lines for the log of processing holds up no others, and the node's own log keeps quiet
//! about people.

use std::{collections::BTreeSet, fs};

use convenant_model::{query::QueryKind, subjects::Subject, value::FieldType};
use convenant_subjects::{Journal, Pseudonym, records_from};
use convenant_testkit::{
    CapturedLog, Manner, World,
    question::{question, target, when},
};
use tonic::Code;

use crate::{
    ldv::{KEPT_BACK, Logged, MANDATORY, VOLUNTARY, brp, different, hex, send, subjects, trace_of},
    support::{LONG_FIELDS, in_rotterdam},
    under_way::{UnderWay, long_winded},
};

fn captured() -> CapturedLog {
    let log = CapturedLog::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_env_filter("info,convenant=trace");
    subscriber.with_writer(move || writer.clone()).init();
    log
}

fn text(log: &CapturedLog) -> String {
    String::from_utf8(log.bytes()).unwrap()
}

#[tokio::test]
async fn all_behind_an_answer_under_way_is_delivered_however_much_that_is() {
    let mut logged = Logged::world("rotterdam", 200, MANDATORY).await;
    logged.open_log().await;
    let data = logged.world.partner("rotterdam").unwrap().dir.join("data");
    let short = fs::read(data.join("brp_persoon.csv")).unwrap();
    long_winded(&mut logged.world, "rotterdam", "brp_persoon.csv").await;
    let world = &logged.world;
    let client = world.client().await.unwrap();
    logged.kept.called(1).await;
    logged.answers_again(&client).await;
    let asked = target(world.partner("rotterdam").unwrap(), LONG_FIELDS).unwrap();
    let asked = when(asked, "verblijfplaats_functie_adres in ('W', 'B')").unwrap();
    let long = client.compose(question(QueryKind::Select, vec![asked]).unwrap()).unwrap();
    let long_answer = UnderWay::begin(&client, &long).await;

    // The others need not read so much.
    fs::write(data.join("short.csv"), short).unwrap();
    fs::rename(data.join("short.csv"), data.join("brp_persoon.csv")).unwrap();
    // More than are looked at together.
    let mut last = None;
    for _ in 0..258 {
        let asked = brp(world, in_rotterdam(world, 1));
        last = Some(send(world, &client, QueryKind::Lookup, asked).await);
    }
    let lines = different(logged.kept.different(2 * 259).await);
    assert_eq!(lines.len(), 2 * 259, "lines behind the first 256 wait");
    let traces: BTreeSet<_> = lines.values().map(trace_of).collect();
    assert!(traces.contains(&hex(&last.unwrap())) && !traces.contains(&hex(&long.query)));

    // And the node notices when they are not taken.
    let before = logged.kept.calls();
    logged.kept.behave(Manner::Fails(Code::Unavailable));
    assert_eq!(logged.ask(&client).await, ["answered"]);
    logged.kept.called(before + 1).await;
    world.clock.advance(301);
    assert_eq!(logged.ask(&client).await, KEPT_BACK);
    drop(long_answer);
}

#[tokio::test]
async fn a_record_of_another_history_than_the_ledger_is_stepped_over_and_told() {
    let log = captured();
    let mut logged = Logged::world("rotterdam", 200, VOLUNTARY).await;
    logged.world.start_node("rotterdam").await.unwrap();
    let client = logged.world.client().await.unwrap();
    let people = in_rotterdam(&logged.world, 4);
    let ask = async |logged: &Logged, nth: usize| {
        let asked = brp(&logged.world, vec![people[nth].clone()]);
        send(&logged.world, &client, QueryKind::Lookup, asked).await
    };
    ask(&logged, 0).await;
    ask(&logged, 1).await;
    logged.world.stop_node("rotterdam").await.unwrap();

    // As after a ledger was restored that ends before these: one entry is not there, another became somebody else's.
    let key = &logged.world.partner("rotterdam").unwrap().keys.pseudonym;
    let of = |one: &Subject| Pseudonym::of(key, FieldType::Bsn, &one.key);
    let pseudonyms: Vec<_> = people.iter().map(of).collect();
    let folder = World::state(&logged.world.partner("rotterdam").unwrap().dir).join("subjects");
    let records: Vec<_> = records_from(&folder, 0).unwrap().map(|one| one.unwrap().0).collect();
    let (mut nowhere, mut another) = (records[1].clone(), records[1].clone());
    nowhere.told.decision = 1_000_000;
    nowhere.told.subjects = vec![pseudonyms[3]];
    another.told.query = records[0].told.query;
    another.told.subjects = vec![pseudonyms[3]];
    let (journal, _) = Journal::open(&folder).unwrap();
    journal.append(&[nowhere, another]).await.unwrap();
    journal.close().await;
    logged.world.start_node("rotterdam").await.unwrap();
    ask(&logged, 2).await;
    logged.open_log().await;

    let lines = different(logged.kept.different(6).await);
    assert_eq!(lines.len(), 6, "two for each answer");
    let expected: BTreeSet<_> = pseudonyms[..3].iter().map(ToString::to_string).collect();
    assert_eq!(subjects(lines.values()), expected);
    logged.world.stop_node("rotterdam").await.unwrap();
    assert_eq!(fs::read_to_string(logged.position()).unwrap(), "5\n");
    let told = text(&log);
    let stepped_over: Vec<_> =
        told.lines().filter(|line| line.contains("is stepped over")).collect();
    assert_eq!(stepped_over.len(), 2, "{told}");
    assert!(stepped_over.iter().all(|line| line.contains("ERROR")));
    assert!(stepped_over[0].contains("\"position\":2,\"entry\":1000000"), "{stepped_over:?}");
    assert!(people.iter().all(|one| !told.contains(one.key.expose())), "somebody is named");
    assert!(pseudonyms.iter().all(|one| !told.contains(&one.to_string())), "somebody is named");
}

#[tokio::test]
async fn what_the_log_says_of_people_is_not_repeated() {
    let manners = [
        (Manner::RejectsOne, "rejected 1 lines, in a message of 1"),
        (Manner::Fails(Code::InvalidArgument), "code InvalidArgument, in a message of 1"),
        (Manner::Fails(Code::Unavailable), "code Unavailable, in a message of 1"),
    ];
    let log = captured();
    let logged = Logged::start("rotterdam", VOLUNTARY).await;
    let client = logged.world.client().await.unwrap();
    logged.kept.called(1).await;
    let person = logged.pseudonym(in_rotterdam(&logged.world, 1)[0].key.expose());
    for (nth, (manner, words)) in manners.into_iter().enumerate() {
        let before = logged.kept.calls();
        logged.kept.behave(manner);
        assert_eq!(logged.ask(&client).await, ["answered"]);
        // The second comes after the first was told.
        logged.kept.called(before + 2).await;
        logged.kept.behave(Manner::Accepts);
        logged.kept.different(2 * (nth + 1)).await;
        let told = text(&log);
        assert!(told.contains(words), "{told}");
        assert!(!told.contains("opmerking") && !told.contains(&person), "{told}");
    }
}
