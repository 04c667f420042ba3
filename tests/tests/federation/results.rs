//! What was answered is kept sealed, and destroyed in time; or every party refuses the next query.

use std::fs;

use convenant_client::{
    Client, ClientConfig, TargetResult,
    compose::Composed,
    output::Keep,
    results::{Note, Place, Results, ResultsError, Statement, record},
};
use convenant_demo::SignedDocument;
use convenant_model::{
    Clock as _, Date, ProjectId,
    documents::Line,
    entry::{Entry, SignedOutcome, Status},
    query::QueryKind,
};
use convenant_setup::load;
use convenant_signing::{parse_canonical, peek_compact};
use convenant_testkit::{
    PROJECT, World,
    evidence::files_under,
    question::{about, question, target, when},
    told,
};

use crate::{
    replay::replay,
    support::{BRP_FIELDS, TIMEOUT, attempt, both, in_rotterdam, world},
};

const DAY: i64 = 24 * 3600;

fn results(world: &World) -> Results {
    let config: ClientConfig = load(&world.federation.leader.config).unwrap();
    Results::of(&config)
}

fn today(world: &World) -> Date {
    world.clock.now().date()
}

fn compose(world: &World, client: &Client, days: u16) -> Composed {
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, in_rotterdam(world, 3)).unwrap();
    let mut question = question(QueryKind::Lookup, vec![asked]).unwrap();
    question.retention_days = Some(days);
    client.compose(question).unwrap()
}

/// Asks, and keeps what comes.
async fn ask(client: &Client, composed: &Composed) -> Vec<TargetResult> {
    let sent = client.send(composed, TIMEOUT, |_, _| Keep::Sealed).await;
    assert_eq!(told(&sent), ["answered"], "{sent:?}");
    sent.unwrap()
}

/// Everybody is stopped and started again: what they know, they know from their ledgers.
async fn restart(world: &mut World) {
    world.shut_down().await.unwrap();
    world.start_coordinator().await.unwrap();
    world.start_node("rotterdam").await.unwrap();
}

fn destroy(world: &World, results: &Results, notes: Vec<Note>) -> SignedDocument {
    let statement = Statement {
        place: Line::new("Rotterdam").unwrap(),
        operator: Line::new("projectleider").unwrap(),
        manner: None,
        copies: false,
    };
    let lock = results.lock().unwrap();
    let destroyed = results.destroy(&lock, notes, &statement, world.clock.as_ref()).unwrap();
    let (project, said) = (ProjectId::new(PROJECT).unwrap(), (&statement, world.clock.now()));
    let receiver = &world.federation.leader.partner;
    let record = record(receiver, (&project, false), &destroyed, said).unwrap().unwrap();
    let receiver = world.partner("rotterdam").unwrap();
    SignedDocument::new("destruction", &record, [&receiver.keys.signing]).unwrap()
}

#[tokio::test]
async fn an_overdue_answer_stops_the_project_until_a_record_says_that_it_was_destroyed() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let composed = compose(&world, &client, 1);
    let answered = ask(&client, &composed).await;
    let deadline = today(&world).plus_days(1);
    assert_eq!((answered[0].deadline, answered[0].sealed), (Some(deadline), true));
    // Another that may be kept for longer.
    ask(&client, &compose(&world, &client, 30)).await;
    client.close().await;

    // On its last day it may still be kept.
    world.clock.advance(DAY);
    restart(&mut world).await;
    let client = world.client().await.unwrap();
    ask(&client, &compose(&world, &client, 30)).await;
    client.close().await;

    world.clock.advance(DAY);
    restart(&mut world).await;
    let client = world.client().await.unwrap();
    let refused = attempt(&world, &client, &compose(&world, &client, 30)).await;
    assert_eq!(refused, both(&["L6/BEWAARTERMIJN"]));
    client.close().await;

    let results = results(&world);
    let (overdue, kept): (Vec<_>, Vec<_>) =
        results.list().unwrap().into_iter().partition(|note| note.answer.overdue(today(&world)));
    assert_eq!((overdue.len(), kept.len()), (1, 2));
    assert_eq!(overdue[0].answer.query, composed.query.id);
    let opened = results.open_csv(&overdue[0], today(&world), std::io::sink());
    assert!(matches!(opened, Err(ResultsError::Overdue { .. })), "{opened:?}");
    let record = destroy(&world, &results, overdue);
    world.submit(&record).await.unwrap();

    // The register tells everybody, also after they forgot.
    for round in 0..2 {
        let client = world.client().await.unwrap();
        ask(&client, &compose(&world, &client, 30)).await;
        client.close().await;
        if round == 0 {
            restart(&mut world).await;
        }
    }
    world.shut_down().await.unwrap();
    let report = replay(&world, &["rotterdam"]);
    assert!(report.holds(), "{report}");
}

#[tokio::test]
async fn the_account_says_what_the_receipt_says_and_the_rows_are_nowhere_to_be_read() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let composed = compose(&world, &client, 7);
    ask(&client, &composed).await;
    client.close().await;
    world.shut_down().await.unwrap();

    let results = results(&world);
    let notes = results.list().unwrap();
    let answer = &notes[0].answer;
    assert_eq!((answer.rows, answer.deadline), (3, Some(today(&world).plus_days(7))));
    assert_eq!(answer.columns[..3], BRP_FIELDS[..]);
    let signed = world.receipts().unwrap().into_iter().find_map(|entry| match entry {
        Entry::Receipt(receipt) if receipt.status == Status::Answered => receipt.outcome,
        _ => None,
    });
    let signed = peek_compact(signed.as_ref().unwrap(), "convenant-outcome+json").unwrap();
    let outcome: SignedOutcome = parse_canonical(signed.payload(), "outcome").unwrap();
    assert_eq!(answer.manifest, outcome.hash);

    let mut opened = Vec::new();
    results.open_csv(&notes[0], today(&world), &mut opened).unwrap();
    let opened = String::from_utf8(opened).unwrap();
    assert_eq!(opened.lines().count(), 4);
    let subjects = in_rotterdam(&world, 3);
    for subject in &subjects {
        assert!(opened.contains(subject.key.expose()));
    }
    for file in files_under(&World::state(&world.federation.leader.dir)).unwrap() {
        let bytes = fs::read(&file).unwrap();
        for subject in &subjects {
            let bsn = subject.key.expose().as_bytes();
            let found = bytes.windows(bsn.len()).any(|window| window == bsn);
            assert!(!found, "{}", file.display());
        }
    }
}

#[tokio::test]
async fn an_answer_without_an_account_is_known_by_its_receipt_and_a_number_is_no_duty() {
    let mut world = world(&["rotterdam", "svb"]).await;
    let client = world.client().await.unwrap();
    let composed = compose(&world, &client, 7);
    ask(&client, &composed).await;
    let count = target(world.partner("svb").unwrap(), &[]).unwrap();
    let count = when(count, "datum_ingang_recht >= '1980-01-01'").unwrap();
    let count = client.compose(question(QueryKind::Count, vec![count]).unwrap()).unwrap();
    ask(&client, &count).await;
    client.close().await;
    world.shut_down().await.unwrap();

    let results = results(&world);
    let before = results.list().unwrap();
    let number = before.iter().find(|note| note.answer.query == count.query.id).unwrap();
    assert_eq!(number.answer.deadline, None);
    // An account with another day than the receipt's is none.
    let folder = World::state(&world.federation.leader.dir).join("results");
    let account = folder.join(format!("{}.0.json", composed.query.id));
    let own = fs::read_to_string(&account).unwrap();
    let (day, later) = (today(&world).plus_days(7), today(&world).plus_days(70));
    fs::write(&account, own.replace(&day.to_string(), &later.to_string())).unwrap();
    let listed = results.list();
    assert!(matches!(listed, Err(ResultsError::Disagrees(path)) if path == account));
    // The client was killed between the receipt and the account.
    for file in files_under(&folder).unwrap() {
        fs::remove_file(file).unwrap();
    }
    let after = results.list().unwrap();
    assert_eq!(after.len(), 1);
    let known = before.iter().find(|note| note.answer.query == composed.query.id).unwrap();
    assert_eq!(after[0].answer.manifest, known.answer.manifest);
    assert_eq!(after[0].answer.deadline, known.answer.deadline);
}

#[tokio::test]
async fn an_answer_that_could_not_be_kept_is_still_to_be_recorded_as_destroyed() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let composed = compose(&world, &client, 7);
    let nowhere = world.path("nowhere").join("answer.csv");
    let sent = client.send(&composed, TIMEOUT, |_, _| nowhere.clone()).await.unwrap();
    assert!(sent[0].refused_here.is_some() && sent[0].file.is_none(), "{sent:?}");
    client.close().await;

    // Its partner answered, and counts it.
    let results = results(&world);
    let notes = results.list().unwrap();
    assert_eq!(notes.len(), 1);
    let place = Place::Kept { sealed: None, files: Vec::new() };
    assert_eq!((notes[0].answer.query, &notes[0].place), (composed.query.id, &place));
    let record = destroy(&world, &results, notes);
    world.submit(&record).await.unwrap();
    world.shut_down().await.unwrap();
}
