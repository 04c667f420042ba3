//! No text of any document may hold a BSN: every text member of every kind, found by trying them all.

use convenant_model::{
    documents::DocumentKind::{self, *},
    register::{AdmissionError, Breach},
};
use serde_json::{Value, json};

use crate::{
    documents::*,
    world::{LEADER, World, about, key, signed},
};

type Sample = (fn() -> World, DocumentKind, Value);

/// One document of every kind with every text that it may have, and a world that admits it.
fn samples() -> Vec<Sample> {
    use World as W;
    let day = "2026-06-01T00:00:00.000Z";
    let wpg = json!({"reference": "x", "date": "2025-01-01", "hash": crate::world::digest(b"x")});
    let whole = with(
        proposal(),
        [
            ("/municipal_reference", json!("x")),
            ("/annex/0/own_task", json!("x")),
            ("/annex/0/wpg_decision", wpg),
        ],
    );
    let holder = json!([{"function": "x", "role": "leader", "key": key(LEADER)}]);
    let halted = || {
        let mut world = W::running();
        world.admit(Suspension, &suspension(None, "2026-06-01T00:00:00.000Z"));
        world
    };
    let reported = || {
        let mut world = W::emptied();
        world.admit(FinalReport, &report());
        world
    };
    vec![
        (W::empty, Covenant, covenant()),
        (W::enrolled, Accession, accession(STRANGER)),
        (W::enrolled, Enrolment, with(enrolment(UWV), [("/node", node("uwv/werk"))])),
        (W::enrolled, Departure, departure(UWV, day)),
        (W::enrolled, Revocation, revocation(UWV, 112, day)),
        (W::enrolled, Designation, designation()),
        (W::enrolled, Proposal, whole),
        (W::proposed, Attestation, attestation(UWV)),
        (W::attested, Decision, W::attested().decided(&proposal(), decision())),
        (W::approved, Mandate, about(with(mandate(), [("/holder", holder)]), &proposal())),
        (W::running, Extension, extension("2027-01-31")),
        (W::running, Suspension, suspension(None, day)),
        (halted, Resumption, resumption(&suspension(None, day), day)),
        (W::running, Withdrawal, withdrawal(Some(UWV), day)),
        (W::running, Closure, closure(day)),
        (W::running, Feedback, feedback()),
        (W::running, Destruction, destruction("2027-06-02T00:00:00.000Z")),
        (W::emptied, FinalReport, report()),
        (reported, Securing, securing()),
    ]
}

/// JSON pointers of every text in a value.
fn texts(value: &Value, at: &str) -> Vec<String> {
    let below = |(name, value): (String, &Value)| texts(value, &format!("{at}/{name}"));
    match value {
        Value::String(_) => vec![at.to_owned()],
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, item)| (i.to_string(), item))
            .flat_map(below)
            .collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), value)).flat_map(below).collect()
        }
        _ => Vec::new(),
    }
}

/// The path of a pointer as faults write it.
fn path(pointer: &str) -> String {
    pointer.split('/').skip(1).fold(String::new(), |path, step| match step.parse::<usize>() {
        Ok(index) => format!("{path}[{index}]"),
        Err(_) if path.is_empty() => step.to_owned(),
        Err(_) => format!("{path}.{step}"),
    })
}

#[test]
fn no_text_of_any_document_holds_a_bsn() {
    let mut found = 0;
    for (world, kind, sample) in samples() {
        let world = world();
        assert_eq!(world.breaches(kind, &sample), [], "{sample}");
        for pointer in texts(&sample, "") {
            let mut naming = sample.clone();
            *naming.pointer_mut(&pointer).unwrap() = json!("over 999993653, zie dossier");
            match world.state.clone().admit(&signed(kind, &naming)) {
                // A member that is no free text.
                Err(AdmissionError::Parse(_)) => {}
                Err(AdmissionError::Faults { faults, .. }) => {
                    let named = |fault: &convenant_model::register::Fault| {
                        fault.breach == Breach::HoldsBsn && fault.member == path(&pointer)
                    };
                    assert!(faults.iter().any(named), "{kind:?} {pointer}: {faults:?}");
                    found += 1;
                }
                other => panic!("{kind:?} {pointer}: {other:?}"),
            }
        }
    }
    assert!(found >= 75, "{found}");
}

#[test]
fn every_kind_has_a_sample() {
    for kind in DocumentKind::ALL {
        assert!(samples().iter().any(|(_, sample, _)| sample == kind), "{kind:?}");
    }
}

#[test]
fn a_number_with_hyphens_is_a_bsn_in_prose_and_none_in_a_reference() {
    let row = |member: &str, text: &str| {
        World::enrolled().breaches(Accession, &with(accession(STRANGER), [(member, json!(text))]))
    };
    assert_eq!(row("/name", "9999-93653"), [Breach::HoldsBsn]);
    assert_eq!(row("/reference", "9999-93653"), []);
    assert_eq!(row("/reference", "999993653"), [Breach::HoldsBsn]);
    let named = with(proposal(), [("/project", json!("P-999993653"))]);
    assert_eq!(World::enrolled().breaches(Proposal, &named), [Breach::HoldsBsn]);
}
