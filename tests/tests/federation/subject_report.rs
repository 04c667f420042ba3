//! What each node tells of a person: the exchanges that were about them, no other, and in time.

use std::fs;

use convenant_client::compose::{Question, TargetQuestion};
use convenant_demo::population::{DEN_HAAG, Person, ROTTERDAM};
use convenant_model::{
    Clock as _, Timestamp,
    parse::BoundedText,
    query::{DelayedDisclosure, QueryKind},
    subjects::Identifying,
};
use convenant_register::folder;
use convenant_signing::{OpeningKey, PseudonymKey, SystemRandom};
use convenant_store::FileLedger;
use convenant_subjects::{
    Ended, Format, Letter, LetterError, Report, ReportError, Reporting, find, rekey,
};
use convenant_testkit::{
    CapturedLog, World,
    question::{about, question, target, when},
    told,
};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::{
    revocation::revoke,
    support::{BRP_FIELDS, LONG_FIELDS, Results, residents, world},
    under_way::{UnderWay, long_winded},
};

const NODES: [&str; 2] = ["rotterdam", "svb"];
const PENSION: &[&str] = &["leefvorm_aow"];

/// What a node tells of a person at an instant, from its files alone.
fn report(world: &World, node: &str, person: &Identifying, at: Timestamp) -> Report {
    try_report(world, node, person, at, &world.partner(node).unwrap().keys.pseudonym)
}

fn try_report(
    world: &World,
    node: &str,
    person: &Identifying,
    at: Timestamp,
    key: &PseudonymKey,
) -> Report {
    let party = world.partner(node).unwrap();
    let state = World::state(&party.dir);
    let found = find(&state.join("subjects"), key, person).unwrap();
    assert_eq!(found.others, 0);
    let register = folder::read(&state.join("register"), world.federation.root_of_trust()).unwrap();
    let ledger = FileLedger::open_read(state.join("ledger")).unwrap();
    let by = Reporting { party: &party.oin, state: register.state(), at, reference: None };
    Report::of(&found, &ledger, by).unwrap()
}

async fn ask(world: &World, question: Question) {
    let client = world.client().await.unwrap();
    let composed = client.compose(question).unwrap();
    let results = Results::of(world, &composed.query.id.to_string());
    let sent = results.ask(&client, &composed).await;
    let answered = vec!["answered"; composed.query.targets.len()];
    assert_eq!(told(&sent), answered, "{sent:?}");
    // The next one opens the same ledger.
    client.close().await;
}

fn lookup(world: &World, nodes: &[&str], person: &Person) -> Question {
    let targets = nodes.iter().map(|node| {
        let (fields, subject) = match *node {
            "svb" => (PENSION, person.unverified_subject()),
            _ => (BRP_FIELDS, person.subject()),
        };
        about(target(world.partner(node).unwrap(), fields).unwrap(), vec![subject]).unwrap()
    });
    question(QueryKind::Lookup, targets.collect()).unwrap()
}

fn select(world: &World) -> Question {
    let asked = target(world.partner("svb").unwrap(), PENSION).unwrap();
    let asked = when(asked, "leefvorm_aow = 'alleenstaand'").unwrap();
    question(QueryKind::Select, vec![asked]).unwrap()
}

/// All rows of Rotterdam.
fn everybody(world: &World) -> TargetQuestion {
    let asked = target(world.partner("rotterdam").unwrap(), LONG_FIELDS).unwrap();
    when(asked, "verblijfplaats_functie_adres in ('W', 'B')").unwrap()
}

/// A resident who has a pension alone, and one who was never asked about.
fn people(world: &World) -> (&Person, &Person) {
    let population = world.federation.population.as_ref().unwrap();
    let mut residents = population.residents_of(ROTTERDAM).map(|(_, person)| person);
    let alone = residents.find(|person| person.has_pension_alone()).unwrap();
    (alone, residents_of_the_hague(world))
}

fn residents_of_the_hague(world: &World) -> &Person {
    residents(world, DEN_HAAG, 1)[0]
}

fn kinds(report: &Report) -> Vec<QueryKind> {
    report.exchanges.iter().map(|one| one.kind).collect()
}

#[tokio::test]
async fn each_node_tells_a_person_of_exactly_what_was_about_them() {
    let world = world(&NODES).await;
    let (person, stranger) = people(&world);
    ask(&world, lookup(&world, &NODES, person)).await;
    ask(&world, select(&world)).await;
    let count = target(world.partner("svb").unwrap(), &[]).unwrap();
    let count = when(count, "datum_ingang_recht >= '1980-01-01'").unwrap();
    ask(&world, question(QueryKind::Count, vec![count]).unwrap()).await;

    let now = world.clock.now();
    let reports = NODES.map(|node| report(&world, node, &person.bsn(), now));
    assert_eq!(kinds(&reports[0]), [QueryKind::Lookup]);
    assert_eq!(kinds(&reports[1]), [QueryKind::Lookup, QueryKind::Select]);
    for node in NODES {
        assert_eq!(report(&world, node, &stranger.bsn(), now).exchanges, []);
    }
    let told = &reports[0].exchanges[0];
    let rotterdam = world.partner("rotterdam").unwrap();
    assert_eq!((&told.recipient, told.ended), (&rotterdam.oin, Ended::Answered));
    assert_eq!(told.keep_until, Some(now.date().plus_days(90)));
    let fields: Vec<_> = told.fields.iter().map(|field| field.as_str()).collect();
    assert_eq!(fields, BRP_FIELDS);
    for words in [&told.title, &told.goal, &told.theme, &told.basis_provider, &told.dataset_title] {
        assert!(!words.is_empty(), "{told:?}");
    }

    let letter = Letter::of(&reports, now.date()).unwrap();
    for format in [Format::Text, Format::Markdown, Format::Html] {
        let text = letter.text(format);
        assert_eq!(text.matches("Op 2 maart 2026 vroeg").count(), 3, "{text}");
        assert!(text.contains("Autoriteit Persoonsgegevens") && text.contains("artikel 41"));
        assert!(!text.contains(person.bsn().expose()));
    }
    assert!(matches!(
        Letter::of(&[reports[0].clone(), reports[0].clone()], now.date()),
        Err(LetterError::Twice(_))
    ));
}

#[tokio::test]
async fn who_lost_a_zero_in_the_source_is_found_and_who_has_no_number_is_counted() {
    let log = CapturedLog::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _until_the_end = subscriber.set_default();
    let mut world = world(&[]).await;
    let population = world.federation.population.as_ref().unwrap();
    let file = world.partner("rotterdam").unwrap().dir.join("data/brp_persoon.csv");
    let mut rows = fs::read_to_string(&file).unwrap();
    let residents = population.residents_of(ROTTERDAM).map(|(_, person)| person);
    for (person, spelled) in residents.zip(["12345672", "00nummer"]) {
        rows = rows.replace(person.bsn().expose(), spelled);
    }
    fs::write(&file, rows).unwrap();
    world.start_node("rotterdam").await.unwrap();
    ask(&world, question(QueryKind::Select, vec![everybody(&world)]).unwrap()).await;

    let now = world.clock.now();
    for spelled in ["012345672", "12345672"] {
        let person = Identifying::new(spelled.to_owned());
        assert_eq!(
            kinds(&report(&world, "rotterdam", &person, now)),
            [QueryKind::Select],
            "{spelled}"
        );
    }
    let log = String::from_utf8(log.bytes()).unwrap();
    let told: Vec<_> = log.lines().filter(|line| line.contains("values are no BSN")).collect();
    assert!(told.len() == 1 && told[0].contains("count=1"), "{told:?}");
    assert!(!log.contains("00nummer") && !log.contains("12345672"), "{log}");
}

#[tokio::test]
async fn an_answer_that_broke_off_is_told_as_given_in_part() {
    let mut world = world(&[]).await;
    long_winded(&mut world, "rotterdam", "brp_persoon.csv").await;
    let client = world.client().await.unwrap();
    let asked = question(QueryKind::Select, vec![everybody(&world)]).unwrap();
    let composed = client.compose(asked).unwrap();
    drop(UnderWay::begin(&client, &composed).await);
    client.close().await;
    world.shut_down().await.unwrap();

    let now = world.clock.now();
    let (person, _) = people(&world);
    let report = report(&world, "rotterdam", &person.bsn(), now);
    let [told] = &report.exchanges[..] else { panic!("{report:?}") };
    assert_eq!((told.ended, told.keep_until), (Ended::InPart, Some(now.date().plus_days(90))));
    let letter = Letter::of(&[report], now.date()).unwrap().text(Format::Text);
    assert!(letter.contains("Een deel van de gegevens kan wel zijn gegeven."), "{letter}");
    assert!(!letter.contains("geen antwoord"), "{letter}");
}

#[tokio::test]
async fn who_is_to_be_told_later_is_told_from_the_day_after() {
    let world = world(&["rotterdam"]).await;
    let (person, _) = people(&world);
    let (now, today) = (world.clock.now(), world.clock.now().date());
    let reason = || BoundedText::new("een controle is nog niet geweest").unwrap();
    let delayed = |until| {
        let delayed_disclosure = Some(DelayedDisclosure { reason: reason(), until });
        Question { delayed_disclosure, ..lookup(&world, &["rotterdam"], person) }
    };
    ask(&world, delayed(today.plus_days(7))).await;
    let tell = |at| report(&world, "rotterdam", &person.bsn(), at);
    let letter = |at: Timestamp| Letter::of(&[tell(at)], today).unwrap().text(Format::Text);
    let until = now.plus_seconds(7 * 24 * 60 * 60);
    let after = now.plus_seconds(8 * 24 * 60 * 60);
    assert_eq!((tell(now).exchanges.len(), tell(until).exchanges.len()), (0, 0));
    assert_eq!(kinds(&tell(after)), [QueryKind::Lookup]);
    // Nothing but the exchange itself tells the two apart.
    let (before, later) = (letter(now), letter(after));
    assert!(before.contains("artikel 41") && later.contains("artikel 41"));
    assert!(!before.contains("P-2026-001") && later.contains("P-2026-001"));
    assert!(!later.contains("controle"));

    // One that is over before it begins is no delay.
    let client = world.client().await.unwrap();
    let composed = client.compose(delayed(today.plus_days(-1))).unwrap();
    let results = Results::of(&world, "over");
    let sent = results.ask(&client, &composed).await;
    assert_eq!(told(&sent), ["ONJUIST_BERICHT"], "{sent:?}");
}

#[tokio::test]
async fn only_a_report_that_its_node_signed_is_believed() {
    let world = world(&["rotterdam"]).await;
    let (person, _) = people(&world);
    ask(&world, lookup(&world, &["rotterdam"], person)).await;
    let report = report(&world, "rotterdam", &person.bsn(), world.clock.now());
    let rotterdam = world.partner("rotterdam").unwrap();
    let svb = world.partner("svb").unwrap();
    let read = |signed: &[u8], at| {
        let folder = World::state(&world.federation.coordinator.dir).join("register");
        let register = folder::read(&folder, world.federation.root_of_trust()).unwrap();
        Report::verify(signed, register.state(), at)
    };
    let now = world.clock.now();
    let signed = report.sign(&rotterdam.keys.ledger).unwrap();
    assert_eq!(read(&signed, now).unwrap(), report);
    let foreign = report.sign(&svb.keys.ledger).unwrap();
    assert!(matches!(read(&foreign, now), Err(ReportError::Stranger(_))));

    // Whoever has a stolen key can sign with any day; once the key is revoked, no day helps.
    let stolen = rotterdam.keys.ledger.verifying_key();
    let from = now.plus_seconds(60);
    revoke(&world, &rotterdam.oin, stolen, from).await;
    let emptied = Report { exchanges: Vec::new(), ..report };
    let emptied = emptied.sign(&rotterdam.keys.ledger).unwrap();
    assert!(read(&emptied, now).is_ok());
    assert!(matches!(read(&emptied, from), Err(ReportError::Stranger(_))));
}

#[tokio::test]
async fn another_pseudonym_key_finds_the_same() {
    let mut world = world(&["rotterdam"]).await;
    let (person, _) = people(&world);
    ask(&world, lookup(&world, &["rotterdam"], person)).await;
    let person = person.bsn();
    let now = world.clock.now();
    let before = report(&world, "rotterdam", &person, now);
    assert_eq!(before.exchanges.len(), 1);
    let party = world.partner("rotterdam").unwrap();
    let folder = World::state(&party.dir).join("subjects");
    let key = PseudonymKey::generate(&SystemRandom::new()).unwrap();
    let opening = [OpeningKey::from_jwk(&party.keys.subjects.to_jwk()).unwrap()];
    let oin = party.oin.clone();
    assert!(rekey(&folder, &oin, &opening, &key).is_err(), "the node has the journal");
    let wrong = OpeningKey::generate(&SystemRandom::new()).unwrap();

    world.stop_node("rotterdam").await.unwrap();
    assert!(rekey(&folder, &oin, &[wrong], &key).is_err());
    assert_eq!(report(&world, "rotterdam", &person, now), before);
    assert_eq!(rekey(&folder, &oin, &opening, &key).unwrap(), 1);
    let found = find(&folder, &world.partner("rotterdam").unwrap().keys.pseudonym, &person);
    let found = found.unwrap();
    assert_eq!((found.exchanges.len(), found.others), (0, 1));
    assert_eq!(try_report(&world, "rotterdam", &person, now, &key), before);
    world.start_node("rotterdam").await.unwrap();
}
