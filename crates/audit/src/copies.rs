//! Several copies of one ledger, held against each other before one of them is replayed: the figures count it once.

use convenant_ledger::Checkpoint;
use convenant_model::Digest;

use crate::{
    Code, Finding, LedgerName, RegisterEvidence, ledger::first_difference, revoked::Revoked,
    tree::Tree, witness::verified,
};

/// A copy of a ledger of which there are several.
#[derive(Clone, Debug)]
pub struct LedgerCopy {
    /// The folder, as whoever handed it over calls it.
    pub folder: String,
    /// The checkpoint in it.
    pub checkpoint: Option<Vec<u8>>,
    /// The hash of each entry's leaf, as far as the entries can be read.
    pub leaves: Vec<Digest>,
}

/// Which of several copies to replay.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Counted {
    /// The number of the copy that counts.
    pub copy: usize,
    /// The numbers of the copies that agree with it: what the party signed in them is still to be held against it.
    pub agree: Vec<usize>,
    /// What is to be said of the others, for [`crate::Replay::find`].
    pub findings: Vec<Finding>,
}

impl RegisterEvidence {
    /// Holds copies of one ledger against each other, and tells which of them counts: the longest or, where copies
    /// contradict it, the one of which the party signed the most. `None` where there is none.
    #[must_use]
    pub fn compare_copies(&self, name: &LedgerName, copies: &[LedgerCopy]) -> Option<Counted> {
        let signed: Vec<_> = copies.iter().map(|copy| copy.signed(self, name)).collect();
        let numbered = || copies.iter().zip(&signed).enumerate().rev();
        // Of equals the first.
        let longest = numbered().max_by_key(|(_, (copy, _))| copy.leaves.len())?;
        let (_, (of_longest, _)) = longest;
        let contradicted = copies.iter().any(|copy| copy.first_difference(of_longest).is_some());
        let most = || numbered().max_by_key(|(_, (copy, signed))| (**signed, copy.leaves.len()));
        let (counted, (own, own_signed)) = if contradicted { most()? } else { longest };
        let (mut agree, mut findings) = (Vec::new(), Vec::new());
        for (number, (copy, signed)) in copies.iter().zip(&signed).enumerate() {
            match copy.first_difference(own) {
                _ if number == counted => {}
                None => {
                    agree.push(number);
                    let finding = Finding::new(Code::CopyAgrees, name);
                    findings.push(finding.expected(own.length()).found(copy.length()));
                }
                Some(entry) => {
                    let both = entry < (*own_signed).min(*signed);
                    let code = if both { Code::Forked } else { Code::LedgerTwice };
                    let finding = Finding::new(code, name).entry(entry);
                    findings.push(finding.expected(own.at(entry)).found(copy.at(entry)));
                }
            }
        }
        Some(Counted { copy: counted, agree, findings })
    }
}

impl LedgerCopy {
    /// For how many of these very entries the party signed, with a key that nobody else had.
    fn signed(&self, register: &RegisterEvidence, name: &LedgerName) -> u64 {
        let signed = || {
            let (signed, key) = verified(register, name, self.checkpoint.as_deref()?)?;
            let Checkpoint { size, root: stated, .. } = *signed.checkpoint();
            let covered = self.leaves.get(..usize::try_from(size).ok()?)?;
            let mut tree = Tree::new([]);
            covered.iter().for_each(|leaf| tree.append(*leaf));
            let revoked = Revoked::of(register, &name.party, &key).is_some();
            (!revoked && tree.root() == stated).then_some(size)
        };
        signed().unwrap_or(0)
    }

    fn first_difference(&self, other: &Self) -> Option<u64> {
        first_difference(&self.leaves, |index| other.leaf(index))
    }

    fn leaf(&self, index: u64) -> Option<Digest> {
        self.leaves.get(usize::try_from(index).ok()?).copied()
    }

    fn length(&self) -> String {
        format!("entries={} in `{}`", self.leaves.len(), self.folder)
    }

    fn at(&self, index: u64) -> String {
        let leaf = self.leaf(index).map_or_else(String::new, |leaf| format!("hash={leaf} "));
        format!("{leaf}in `{}`", self.folder)
    }
}
