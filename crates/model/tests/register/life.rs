//! The whole life of one project, step by step.

use convenant_model::{documents::DocumentKind::*, register::ProjectState as S};
use serde_json::json;

use crate::{documents::*, world::World};

const APRIL: &str = "2026-04-01T12:00:00.000Z";
const AUGUST: &str = "2026-08-01T12:00:00.000Z";

#[test]
fn a_project_goes_through_its_whole_life() {
    let mut world = World::proposed();
    assert_eq!(world.state_at(APRIL), S::Submitted);
    world.attest(&proposal());
    assert_eq!(world.state_at(APRIL), S::Reviewed);
    let decided = world.decided(&proposal(), decision());
    world.admit(Decision, &decided);
    assert_eq!(world.state_at(APRIL), S::Approved);
    world.admit(Mandate, &mandate());
    assert_eq!(world.state_at("2026-01-31T22:59:59.999Z"), S::Approved);
    assert_eq!(world.state_at(APRIL), S::Active);
    let halted = suspension(None, "2026-03-01T00:00:00.000Z");
    world.admit(Suspension, &halted);
    assert_eq!(world.state_at(APRIL), S::Suspended);
    world.admit(Resumption, &resumption(&halted, "2026-03-15T00:00:00.000Z"));
    assert_eq!(world.state_at(APRIL), S::Active);
    world.admit(Closure, &closure("2026-06-01T00:00:00.000Z"));
    assert_eq!(world.state_at(AUGUST), S::Closing);
    world.admit(Destruction, &destruction("2026-07-01T00:00:00.000Z"));
    assert_eq!(world.state_at("2026-06-30T00:00:00.000Z"), S::Closing);
    assert_eq!(world.state_at(AUGUST), S::Destroyed);
    world.admit(Feedback, &feedback());
    world.admit(FinalReport, &report());
    assert_eq!(world.state_at(AUGUST), S::Evaluated);
    world.admit(Securing, &securing());
    assert_eq!(world.state_at(AUGUST), S::Secured);
    // What it was on an earlier day, it still was on that day.
    assert_eq!(world.state_at(APRIL), S::Active);
}

#[test]
fn a_project_is_withdrawn_from_any_state_before_somebody_has_a_mandate() {
    for world in [World::proposed(), World::attested(), World::approved()] {
        let mut world = world;
        world.admit(Withdrawal, &withdrawal(None, APRIL));
        assert_eq!(world.state_at(APRIL), S::Withdrawn);
        assert_ne!(world.state_at("2026-03-31T00:00:00.000Z"), S::Withdrawn);
    }
}

#[test]
fn a_rejected_project_is_proposed_anew() {
    let mut world = World::attested();
    let no = with(world.decided(&proposal(), decision()), [("/outcome", json!("rejected"))]);
    world.admit(Decision, &no);
    assert_eq!(world.state_at(APRIL), S::Rejected);
    let second = with(proposal(), [("/version", json!(2))]);
    world.admit(Proposal, &second);
    assert_eq!(world.state_at(APRIL), S::Submitted);
    world.attest(&second);
    assert_eq!(world.state_at(APRIL), S::Reviewed);
    let decided = world.decided(&second, decision());
    world.admit(Decision, &decided);
    assert_eq!(world.state_at(APRIL), S::Approved);
}
