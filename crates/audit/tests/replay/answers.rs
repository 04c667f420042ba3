//! The figures that answer the audit's questions.

use convenant_audit::{Code, Documents, Entries, Question, Severity};
use convenant_model::{
    Problem,
    documents::DocumentKind,
    entry::{Decision, Entry, OutcomeEntry, Rejected, Usage},
};
use convenant_signing::{Jws, sha256};
use serde_json::json;

use crate::{
    documents::decision,
    world::{COORDINATOR, LSI, Ledgers, ROTTERDAM, UWV, World, at, oin},
};

fn places(entries: &Entries) -> Vec<u64> {
    entries.first.iter().map(|place| place.entry).collect()
}

#[test]
fn who_asked_what_under_whose_mandate() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let answers = world.audit(&ledgers).answers;
    let [asker] = answers.askers.as_slice() else { panic!("{:?}", answers.askers) };
    assert_eq!((asker.project.as_str(), asker.goal.as_str()), ("P-2026-001", "toeslagenfraude"));
    assert_eq!((&asker.partner, asker.leader), (&oin(ROTTERDAM), true));
    assert_eq!(asker.function.as_deref(), Some("projectleider"));
    assert_eq!((asker.entries.number, asker.permitted), (3, 3));
    assert_eq!(places(&asker.entries), [1, 3, 5]);
    assert_eq!(answers.days.values().sum::<u64>(), 3);
    assert_eq!(answers.refused_days.values().sum::<u64>(), 0);
    assert_eq!(answers.hours[14], 3);
    assert_eq!(answers.left_out, 0);
}

#[test]
fn what_let_somebody_ask_and_what_was_asked_when_it_did_not_hold() {
    let asked = |world: &mut World, times: &[&str]| {
        let mut ledgers = Ledgers::default();
        for at in times {
            world.now = at.parse().unwrap();
            world.exchange(&mut ledgers, &|_| {}, false);
        }
        let answers = world.audit(&ledgers).answers;
        let [asker] = answers.askers.as_slice() else { panic!("{:?}", answers.askers) };
        asker.clone()
    };
    // A day ends in the Netherlands an hour before it does in UTC. The permit has an outcome behind it.
    let mut world = World::new();
    let asker = asked(&mut world, &["2026-12-31T22:59:59.999Z", "2026-12-31T23:00:00.000Z"]);
    let [mandate] = asker.mandates.as_slice() else { panic!("{:?}", asker.mandates) };
    let days = [mandate.valid_from, mandate.valid_until].map(|day| day.to_string());
    assert_eq!(days, ["2026-02-01", "2026-12-31"]);
    let given = usize::try_from(mandate.document.unwrap()).unwrap();
    let given = Jws::parse(&world.documents()[given]).unwrap();
    assert_eq!(given.typ(), "convenant-mandate+json");
    assert_eq!((asker.entries.number, asker.permitted, asker.revoked), (2, 1, None));
    assert_eq!(places(&asker.outside), [2]);
    // Before it began, nobody was let ask either.
    let mut world = World::new();
    let asker = asked(&mut world, &["2026-01-31T12:00:00.000Z", "2026-02-02T12:00:00.000Z"]);
    assert_eq!(places(&asker.outside), [0]);

    // Nor after the project had ended, whatever the mandate says.
    let mut world = World::new();
    let attested = world.attest("2026-01-11");
    let mut shorter = decision(world.proposal(), &attested, "2026-01-20");
    shorter["valid_until"] = json!("2026-06-30");
    world.submit(DocumentKind::Decision, &shorter, &[LSI]);
    let asker = asked(&mut world, &["2026-06-30T12:00:00.000Z", "2026-07-01T12:00:00.000Z"]);
    assert_eq!(places(&asker.outside), [2]);

    let mut world = World::new();
    let (from, [leader, ..]) = (at().plus_seconds(60), world.keys(ROTTERDAM));
    world.revoke(ROTTERDAM, &leader, from);
    let asker = asked(&mut world, &["2026-05-01T12:00:00.000Z", "2026-05-01T12:01:00.000Z"]);
    assert_eq!((asker.entries.number, asker.revoked), (2, Some(from)));
    assert_eq!(places(&asker.outside), [2]);
}

#[test]
fn why_it_was_refused_and_where() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let answers = world.audit(&ledgers).answers;
    // UWV's node refused invalid subjects by itself.
    let bsn = answers.refusals.iter().find(|one| one.code == "L14/BSN").unwrap();
    assert_eq!(bsn.title.as_deref(), Some("Burgerservicenummer"));
    let place = &bsn.entries.first[0];
    assert_eq!((place.ledger.to_string(), place.entry), (format!("node/{UWV}"), 3));
    let coordinator = answers.refusals.iter().find(|one| one.code != "L14/BSN").unwrap();
    assert_eq!(places(&coordinator.entries), [3]);
}

#[test]
fn what_was_not_taken_why_and_from_whom() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    let mut not_taken = |ledger: &str, peer: &str, problem| {
        let entry = Entry::Rejected(Rejected {
            party: oin(ledger),
            peer: oin(peer),
            at: at(),
            problem,
            message: sha256(b"message"),
            query: None,
        });
        let entries = if ledger == UWV { &mut ledgers.uwv } else { &mut ledgers.coordinator };
        entries.push(entry);
    };
    not_taken(COORDINATOR, ROTTERDAM, Problem::Replayed);
    not_taken(COORDINATOR, ROTTERDAM, Problem::Refused);
    not_taken(COORDINATOR, ROTTERDAM, Problem::Replayed);
    // A node tells of its own messages, also where the coordinator's ledger is there.
    not_taken(UWV, COORDINATOR, Problem::Replayed);
    let report = world.audit(&ledgers);
    let told = report.answers.rejected.iter();
    let told: Vec<_> =
        told.map(|one| (one.problem, one.peer.as_str(), places(&one.entries))).collect();
    let expected = [
        (Problem::Replayed, ROTTERDAM, vec![7, 9]),
        (Problem::Replayed, COORDINATOR, vec![4]),
        (Problem::Refused, ROTTERDAM, vec![8]),
    ];
    assert_eq!(told, expected);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["answers"]["rejected"][0]["problem"], "HERHAALDE_VRAAG");
    let said = format!("HERHAALDE_VRAAG van {ROTTERDAM}: 2 (coordinator/{COORDINATOR}: 7 9)\n");
    assert!(report.to_string().contains(&said), "{report}");
}

#[test]
fn how_many_people_and_which_fields() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let answers = world.audit(&ledgers).answers;
    let uwv = answers.sources.iter().find(|one| one.provider == oin(UWV)).unwrap();
    // The coordinator permitted the third, which the node then refused.
    assert_eq!(places(&uwv.entries), [1, 3, 5]);
    assert_eq!((places(&uwv.permitted), places(&uwv.answered)), (vec![1, 5], vec![2]));
    assert_eq!((uwv.subjects, uwv.rows, places(&uwv.received)), (6, 6, vec![0]));
    // Of the three that were answered it is known whether they hit; of those of the third question it is not.
    assert_eq!((uwv.answered_subjects, uwv.answered_rows), (3, 6));
    let asked: Vec<_> = uwv.asked_fields.iter().map(|one| one.as_str()).collect();
    assert_eq!(asked, ["datum_aanvang_inkomstenverhouding"]);
    let receipts = &uwv.received.first[0].ledger;
    assert_eq!(receipts.to_string(), format!("receipts/{ROTTERDAM}"));
    let columns: Vec<_> = uwv.columns.iter().map(|one| one.as_str()).collect();
    assert!(columns.contains(&"datum_aanvang_inkomstenverhouding"), "{columns:?}");
}

#[test]
fn what_came_before_a_project_and_in_time() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let answers = world.audit(&ledgers).answers;
    let [project] = answers.projects.as_slice() else { panic!("{:?}", answers.projects) };
    assert!(project.measures.in_time && project.dpia.in_time && project.communication.in_time);
    assert_eq!((project.measures.number, project.dpia.number, project.participants), (1, 3, 3));
    assert_eq!(project.decided_on.to_string(), "2026-01-20");
    assert_eq!(project.first_question, Some(world.now));
    assert!(!project.feedback.complete);
    // Each with the documents of the register behind it, and these are what they should be.
    let kinds = |documents: &Documents| {
        let kind = |index: &u64| {
            let jws = Jws::parse(&world.documents()[usize::try_from(*index).unwrap()]).unwrap();
            jws.typ().to_owned()
        };
        documents.first.iter().map(kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&project.measures.documents), ["convenant-proposal+json"]);
    assert_eq!(kinds(&project.dpia.documents), ["convenant-attestation+json"; 3]);
    assert_eq!(project.dpia.documents, project.communication.documents);
    assert_eq!(kinds(&project.decisions), ["convenant-decision+json"]);
    assert_eq!(project.feedback.documents, Documents::default());
}

#[test]
fn what_must_be_gone_and_is_not() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    let kept = |world: &World, ledgers: &Ledgers| {
        let kept = world.audit(ledgers).answers.kept.remove(0);
        [kept.in_time, kept.late, kept.overdue, kept.waiting].map(|one| one.number)
    };
    assert_eq!(kept(&world, &ledgers), [0, 0, 0, 2]);
    // Thirty days later it is still there, as far as the register knows; then somebody asks again.
    world.now = world.now.plus_seconds(32 * 24 * 3600);
    world.exchange(&mut ledgers, &|_| {}, false);
    let [_, _, overdue, _] = kept(&world, &ledgers);
    assert_eq!(overdue, 2);
    // On record as destroyed on the first day, by whoever received it.
    let Entry::Decision(Decision { query, .. }) = &ledgers.coordinator[0] else { panic!() };
    world.destroy(*query, UWV, crate::world::at().plus_seconds(3600));
    assert_eq!(kept(&world, &ledgers)[0], 1);
    assert_eq!(kept(&world, &ledgers)[2], 1);
    let projects = world.audit(&ledgers).answers.projects;
    let last = world.documents().len() as u64 - 1;
    assert_eq!(projects[0].destructions.first, [last]);
}

/// A number has no last day. It is an answer like others, and all of them add up.
#[test]
fn an_answer_that_is_a_number_is_counted_apart() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(&mut ledgers, &|_| {}, false);
    let Entry::Decision(permit) = ledgers.coordinator[0].clone() else { panic!() };
    let Entry::Outcome(outcome) = ledgers.coordinator[1].clone() else { panic!() };
    world.exchange(&mut ledgers, &|query| query["kind"] = "count".into(), false);
    ledgers.coordinator.truncate(3);
    let Entry::Decision(counted) = &mut ledgers.coordinator[2] else { panic!() };
    // The project may count nothing; its coordinator says that it may.
    counted.verdicts = permit.verdicts;
    let query = counted.query;
    ledgers.coordinator.push(Entry::Outcome(OutcomeEntry { query, decision: 2, ..outcome }));
    let answers = world.audit(&ledgers).answers;
    let [kept] = answers.kept.as_slice() else { panic!("{:?}", answers.kept) };
    assert_eq!((kept.waiting.number, places(&kept.numbers)), (2, vec![3, 3]));
    let answered: u64 = answers.sources.iter().map(|one| one.answered.number).sum();
    assert_eq!(answered, kept.waiting.number + kept.numbers.number);
}

#[test]
fn every_code_bears_on_one_question() {
    let bears = |question| Code::ALL.iter().filter(move |code| Question::of(**code) == question);
    assert!(bears(Question::Unusual).all(|code| code.severity() != Severity::Finding));
    assert!(bears(Question::Log).count() > 10);
    assert_eq!(Question::of(Code::Verdict), Question::Lawful);
    assert_eq!(Question::of(Code::ToldLater), Question::Prepared, "the information duty");
    assert_eq!(Question::ALL.len(), 11);
}

#[test]
fn a_ledger_in_which_nothing_holds_does_not_fill_the_report() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    for _ in 0..140 {
        world.exchange(&mut ledgers, &|query| query["project"] = json!("P-BESTAAT-NIET"), false);
    }
    for entry in &mut ledgers.coordinator {
        let Entry::Decision(decision) = entry else { continue };
        decision.used = Usage { overdue: 1, ..decision.used };
    }
    let report = world.audit(&ledgers);
    let overdue = report.findings.iter().filter(|one| one.code == Code::Overdue);
    let overdue: Vec<_> = overdue.filter_map(|one| one.entry).collect();
    assert_eq!(overdue, (0..100).collect::<Vec<_>>());
    let left = report.left_out.iter().find(|one| one.code == Code::Overdue).unwrap();
    assert_eq!(left.number, 40);
    let [asker] = report.answers.askers.as_slice() else { panic!() };
    assert_eq!(places(&asker.entries), (0..140).collect::<Vec<_>>(), "each decision is named");
    assert!(report.number(Severity::Finding) >= 140 && !report.holds());
    let firsts: Vec<_> = report.first_of_each().map(|one| (one.code, one.entry)).collect();
    assert!(firsts.contains(&(Code::Overdue, Some(0))), "{firsts:?}");
}
