//! The vectors of `tests/vectors/vouchers`, which another implementation made.

#![cfg(test)]

use convenant_ledger::merkle::{Frontier, ProofError, leaf_hash, verify_several};
use convenant_model::{
    Digest,
    vouching::{Salt, Seed},
};
use convenant_signing::Salter;
use serde::Deserialize;

const TREE: &str = include_str!("../../../tests/vectors/vouchers/tree.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    seed: Seed,
    values: Vec<String>,
    salts: Vec<Salt>,
    leaves: Vec<Digest>,
    root: Digest,
    hold: Vec<Case>,
    refused: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    class: String,
    asked: Vec<(u64, String, Salt)>,
    proof: Vec<Digest>,
}

impl Tree {
    fn verify(&self, case: &Case) -> Result<(), ProofError> {
        let leaf = |(index, value, salt): &(u64, String, Salt)| (*index, leaf(salt, value));
        let leaves: Vec<_> = case.asked.iter().map(leaf).collect();
        verify_several(&leaves, self.leaves.len() as u64, &case.proof, &self.root)
    }
}

fn leaf(salt: &Salt, value: &str) -> Digest {
    leaf_hash(&[salt.expose(), value.as_bytes()].concat())
}

#[test]
fn salts_leaves_and_root_are_those_of_another_implementation() {
    let tree: Tree = serde_json::from_str(TREE).unwrap();
    let salter = Salter::new(tree.seed.clone());
    let salts: Vec<_> = tree.values.iter().map(|value| salter.salt(value.as_bytes())).collect();
    assert_eq!(salts, tree.salts);
    let leaves = salts.iter().zip(&tree.values).map(|(salt, value)| leaf(salt, value));
    let leaves: Vec<_> = leaves.collect();
    assert_eq!(leaves, tree.leaves);
    let mut frontier = Frontier::default();
    leaves.into_iter().for_each(|leaf| frontier.append(leaf));
    assert_eq!(frontier.root(), tree.root);
}

#[test]
fn proofs_hold_or_are_refused_as_they_should_be() {
    let tree: Tree = serde_json::from_str(TREE).unwrap();
    for case in &tree.hold {
        assert_eq!(tree.verify(case), Ok(()));
    }
    for (number, case) in tree.refused.iter().enumerate() {
        let fault = format!("{:?}", tree.verify(case).unwrap_err());
        let class = fault.split(' ').next().unwrap();
        assert_eq!(class, case.class, "{number}");
    }
}
