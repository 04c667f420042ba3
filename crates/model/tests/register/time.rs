//! Calendar arithmetic: days are those of the Netherlands, months those of the calendar.

use convenant_model::{
    Oin, Timestamp,
    documents::DocumentKind::*,
    entry::Status,
    kept::KeptAnswers,
    query::Query,
    register::{Breach, Project, ProjectState},
};
use serde_json::{Value, json};

use crate::{documents::*, world::*};

/// An approved project with these days.
fn lasting(start: &str, end: &str, extended: bool) -> Result<World, Vec<Breach>> {
    let mut world = World::enrolled();
    let measure = json!("2020-01-01");
    let proposal = with(
        proposal(),
        [("/start", json!(start)), ("/end", json!(end)), ("/earlier_measure/0/date", measure)],
    );
    world.admit(Proposal, &proposal);
    for oin in [GEMEENTE, UWV] {
        let early = attestation(oin).to_string().replace("2025-12-01", "2020-01-01");
        let early: Value = serde_json::from_str(&early).unwrap();
        world.admit(Attestation, &about(early, &proposal));
    }
    let decided = with(
        world.decided(&proposal, decision()),
        [
            ("/decided_on", json!(start)),
            ("/valid_from", json!(start)),
            ("/valid_until", json!(end)),
            ("/extended", json!(extended)),
        ],
    );
    let breaches = world.breaches(Decision, &decided);
    if !breaches.is_empty() {
        return Err(breaches);
    }
    world.admit(Decision, &decided);
    world.admit(Mandate, &about(mandate(), &proposal));
    Ok(world)
}

/// What an extension of a project breaches.
fn extending(world: &World, decided_on: &str, until: &str) -> Vec<Breach> {
    let decided = world.project().decided().unwrap();
    let extension = with(
        extension(until),
        [("/decided_on", json!(decided_on)), ("/proposal", json!(decided.hash))],
    );
    world.breaches(Extension, &extension)
}

#[test]
fn a_decision_lasts_twelve_months_and_not_a_day_more() {
    for (start, last, next) in [
        ("2026-01-01", "2026-12-31", "2027-01-01"),
        ("2024-02-29", "2025-02-27", "2025-02-28"),
        ("2023-02-28", "2024-02-27", "2024-02-28"),
        ("2026-08-31", "2027-08-30", "2027-08-31"),
    ] {
        assert!(lasting(start, last, false).is_ok(), "{start} {last}");
        assert_eq!(lasting(start, next, false).err(), Some(vec![Breach::TooLong]), "{start}");
        assert!(lasting(start, next, true).is_ok(), "{start} {next}");
    }
}

#[test]
fn an_extension_ends_within_twenty_four_months() {
    for (start, end, last, next) in [
        ("2026-01-01", "2026-12-31", "2027-12-31", "2028-01-01"),
        ("2024-02-29", "2025-02-27", "2026-02-27", "2026-02-28"),
        ("2022-02-28", "2023-02-27", "2024-02-27", "2024-02-28"),
        ("2026-10-31", "2027-10-30", "2028-10-30", "2028-10-31"),
    ] {
        let world = lasting(start, end, false).unwrap();
        assert_eq!(extending(&world, start, last), [], "{start}");
        assert_eq!(extending(&world, start, next), [Breach::TooLong], "{start}");
    }
}

#[test]
fn an_extension_is_decided_on_by_the_last_day() {
    let mut world = lasting("2026-01-01", "2026-12-31", false).unwrap();
    assert_eq!(extending(&world, "2026-12-31", "2027-01-31"), []);
    assert_eq!(extending(&world, "2027-01-01", "2027-01-31"), [Breach::AfterEnd]);
    let hash = json!(world.project().decided().unwrap().hash);
    world.admit(Extension, &with(extension("2027-01-31"), [("/proposal", hash)]));
    // Extended again in time, but never together beyond the longest.
    assert_eq!(extending(&world, "2027-01-31", "2027-12-31"), []);
    assert_eq!(extending(&world, "2027-02-01", "2027-12-31"), [Breach::AfterEnd]);
    assert_eq!(extending(&world, "2027-01-31", "2028-01-01"), [Breach::TooLong]);
}

#[test]
fn days_begin_and_end_at_dutch_midnight() {
    for (start, end, first, over) in [
        ("2026-01-10", "2026-06-30", "2026-01-09T23:00:00.000Z", "2026-06-30T22:00:00.000Z"),
        // Days of 23 and of 25 hours.
        ("2026-03-29", "2026-10-25", "2026-03-28T23:00:00.000Z", "2026-10-25T23:00:00.000Z"),
        ("2025-10-26", "2026-03-29", "2025-10-25T22:00:00.000Z", "2026-03-29T22:00:00.000Z"),
        ("2027-12-31", "2028-02-29", "2027-12-30T23:00:00.000Z", "2028-02-29T23:00:00.000Z"),
    ] {
        let world = lasting(start, end, false).unwrap();
        let around = |at: &str| {
            let at: Timestamp = at.parse().unwrap();
            let before = Timestamp::from_millis(at.millis() - 1).unwrap();
            [before, at].map(|at| world.project().state_at(at))
        };
        assert_eq!(around(first), [ProjectState::Approved, ProjectState::Active], "{start}");
        assert_eq!(around(over), [ProjectState::Active, ProjectState::Closing], "{end}");
    }
}

#[test]
fn what_takes_effect_at_an_instant_does_so_at_that_instant() {
    let mut world = World::running();
    let halted = suspension(None, "2026-03-29T01:00:00.000Z");
    world.admit(Suspension, &halted);
    world.admit(Resumption, &resumption(&halted, "2026-03-29T01:00:00.001Z"));
    world.admit(Closure, &closure("2026-10-25T01:00:00.000Z"));
    for (at, state) in [
        ("2026-03-29T00:59:59.999Z", ProjectState::Active),
        ("2026-03-29T01:00:00.000Z", ProjectState::Suspended),
        ("2026-03-29T01:00:00.001Z", ProjectState::Active),
        ("2026-10-25T00:59:59.999Z", ProjectState::Active),
        ("2026-10-25T01:00:00.000Z", ProjectState::Closing),
    ] {
        assert_eq!(world.state_at(at), state, "{at}");
    }
}

fn query() -> Query {
    let value = json!({
        "document": "query", "id": QUERY, "register": {"size": 1, "root": digest(b"")},
        "project": PROJECT, "proposal": digest(b""), "goal": "fraude", "theme": "adres",
        "kind": "lookup", "targets": [{"partner": UWV, "dataset": "uwv/werk", "fields": ["loon"]}],
        "retention_days": 1, "justification": "x", "created": "2026-03-01T00:00:00.000Z",
        "expires": "2026-03-01T00:05:00.000Z",
        "requester": {"partner": GEMEENTE, "key": key(LEADER),
                      "sealing_key": convenant_model::keys::SealingKey::new([5; 32])},
    });
    serde_json::from_value(value).unwrap()
}

/// An answer of UWV at an instant, kept for a day.
fn kept(at: &str) -> KeptAnswers {
    let mut kept = KeptAnswers::default();
    kept.note(&query(), &Oin::new(UWV).unwrap(), &Status::Answered, at.parse().unwrap());
    kept
}

fn overdue(mut kept: KeptAnswers, project: &Project, at: &str) -> u64 {
    kept.overdue(project, at.parse().unwrap())
}

#[test]
fn an_answer_is_overdue_from_the_midnight_after_its_last_day() {
    let project = World::running().project().clone();
    for (answered, last, late) in [
        // The evening before the clock goes forward: the last day has 23 hours.
        ("2026-03-28T22:59:59.999Z", "2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00.000Z"),
        ("2026-03-28T23:00:00.000Z", "2026-03-30T21:59:59.999Z", "2026-03-30T22:00:00.000Z"),
        // And back: 25 hours.
        ("2026-10-24T21:59:59.999Z", "2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00.000Z"),
        ("2027-12-30T23:00:00.000Z", "2028-01-01T22:59:59.999Z", "2028-01-01T23:00:00.000Z"),
        ("2028-02-28T12:00:00.000Z", "2028-02-29T22:59:59.999Z", "2028-02-29T23:00:00.000Z"),
    ] {
        assert_eq!(overdue(kept(answered), &project, last), 0, "{answered}");
        assert_eq!(overdue(kept(answered), &project, late), 1, "{answered}");
    }
}

#[test]
fn a_destruction_counts_from_when_it_was_and_not_for_what_came_later() {
    let answered = "2026-03-28T12:00:00.000Z";
    let asked = "2026-04-01T12:00:00.000Z";
    let after = |destroyed: &str, complete: bool| {
        let mut world = World::running();
        if complete {
            world.admit(Closure, &closure("2026-03-01T00:00:00.000Z"));
        }
        let record = with(destruction(destroyed), [("/complete", json!(complete))]);
        let record = if complete { with(record, [("/item", json!([]))]) } else { record };
        world.admit(Destruction, &record);
        overdue(kept(answered), world.project(), asked)
    };
    for complete in [false, true] {
        assert_eq!(after(answered, complete), 0);
        assert_eq!(after(asked, complete), 0);
        // The clock of whoever destroyed it may be behind.
        assert_eq!(after("2026-03-28T11:59:30.000Z", complete), 0);
        // Before there was anything to destroy, and a promise.
        assert_eq!(after("2026-03-28T11:59:29.999Z", complete), 1);
        assert_eq!(after("2026-04-01T12:00:00.001Z", complete), 1);
    }
}
