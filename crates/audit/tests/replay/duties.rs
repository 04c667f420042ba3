//! Duties that were not met in time, and that just were. The evidence that shows it holds.

use std::iter;

use convenant_audit::{Beside, Code, LedgerKind, LedgerName, Replay, Report, Severity};
use convenant_model::{
    Date, Problem, Timestamp,
    documents::DocumentKind,
    entry::{Decision, Entry, Started, Status},
};
use serde_json::json;

use crate::{
    documents::{decision, proposal},
    world::{COORDINATOR, LSI, Ledgers, ROTTERDAM, TOESLAGEN, UWV, World, bytes, found, oin, tree},
};

/// The decision in the register.
const DECISION: &str = "register 10";

fn warnings(report: &Report) -> Vec<String> {
    assert!(report.holds(), "{report}");
    found(report, Severity::Warning)
}

fn told(report: &Report, code: Code) -> Vec<String> {
    let of = report.findings.iter().filter(|one| one.code == code);
    of.filter_map(|one| one.found.clone()).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One exchange on the first of May with answers that may be kept for thirty days. Both nodes start once more on
/// another day, with which the evidence ends.
fn until(text: &str) -> (World, Ledgers) {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(&mut ledgers, &|_| {}, false);
    ledgers.uwv.push(started(UWV, text));
    ledgers.toeslagen.push(started(TOESLAGEN, text));
    (world, ledgers)
}

fn started(party: &str, text: &str) -> Entry {
    let (party, at, software) = (oin(party), at(text), "test".to_owned());
    Entry::Started(Started { party, at, software, torn_bytes: 0 })
}

#[test]
fn one_false_time_makes_nobody_look_late() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(&mut ledgers, &|_| {}, false);
    ledgers.uwv.push(started(UWV, "2099-01-01T00:00:00.000Z"));
    assert_eq!(warnings(&world.audit(&ledgers)), [""; 0]);
    ledgers.toeslagen.push(started(TOESLAGEN, "2026-06-02T00:00:00.000Z"));
    assert_eq!(warnings(&world.audit(&ledgers)), ["VERNIETIGING_ONTBREEKT coordinator 1"]);
}

/// A month later only the coordinator records anything; UWV, which has nothing to record, cosigns that.
#[test]
fn who_falls_silent_stops_no_clock() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(&mut ledgers, &|_| {}, false);
    let later = "2026-06-02T00:00:00.000Z";
    ledgers.coordinator.push(started(COORDINATOR, later));
    assert_eq!(warnings(&world.audit(&ledgers)), [""; 0]);
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    for (name, entries) in ledgers.named() {
        let entries: Vec<_> = entries.iter().map(bytes).collect();
        let (size, root) = (entries.len() as u64, tree(&entries).root());
        let mut signed = world.signer(&name).sign(size, root, at(later)).unwrap();
        let checkpoint = signed.to_string();
        let mut beside = Beside::signed(checkpoint);
        if name.kind == LedgerKind::Coordinator {
            let witness = LedgerName::new(LedgerKind::Node, oin(UWV));
            world.signer(&witness).cosign(&mut signed, at(later)).unwrap();
            beside.witnessed.push(signed.to_string().into_bytes());
        }
        let mut ledger = replay.ledger(name, beside);
        (0..).zip(&entries).for_each(|(index, entry)| ledger.entry(index, entry));
        replay.add(ledger.finish(|_| None, iter::empty));
    }
    assert_eq!(warnings(&replay.report()), ["VERNIETIGING_ONTBREEKT coordinator 1"]);
}

#[test]
fn answers_that_are_not_on_record_as_destroyed_after_their_last_day() {
    let (world, ledgers) = until("2026-05-31T21:00:00.000Z");
    assert_eq!(warnings(&world.audit(&ledgers)), [""; 0], "the last day, in the Netherlands");
    let (world, ledgers) = until("2026-05-31T23:00:00.000Z");
    let report = world.audit(&ledgers);
    assert_eq!(warnings(&report), ["VERNIETIGING_ONTBREEKT coordinator 1"]);
    let text = "project=P-2026-001 last_day=2026-05-31 answers=2";
    assert_eq!(told(&report, Code::NotDestroyed), [text]);
    // Without the coordinator's ledger, those of the nodes tell.
    let report = world.audit_without(&ledgers, LedgerKind::Coordinator);
    let of = |ledger: &str| format!("VERNIETIGING_ONTBREEKT {ledger} 1");
    let missing = "LOGBOEK_ONTBREEKT coordinator".to_owned();
    assert_eq!(warnings(&report), [of("uwv"), of("toeslagen"), missing]);
}

#[test]
fn answers_that_were_destroyed_after_their_last_day() {
    let destroyed = |text: &str| {
        let (mut world, mut ledgers) = (World::new(), Ledgers::default());
        world.exchange(&mut ledgers, &|_| {}, false);
        let Entry::Decision(Decision { query, .. }) = &ledgers.coordinator[0] else { panic!() };
        for provider in [UWV, TOESLAGEN] {
            world.destroy(*query, provider, at(text));
        }
        let report = world.audit(&ledgers);
        (warnings(&report), told(&report, Code::DestroyedLate))
    };
    assert_eq!(destroyed("2026-05-31T21:59:59.999Z").0, [""; 0]);
    let (late, text) = destroyed("2026-05-31T22:00:00.000Z");
    assert_eq!(late, ["VERNIETIGING_TE_LAAT coordinator 1"]);
    assert_eq!(text, ["project=P-2026-001 last_day=2026-05-31 answers=2"]);
}

/// One record of two answers, of which the second was destroyed when both could still be kept, and the first long
/// before.
#[test]
fn each_answer_in_a_record_has_a_last_day_of_its_own() {
    let record = |first: Option<&str>| {
        let (mut world, mut ledgers) = (World::new(), Ledgers::default());
        world.exchange(&mut ledgers, &|_| {}, false);
        world.now = at("2026-06-20T12:00:00.000Z");
        world.exchange(&mut ledgers, &|_| {}, false);
        let asked = |index: usize| match &ledgers.coordinator[index] {
            Entry::Decision(Decision { query, .. }) => *query,
            other => panic!("{other:?}"),
        };
        let mut items = Vec::new();
        for (query, when) in [(asked(0), first), (asked(2), None)] {
            for provider in [UWV, TOESLAGEN] {
                let mut item =
                    json!({"query": query, "provider": provider, "manifest": "00".repeat(32)});
                if let Some(when) = when {
                    item["destroyed_at"] = json!(when);
                }
                items.push(item);
            }
        }
        let destruction = json!({
            "document": "destruction", "project": "P-2026-001", "partner": ROTTERDAM,
            "item": items, "manner": "gewist", "destroyed_at": "2026-06-25T12:00:00.000Z",
            "place": "Rotterdam", "operator": "beheer",
        });
        world.submit(DocumentKind::Destruction, &destruction, &[ROTTERDAM]);
        let report = world.audit(&ledgers);
        (found(&report, Severity::Warning), told(&report, Code::DestroyedLate))
    };
    // The last day of the first answers is the thirty-first of May.
    assert_eq!(record(Some("2026-05-31T12:00:00.000Z")).1, [""; 0]);
    let late = ["project=P-2026-001 last_day=2026-05-31 answers=2"];
    assert_eq!(record(Some("2026-06-01T12:00:00.000Z")).1, late);
    assert_eq!(record(None).1, late, "without a time of its own, the record's");
}

/// What `ledgers` say is not destroyed in time; all else that is warned of is about something else.
fn not_destroyed(report: &Report) -> Vec<String> {
    let warnings = warnings(report).into_iter();
    let told = told(report, Code::NotDestroyed).into_iter();
    let number = |text: String| text.rsplit_once('=').unwrap().1.to_owned();
    let places =
        warnings.filter_map(|one| Some(one.strip_prefix("VERNIETIGING_ONTBREEKT ")?.to_owned()));
    places.zip(told).map(|(place, text)| format!("{place}: {}", number(text))).collect()
}

/// An exchange with two answers, that of Toeslagen as three ledgers tell of it, and time enough for both to be
/// overdue.
fn answer_of_toeslagen(relayed: bool, receipt: Receipt) -> (World, Ledgers) {
    let (world, mut ledgers) = until("2026-06-02T00:00:00.000Z");
    if !relayed {
        let Entry::Outcome(outcome) = &mut ledgers.coordinator[1] else { panic!() };
        let result = &mut outcome.results[1];
        result.status = Status::Failed { problem: Problem::Cancelled };
        result.hash = None;
    }
    let Entry::Receipt(kept) = &mut ledgers.receipts[1] else { panic!() };
    match receipt {
        Receipt::Whole => {}
        Receipt::NotKept => kept.status = Status::Failed { problem: Problem::NotRecorded },
        Receipt::BrokeOff => {
            kept.status = Status::Failed { problem: Problem::NodeUnavailable };
            kept.outcome = None;
        }
        Receipt::None => drop(ledgers.receipts.pop()),
    }
    (world, ledgers)
}

/// What the requester's ledger says of that answer.
#[derive(Clone, Copy)]
enum Receipt {
    Whole,
    NotKept,
    BrokeOff,
    None,
}

#[test]
fn whoever_says_that_an_answer_came_has_it_to_destroy() {
    let told = |relayed, receipt| {
        let (world, ledgers) = answer_of_toeslagen(relayed, receipt);
        not_destroyed(&world.audit(&ledgers))
    };
    let (uwv_alone, both) = (["coordinator 1: 1"], ["coordinator 1: 2"]);
    // What the coordinator saw break off, the node's ledger tells of.
    let at_node = ["coordinator 1: 1", "toeslagen 1: 1"];
    assert_eq!(told(true, Receipt::Whole), both);
    assert_eq!(told(false, Receipt::Whole), at_node);
    assert_eq!(told(true, Receipt::NotKept), both, "it was in hand");
    assert_eq!(told(false, Receipt::NotKept), at_node);
    // What did not come is not kept.
    assert_eq!(told(true, Receipt::BrokeOff), uwv_alone);
    assert_eq!(told(false, Receipt::BrokeOff), uwv_alone);
    // Who leaves out a receipt of what was passed on in full has it.
    assert_eq!(told(true, Receipt::None), both);
    assert_eq!(told(false, Receipt::None), uwv_alone);
}

/// A coordinator that was stopped before it wrote how the answers ended takes nobody's duty away.
#[test]
fn where_the_coordinator_says_nothing_of_the_end_the_node_s_word_stands() {
    for receipt in [Receipt::Whole, Receipt::None] {
        let (world, mut ledgers) = answer_of_toeslagen(true, receipt);
        ledgers.coordinator.truncate(1);
        let told = not_destroyed(&world.audit(&ledgers));
        assert_eq!(told, ["uwv 1: 1", "toeslagen 1: 1"]);
    }
}

#[test]
fn without_the_requester_s_ledger_every_answer_that_was_given_is_to_be_destroyed() {
    for receipt in [Receipt::Whole, Receipt::BrokeOff, Receipt::None] {
        let (world, ledgers) = answer_of_toeslagen(false, receipt);
        let told = not_destroyed(&world.audit_without(&ledgers, LedgerKind::Receipts));
        assert_eq!(told, ["coordinator 1: 1", "toeslagen 1: 1"]);
        let (world, ledgers) = answer_of_toeslagen(true, receipt);
        let told = not_destroyed(&world.audit_without(&ledgers, LedgerKind::Receipts));
        assert_eq!(told, ["coordinator 1: 2"]);
    }
}

#[test]
fn without_the_others_ledgers_a_receipt_tells_what_is_to_be_destroyed() {
    let nodes_only = |receipt| {
        let (world, ledgers) = answer_of_toeslagen(false, receipt);
        not_destroyed(&world.audit_without(&ledgers, LedgerKind::Coordinator))
    };
    let both = ["uwv 1: 1", "toeslagen 1: 1"];
    assert_eq!(nodes_only(Receipt::Whole), both);
    assert_eq!(nodes_only(Receipt::BrokeOff), ["uwv 1: 1"]);
    assert_eq!(nodes_only(Receipt::None), both, "nobody says that it broke off");
    // The nodes' clocks are not there: the coordinator and the requester record something more.
    let (world, mut ledgers) = answer_of_toeslagen(false, Receipt::Whole);
    ledgers.coordinator.push(started(COORDINATOR, "2026-06-02T00:00:00.000Z"));
    ledgers.receipts.push(started(ROTTERDAM, "2026-06-02T00:00:00.000Z"));
    let told = not_destroyed(&world.audit_without(&ledgers, LedgerKind::Node));
    assert_eq!(told, ["coordinator 1: 2"], "the receipt knows better than who passed it on");
}

/// A coordinator that was stopped before it wrote how an answer ended, and a node that hands over nothing, take no duty
/// away from whoever has a receipt of it.
#[test]
fn a_receipt_alone_tells_what_is_to_be_destroyed_where_nobody_else_says_how_it_ended() {
    let told = |receipt, twice: bool| {
        let (world, mut ledgers) = answer_of_toeslagen(true, receipt);
        ledgers.coordinator.truncate(1);
        if twice {
            ledgers.receipts.push(ledgers.receipts[1].clone());
        }
        ledgers.coordinator.push(started(COORDINATOR, "2026-06-02T00:00:00.000Z"));
        ledgers.receipts.push(started(ROTTERDAM, "2026-06-02T00:00:00.000Z"));
        not_destroyed(&world.audit_without(&ledgers, LedgerKind::Node))
    };
    assert_eq!(told(Receipt::Whole, false), ["receipts 0: 2"]);
    assert_eq!(told(Receipt::Whole, true), ["receipts 0: 2"], "once");
    assert_eq!(told(Receipt::NotKept, false), ["receipts 0: 2"], "it was in hand");
    assert_eq!(told(Receipt::BrokeOff, false), ["receipts 0: 1"]);
    assert_eq!(told(Receipt::None, false), ["receipts 0: 1"]);
}

/// What is warned of about the project itself, when somebody still asks on a day after its end.
fn after_the_end(text: &str, with: &dyn Fn(&mut World)) -> (Vec<String>, Report) {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.now = at(text);
    world.exchange(&mut ledgers, &|_| {}, false);
    with(&mut world);
    let report = world.audit(&ledgers);
    (warnings(&report), report)
}

/// Rotterdam says that it reported on every hit.
fn report_all(world: &mut World) {
    let feedback = json!({
        "document": "feedback", "project": "P-2026-001", "partner": ROTTERDAM, "complete": true,
    });
    world.submit(DocumentKind::Feedback, &feedback, &[ROTTERDAM]);
}

/// Rotterdam says that nothing of the project is left with it.
fn empty(world: &mut World, when: &str) {
    let destruction = json!({
        "document": "destruction", "project": "P-2026-001", "partner": ROTTERDAM,
        "complete": true, "manner": "gewist", "destroyed_at": when, "place": "Rotterdam",
        "operator": "beheer",
    });
    world.submit(DocumentKind::Destruction, &destruction, &[ROTTERDAM]);
}

#[test]
fn feedback_that_did_not_come_in_time() {
    let nothing = |_: &mut World| {};
    // Twenty months after the first of January 2026.
    assert_eq!(after_the_end("2027-09-01T12:00:00.000Z", &nothing).0, [""; 0]);
    let (late, report) = after_the_end("2027-09-02T12:00:00.000Z", &nothing);
    assert_eq!(late, [format!("TERUGKOPPELING_ONTBREEKT {DECISION}")]);
    let text = format!("project=P-2026-001 last_day=2027-09-01 partner={ROTTERDAM}");
    assert_eq!(told(&report, Code::NoFeedback), [text]);
    assert_eq!(after_the_end("2027-09-02T12:00:00.000Z", &report_all).0, [""; 0]);
}

#[test]
fn a_project_of_which_something_is_left_after_its_last_day() {
    let at = "2028-01-02T12:00:00.000Z";
    let (late, report) = after_the_end(at, &report_all);
    assert_eq!(late, [format!("VERNIETIGING_ONTBREEKT {DECISION}")]);
    let text = format!("project=P-2026-001 last_day=2028-01-01 partner={ROTTERDAM}");
    assert_eq!(told(&report, Code::NotDestroyed), [text]);
    let emptied = |when: &'static str| {
        move |world: &mut World| {
            report_all(world);
            empty(world, when);
        }
    };
    let (in_time, _) = after_the_end(at, &emptied("2028-01-01T12:00:00.000Z"));
    assert_eq!(in_time, [""; 0]);
    let (late, report) = after_the_end(at, &emptied("2028-01-02T00:00:00.000Z"));
    assert_eq!(late, [format!("VERNIETIGING_TE_LAAT {DECISION}")]);
    let text = "project=P-2026-001 last_day=2028-01-01 destroyed=2028-01-02";
    assert_eq!(told(&report, Code::DestroyedLate), [text]);
}

/// The LSI stops the project on the fifth of May, after the exchange.
fn stop(world: &mut World) {
    let attested = world.attest("2026-05-01");
    let mut stopped = decision(world.proposal(), &attested, "2026-05-05");
    stopped["outcome"] = json!("rejected");
    world.submit(DocumentKind::Decision, &stopped, &[LSI]);
}

#[test]
fn a_project_that_was_decided_against_after_it_ran_is_still_to_be_reported_on_and_destroyed() {
    let audit = |text: &str, with: &dyn Fn(&mut World)| {
        let (mut world, mut ledgers) = until(text);
        // Of the answers themselves nothing is left; of whatever else was made of them nobody knows.
        let Entry::Decision(Decision { query, .. }) = &ledgers.coordinator[0] else { panic!() };
        for provider in [UWV, TOESLAGEN] {
            world.destroy(*query, provider, at("2026-05-02T12:00:00.000Z"));
        }
        stop(&mut world);
        with(&mut world);
        ledgers.coordinator.push(started(COORDINATOR, text));
        let report = world.audit(&ledgers);
        assert!(report.holds(), "{report}");
        [Code::NoFeedback, Code::NotDestroyed, Code::DestroyedLate]
            .map(|code| told(&report, code).len())
    };
    let nothing = |_: &mut World| {};
    assert_eq!(audit("2027-09-01T12:00:00.000Z", &nothing), [0, 0, 0]);
    assert_eq!(audit("2027-09-02T12:00:00.000Z", &nothing), [1, 0, 0]);
    assert_eq!(audit("2028-01-02T12:00:00.000Z", &report_all), [0, 1, 0]);
    let emptied = |when: &'static str| {
        move |world: &mut World| {
            report_all(world);
            empty(world, when);
        }
    };
    assert_eq!(audit("2028-01-02T12:00:00.000Z", &emptied("2026-05-06T12:00:00.000Z")), [0, 0, 0]);
    assert_eq!(audit("2028-01-03T12:00:00.000Z", &emptied("2028-01-02T12:00:00.000Z")), [0, 0, 1]);
}

/// Papers of so many days that there is no room for all of them: what is left out is counted.
#[test]
fn papers_beyond_what_is_told_of_are_counted() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    let first = Date::new(2026, 5, 2).unwrap();
    let days = 180;
    for day in 0..days {
        let day = first.plus_days(day).to_string();
        world.decide_again(None, &day, &day);
        world.exchange(&mut ledgers, &|_| {}, false);
    }
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    let one_by_one = report.findings.iter().filter(|one| one.code == Code::PaperLate).count();
    let left = report.left_out.iter().filter(|one| one.code == Code::PaperLate);
    let left: u64 = left.map(|one| one.number).sum();
    // Five papers and the decision, of each day.
    assert_eq!(one_by_one as u64 + left, 6 * u64::try_from(days).unwrap());
}

#[test]
fn papers_that_bear_a_later_date_than_a_permit() {
    let papers = |dated: &str, decided_on: &str| {
        let mut world = World::new();
        let mut ledgers = Ledgers::default();
        world.decide_again(None, dated, decided_on);
        world.exchange(&mut ledgers, &|_| {}, false);
        world.exchange(&mut ledgers, &|_| {}, false);
        let report = world.audit(&ledgers);
        (warnings(&report), told(&report, Code::PaperLate))
    };
    // Asked on the first of May.
    assert_eq!(papers("2026-05-01", "2026-05-01").0, [""; 0]);
    let (late, text) = papers("2026-05-01", "2026-05-02");
    assert_eq!(late, ["STUK_TE_LAAT coordinator 0"]);
    assert_eq!(text, ["project=P-2026-001 decision=2026-05-02 permits=2"]);
    let (late, text) = papers("2026-05-02", "2026-05-02");
    assert_eq!(late.len(), 6, "{late:?}");
    assert!(text.contains(&"project=P-2026-001 dpia=2026-05-02 permits=2".to_owned()), "{text:?}");
}

#[test]
fn an_earlier_measure_that_is_later_than_the_decision() {
    let measure = |date: &str| {
        let mut world = World::new();
        let mut version = proposal();
        version["version"] = json!(2);
        version["start"] = json!("2026-02-01");
        version["earlier_measure"][0]["date"] = json!(date);
        world.decide_again(Some(&version), "2026-01-10", "2026-01-25");
        warnings(&world.audit(&Ledgers::default()))
    };
    assert_eq!(measure("2026-01-25"), [""; 0]);
    // The second decision, after the second version and what three attested of it.
    assert_eq!(measure("2026-01-26"), ["STUK_TE_LAAT register 16"]);
}

#[test]
fn the_duties_are_published() {
    let page = include_str!("../../../../docs/audit.md");
    for code in [Code::PaperLate, Code::DestroyedLate, Code::NotDestroyed, Code::NoFeedback] {
        let line = page.lines().find(|line| line.contains(&format!("`{code}`"))).unwrap();
        assert!(line.contains(code.in_dutch()), "{line}");
        assert_eq!(code.severity(), Severity::Warning);
    }
}
