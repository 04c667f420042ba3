//! One smallest offending document for each breach: everything else about it would be admitted.

use std::collections::BTreeSet;

use convenant_model::{
    documents::DocumentKind::{self, *},
    register::Breach as B,
};
use serde_json::{Value, json};

use crate::{
    documents::*,
    world::{LEADER, Signed, World, key, key_of, signed},
};

type Row = (B, fn() -> World, DocumentKind, Value);

#[test]
fn every_breach_is_reached_by_a_document_that_breaches_nothing_else() {
    for (breach, world, kind, document) in rows() {
        assert_eq!(world().breaches(kind, &document), [breach], "{document}");
    }
}

#[test]
fn the_table_has_every_breach() {
    let reached: BTreeSet<_> = rows().into_iter().map(|(breach, ..)| breach).collect();
    let missing: Vec<_> = B::ALL.iter().filter(|one| !reached.contains(one)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_breach_says_where_and_under_which_clause() {
    let document = with(proposal(), [("/annex/0/field/0/category", json!("b"))]);
    let error = World::enrolled().state.admit(&signed(Proposal, &document)).unwrap_err();
    let expected = "proposal: `annex[0].field[0].category` is not the field's category in the \
                    covenant: a (clause L3)";
    assert_eq!(error.to_string(), expected);
}

fn rows() -> Vec<Row> {
    [organisations(), proposing(), annexes(), deciding(), suspending(), ending()].concat()
}

fn organisations() -> Vec<Row> {
    use World as W;
    let enrolled = W::enrolled as fn() -> W;
    let second = |changes| {
        let next = with(covenant(), [("/covenant/version", json!(2))]);
        with(next, [changes])
    };
    let enrol =
        |member, value| with(enrolment(UWV), [("/reference", json!(null)), (member, value)]);
    let day = "2026-06-01T00:00:00.000Z";
    let revoked = || {
        let mut world = W::enrolled();
        world.admit(Revocation, &revocation(UWV, 112, "2026-06-01T00:00:00.000Z"));
        world
    };
    let left = || {
        let mut world = W::enrolled();
        world.admit(Departure, &departure(UWV, "2026-06-01T00:00:00.000Z"));
        world
    };
    vec![
        (B::NoCovenant, W::empty, Accession, accession(GEMEENTE)),
        (
            B::OtherCovenant,
            enrolled,
            Accession,
            with(accession(STRANGER), [("/covenant", json!("ander"))]),
        ),
        (B::OtherCovenant, enrolled, Covenant, second(("/covenant/id", json!("ander")))),
        (B::Version, enrolled, Covenant, with(covenant(), [("/covenant/version", json!(3))])),
        (B::NotOpen, enrolled, Accession, with(accession(STRANGER), [("/kind", json!("uwv"))])),
        (B::Unlisted, enrolled, Enrolment, with(enrolment(STRANGER), [("/kind", json!("uwv"))])),
        (B::NoAccession, enrolled, Enrolment, enrolment(STRANGER)),
        (B::EndsBeforeStart, enrolled, Enrolment, enrol("/valid_until", json!("2025-12-31"))),
        (B::Superseded, enrolled, Enrolment, enrol("/valid_from", json!("2025-12-31"))),
        (B::Empty, enrolled, Enrolment, enrol("/tls_pins", json!([]))),
        (B::RevokedKey, revoked, Enrolment, enrol("/name", json!("y"))),
        (B::ForeignDataset, enrolled, Enrolment, enrol("/node", node("gemeente/brp"))),
        (B::AreaOfDataset, enrolled, Enrolment, enrol("/node", node("uwv/landelijk"))),
        (B::Left, left, Departure, departure(UWV, "2026-06-02T00:00:00.000Z")),
        (B::Left, left, Proposal, proposal()),
        (B::NotEnrolled, enrolled, Departure, departure(STRANGER, day)),
        (B::UnknownKey, enrolled, Revocation, revocation(UWV, 50, day)),
        (B::UnknownGoal, enrolled, Designation, with(designation(), [("/goal", json!("anders"))])),
        (B::NeedsNone, enrolled, Designation, with(designation(), [("/goal", json!("fraude"))])),
    ]
}

fn proposing() -> Vec<Row> {
    let changed = |member: &str, value| with(proposal(), [(member, value)]);
    let row = |breach, member, value| {
        (breach, World::enrolled as fn() -> World, Proposal, changed(member, value))
    };
    let one = json!({"partner": GEMEENTE, "role": "x"});
    let stranger = json!({"partner": STRANGER, "role": "x"});
    let other = with(second(), [("/proposed_by", json!([UWV]))]);
    let left = || {
        let mut world = World::proposed();
        world.admit(Withdrawal, &withdrawal(Some(UWV), "2026-06-01T00:00:00.000Z"));
        world
    };
    let repeated = json!([proposal()["predicate"][0], proposal()["predicate"][0]]);
    let twice = json!([one, {"partner": UWV, "role": "x"}, {"partner": UWV, "role": "y"}]);
    let alone = with(proposal(), [("/participant", json!([one])), ("/annex", json!([]))]);
    vec![
        row(B::Empty, "/goals", json!([])),
        row(B::Repeated, "/participant", twice),
        row(B::Repeated, "/predicate", repeated),
        row(B::UnknownTheme, "/theme", json!("anders")).with_annex(json!([])),
        row(B::UnknownGoal, "/goals", json!(["anders"])),
        row(B::NotDesignated, "/goals", json!(["misstand"])),
        row(B::NotEnrolled, "/participant/1", stranger).with_annex(json!([])),
        row(B::NoResponsible, "/responsible", json!(SVB)),
        row(B::ForeignProposer, "/proposed_by", json!([GEMEENTE, SVB])),
        (B::FewPartners, World::enrolled, Proposal, alone),
        row(B::NoMeasure, "/earlier_measure", json!([])),
        row(B::LateMeasure, "/earlier_measure/0/date", json!("2026-01-01")),
        row(B::NoArea, "/area", json!([])),
        row(B::NoQuota, "/quota/queries", json!(0)),
        row(B::EndsBeforeStart, "/end", json!("2025-12-31")),
        row(B::TooLong, "/end", json!("2028-01-01")),
        row(B::Version, "/version", json!(2)),
        row(B::HoldsBsn, "/title", json!("over 999993653")),
        (B::OtherProposers, World::proposed, Proposal, other),
        (B::LeftProject, left, Proposal, second()),
    ]
}

/// The next version of the proposal.
fn second() -> Value {
    with(proposal(), [("/version", json!(2))])
}

trait WithAnnex {
    fn with_annex(self, annex: Value) -> Self;
}

impl WithAnnex for Row {
    fn with_annex(self, annex: Value) -> Self {
        (self.0, self.1, self.2, with(self.3, [("/annex", annex)]))
    }
}

fn annexes() -> Vec<Row> {
    let row = |breach, member: &str, value| {
        let changed = with(proposal(), [(member, value)]);
        (breach, World::enrolled as fn() -> World, Proposal, changed)
    };
    let granting = |breach, name: &str| row(breach, "/annex/0/field/0/name", json!(name));
    let delict = json!({"name": "delict", "category": "j", "necessity": "x"});
    let geloof = json!({"name": "geloof", "category": "h", "necessity": "x"});
    let reis = json!({"name": "reis", "category": "b", "necessity": "x"});
    vec![
        row(B::NotParticipant, "/annex/0/provider", json!(SVB)),
        row(B::SharedBasis, "/annex/0/basis_receiver", json!("Een ")),
        row(B::KeptTooLong, "/annex/0/retention_days", json!(731)),
        row(B::UnknownDataset, "/annex/0/dataset", json!("uwv/anders")),
        row(B::NoWpgDecision, "/annex/0/dataset", json!("uwv/politie")),
        row(B::NoWeightyInterest, "/annex/0/dataset", json!("uwv/om")),
        granting(B::UnknownField, "anders"),
        granting(B::NotNecessary, "geheim"),
        row(B::SpecialCategory, "/annex/0/field/0", geloof),
        row(B::CriminalData, "/annex/0/field/0", delict),
        row(B::OtherTheme, "/annex/0/field/0", reis),
        row(B::WrongCategory, "/annex/0/field/0/category", json!("b")),
        row(B::UnknownDataset, "/predicate/0/dataset", json!("uwv/anders")),
        row(B::NotFilterable, "/predicate/0/expression", json!("geloof = 'x'")),
        row(B::HoldsBsn, "/predicate/0/expression", json!("loon = 999993653")),
        row(B::NoPredicate, "/predicate/0/expected_hits/most", json!(0)),
    ]
}

fn deciding() -> Vec<Row> {
    use World as W;
    let attested = |member: &str, value| {
        with(W::attested().decided(&proposal(), decision()), [(member, value)])
    };
    let attest = |member: &str, value| with(attestation(GEMEENTE), [(member, value)]);
    let without = |kind: &str| {
        let papers = attestation(UWV)["attachment"].as_array().unwrap().clone();
        let kept: Vec<_> = papers.into_iter().filter(|paper| paper["kind"] != kind).collect();
        with(attestation(UWV), [("/attachment", json!(kept))])
    };
    let paper = |breach, kind| (breach, W::proposed as fn() -> W, Attestation, without(kind));
    let doubled = {
        let papers = attestation(UWV)["attachment"].as_array().unwrap().clone();
        json!([papers.clone(), vec![papers[0].clone()]].concat())
    };
    let hash = json!(crate::world::digest(b"nothing"));
    let again = with(
        W::attested().decided(&proposal(), decision()),
        [("/outcome", json!("rejected")), ("/decided_on", json!("2026-01-19"))],
    );
    let late = with(
        W::attested().decided(&proposal(), decision()),
        [("/decided_on", json!("2027-01-01")), ("/reason", json!("nogmaals"))],
    );
    let team = |member: &str, value| with(team(), [(member, value)]);
    let extend = |member: &str, value| with(extension("2027-06-30"), [(member, value)]);
    let holder = |role| json!({"function": "x", "role": role, "key": key(LEADER)});
    let leaders = json!([holder("leader"), holder("leader")]);
    vec![
        (B::UnknownProposal, W::enrolled, Attestation, attestation(UWV)),
        (B::NotParticipant, W::proposed, Attestation, attest("/partner", json!(SVB))),
        (B::Repeated, W::proposed, Attestation, attest("/attachment", doubled)),
        paper(B::NoDpia, "dpia"),
        paper(B::NoFgAdvice, "fg-advice"),
        paper(B::NoSecurityPlan, "security-plan"),
        paper(B::NoRiskAnalysis, "risk-analysis"),
        paper(B::NoCommunicationPlan, "communication-plan"),
        (B::OutsideTerm, W::attested, Decision, attested("/valid_from", json!("2025-12-31"))),
        (B::LatePaper, late_paper, Decision, late_paper().decided(&proposal(), decision())),
        (
            B::UnknownAttestation,
            W::attested,
            Decision,
            with(attested("/outcome", json!("rejected")), [("/attestations", json!([hash]))]),
        ),
        (B::NoAttestation, one_attested, Decision, one_attested().decided(&proposal(), decision())),
        (B::Superseded, W::approved, Decision, again),
        (B::AfterEnd, W::approved, Decision, late),
        (B::NotApproved, W::attested, Mandate, mandate()),
        (B::NotResponsible, W::approved, Mandate, with(mandate(), [("/partner", json!(UWV))])),
        (B::NoLeader, W::approved, Mandate, with(mandate(), [("/holder", leaders)])),
        (B::SecondLeader, W::running, Mandate, team("/holder/0/role", json!("leader"))),
        (B::NoSuchMandate, W::running, Mandate, team("/under", hash)),
        (B::BeyondMandate, W::running, Mandate, team("/max_subjects", json!(11))),
        (B::BeyondMandate, W::running, Mandate, team("/valid_until", json!("2027-01-01"))),
        (B::AfterEnd, W::running, Extension, extend("/decided_on", json!("2027-01-01"))),
        (B::Superseded, W::running, Extension, extend("/decided_on", json!("2026-01-19"))),
        (B::NoLonger, W::running, Extension, extend("/valid_until", json!("2026-12-31"))),
        (B::TooLong, W::running, Extension, extend("/valid_until", json!("2028-01-01"))),
        (B::Closed, closed, Extension, extension("2027-06-30")),
        (B::Emptied, ended_and_emptied, Extension, extension("2027-06-30")),
        (B::Withdrawn, withdrawn, Decision, W::attested().decided(&proposal(), decision())),
    ]
}

fn late_paper() -> World {
    let mut world = World::proposed();
    world.admit(Attestation, &attestation(GEMEENTE));
    let late = with(attestation(UWV), [("/attachment/0/date", json!("2026-01-21"))]);
    world.admit(Attestation, &late);
    world
}

fn one_attested() -> World {
    let mut world = World::proposed();
    world.admit(Attestation, &attestation(UWV));
    world
}

fn closed() -> World {
    let mut world = World::running();
    world.admit(Closure, &closure("2026-06-01T00:00:00.000Z"));
    world
}

fn ended_and_emptied() -> World {
    let mut world = World::running();
    world.admit(Destruction, &destruction("2027-01-01T00:00:00.000Z"));
    world
}

fn withdrawn() -> World {
    let mut world = World::attested();
    world.admit(Withdrawal, &withdrawal(None, "2026-01-10T00:00:00.000Z"));
    world
}

fn suspending() -> Vec<Row> {
    let suspended = suspension(None, "2026-06-01T00:00:00.000Z");
    let resumed = |from: &str| with(resumption(&suspended, from), [("/reason", json!("y"))]);
    let unknown = with(suspension(None, "2026-06-01T00:00:00.000Z"), [("/reason", json!("y"))]);
    let halted = || {
        let mut world = World::running();
        let suspended = suspension(None, "2026-06-01T00:00:00.000Z");
        world.admit(Suspension, &suspended);
        world.admit(Resumption, &resumption(&suspended, "2026-07-01T00:00:00.000Z"));
        world
    };
    let day = "2026-06-30T00:00:00.000Z";
    vec![
        (B::NotApproved, World::attested, Suspension, suspended.clone()),
        (B::NotParticipant, World::running, Suspension, suspension(Some(SVB), day)),
        (B::UnknownSuspension, halted, Resumption, resumption(&unknown, day)),
        (B::EndsAlready, halted, Resumption, resumed("2026-07-01T00:00:00.000Z")),
        (B::BeforeSuspension, halted, Resumption, resumed("2026-05-31T23:59:59.999Z")),
    ]
}

fn ending() -> Vec<Row> {
    use World as W;
    let day = "2026-06-01T00:00:00.000Z";
    let unreported = || {
        let mut world = closed();
        world.admit(Destruction, &destruction("2026-06-02T00:00:00.000Z"));
        world
    };
    let reported = || {
        let mut world = W::emptied();
        world.admit(FinalReport, &report());
        world
    };
    let item = |member: &str, value| with(feedback(), [(member, value)]);
    let mut later = destruction("2026-06-02T00:00:00.000Z");
    later["item"][0]["destroyed_at"] = json!("2026-06-02T00:00:00.001Z");
    let nothing = with(feedback(), [("/complete", json!(false)), ("/item", json!([]))]);
    vec![
        (B::UnknownProject, W::enrolled, Withdrawal, withdrawal(None, day)),
        (B::NotParticipant, W::proposed, Withdrawal, withdrawal(Some(SVB), day)),
        (B::Running, W::running, Withdrawal, withdrawal(None, day)),
        (B::Withdrawn, withdrawn, Withdrawal, withdrawal(Some(UWV), day)),
        (B::SaidBefore, withdrawn, Withdrawal, withdrawal(None, day)),
        (B::SaidBefore, closed, Closure, closure("2026-06-01T00:00:00.001Z")),
        (B::Empty, W::running, Feedback, nothing),
        (B::MoreThanWhole, W::running, Feedback, item("/item/0/usable", json!(4))),
        (B::NoReason, W::running, Feedback, item("/item/0/reason", json!(null))),
        (B::NotEnded, W::running, Destruction, destruction("2026-12-31T22:59:59.999Z")),
        (B::AfterRecord, closed, Destruction, later),
        (B::NotDestroyed, closed_and_reported, FinalReport, report()),
        (B::NoFeedback, unreported, FinalReport, report()),
        (B::MoreThanWhole, W::emptied, FinalReport, with(report(), [("/confirmed", json!(4))])),
        (B::NotReported, W::emptied, Securing, securing()),
        (B::SaidBefore, reported, FinalReport, with(report(), [("/lessons", json!("y"))])),
    ]
}

fn closed_and_reported() -> World {
    let mut world = closed();
    world.admit(Feedback, &feedback());
    world
}

#[test]
fn a_key_that_signs_after_it_was_revoked_breaches_too() {
    let mut world = World::running();
    world.admit(Revocation, &revocation(GEMEENTE, LEADER, "2099-01-01T00:00:00.000Z"));
    // From a late instant on; but a document does not say when it was signed.
    assert_eq!(world.breaches(Mandate, &team()), [B::RevokedKey]);
    let own = Signed::new(Closure, &closure("2026-06-01T00:00:00.000Z"), &[key_of(GEMEENTE)]);
    assert_eq!(world.breaches_of(&own), []);
}
