//! Unusual use: each rule is broken, and just not broken. None makes the evidence fall.

use convenant_audit::{Code, Finding, LedgerKind, Severity, THRESHOLDS};
use serde_json::{Value, json};

use crate::{
    documents::CONDITION,
    world::{Ledgers, World, found},
};

/// What is noted or warned of, of this code alone.
fn told(world: &World, ledgers: &Ledgers, code: Code) -> Vec<String> {
    let report = world.audit(ledgers);
    assert!(report.holds(), "{report}");
    let told = [Severity::Warning, Severity::Note].map(|severity| found(&report, severity));
    told.concat().into_iter().filter(|one| one.starts_with(code.as_str())).collect()
}

fn asked_at(at: &str) -> Vec<String> {
    let mut world = World::new();
    world.now = at.parse().unwrap();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    told(&world, &ledgers, Code::OddHours)
}

#[test]
fn questions_at_odd_hours() {
    // A Friday in May: 07:00 in the Netherlands is 05:00 UTC.
    assert_eq!(asked_at("2026-05-01T05:00:00.000Z"), [""; 0]);
    assert_eq!(asked_at("2026-05-01T16:59:59.999Z"), [""; 0]);
    let odd = ["BUITEN_WERKTIJD coordinator 0"];
    assert_eq!(asked_at("2026-05-01T04:59:59.999Z"), odd);
    assert_eq!(asked_at("2026-05-01T17:00:00.000Z"), odd);
    // Saturday begins in the Netherlands, two hours before it does in UTC.
    assert_eq!(asked_at("2026-05-02T10:00:00.000Z"), odd);
    assert_eq!(asked_at("2026-05-03T10:00:00.000Z"), odd);
    assert_eq!(asked_at("2026-05-04T10:00:00.000Z"), [""; 0]);
}

#[test]
fn odd_hours_are_told_of_once_for_each_person_and_counted() {
    let mut world = World::new();
    world.now = "2026-05-02T10:00:00.000Z".parse().unwrap();
    let mut ledgers = Ledgers::default();
    for _ in 0..3 {
        world.exchange(&mut ledgers, &|_| {}, false);
    }
    let report = world.audit(&ledgers);
    let mut odd = report.findings.iter().filter(|one| one.code == Code::OddHours);
    let told = odd.next().and_then(|one| one.found.clone()).unwrap();
    assert!(told.starts_with("queries=3 partner=00000099000000000599 key="), "{told}");
    assert!(odd.next().is_none());
}

/// So many questions, so many seconds apart, each changed by its number.
fn asked(times: usize, seconds: i64, change: &dyn Fn(usize, &mut Value)) -> (World, Ledgers) {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    for number in 0..times {
        world.exchange(&mut ledgers, &|query| change(number, query), false);
        world.now = world.now.plus_seconds(seconds);
    }
    (world, ledgers)
}

#[test]
fn nearly_the_same_question_many_times() {
    let told = |times, seconds, change: &dyn Fn(usize, &mut Value)| {
        let (world, ledgers) = asked(times, seconds, change);
        told(&world, &ledgers, Code::Probing)
    };
    let other_subjects = |number: usize, query: &mut Value| {
        query["targets"][0]["subjects"]["count"] = json!(1 + number % 2);
        query["targets"][0]["predicate"] =
            json!(CONDITION.replace("2020", &format!("{}", 2000 + number)));
    };
    // The twentieth is the one that is named.
    let (alike, within) = (THRESHOLDS.alike, THRESHOLDS.alike_minutes * 60);
    let probing = told(alike, 60, &other_subjects);
    // Each question before it left a decision and an outcome.
    assert_eq!(probing, [format!("HERHAALD_BEVRAGEN coordinator {}", 2 * (alike - 1))]);
    assert_eq!(told(alike - 1, 60, &other_subjects), [""; 0]);
    // Spread over more than the hour, or about something else each other time.
    assert_eq!(told(alike, within / (alike as i64 - 1) + 1, &other_subjects), [""; 0]);
    let alternating = |number: usize, query: &mut Value| {
        if number.is_multiple_of(2) {
            query["targets"].as_array_mut().unwrap().truncate(1);
        }
    };
    assert_eq!(told(alike, 60, &alternating), [""; 0]);
}

#[test]
fn refusals_in_a_row() {
    let refused = |query: &mut Value| {
        for target in 0..2 {
            query["targets"][target]["fields"] = json!(["bestaat_niet"]);
        }
    };
    let limit = usize::try_from(THRESHOLDS.refused_in_a_row).unwrap();
    let told = |times, granted: Option<usize>| {
        let (world, ledgers) = asked(times, 60, &|number, query| {
            if Some(number) != granted {
                refused(query);
            }
        });
        told(&world, &ledgers, Code::RefusedInARow)
    };
    assert_eq!(told(limit, None), ["WEIGERINGEN_OP_RIJ coordinator 0"]);
    assert_eq!(told(limit - 1, None), [""; 0]);
    // Two short runs are none.
    assert_eq!(told(limit + 2, Some(limit / 2)), [""; 0]);
    // The decision and the outcome of what was granted, then the run.
    assert_eq!(told(limit + 2, Some(1)), ["WEIGERINGEN_OP_RIJ coordinator 3"]);
}

/// Whoever asks under ever other names, or ever other questions, does not hide what he asks: that is told of.
#[test]
fn what_the_rules_cannot_follow_is_counted() {
    let asked = |times: usize, change: &dyn Fn(usize, &mut Value)| {
        let (world, ledgers) = asked(times, 1, change);
        let report = world.audit(&ledgers);
        let told = report.findings.iter().filter(|one| one.code == Code::Unwatched);
        let text = |one: &Finding| {
            assert_eq!(one.severity, Severity::Warning);
            format!("{} {}", one.code, one.found.as_deref().unwrap())
        };
        told.map(text).collect::<Vec<_>>()
    };
    // Nobody can be found in the register by these numbers, so that everything is refused.
    let others = |number: usize, query: &mut Value| {
        query["requester"]["partner"] = json!(format!("{:020}", number + 1));
    };
    assert_eq!(asked(1003, &others), ["NIET_GEVOLGD queries=3"]);
    let shapes = |number: usize, query: &mut Value| {
        query["targets"][0]["fields"] = json!([format!("veld_{number}")]);
        query["targets"].as_array_mut().unwrap().truncate(1);
    };
    assert_eq!(asked(1002, &shapes), ["NIET_GEVOLGD queries=2"]);
}

#[test]
fn more_hits_than_the_approved_proposal_expects() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(
        &mut ledgers,
        &|query| query["targets"][0]["predicate"] = json!(CONDITION),
        false,
    );
    // Six rows; at most five were expected. The other target has no condition.
    assert_eq!(told(&world, &ledgers, Code::HitRate), ["TREFFERS_BUITEN_BEREIK receipts 0"]);
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(&mut ledgers, &|_| {}, false);
    assert_eq!(told(&world, &ledgers, Code::HitRate), [""; 0]);
}

#[test]
fn without_the_coordinator_the_nodes_tell() {
    let mut world = World::new();
    world.now = "2026-05-02T10:00:00.000Z".parse().unwrap();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    let report = world.audit_without(&ledgers, LedgerKind::Coordinator);
    let odd: Vec<_> = report
        .findings
        .iter()
        .filter(|one| one.code == Code::OddHours)
        .map(|one| one.ledger.clone())
        .collect();
    assert_eq!(odd, ["node/00000099000000002000", "node/00000099000000004000"]);
    assert!(!report.answers.by_coordinator);
}

#[test]
fn the_rules_are_published() {
    let page = include_str!("../../../../docs/audit.md");
    let rules = [Code::OddHours, Code::Probing, Code::RefusedInARow, Code::HitRate, Code::Alarm];
    for code in rules.into_iter().chain([Code::Unwatched]) {
        let line = page.lines().find(|line| line.contains(&format!("`{code}`"))).unwrap();
        assert!(line.contains(code.in_dutch()), "{line}");
        assert!(code.severity() != Severity::Finding);
    }
    let thresholds = serde_json::to_value(THRESHOLDS).unwrap();
    for (name, value) in thresholds.as_object().unwrap() {
        assert!(page.contains(&format!("`{name}` = {value}")), "{name} = {value}");
    }
}

#[test]
fn questions_of_which_people_are_told_later() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    let delay = json!({"reason": "de controle is nog niet geweest", "until": "2026-06-01"});
    let later = |query: &mut Value| query["delayed_disclosure"] = delay.clone();
    world.exchange(&mut ledgers, &|_| {}, false);
    world.exchange(&mut ledgers, &later, false);
    // Where nothing was permitted, nothing is withheld: UWV refuses the people who were sealed to it.
    world.exchange(&mut ledgers, &later, true);
    let expected =
        ["LATER_VERTELD uwv 2", "LATER_VERTELD toeslagen 2", "LATER_VERTELD toeslagen 4"];
    assert_eq!(told(&world, &ledgers, Code::ToldLater), expected);
}
