use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// All leaves in memory, hashed by the definition of RFC 9162 §2.1.1.
struct Model(Vec<Digest>);

impl Model {
    fn of(size: u64) -> Self {
        Self((0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect())
    }

    fn root(&self, size: u64) -> Digest {
        mth(&self.0[..size as usize])
    }
}

fn mth(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

impl HashSource for Model {
    type Error = Infallible;
    fn hash(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
        let start = (index << level) as usize;
        Ok(mth(&self.0[start..start + (1 << level)]))
    }
}

#[test]
fn the_hashes_of_the_standard() {
    // Known values: SHA-256 of nothing, and of the single byte 0x00.
    let text = |digest: Digest| digest.to_string();
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let empty_leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    assert_eq!(text(empty_root()), nothing);
    assert_eq!(text(leaf_hash(b"")), empty_leaf);
}

#[test]
fn every_proof_between_small_trees_holds_and_no_other_does() {
    let model = Model::of(70);
    for size in 0..=70 {
        for first in 0..=size {
            check_consistency(&model, first, size);
        }
        for index in 0..size {
            check_inclusion(&model, index, size);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_frontier_agrees_with_the_definition(size in 0_u64..700, first in 0_u64..700) {
        let model = Model::of(size);
        let mut frontier = Frontier::default();
        model.0.iter().for_each(|leaf| frontier.append(*leaf));
        prop_assert_eq!(frontier.root(), model.root(size));
        prop_assert_eq!(frontier.size(), size);
        prop_assert_eq!(root(&model, size).unwrap(), model.root(size));
        check_consistency(&model, first.min(size), size);
        if first < size {
            check_inclusion(&model, first, size);
        }
    }
}

fn check_inclusion(model: &Model, index: u64, size: u64) {
    let leaf = model.0[index as usize];
    let (root, other) = (model.root(size), leaf_hash(b"other"));
    let proof = inclusion_proof(model, index, size).unwrap();
    let holds = |leaf, index, size, proof: &[Digest], root| {
        verify_inclusion(leaf, index, size, proof, root).is_ok()
    };
    assert!(holds(&leaf, index, size, &proof, &root), "leaf {index} of {size}");
    assert!(!holds(&other, index, size, &proof, &root));
    if size > 1 {
        assert!(!holds(&leaf, (index + 1) % size, size, &proof, &root));
    }
    for tampered in tamper(&proof) {
        assert!(!holds(&leaf, index, size, &tampered, &root), "leaf {index} of {size}");
    }
}

fn check_consistency(model: &Model, first: u64, second: u64) {
    let (old, new) = (model.root(first), model.root(second));
    let other = leaf_hash(b"other");
    let proof = consistency_proof(model, first, second).unwrap();
    let holds =
        |proof: &[Digest], old, new| verify_consistency(first, second, old, new, proof).is_ok();
    assert!(holds(&proof, &old, &new), "{first} in {second}");
    assert!(!holds(&proof, &other, &new), "{first} in {second}");
    // Anything follows from an empty tree; otherwise the newer root is pinned.
    assert_eq!(holds(&proof, &old, &other), first == 0, "{first} in {second}");
    for tampered in tamper(&proof) {
        assert!(!holds(&tampered, &old, &new), "{first} in {second}");
    }
}

/// Every hash altered or dropped in turn, and one hash more.
fn tamper(proof: &[Digest]) -> Vec<Vec<Digest>> {
    let altered = (0..proof.len()).flat_map(|at| {
        let (mut changed, mut dropped) = (proof.to_vec(), proof.to_vec());
        let mut bytes = *changed[at].as_bytes();
        bytes[at % 32] ^= 1;
        changed[at] = Digest::from_bytes(bytes);
        dropped.remove(at);
        [changed, dropped]
    });
    let longer = [proof, &[empty_root()]].concat();
    altered.chain([longer]).collect()
}

#[test]
fn one_proof_for_every_choice_of_leaves_of_small_trees() {
    let model = Model::of(9);
    for size in 0..=9_u64 {
        let root = model.root(size);
        for chosen in 0..1_u32 << size {
            let indexes: Vec<_> = (0..size).filter(|index| chosen >> index & 1 == 1).collect();
            let proof = prove_several(&model, &indexes, size).unwrap();
            let leaves: Vec<_> = indexes.iter().map(|i| (*i, model.0[*i as usize])).collect();
            assert_eq!(verify_several(&leaves, size, &proof, &root), Ok(()));
            if indexes.len() as u64 == size {
                assert!(proof.is_empty(), "the whole tree needs no proof");
            }
        }
    }
    for wrong in [vec![1, 0], vec![1, 1], vec![9]] {
        let proof = prove_several(&model, &wrong, 9);
        assert!(matches!(proof, Err(ProveError::OutOfRange { size: 9, .. })), "{wrong:?}");
        let leaves: Vec<_> = wrong.iter().map(|index| (*index, empty_root())).collect();
        let verified = verify_several(&leaves, 9, &[], &model.root(9));
        assert!(matches!(verified, Err(ProofError::OutOfRange { size: 9, .. })), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn a_proof_for_several_is_that_for_each(size in 1..200_u64, chosen in any::<[u64; 4]>()) {
        let model = Model::of(size);
        let root = model.root(size);
        let indexes: std::collections::BTreeSet<_> = chosen.iter().map(|i| i % size).collect();
        let indexes: Vec<_> = indexes.into_iter().collect();
        let proof = prove_several(&model, &indexes, size).unwrap();
        let leaves: Vec<_> = indexes.iter().map(|i| (*i, model.0[*i as usize])).collect();
        prop_assert_eq!(verify_several(&leaves, size, &proof, &root), Ok(()));
        // No longer than the single proofs together; for one leaf as long.
        let single: Vec<_> =
            indexes.iter().map(|i| inclusion_proof(&model, *i, size).unwrap().len()).collect();
        prop_assert!(proof.len() <= single.iter().sum());
        prop_assert!(indexes.len() > 1 || proof.len() == single[0]);

        let mut other = leaves.clone();
        other[0].1 = empty_root();
        prop_assert_eq!(verify_several(&other, size, &proof, &root), Err(ProofError::Root));
        let mut long = proof.clone();
        long.push(root);
        let found = long.len();
        prop_assert_eq!(
            verify_several(&leaves, size, &long, &root),
            Err(ProofError::Length { found })
        );
        if let Some((_, short)) = proof.split_last() {
            let found = short.len();
            prop_assert_eq!(
                verify_several(&leaves, size, short, &root),
                Err(ProofError::Length { found })
            );
        }
        // At another place the same leaf is another one.
        if let [(index, leaf)] = leaves.as_slice() {
            let moved = [((index + 1) % size, *leaf)];
            prop_assert!(size == 1 || verify_several(&moved, size, &proof, &root).is_err());
        }
    }
}

/// A tree of any size of which all leaves are the same but the last: its perfect subtrees are known without its
/// leaves. Counts the hashes that are asked of it.
struct Vast {
    size: u64,
    last: Digest,
    asked: std::cell::Cell<u64>,
}

impl Vast {
    fn of(size: u64, last: &[u8]) -> Self {
        Self { size, last: leaf_hash(last), asked: std::cell::Cell::new(0) }
    }

    /// Root of the perfect subtree over `2^level` leaves, of which the last may be the other one.
    fn perfect(level: u32, last: Digest) -> Digest {
        let (mut left, mut right) = (leaf_hash(b"leaf"), last);
        for _ in 0..level {
            (left, right) = (node_hash(&left, &left), node_hash(&left, &right));
        }
        right
    }
}

impl HashSource for Vast {
    type Error = Infallible;
    fn hash(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
        self.asked.set(self.asked.get() + 1);
        let holds_last = (index + 1) << level == self.size;
        Ok(Self::perfect(level, if holds_last { self.last } else { leaf_hash(b"leaf") }))
    }
}

#[test]
fn a_hundred_million_entries_take_no_more_than_a_few_hashes() {
    const SIZE: u64 = 100_000_000;
    let most = u64::from(SIZE.ilog2() + 1);
    let levels = (0..64).rev().filter(|level| SIZE >> level & 1 == 1);
    let subtrees = levels.map(|level| Vast::perfect(level, leaf_hash(b"leaf"))).collect();
    let mut frontier = Frontier { subtrees, size: SIZE };
    let (old, new) = (Vast::of(SIZE, b"leaf"), Vast::of(SIZE + 1, b"new"));
    let (old_root, new_root) = (root(&old, SIZE).unwrap(), root(&new, SIZE + 1).unwrap());

    // What a checkpoint needs: a few nodes, and the root of these.
    assert_eq!(frontier.root(), old_root);
    frontier.append(leaf_hash(b"new"));
    assert_eq!(frontier.size(), SIZE + 1);
    assert_eq!(frontier.root(), new_root);
    assert!(frontier.subtrees.len() as u64 <= most);

    // What others need of it: one hash a level, whatever came before.
    for index in [0, 1, SIZE / 3, SIZE - 1, SIZE] {
        new.asked.set(0);
        let path = inclusion_proof(&new, index, SIZE + 1).unwrap();
        assert!(path.len() as u64 <= most && new.asked.get() <= 2 * most, "{}", new.asked.get());
        let leaf = if index == SIZE { leaf_hash(b"new") } else { leaf_hash(b"leaf") };
        verify_inclusion(&leaf, index, SIZE + 1, &path, &new_root).unwrap();
        verify_inclusion(&leaf_hash(b"other"), index, SIZE + 1, &path, &new_root).unwrap_err();
    }
    for first in [1, SIZE / 3, SIZE - 1, SIZE] {
        new.asked.set(0);
        let proof = consistency_proof(&new, first, SIZE + 1).unwrap();
        assert!(new.asked.get() <= 2 * most, "{}", new.asked.get());
        let first_root = root(&Vast::of(first, b"leaf"), first).unwrap();
        verify_consistency(first, SIZE + 1, &first_root, &new_root, &proof).unwrap();
        let other = leaf_hash(b"other");
        verify_consistency(first, SIZE + 1, &other, &new_root, &proof).unwrap_err();
    }
}
