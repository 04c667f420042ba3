//! Who may sign which document: nobody less, and nobody else.

use convenant_model::{documents::DocumentKind::*, register::RootOfTrust};
use serde_json::json;

use crate::{
    documents::*,
    world::{LEADER, LSI, Signed, World, key, key_of},
};

/// Keys that suffice, and keys that do not, for a document in a world.
struct Case {
    world: fn() -> World,
    signed: Signed,
    enough: Vec<Vec<u8>>,
    lacking: Vec<Vec<u8>>,
}

fn case<const E: usize, const L: usize>(
    world: fn() -> World,
    (kind, document): (convenant_model::documents::DocumentKind, serde_json::Value),
    enough: [&[u8]; E],
    lacking: [&[u8]; L],
) -> Case {
    let signed = Signed::new(kind, &document, &[]);
    let lists = |keys: &[&[u8]]| keys.iter().map(|keys| keys.to_vec()).collect();
    Case { world, signed, enough: lists(&enough), lacking: lists(&lacking) }
}

fn cases() -> Vec<Case> {
    use World as W;
    let (own, uwv, svb) = (key_of(GEMEENTE), key_of(UWV), key_of(SVB));
    let day = "2026-06-01T00:00:00.000Z";
    let decided = W::attested().decided(&proposal(), decision());
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
    let renewed = with(enrolment(UWV), [("/name", json!("y"))]);
    vec![
        case(
            W::empty,
            (Covenant, covenant()),
            [&[1, 2], &[2, 3], &[3, 2, 1, 50]],
            [&[1], &[1, 11], &[]],
        ),
        case(W::enrolled, (Accession, accession(STRANGER)), [&[19]], [&[1, 2, 3], &[11]]),
        case(W::enrolled, (Enrolment, renewed), [&[1, 2, uwv]], [&[1, 2], &[1, uwv], &[uwv]]),
        case(W::enrolled, (Departure, departure(UWV, day)), [&[uwv], &[1, 3]], [&[own], &[1]]),
        case(
            W::running,
            (Revocation, revocation(GEMEENTE, LEADER, day)),
            [&[own], &[2, 3]],
            [&[LEADER], &[uwv]],
        ),
        case(W::enrolled, (Designation, designation()), [&[1, 2]], [&[1, own], &[own]]),
        case(W::enrolled, (Proposal, proposal()), [&[own, uwv]], [&[own], &[uwv], &[1, 2, 3]]),
        case(
            W::proposed,
            (Attestation, attestation(UWV)),
            [&[uwv]],
            [&[own], &[1, 2, 3], &[100 + uwv]],
        ),
        case(W::attested, (Decision, decided), [&[1, 2]], [&[1, own, uwv], &[own, uwv]]),
        case(W::approved, (Mandate, mandate()), [&[own]], [&[uwv], &[1, 2, 3], &[LEADER]]),
        case(W::running, (Mandate, team()), [&[LEADER]], [&[own], &[22], &[1, 2, 3]]),
        case(W::running, (Extension, extension("2027-01-31")), [&[1, 2]], [&[1], &[own]]),
        case(W::running, (Suspension, suspension(None, day)), [&[1, 2]], [&[own, uwv], &[1]]),
        case(W::running, (Suspension, suspension(Some(UWV), day)), [&[uwv]], [&[1, 2, 3], &[own]]),
        case(
            halted,
            (Resumption, resumption(&suspension(None, day), day)),
            [&[1, 2]],
            [&[own], &[1]],
        ),
        case(W::approved, (Withdrawal, withdrawal(None, day)), [&[own], &[1, 2]], [&[uwv], &[1]]),
        case(
            W::running,
            (Withdrawal, withdrawal(Some(UWV), day)),
            [&[uwv], &[1, 2]],
            [&[own], &[1]],
        ),
        case(W::running, (Closure, closure(day)), [&[own], &[1, 2]], [&[uwv], &[1], &[LEADER]]),
        case(W::running, (Feedback, feedback()), [&[own]], [&[uwv], &[1, 2, 3], &[LEADER]]),
        case(closed, (Destruction, destruction(day)), [&[own]], [&[uwv], &[1, 2, 3], &[LEADER]]),
        case(W::emptied, (FinalReport, report()), [&[own]], [&[uwv], &[1, 2, 3]]),
        case(reported, (Securing, securing()), [&[own]], [&[svb], &[uwv], &[1, 2, 3]]),
    ]
}

fn closed() -> World {
    let mut world = World::running();
    world.admit(Closure, &closure("2026-05-01T00:00:00.000Z"));
    world
}

#[test]
fn whoever_must_sign_does_and_nobody_else_will_do() {
    for Case { world, signed, enough, lacking } in cases() {
        let mut world = world();
        for keys in lacking {
            let before = world.state.documents();
            let admitted = world.state.admit(&signed.clone().by(&keys));
            assert!(admitted.is_err(), "{:?} by {keys:?}", signed.kind);
            assert_eq!(world.state.documents(), before);
        }
        for keys in enough {
            let admitted = world.state.clone().admit(&signed.clone().by(&keys));
            assert!(admitted.is_ok(), "{:?} by {keys:?}: {admitted:?}", signed.kind);
        }
    }
}

#[test]
fn every_kind_of_document_is_in_the_table() {
    for kind in convenant_model::documents::DocumentKind::ALL {
        assert!(cases().iter().any(|case| case.signed.kind == *kind), "{kind:?}");
    }
}

#[test]
fn a_quorum_counts_keys_and_is_never_nobody() {
    let signed = |keys: &[u8]| Signed::new(Covenant, &covenant(), keys);
    let admits = |lsi: &[u8], quorum, by: &[u8]| {
        let lsi = lsi.iter().map(|number| key(*number)).collect();
        let root = RootOfTrust { lsi, quorum };
        convenant_model::register::RegisterState::new(root).admit(&signed(by)).is_ok()
    };
    assert!(admits(&LSI, 3, &[1, 2, 3]) && !admits(&LSI, 3, &[1, 2]));
    // The same key listed twice in the root, or more signatures than the root has keys.
    assert!(!admits(&[1, 1], 2, &[1]) && !admits(&[1, 2], 2, &[1, 50, 51]));
    assert!(admits(&LSI, 0, &[1]) && !admits(&LSI, 0, &[]) && !admits(&[], 0, &[1]));
    assert!(!admits(&LSI, 4, &[1, 2, 3]));
}

#[test]
fn a_key_of_the_lsi_that_is_a_partners_too_counts_once_for_each() {
    let mut world = World::enrolled();
    let mine = with(enrolment(UWV), [("/signing_key", json!(key(1)))]);
    let signed = |keys: &[u8]| Signed::new(Enrolment, &mine, keys);
    assert!(world.state.clone().admit(&signed(&[1])).is_err());
    world.state.admit(&signed(&[1, 2])).unwrap();
    // Alone it is a partner's signature, never a quorum.
    let whole = Signed::new(Designation, &designation(), &[1]);
    assert!(world.state.admit(&whole).is_err());
}

#[test]
fn the_same_payload_under_other_signatures_is_the_same_document() {
    let mut world = World::running();
    let signed = Signed::new(Extension, &extension("2027-01-31"), &[1, 2]);
    world.state.admit(&signed).unwrap();
    for keys in [&[2, 3][..], &[1, 2, 3], &[3, 2, 1, 11, 50]] {
        let error = world.state.admit(&signed.clone().by(keys)).unwrap_err();
        assert!(error.to_string().contains("admitted before"), "{error}");
    }
}
