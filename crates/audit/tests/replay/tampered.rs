//! A party that lies: it changes what it records and signs that. Each lie is found, under its own code
//! and at its place.

use convenant_audit::{Code, LedgerKind, Severity};
use convenant_ledger::merkle::empty_root;
use convenant_model::{
    FieldName, Problem,
    entry::{Decision, Entry, OutcomeEntry, Receipt, RecordedVerdict, Status, Usage},
    verdict::Refusal,
};
use convenant_signing::sha256;

use crate::world::{COORDINATOR, Ledgers, TOESLAGEN, UWV, World, found, oin};

// Indexes in the ledgers of `World::exchanges`.
//   coordinator: 0 started, 1 decision, 2 outcome, 3 decision (UWV refused), 4 outcome, 5, 6
//   uwv:         0 started, 1 decision, 2 outcome, 3 decision (subjects refused)
//   toeslagen:   0 started, 1 decision, 2 outcome, 3, 4, 5, 6
//   receipts:    0 uwv, 1 toeslagen, 2 toeslagen, 3 uwv (refused), 4 toeslagen

/// What is found once the ledgers were changed.
fn after(change: impl FnOnce(&mut World, &mut Ledgers)) -> Vec<String> {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    change(&mut world, &mut ledgers);
    found(&world.audit(&ledgers), Severity::Finding)
}

fn decision(entry: &mut Entry) -> &mut Decision {
    match entry {
        Entry::Decision(decision) => decision,
        other => panic!("not a decision: {other:?}"),
    }
}

fn outcome(entry: &mut Entry) -> &mut OutcomeEntry {
    match entry {
        Entry::Outcome(outcome) => outcome,
        other => panic!("not an outcome: {other:?}"),
    }
}

fn receipt(entry: &mut Entry) -> &mut Receipt {
    match entry {
        Entry::Receipt(receipt) => receipt,
        other => panic!("not a receipt: {other:?}"),
    }
}

#[test]
fn a_verdict_that_was_flipped() {
    let refused_to_permitted = after(|_, ledgers| {
        let permit = decision(&mut ledgers.coordinator[1]).verdicts[0].verdict.clone();
        decision(&mut ledgers.coordinator[3]).verdicts[0].verdict = permit;
    });
    assert!(refused_to_permitted.contains(&"UITSPRAAK_AFWIJKEND coordinator 3".to_owned()));
    let permitted_to_refused = after(|_, ledgers| {
        let problem = Problem::RuleError;
        let verdict = &mut decision(&mut ledgers.toeslagen[5]).verdicts[0].verdict;
        *verdict = RecordedVerdict::Problem { problem };
    });
    assert!(permitted_to_refused.contains(&"UITSPRAAK_AFWIJKEND toeslagen 5".to_owned()));
}

#[test]
fn a_clause_that_was_left_out_or_reworded() {
    let change = |edit: fn(&mut Vec<convenant_model::verdict::Violation>)| {
        after(|_, ledgers| {
            let verdict = &mut decision(&mut ledgers.coordinator[3]).verdicts[0].verdict;
            let RecordedVerdict::Refuse { refusal } = verdict else { panic!("not refused") };
            let mut violations: Vec<_> = refusal.clone().into();
            edit(&mut violations);
            *refusal = Refusal::new(violations).unwrap();
        })
    };
    let other = change(|all| all[0].code = "ANDERS".to_owned());
    assert_eq!(other[0], "CLAUSULES_AFWIJKEND coordinator 3");
    let reworded = change(|all| all[0].detail.push_str(" en meer"));
    assert_eq!(reworded, ["UITLEG_AFWIJKEND coordinator 3"]);
}

#[test]
fn obligations_that_were_widened() {
    let widened = after(|_, ledgers| {
        let verdict = &mut decision(&mut ledgers.uwv[1]).verdicts[0].verdict;
        let RecordedVerdict::Permit { obligations } = verdict else { panic!("not permitted") };
        obligations.max_rows += 1;
        obligations.columns.push(FieldName::new("loon_sv").unwrap());
    });
    assert_eq!(widened, ["VERPLICHTINGEN_AFWIJKEND uwv 1"]);
}

#[test]
fn facts_covenant_or_register_that_were_changed() {
    let changed =
        |edit: fn(&mut Decision)| after(|_, ledgers| edit(decision(&mut ledgers.toeslagen[3])));
    let slice = changed(|one| one.verdicts[0].slice = sha256(b"other"));
    assert_eq!(slice, ["FEITEN_AFWIJKEND toeslagen 3"]);
    assert_eq!(changed(|one| one.covenant = sha256(b"other")), ["CONVENANT_AFWIJKEND toeslagen 3"]);
    let root = changed(|one| one.register.root = sha256(b"other"));
    assert_eq!(root, ["REGISTER_AFWIJKEND toeslagen 3"]);
    assert_eq!(changed(|one| one.register.size += 1), ["REGISTER_TE_KORT toeslagen 3"]);
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(&mut ledgers, &|_| {}, false);
    decision(&mut ledgers.toeslagen[0]).register.size += 1;
    let report = world.audit(&ledgers);
    let short = report.findings.iter().find(|one| one.code.as_str() == "REGISTER_TE_KORT").unwrap();
    let [expected, found] = [&short.expected, &short.found].map(|one| one.clone().unwrap());
    // So many documents should have been handed over, and so many were.
    assert!(expected.starts_with("size=13 ") && found.starts_with("size=12 "), "{short}");
    let node = report.ledgers.iter().find(|one| one.name == format!("node/{TOESLAGEN}")).unwrap();
    assert_eq!((node.counts.decisions, node.counts.made_again), (1, 0));
    let empty = changed(|one| {
        one.register.size = 0;
        one.register.root = empty_root();
    });
    assert!(empty.contains(&"CONVENANT_AFWIJKEND toeslagen 3".to_owned()), "{empty:?}");
    assert!(empty.contains(&"VRAAG_ONGELDIG toeslagen 3".to_owned()), "{empty:?}");
}

#[test]
fn an_older_register_long_after_a_newer_one() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let older = world.older(1);
    let replaced = |minutes: i64| {
        let mut ledgers = ledgers.clone();
        let one = decision(&mut ledgers.toeslagen[5]);
        one.register = older;
        one.at = one.at.plus_seconds(60 * minutes);
        found(&world.audit(&ledgers), Severity::Finding)
    };
    let back = "REGISTER_TERUGGEZET toeslagen 5".to_owned();
    assert!(replaced(61).contains(&back));
    assert!(!replaced(1).contains(&back));
}

fn break_signature(signed: &mut String) {
    let at = signed.len() - 40;
    let other = if &signed[at..=at] == "A" { "B" } else { "A" };
    signed.replace_range(at..=at, other);
}

#[test]
fn a_signature_that_does_not_hold_is_found_wherever_it_stands() {
    let broken = after(|_, ledgers| {
        for ledger in [&mut ledgers.coordinator, &mut ledgers.uwv, &mut ledgers.toeslagen] {
            break_signature(&mut decision(&mut ledger[1]).signed_query);
        }
    });
    for ledger in ["coordinator", "toeslagen", "uwv"] {
        assert!(broken.contains(&format!("HANDTEKENING_VRAAG {ledger} 1")), "{broken:?}");
    }
}

#[test]
fn a_query_whose_signature_does_not_hold() {
    let broken = after(|_, ledgers| {
        break_signature(&mut decision(&mut ledgers.uwv[1]).signed_query);
    });
    let expected =
        ["HANDTEKENING_VRAAG uwv 1", "ANDERE_VRAAG coordinator 1", "ANDERE_VRAAG receipts 0"];
    assert_eq!(broken, expected);
}

#[test]
fn a_query_that_had_expired_or_was_relabelled() {
    let expired = after(|_, ledgers| {
        let one = decision(&mut ledgers.toeslagen[1]);
        one.at = one.at.plus_seconds(301);
    });
    assert_eq!(expired, ["VRAAG_ONGELDIG toeslagen 1"]);
    let peer = after(|_, ledgers| decision(&mut ledgers.toeslagen[1]).peer = oin(UWV));
    assert_eq!(peer, ["BESLUIT_ONJUIST toeslagen 1"]);
    let party =
        after(|_, ledgers| decision(&mut ledgers.uwv[3]).party = oin(crate::world::TOESLAGEN));
    assert!(party.contains(&"REGEL_VREEMD uwv 3".to_owned()), "{party:?}");
    let twice = after(|_, ledgers| ledgers.toeslagen.push(ledgers.toeslagen[1].clone()));
    assert!(twice.contains(&"BESLUIT_DUBBEL toeslagen 7".to_owned()), "{twice:?}");
}

#[test]
fn counters_that_begin_again() {
    let overdue = after(|_, ledgers| decision(&mut ledgers.toeslagen[5]).used.overdue = 1);
    assert!(overdue.contains(&"ACHTERSTAND_AFWIJKEND toeslagen 5".to_owned()), "{overdue:?}");
    let reset = after(|_, ledgers| decision(&mut ledgers.toeslagen[5]).used = Usage::default());
    assert!(reset.contains(&"TELLING_TE_LAAG toeslagen 5".to_owned()), "{reset:?}");
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    decision(&mut ledgers.coordinator[3]).used.queries = 9;
    let warnings = found(&world.audit(&ledgers), Severity::Warning);
    assert_eq!(warnings, ["TELLING_TE_HOOG coordinator 3"]);
}

#[test]
fn an_outcome_that_was_altered_or_made_up() {
    let altered = after(|_, ledgers| outcome(&mut ledgers.uwv[2]).results[0].bytes += 1);
    assert_eq!(
        altered,
        ["UITKOMSTEN_VERSCHILLEN coordinator 2", "UITKOMSTEN_VERSCHILLEN receipts 0"]
    );
    let relayed = after(|_, ledgers| outcome(&mut ledgers.coordinator[2]).results[1].chunks += 1);
    assert_eq!(
        relayed,
        ["UITKOMSTEN_VERSCHILLEN coordinator 2", "UITKOMSTEN_VERSCHILLEN receipts 1"]
    );
    let hidden = after(|_, ledgers| {
        outcome(&mut ledgers.uwv[2]).results[0].status =
            Status::Failed { problem: Problem::SourceUnavailable };
    });
    assert!(hidden.contains(&"UITKOMSTEN_VERSCHILLEN receipts 0".to_owned()), "{hidden:?}");
    let elsewhere = after(|_, ledgers| outcome(&mut ledgers.uwv[2]).decision = 0);
    assert!(elsewhere.contains(&"UITKOMST_ZONDER_BESLUIT uwv 2".to_owned()), "{elsewhere:?}");
    let refused = after(|_, ledgers| {
        let answered = outcome(&mut ledgers.coordinator[2]).results[0].clone();
        outcome(&mut ledgers.coordinator[4]).results[0] = answered;
    });
    assert!(refused.contains(&"UITKOMST_ONJUIST coordinator 4".to_owned()), "{refused:?}");
    let named = after(|_, ledgers| {
        outcome(&mut ledgers.uwv[2]).results[0].partner = oin(TOESLAGEN);
    });
    assert_eq!(named, ["UITKOMST_ONJUIST uwv 2"]);
    let twice = after(|_, ledgers| ledgers.uwv.push(ledgers.uwv[2].clone()));
    assert_eq!(twice, ["UITKOMST_DUBBEL uwv 4"]);
}

#[test]
fn what_was_decided_with_another_engine() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    for index in [1, 3, 5] {
        let one = decision(&mut ledgers.toeslagen[index]);
        one.engine = "cedar-policy 1.0".to_owned();
        one.verdicts[0].slice = sha256(b"other facts");
    }
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    let mut notes = found(&report, Severity::Note);
    notes.retain(|one| one.contains("toeslagen"));
    // The engine is told of once.
    let expected = [
        "ANDERE_REGELMACHINE toeslagen 1",
        "VERSCHIL_DOOR_REGELMACHINE toeslagen 1",
        "VERSCHIL_DOOR_REGELMACHINE toeslagen 3",
        "VERSCHIL_DOOR_REGELMACHINE toeslagen 5",
    ];
    assert_eq!(notes, expected);
    // Another engine is no excuse for another verdict.
    let problem = Problem::RuleError;
    decision(&mut ledgers.toeslagen[5]).verdicts[0].verdict = RecordedVerdict::Problem { problem };
    let found = found(&world.audit(&ledgers), Severity::Finding);
    assert!(found.contains(&"UITSPRAAK_AFWIJKEND toeslagen 5".to_owned()), "{found:?}");
}

#[test]
fn a_number_that_was_counted_before() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(&mut ledgers, &|_| {}, false);
    let permit = decision(&mut ledgers.coordinator[0]).verdicts.clone();
    for _ in 0..2 {
        world.exchange(&mut ledgers, &|query| query["kind"] = "count".into(), false);
    }
    // The project may count nothing; its coordinator says that it may.
    for index in [2, 3] {
        decision(&mut ledgers.coordinator[index]).verdicts = permit.clone();
    }
    let recounted = |ledgers: &Ledgers| {
        let found = found(&world.audit(ledgers), Severity::Finding);
        found.into_iter().filter(|one| one.starts_with("OPNIEUW_GETELD ")).collect::<Vec<_>>()
    };
    // Once, though it is so for each of its targets.
    assert_eq!(recounted(&ledgers), ["OPNIEUW_GETELD coordinator 3"]);
    let today = Some(world.now.date());
    decision(&mut ledgers.coordinator[3]).counted = vec![today; 2];
    assert_eq!(recounted(&ledgers), [""; 0]);
}

#[test]
fn an_answer_out_of_proportion_is_told_of_where_it_was_given() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    outcome(&mut ledgers.uwv[2]).results[0].alarm = true;
    assert_eq!(found(&world.audit(&ledgers), Severity::Warning), ["EVENREDIGHEID uwv 2"]);
}

#[test]
fn an_answer_that_its_requester_did_not_accept() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    let one = receipt(&mut ledgers.receipts[1]);
    break_signature(one.outcome.as_mut().unwrap());
    one.status = Status::Failed { problem: Problem::BadSignature };
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    let declined = "ANTWOORD_AFGEWEZEN receipts 1".to_owned();
    assert!(found(&report, Severity::Warning).contains(&declined), "{report}");
    let told = report.findings.iter().find(|told| told.entry == Some(1)).unwrap();
    assert_eq!(told.found.as_deref(), Some("status=failed ONJUISTE_HANDTEKENING"));
}

#[test]
fn an_answer_that_its_requester_could_not_keep() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    receipt(&mut ledgers.receipts[1]).status = Status::Failed { problem: Problem::NotRecorded };
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    let warnings = found(&report, Severity::Warning);
    assert!(warnings.contains(&"ANTWOORD_NIET_BEWAARD receipts 1".to_owned()), "{report}");
    assert!(!warnings.iter().any(|one| one.contains("ANTWOORD_AFGEWEZEN")), "{report}");
}

#[test]
fn an_answer_that_broke_off_behind_the_coordinator() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    let one = receipt(&mut ledgers.receipts[1]);
    (one.outcome, one.status) = (None, Status::Failed { problem: Problem::Cancelled });
    // Coordinator and node both say that all of it went out: then one of three is wrong.
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    assert_eq!(found(&report, Severity::Warning), ["AANKOMST_ONTKEND receipts 1"]);
    let told = report.findings.iter().find(|one| one.code == Code::ArrivalDenied).unwrap();
    let both = format!(" in coordinator/{COORDINATOR}, node/{TOESLAGEN}");
    assert!(told.expected.as_ref().unwrap().ends_with(&both), "{told}");
    // The coordinator alone says so.
    let report = world.audit_without(&ledgers, LedgerKind::Node);
    assert!(report.holds(), "{report}");
    let notes = found(&report, Severity::Note);
    assert!(notes.contains(&"NIET_AANGEKOMEN receipts 1".to_owned()), "{report}");
}

#[test]
fn a_receipt_that_does_not_hold() {
    let forged = after(|world, ledgers| {
        let one = receipt(&mut ledgers.receipts[0]);
        let text = one.outcome.clone().unwrap();
        // Another partner signs in UWV's name.
        let payload = convenant_signing::peek_compact(&text, convenant_exchange::OUTCOME_TYPE);
        let outcome = serde_json::from_slice(payload.unwrap().payload()).unwrap();
        one.outcome = Some(world.sign_outcome(TOESLAGEN, &outcome));
    });
    assert_eq!(forged, ["HANDTEKENING_UITKOMST receipts 0"]);
    let claimed = after(|_, ledgers| receipt(&mut ledgers.receipts[1]).outcome = None);
    assert_eq!(claimed, ["ONTVANGST_ONJUIST receipts 1"]);
    let rows = after(|world, ledgers| {
        let one = receipt(&mut ledgers.receipts[1]);
        let text = one.outcome.clone().unwrap();
        let payload = convenant_signing::peek_compact(&text, convenant_exchange::OUTCOME_TYPE);
        let mut outcome: convenant_model::entry::SignedOutcome =
            serde_json::from_slice(payload.unwrap().payload()).unwrap();
        outcome.rows = 1_000_000;
        one.outcome = Some(world.sign_outcome(TOESLAGEN, &outcome));
    });
    assert_eq!(rows, ["TE_VEEL_RIJEN receipts 1"]);
    let lost = after(|_, ledgers| drop(ledgers.receipts.pop()));
    assert_eq!(lost, [""; 0]);
}
