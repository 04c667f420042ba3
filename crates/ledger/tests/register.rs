//! A register holds one history: what is reordered, dropped, replayed or signed otherwise is refused or has
//! another root.

#![expect(clippy::unwrap_used, reason = "a test stops at the first fault")]
#![expect(clippy::indexing_slicing, reason = "a test stops at the first fault")]

use std::sync::LazyLock;

use convenant_ledger::register::{Register, RegisterError};
use convenant_model::register::{AdmissionError, RootOfTrust};
use convenant_signing::{Jws, SigningKey, SystemRandom};
use proptest::prelude::*;

#[path = "../benches/register/federation.rs"]
mod federation;

use federation::Federation;

/// A covenant, two municipalities and a project from its proposal to its final report.
static HONEST: LazyLock<Honest> = LazyLock::new(|| {
    let mut federation = Federation::new(2);
    federation.project(0);
    let mut registers = vec![Register::new(federation.root())];
    for document in &federation.documents {
        let mut next = registers.last().unwrap().clone();
        next.append(document).unwrap();
        registers.push(next);
    }
    Honest { root: federation.root(), documents: federation.documents, registers }
});

struct Honest {
    root: RootOfTrust,
    documents: Vec<Vec<u8>>,
    /// The register after each number of documents.
    registers: Vec<Register>,
}

impl Honest {
    fn whole(&self) -> &Register {
        self.registers.last().unwrap()
    }

    /// Index of the first of two attestations, of which neither needs the other.
    fn attestation(&self) -> usize {
        let attests = |document: &Vec<u8>| typ(document).contains("attestation");
        let first = self.documents.iter().position(attests).unwrap();
        assert!(attests(&self.documents[first + 1]));
        first
    }
}

fn typ(document: &[u8]) -> String {
    Jws::parse(document).unwrap().typ().to_owned()
}

fn signed_more(document: &[u8]) -> Vec<u8> {
    let mut jws = Jws::parse(document).unwrap();
    jws.sign(&SigningKey::generate(&SystemRandom::new()).unwrap()).unwrap();
    jws.to_json()
}

/// The document with the signatures that `keep` leaves of them.
fn signed_as(document: &[u8], keep: impl Fn(&mut Vec<serde_json::Value>)) -> Vec<u8> {
    let mut jws: serde_json::Value = serde_json::from_slice(document).unwrap();
    keep(jws["signatures"].as_array_mut().unwrap());
    serde_json::to_vec(&jws).unwrap()
}

/// Appends one after the other; what is refused must leave all as it was.
fn append_all(documents: &[Vec<u8>]) -> (Register, Vec<usize>, Vec<RegisterError>) {
    let mut register = Register::new(HONEST.root.clone());
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for (index, document) in documents.iter().enumerate() {
        let before = register.position();
        match register.append(document) {
            Ok(_) => taken.push(index),
            Err(error) => {
                assert_eq!(register.position(), before);
                refused.push(error);
            }
        }
    }
    (register, taken, refused)
}

#[test]
fn a_copy_holds_what_was_and_nothing_that_came_later() {
    for (size, register) in HONEST.registers.iter().enumerate() {
        for (other, one) in HONEST.registers.iter().enumerate() {
            assert_eq!(register.held(&one.position()), other <= size, "{other} in {size}");
        }
        let mut other = register.position();
        other.size += 1;
        assert!(!register.held(&other));
        other.size = u64::MAX;
        assert!(!register.held(&other));
    }
}

#[test]
fn reordered_documents_are_another_history() {
    let mut documents = HONEST.documents.clone();
    let at = HONEST.attestation();
    documents.swap(at, at + 1);
    let (register, taken, _) = append_all(&documents);
    assert_eq!(taken.len(), documents.len());
    for (size, honest) in HONEST.registers.iter().enumerate() {
        // Sizes at which both of the two are in, or neither is, do not help: the order is in the root.
        assert_eq!(register.held(&honest.position()), size <= at, "{size}");
    }
    assert_eq!(register.position().size, HONEST.whole().position().size);
    // What needs what came before it is not admitted at all.
    documents.reverse();
    let (_, taken, _) = append_all(&documents);
    assert_eq!(taken, [documents.len() - 1], "only the covenant needs nothing");
}

#[test]
fn without_one_document_no_later_position_is_held() {
    for dropped in 0..HONEST.documents.len() {
        let mut documents = HONEST.documents.clone();
        documents.remove(dropped);
        let (register, _, _) = append_all(&documents);
        for (size, honest) in HONEST.registers.iter().enumerate() {
            assert_eq!(
                register.held(&honest.position()),
                size <= dropped,
                "{size} without {dropped}"
            );
        }
    }
}

#[test]
fn a_replayed_document_is_refused_whoever_signs_it() {
    for (index, document) in HONEST.documents.iter().enumerate() {
        let reversed = signed_as(document, |signatures| signatures.reverse());
        for again in [document.clone(), signed_more(document), reversed] {
            let mut register = HONEST.whole().clone();
            let error = register.append(&again).unwrap_err();
            let repeated =
                matches!(error, RegisterError::Admission(AdmissionError::Repeated { .. }));
            assert!(repeated, "{index}: {error}");
            assert_eq!(register.position(), HONEST.whole().position());
        }
    }
}

#[test]
fn one_more_signature_is_another_history() {
    for (index, document) in HONEST.documents.iter().enumerate() {
        let mut register = HONEST.registers[index].clone();
        register.append(&signed_more(document)).unwrap();
        assert!(!register.held(&HONEST.registers[index + 1].position()), "{index}");
        assert!(register.held(&HONEST.registers[index].position()), "{index}");
    }
}

#[test]
fn one_signature_fewer_is_refused() {
    for (index, document) in HONEST.documents.iter().enumerate() {
        for missing in 0..Jws::parse(document).unwrap().key_ids().count() {
            let fewer = signed_as(document, |signatures| drop(signatures.remove(missing)));
            let mut register = HONEST.registers[index].clone();
            let error = register.append(&fewer).unwrap_err();
            let unsigned = matches!(
                error,
                RegisterError::Jws(_)
                    | RegisterError::Admission(
                        AdmissionError::Signature { .. } | AdmissionError::Quorum { .. }
                    )
            );
            assert!(unsigned, "{index} without {missing}: {error}");
            assert_eq!(register.position(), HONEST.registers[index].position());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is done to the order, only the honest documents in their order have the honest roots.
    #[test]
    fn only_the_same_documents_in_the_same_order_have_the_same_root(
        moves in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3_u8), 0..6),
    ) {
        let mut order: Vec<_> = (0..HONEST.documents.len()).collect();
        for (from, to, what) in moves {
            let (from, to) = (from.index(order.len()), to.index(order.len()));
            match what {
                0 => order.swap(from, to),
                1 if order.len() > 1 => drop(order.remove(from)),
                _ => order.insert(to, order[from]),
            }
        }
        let documents: Vec<_> = order.iter().map(|index| HONEST.documents[*index].clone()).collect();
        let (register, taken, _) = append_all(&documents);
        let taken: Vec<_> = taken.into_iter().map(|at| order[at]).collect();
        let same = taken.iter().enumerate().take_while(|(at, index)| at == *index).count();
        for (size, honest) in HONEST.registers.iter().enumerate() {
            prop_assert_eq!(register.held(&honest.position()), size <= same, "{} of {:?}", size, taken);
        }
    }
}
