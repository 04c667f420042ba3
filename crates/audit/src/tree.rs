//! The tree over the entries that were read, and what it was at the sizes for which somebody signed: these are known
//! before the first entry is read, so that no leaf has to be kept.

use std::collections::BTreeMap;

use convenant_ledger::merkle::Frontier;
use convenant_model::Digest;

/// A tree that grows.
pub(crate) struct Tree {
    frontier: Frontier,
    roots: BTreeMap<u64, Option<Digest>>,
}

impl Tree {
    /// An empty tree of which the roots at these sizes will be asked for.
    pub(crate) fn new(sizes: impl IntoIterator<Item = u64>) -> Self {
        let roots = sizes.into_iter().map(|size| (size, None)).collect();
        Self { frontier: Frontier::default(), roots }
    }

    pub(crate) const fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// Whether the root at the present size will be asked for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.roots.contains_key(&self.size())
    }

    pub(crate) fn append(&mut self, leaf: Digest) {
        let size = self.size();
        if let Some(root) = self.roots.get_mut(&size) {
            *root = Some(self.frontier.root());
        }
        self.frontier.append(leaf);
    }

    /// The root at a size; `None` where the tree is smaller, or nobody asked for it in time.
    pub(crate) fn at(&self, size: u64) -> Option<Digest> {
        if size == self.size() {
            return Some(self.root());
        }
        *self.roots.get(&size)?
    }
}
