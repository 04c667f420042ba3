//! Random documents, good and bad, against a simple model of the life of a project: both admit the same, both
//! say that the projects are in the same state at every instant, and what is refused leaves no trace.

use convenant_model::{
    documents::DocumentKind,
    register::{Envelope as _, ProjectState, RegisterState},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{
    documents::*,
    world::{Signed, World, digest, key_of},
};

mod model;

use model::{Act, Model, Party, What};

const PROJECTS: [&str; 2] = ["P-1", "P-2"];
/// Instants, as months from January 2026; each stands for the fifteenth at noon.
const MONTHS: std::ops::Range<u16> = 0..32;

fn day(month: u16) -> String {
    format!("{}-{:02}-15", 2026 + month / 12, month % 12 + 1)
}

fn instant(month: u16) -> String {
    format!("{}T12:00:00.000Z", day(month))
}

fn oin(party: Party) -> &'static str {
    match party {
        Party::Gemeente => GEMEENTE,
        Party::Uwv => UWV,
        Party::Svb => SVB,
    }
}

/// Versions of a proposal; the model knows them by these members.
fn version(project: usize, number: u32) -> Value {
    let (responsible, start, end) = model::version(number);
    with(
        proposal(),
        [
            ("/project", json!(PROJECTS[project])),
            ("/version", json!(number)),
            ("/responsible", json!(oin(responsible))),
            ("/start", json!(day(start))),
            ("/end", json!(day(end))),
        ],
    )
}

fn hash(kind: DocumentKind, document: &Value) -> Value {
    json!(Signed::new(kind, document, &[]).hash())
}

fn attested(project: usize, number: u32, party: Party) -> Value {
    let proposal = hash(DocumentKind::Proposal, &version(project, number));
    with(attestation(oin(party)), [("/project", json!(PROJECTS[project])), ("/proposal", proposal)])
}

/// The document of an act.
fn document(act: &Act) -> (DocumentKind, Value) {
    let of = |number| hash(DocumentKind::Proposal, &version(act.project, number));
    let party = |party: Option<Party>| json!(party.map(oin));
    let (kind, document) = match act.what {
        What::Propose(number) => (DocumentKind::Proposal, version(act.project, number)),
        What::Attest(number, by) => (DocumentKind::Attestation, attested(act.project, number, by)),
        What::Decide { version: number, approved, on, until, both } => {
            let all = [Party::Gemeente, Party::Uwv];
            let by = if both { &all[..] } else { &all[..1] };
            let hashes = by
                .iter()
                .map(|by| hash(DocumentKind::Attestation, &attested(act.project, number, *by)));
            let document = with(
                decision(),
                [
                    ("/proposal", of(number)),
                    ("/attestations", json!(hashes.collect::<Vec<_>>())),
                    ("/outcome", json!(if approved { "approved" } else { "rejected" })),
                    ("/decided_on", json!(day(on))),
                    ("/valid_from", json!(day(model::version(number).1))),
                    ("/valid_until", json!(day(until))),
                    ("/extended", json!(true)),
                ],
            );
            (DocumentKind::Decision, document)
        }
        What::Mandate(number, by) => {
            let changes = [("/proposal", of(number)), ("/partner", json!(oin(by)))];
            (DocumentKind::Mandate, with(mandate(), changes))
        }
        What::Extend { version: number, on, until } => {
            let changes = [("/proposal", of(number)), ("/decided_on", json!(day(on)))];
            (DocumentKind::Extension, with(extension(&day(until)), changes))
        }
        What::Suspend(by, from) => {
            let changes = [("/partner", party(by)), ("/from", json!(instant(from)))];
            (DocumentKind::Suspension, with(suspension(None, ""), changes))
        }
        What::Resume(by, suspended, from) => {
            let (_, halted) = document(&Act { what: What::Suspend(by, suspended), ..act.clone() });
            let halted = hash(DocumentKind::Suspension, &halted);
            let changes = [("/suspension", halted), ("/from", json!(instant(from)))];
            (DocumentKind::Resumption, with(resumption(&json!({}), ""), changes))
        }
        What::Withdraw(who, from) => (
            DocumentKind::Withdrawal,
            with(withdrawal(None, &instant(from)), [("/partner", party(who))]),
        ),
        What::Close(from) => (DocumentKind::Closure, closure(&instant(from))),
        What::Feedback(by, complete) => {
            let changes = [("/partner", json!(oin(by))), ("/complete", json!(complete))];
            (DocumentKind::Feedback, with(feedback(), changes))
        }
        What::Destroy(by, complete, at) => {
            let changes = [("/partner", json!(oin(by))), ("/complete", json!(complete))];
            (DocumentKind::Destruction, with(destruction(&instant(at)), changes))
        }
        What::Report => (DocumentKind::FinalReport, report()),
        What::Secure => (DocumentKind::Securing, securing()),
        What::Revoke(by, from) => {
            return (
                DocumentKind::Revocation,
                revocation(oin(by), key_of(oin(by)), &instant(from)),
            );
        }
        What::Depart(by, from) => {
            return (DocumentKind::Departure, departure(oin(by), &instant(from)));
        }
    };
    (kind, with(document, [("/project", json!(PROJECTS[act.project]))]))
}

fn signed(act: &Act) -> Signed {
    let (kind, document) = document(act);
    let lsi = [1, 2, 3].into_iter().take(act.lsi);
    let parties = act.signed.iter().map(|party| key_of(oin(*party)));
    Signed::new(kind, &document, &lsi.chain(parties).collect::<Vec<_>>())
}

fn party() -> impl Strategy<Value = Party> {
    select(vec![Party::Gemeente, Party::Gemeente, Party::Uwv, Party::Uwv, Party::Svb])
}

fn what() -> impl Strategy<Value = What> {
    let month = || MONTHS;
    let number = || 1..4_u32;
    prop_oneof![
        4 => number().prop_map(What::Propose),
        4 => (number(), party()).prop_map(|(number, by)| What::Attest(number, by)),
        4 => (number(), prop::bool::weighted(0.8), 0..9_u16, 6..24_u16, prop::bool::weighted(0.9)).prop_map(
            |(version, approved, on, until, both)| What::Decide { version, approved, on, until, both },
        ),
        3 => (number(), party()).prop_map(|(number, by)| What::Mandate(number, by)),
        2 => (number(), month(), month())
            .prop_map(|(version, on, until)| What::Extend { version, on, until }),
        1 => (prop::option::of(party()), 4..8_u16).prop_map(|(by, from)| What::Suspend(by, from)),
        1 => (prop::option::of(party()), 4..8_u16, 4..9_u16)
            .prop_map(|(by, halted, from)| What::Resume(by, halted, from)),
        1 => (prop::option::of(party()), month()).prop_map(|(who, from)| What::Withdraw(who, from)),
        1 => (6..20_u16).prop_map(What::Close),
        2 => (party(), any::<bool>()).prop_map(|(by, complete)| What::Feedback(by, complete)),
        3 => (party(), prop::bool::weighted(0.8), 6..32_u16)
            .prop_map(|(by, complete, at)| What::Destroy(by, complete, at)),
        2 => Just(What::Report),
        2 => Just(What::Secure),
        1 => (party(), month()).prop_map(|(by, from)| What::Revoke(by, from)),
        1 => (party(), month()).prop_map(|(by, from)| What::Depart(by, from)),
    ]
}

/// An act, most often signed by all who may ever have to.
fn act() -> impl Strategy<Value = Act> {
    let all = vec![Party::Gemeente, Party::Uwv, Party::Svb];
    let signed = prop_oneof![
        6 => Just(all.clone()),
        1 => proptest::sample::subsequence(all, 0..3),
    ];
    let lsi = prop_oneof![4 => Just(2_usize), 1 => 0..4_usize];
    (0..PROJECTS.len(), what(), signed, lsi).prop_map(|(project, what, signed, lsi)| Act {
        project,
        what,
        signed,
        lsi,
    })
}

/// The straight way through a life, in which the random acts are strewn.
fn straight(project: usize) -> Vec<Act> {
    let all = vec![Party::Gemeente, Party::Uwv, Party::Svb];
    let act = |what| Act { project, what, signed: all.clone(), lsi: 2 };
    let decide = What::Decide { version: 1, approved: true, on: 1, until: 11, both: true };
    [
        What::Propose(1),
        What::Attest(1, Party::Gemeente),
        What::Attest(1, Party::Uwv),
        decide,
        What::Mandate(1, Party::Gemeente),
        What::Close(10),
        What::Destroy(Party::Gemeente, true, 12),
        What::Feedback(Party::Gemeente, true),
        What::Report,
        What::Secure,
    ]
    .map(act)
    .into()
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let strewn = vec((any::<prop::sample::Index>(), act()), 0..30);
    (prop::bool::weighted(0.7), strewn).prop_map(|(goes_straight, strewn)| {
        let mut acts = if goes_straight { straight(0) } else { Vec::new() };
        for (place, act) in strewn {
            acts.insert(place.index(acts.len() + 1), act);
        }
        acts
    })
}

fn states(state: &RegisterState) -> Vec<Option<ProjectState>> {
    let at = |id: &str, month| {
        let id = convenant_model::ProjectId::new(id).unwrap();
        Some(state.project(&id)?.state_at(instant(month).parse().unwrap()))
    };
    PROJECTS.iter().flat_map(|id| MONTHS.map(move |month| at(id, month))).collect()
}

/// Everything that a register holds, as text.
fn picture(state: &RegisterState) -> String {
    format!("{state:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn the_register_and_a_simple_model_agree(acts in acts()) {
        let mut state = World::enrolled().state;
        let (mut model, mut admitted) = (Model::default(), Vec::new());
        for act in &acts {
            let signed = signed(act);
            let before = digest(picture(&state).as_bytes());
            let expected = model.admits(act, signed.payload_hash());
            let outcome = state.admit(&signed);
            prop_assert_eq!(outcome.is_ok(), expected, "{:?}: {:?}", act, outcome);
            if expected {
                model.take(act, signed.payload_hash());
                admitted.push(signed);
            } else {
                prop_assert_eq!(digest(picture(&state).as_bytes()), before, "{:?} left a trace", act);
            }
            let said = states(&state);
            let known = PROJECTS.iter().enumerate().flat_map(|(project, _)| {
                let model = &model;
                MONTHS.map(move |month| model.state(project, month))
            });
            prop_assert_eq!(said, known.collect::<Vec<_>>(), "after {:?}", act);
        }
        let mut again = World::enrolled().state;
        for signed in &admitted {
            again.admit(signed).unwrap();
        }
        prop_assert_eq!(picture(&again), picture(&state));
    }
}
