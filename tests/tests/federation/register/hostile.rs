//! A register that was tampered with is refused, and the copy stays as it was.

use convenant_ledger::register::RegisterError;
use convenant_model::register::AdmissionError;
use convenant_register::FollowError;
use convenant_signing::{Jws, SigningKey, SystemRandom};
use convenant_testkit::Shown;

use super::Turned;

/// How a refresh must fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    /// A document is not admitted after those before it.
    NotAdmitted,
    /// A document was admitted before.
    Repeated,
    /// A signature that is needed is not there.
    Unsigned,
    /// The root is not that of the documents, or there are fewer than before.
    Forked,
    /// The documents end before the checkpoint's last.
    Unfinished,
}

impl Fault {
    fn of(error: &FollowError) -> Self {
        match error {
            FollowError::Document { source, .. } => match source.as_ref() {
                RegisterError::Admission(AdmissionError::Repeated { .. }) => Self::Repeated,
                RegisterError::Admission(
                    AdmissionError::Signature { .. } | AdmissionError::Quorum { .. },
                ) => Self::Unsigned,
                _ => Self::NotAdmitted,
            },
            FollowError::Forked { .. } => Self::Forked,
            FollowError::Unfinished { .. } => Self::Unfinished,
            other => panic!("{other}"),
        }
    }
}

/// The document with the signature of a stranger more.
fn signed_more(document: &[u8]) -> Vec<u8> {
    let mut jws = Jws::parse(document).unwrap();
    jws.sign(&SigningKey::generate(&SystemRandom::new()).unwrap()).unwrap();
    jws.to_json()
}

/// The document without its last signature.
fn signed_less(document: &[u8]) -> Vec<u8> {
    let mut jws: serde_json::Value = serde_json::from_slice(document).unwrap();
    jws["signatures"].as_array_mut().unwrap().pop().unwrap();
    serde_json::to_vec(&jws).unwrap()
}

fn signatures(document: &[u8]) -> usize {
    Jws::parse(document).unwrap().key_ids().count()
}

type Change = Box<dyn Fn(&mut Vec<Vec<u8>>)>;

/// What may be done to the documents from `at` on, where two neighbours can trade places, and how it shows:
/// under the true root, and under a root of its own.
fn changes(turned: &Turned, at: usize) -> Vec<(&'static str, Change, [Option<Fault>; 2])> {
    use Fault::{Forked, NotAdmitted, Repeated, Unfinished, Unsigned};
    let last = turned.documents.len() - 1;
    let later = |needed: usize| {
        let several = |index: &usize| signatures(&turned.documents[*index]) >= needed;
        (at..=last).find(several).unwrap()
    };
    let quorum = later(2);
    let every = |fault| [Some(fault), Some(fault)];
    let nothing: Change = Box::new(|_| ());
    vec![
        ("nothing", nothing, [None, None]),
        // Another history, of which a party that knows none has nothing to say.
        ("reordered", Box::new(move |all| all.swap(at, at + 1)), [Some(Forked), None]),
        ("reversed", Box::new(move |all| all[at..].reverse()), every(NotAdmitted)),
        ("one dropped", Box::new(move |all| drop(all.remove(at))), every(NotAdmitted)),
        ("the last dropped", Box::new(|all| drop(all.pop())), [Some(Unfinished), None]),
        ("replayed", Box::new(move |all| all.insert(at + 1, all[at].clone())), every(Repeated)),
        (
            "replayed under more signatures",
            Box::new(move |all| all.insert(at + 1, signed_more(&all[at]))),
            every(Repeated),
        ),
        (
            "signed by one more",
            Box::new(move |all| all[at] = signed_more(&all[at])),
            [Some(Forked), None],
        ),
        (
            "signed by one fewer",
            Box::new(move |all| all[quorum] = signed_less(&all[quorum])),
            every(Unsigned),
        ),
        (
            "a byte altered",
            Box::new(move |all| {
                let middle = all[at].len() / 2;
                all[at][middle] ^= 1;
            }),
            [Some(NotAdmitted), None],
        ),
    ]
}

#[tokio::test]
async fn documents_that_were_tampered_with_are_refused_and_the_copy_stays() {
    let turned = Turned::start().await;
    let at = turned.swappable();
    for (number, (what, change, [under_true, under_own])) in
        changes(&turned, at).into_iter().enumerate()
    {
        let mut tampered = turned.documents.clone();
        change(&mut tampered);
        let mut shown =
            vec![(Shown::under_root_of(tampered.clone(), &turned.documents).unwrap(), under_true)];
        if what != "a byte altered" {
            shown.push((Shown::all_of(tampered), under_own));
        }
        for (round, (shown, fault)) in shown.into_iter().enumerate() {
            let copy = turned.copy(&format!("copy-{number}-{round}"));
            turned.coordinator.show(Shown::all_of(turned.first(at)));
            copy.refresh().await.unwrap();
            let (files, position) = (copy.files(), copy.position());
            turned.coordinator.show(shown);
            let refreshed = copy.refresh().await;
            assert_eq!(refreshed.as_ref().err().map(Fault::of), fault, "{what}, {round}");
            if fault.is_none() {
                continue;
            }
            assert_eq!((copy.files(), copy.position()), (files, position), "{what}");
            let contradicts = fault != Some(Fault::Unfinished);
            assert_eq!(copy.is_trusted(&turned), !contradicts, "{what}");
            assert_eq!(copy.incoming().is_empty(), contradicts, "{what}");
            // Started again, it follows the true register.
            turned.show_all();
            let copy = copy.restarted(&turned);
            copy.refresh().await.unwrap();
            assert_eq!(copy.size(), turned.size());
            assert!(copy.is_trusted(&turned), "{what}");
        }
    }
}

#[tokio::test]
async fn a_register_that_shrank_or_forked_is_refused_until_the_party_starts_again() {
    let turned = Turned::start().await;
    let at = turned.swappable();
    let mut other = turned.documents.clone();
    other.swap(at, at + 1);
    let more = |mut documents: Vec<Vec<u8>>| {
        documents.push(another_document(&turned));
        documents
    };
    let last = turned.documents.len() - 1;
    for (what, shown) in [
        ("shrunk", Shown::all_of(turned.first(last))),
        ("empty", Shown::all_of(Vec::new())),
        ("forked", Shown::all_of(other.clone())),
        ("forked and longer", Shown::all_of(more(other))),
        ("the same under another root", {
            Shown::under_root_of(turned.documents.clone(), &more(turned.first(last))).unwrap()
        }),
    ] {
        let copy = turned.copy(&what.replace(' ', "-"));
        turned.show_all();
        copy.refresh().await.unwrap();
        let (files, position) = (copy.files(), copy.position());
        turned.coordinator.show(shown);
        for _ in 0..2 {
            let error = copy.refresh().await.unwrap_err();
            assert_eq!(Fault::of(&error), Fault::Forked, "{what}");
        }
        assert_eq!((copy.files(), copy.position()), (files, position), "{what}");
        assert!(!copy.is_trusted(&turned) && copy.incoming().is_empty(), "{what}");
        // The true one does not mend it: nobody knows which history is the others'.
        turned.show_all();
        copy.refresh().await.unwrap();
        assert!(!copy.is_trusted(&turned), "{what}");
        assert!(copy.restarted(&turned).is_trusted(&turned), "{what}");
    }
}

/// A document that the register admits and does not hold.
fn another_document(turned: &Turned) -> Vec<u8> {
    let spec = &turned.world.federation.spec.covenant;
    let amended = spec.replace("\nversion = 1\n", "\nversion = 2\n");
    let keys = turned.world.federation.quorum_keys();
    let amended = convenant_demo::SignedDocument::covenant(&amended, keys).unwrap();
    amended.jws.to_json()
}
