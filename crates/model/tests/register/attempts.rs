//! What somebody could try to get out of the rules, or to keep others from what is theirs.

use convenant_model::{
    Date, Oin, Timestamp,
    documents::DocumentKind::*,
    register::{Actor, Answer, Breach as B, Duty, ProjectState, Task},
};
use serde_json::json;

use crate::{
    documents::*,
    world::{LEADER, Signed, World, about, hash_of, key, key_of},
};

const JUNE: &str = "2026-06-01T00:00:00.000Z";
const JULY: &str = "2026-07-01T00:00:00.000Z";
const NEVER: &str = "9999-12-30T00:00:00.000Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn oin(text: &str) -> Oin {
    Oin::new(text).unwrap()
}

/// The next version of the project, for which UWV is responsible, approved in June.
fn second() -> (serde_json::Value, World) {
    let mut world = World::running();
    let second = with(
        proposal(),
        [
            ("/version", json!(2)),
            ("/responsible", json!(UWV)),
            ("/start", json!("2026-06-01")),
            ("/end", json!("2027-05-31")),
        ],
    );
    world.admit(Proposal, &second);
    world.attest(&second);
    let decided = with(
        world.decided(&second, decision()),
        [
            ("/decided_on", json!("2026-05-20")),
            ("/valid_from", json!("2026-06-01")),
            ("/valid_until", json!("2026-12-31")),
        ],
    );
    world.admit(Decision, &decided);
    (second, world)
}

#[test]
fn nobody_disables_the_key_of_another_by_naming_it_as_their_own() {
    let mut world = World::approved();
    // The municipality gives a mandate to UWV's key, and then revokes "its" key.
    let holder = json!([{"function": "x", "role": "analyst", "key": key(key_of(UWV))}]);
    world.admit(Mandate, &with(mandate(), [("/holder", holder)]));
    world.admit(Revocation, &revocation(GEMEENTE, key_of(UWV), JUNE));
    assert!(world.state.is_revoked(&oin(GEMEENTE), &key(key_of(UWV)), at(JUNE)));
    assert!(!world.state.is_revoked(&oin(UWV), &key(key_of(UWV)), at(JUNE)));
    assert!(world.state.enrolment_at(&oin(UWV), at(JUNE)).is_some());
    world.admit(Suspension, &suspension(Some(UWV), JUNE));
}

#[test]
fn a_key_of_an_earlier_enrolment_can_still_be_revoked() {
    let mut world = World::enrolled();
    world.admit(Enrolment, &with(enrolment(UWV), [("/ledger_key", json!(key(77)))]));
    world.admit(Revocation, &revocation(UWV, 112, JUNE));
    world.admit(Revocation, &with(revocation(UWV, 112, "2026-05-01T00:00:00.000Z"), []));
    // Of two instants the earlier one.
    let from = world.state.revoked_from(&oin(UWV), &key(112));
    assert_eq!(from, Some(at("2026-05-01T00:00:00.000Z")));
}

#[test]
fn a_late_departure_withdrawal_or_closure_does_not_keep_the_lsi_from_an_early_one() {
    let lsi = |kind, document| Signed::new(kind, &document, &[1, 2]);
    let mut world = World::running();
    world.admit(Departure, &departure(UWV, NEVER));
    world.state.admit(&lsi(Departure, departure(UWV, JUNE))).unwrap();
    assert!(world.state.has_left(&oin(UWV), at(JUNE)));
    world.admit(Withdrawal, &withdrawal(Some(UWV), NEVER));
    world.state.admit(&lsi(Withdrawal, withdrawal(Some(UWV), JUNE))).unwrap();
    assert_eq!(world.project().left_from(&oin(UWV)), Some(at(JUNE)));
    world.admit(Closure, &closure(NEVER));
    assert_eq!(world.state_at(JULY), ProjectState::Active);
    world.state.admit(&lsi(Closure, closure(JUNE))).unwrap();
    assert_eq!(world.state_at(JULY), ProjectState::Closing);
    let mut world = World::proposed();
    world.admit(Withdrawal, &withdrawal(None, NEVER));
    world.state.admit(&lsi(Withdrawal, withdrawal(None, JUNE))).unwrap();
    assert_eq!(world.state_at(JUNE), ProjectState::Withdrawn);
}

#[test]
fn a_running_project_is_not_withdrawn_by_an_early_date() {
    let world = World::running();
    let early = withdrawal(None, "2026-01-01T00:00:00.000Z");
    assert_eq!(world.breaches(Withdrawal, &early), [B::Running]);
}

#[test]
fn whoever_proposes_another_version_does_not_speak_for_the_approved_one() {
    let mut world = World::approved();
    let own = with(proposal(), [("/version", json!(2)), ("/responsible", json!(UWV))]);
    world.admit(Proposal, &own);
    let by = |oin: &str| Signed::new(Withdrawal, &withdrawal(None, JUNE), &[key_of(oin)]);
    assert!(world.state.clone().admit(&by(UWV)).is_err());
    world.state.admit(&by(GEMEENTE)).unwrap();
}

#[test]
fn the_rejection_of_another_version_leaves_the_approved_one() {
    let mut world = World::running();
    let second = with(proposal(), [("/version", json!(2))]);
    world.admit(Proposal, &second);
    let rejected = with(about(decision(), &second), [("/outcome", json!("rejected"))]);
    world.admit(Decision, &rejected);
    assert_eq!(world.state_at(JUNE), ProjectState::Active);
    // The LSI still stops the one that runs; the older decision does not come back.
    let stopped = with(
        world.decided(&proposal(), decision()),
        [("/outcome", json!("rejected")), ("/decided_on", json!("2026-05-01"))],
    );
    world.admit(Decision, &stopped);
    assert_eq!(world.state_at(JUNE), ProjectState::Rejected);
    // What was received is still to be destroyed and reported on.
    world.admit(Destruction, &destruction(JUNE));
    world.admit(Feedback, &feedback());
}

#[test]
fn whoever_received_something_of_a_project_that_was_stopped_has_the_duties_of_one_that_ended() {
    let mut world = World::running();
    let stopped = with(
        world.decided(&proposal(), decision()),
        [("/outcome", json!("rejected")), ("/decided_on", json!("2026-05-01"))],
    );
    world.admit(Decision, &stopped);
    let duties = |world: &World| -> Vec<_> {
        let covenant = &world.state.covenant().unwrap().covenant;
        let duties = world.project().duties(covenant, at(JUNE));
        let of = |one: &Duty| (one.task, one.who == Actor::Partner(oin(GEMEENTE)), one.due);
        duties.iter().filter(|one| one.task != Task::Attest).map(of).collect()
    };
    // Counted from the first day of what was approved.
    let feedback_due = (Task::Feedback, true, Some(Date::new(2027, 9, 1).unwrap()));
    let destruction_due = (Task::Destroy, true, Some(Date::new(2028, 1, 1).unwrap()));
    assert_eq!(duties(&world), [feedback_due, destruction_due]);
    // Another version on its way takes nothing of that away.
    world.admit(Proposal, &with(proposal(), [("/version", json!(2))]));
    assert_eq!(duties(&world), [feedback_due, destruction_due]);
    world.admit(Feedback, &feedback());
    assert_eq!(duties(&world), [destruction_due]);
    world.admit(Destruction, &destruction(JUNE));
    assert_eq!(duties(&world), []);
    // Nobody could ask in one that was turned down before anybody had a mandate.
    let mut world = World::approved();
    world.admit(Decision, &stopped);
    assert_eq!(duties(&world), []);
}

#[test]
fn an_answer_is_destroyed_when_its_own_line_says_and_clocks_may_differ() {
    let mut world = World::running();
    let answer = |given: &str| Answer {
        query: QUERY.parse().unwrap(),
        provider: oin(UWV),
        receiver: oin(GEMEENTE),
        at: at(given),
    };
    let mut record = with(destruction(JULY), [("/complete", json!(false))]);
    record["item"][0]["destroyed_at"] = json!(JUNE);
    world.admit(Destruction, &record);
    let destroyed = |given: &str, by: &str| world.project().destroyed(&answer(given), at(by));
    let day = |day: &str| at(day);
    assert_eq!(destroyed("2026-05-01T00:00:00.000Z", JULY), Some(day(JUNE)));
    assert_eq!(destroyed("2026-05-01T00:00:00.000Z", JUNE), Some(day(JUNE)));
    assert_eq!(destroyed("2026-05-01T00:00:00.000Z", "2026-05-31T23:59:59.999Z"), None);
    // The receiver's clock may be behind the giver's by so much, and no more.
    assert_eq!(destroyed("2026-06-01T00:00:30.000Z", JULY), Some(day(JUNE)));
    assert_eq!(destroyed("2026-06-01T00:00:30.001Z", JULY), None);
}

#[test]
fn no_decision_goes_back_to_an_older_version() {
    let (_, world) = second();
    let back = with(world.decided(&proposal(), decision()), [("/decided_on", json!("2026-06-01"))]);
    assert_eq!(world.breaches(Decision, &back), [B::Superseded]);
}

#[test]
fn another_version_does_not_begin_the_term_anew() {
    let (second, world) = second();
    let until = |until: &str| {
        let extension = with(about(extension(until), &second), []);
        world.breaches(Extension, &extension)
    };
    assert_eq!(until("2027-12-31"), []);
    assert_eq!(until("2028-01-01"), [B::TooLong]);
    let third = with(
        second.clone(),
        [("/version", json!(3)), ("/start", json!("2027-12-01")), ("/end", json!("2028-06-01"))],
    );
    assert_eq!(world.breaches(Proposal, &third), [B::TooLong]);
    // An extension is of the version in force.
    assert_eq!(world.breaches(Extension, &extension("2027-01-31")), [B::NotApproved]);
}

#[test]
fn a_mandate_on_another_version_makes_no_project_active_and_names_no_team() {
    let (second, mut world) = second();
    assert_eq!(world.state_at(JULY), ProjectState::Approved);
    // The leader of the partner that is not responsible any more.
    let team = with(about(team(), &second), [("/partner", json!(UWV))]);
    assert_eq!(world.breaches(Mandate, &team), [B::NoSuchMandate]);
    world.admit(Mandate, &with(about(mandate(), &second), [("/partner", json!(UWV))]));
    assert_eq!(world.state_at(JULY), ProjectState::Active);
}

#[test]
fn everybody_who_may_have_received_anything_destroys_it() {
    let (second, mut world) = second();
    world.admit(Mandate, &with(about(mandate(), &second), [("/partner", json!(UWV))]));
    world.state.admit(&Signed::new(Closure, &closure(JUNE), &[1, 2])).unwrap();
    let by_uwv = |document| with(document, [("/partner", json!(UWV))]);
    world.admit(Destruction, &by_uwv(destruction(JULY)));
    world.admit(Feedback, &by_uwv(feedback()));
    assert_eq!(world.state_at(NEVER), ProjectState::Closing);
    let signed = Signed::new(FinalReport, &report(), &[key_of(UWV)]);
    assert_eq!(world.breaches_of(&signed), [B::NotDestroyed, B::NoFeedback]);
    world.admit(Destruction, &destruction(JULY));
    world.admit(Feedback, &feedback());
    assert_eq!(world.state_at(JULY), ProjectState::Destroyed);
    world.state.admit(&signed).unwrap();
}

#[test]
fn a_destruction_that_is_still_to_come_ends_nothing() {
    let mut world = World::running();
    world.admit(Destruction, &destruction(NEVER));
    assert_eq!(world.state_at(JULY), ProjectState::Active);
    assert_eq!(world.state_at("2027-07-01T00:00:00.000Z"), ProjectState::Closing);
    world.admit(Feedback, &feedback());
    world.admit(FinalReport, &report());
    assert_eq!(world.state_at("2027-07-01T00:00:00.000Z"), ProjectState::Closing);
    // One that is no receiver blocks nothing.
    let mut world = World::running();
    world.admit(Destruction, &with(destruction(NEVER), [("/partner", json!(UWV))]));
    world.admit(Extension, &extension("2027-06-30"));
}

#[test]
fn what_ended_stays_ended() {
    let world = World::emptied();
    let again = |member: &str| {
        let decided = world.decided(&proposal(), decision());
        with(decided, [("/reason", json!("nogmaals")), ("/decided_on", json!(member))])
    };
    let over = [B::Closed, B::Emptied];
    assert_eq!(world.breaches(Decision, &again("2026-06-03")), over);
    assert_eq!(world.breaches(Extension, &extension("2027-06-30")), over);
    assert_eq!(world.breaches(Mandate, &with(mandate(), [("/max_subjects", json!(9))])), over);
    let next = with(proposal(), [("/version", json!(2))]);
    assert_eq!(world.breaches(Proposal, &next), over);
}

#[test]
fn whoever_left_a_project_is_not_put_back_by_another_version() {
    let mut world = World::running();
    world.state.admit(&Signed::new(Withdrawal, &withdrawal(Some(UWV), JUNE), &[1, 2])).unwrap();
    let next = with(proposal(), [("/version", json!(2))]);
    assert_eq!(world.breaches(Proposal, &next), [B::LeftProject]);
}

#[test]
fn an_accession_is_nobodys_but_the_organisations_whose_key_the_lsi_vouches_for() {
    let mut world = World::enrolled();
    // Somebody else accedes in its name, before and after; the LSI enrols the key that it knows.
    let squatted = with(accession(STRANGER), [("/signing_key", json!(key(66)))]);
    world.state.admit(&Signed::new(Accession, &squatted, &[66])).unwrap();
    world.admit(Accession, &accession(STRANGER));
    world.admit(Enrolment, &enrolment(STRANGER));
    let late = with(squatted, [("/reference", json!("later"))]);
    world.state.admit(&Signed::new(Accession, &late, &[66])).unwrap();
    // Once it left, an accession from before counts for nothing.
    world.admit(Departure, &departure(STRANGER, JUNE));
    let back = with(
        enrolment(STRANGER),
        [("/signing_key", json!(key(66))), ("/valid_from", json!("2026-06-01"))],
    );
    let signed = Signed::new(Enrolment, &back, &[1, 2, 66]);
    assert_eq!(world.breaches_of(&signed), [B::NoAccession]);
}

#[test]
fn an_enrolment_that_was_kept_back_does_not_undo_a_departure() {
    let mut world = World::enrolled();
    world.state.admit(&Signed::new(Departure, &departure(UWV, JUNE), &[1, 2])).unwrap();
    let kept_back =
        with(enrolment(UWV), [("/name", json!("y")), ("/valid_from", json!("2026-05-01"))]);
    assert_eq!(world.breaches(Enrolment, &kept_back), [B::Superseded]);
    world.admit(Enrolment, &with(kept_back, [("/valid_from", json!("2026-06-01"))]));
    assert!(!world.state.has_left(&oin(UWV), at(JULY)));
}

#[test]
fn a_departure_and_a_withdrawal_bind_from_their_instant_on() {
    let mut world = World::running();
    world.admit(Departure, &departure(UWV, JUNE));
    world.admit(Withdrawal, &withdrawal(Some(UWV), JULY));
    let before = "2026-05-31T23:59:59.999Z";
    assert!(world.state.enrolment_at(&oin(UWV), at(before)).is_some());
    assert!(world.state.enrolment_at(&oin(UWV), at(JUNE)).is_none());
    // It still signs what it owes.
    let owed = with(destruction("2027-01-01T00:00:00.000Z"), [("/partner", json!(UWV))]);
    world.admit(Destruction, &owed);
    assert_eq!(world.project().decided().unwrap().hash, hash_of(&proposal()));
    assert!(world.project().mandates_of(&key(LEADER), at(JUNE).date()).next().is_some());
}
