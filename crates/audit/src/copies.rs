//! Several copies of one ledger, held against each other before one of them is replayed: the figures count it once.

use std::cmp::Reverse;

use convenant_ledger::{Checkpoint, LedgerVerifier, SignedCheckpoint};
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
    /// The entry behind these, where it is there and no longer whole.
    pub damaged: Option<u64>,
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
    /// Holds copies of one ledger against each other, and tells which of them counts: the one of which its party signed
    /// the most. What nobody signed for makes no copy count before another, because anybody can add it. `None` where
    /// there is no copy.
    #[must_use]
    pub fn compare_copies(&self, name: &LedgerName, copies: &[LedgerCopy]) -> Option<Counted> {
        let signed: Vec<_> = copies.iter().map(|copy| copy.signed(self, name)).collect();
        // Of equals the first.
        let numbered = copies.iter().zip(&signed).enumerate().rev();
        let most = |(_, (copy, signed)): &(usize, (&LedgerCopy, &Signed))| {
            let length = copy.leaves.len();
            let unsigned =
                if signed.any == 0 { (length, Reverse(0)) } else { (0, Reverse(length)) };
            (signed.unrevoked, signed.any, unsigned)
        };
        let (counted, (own, own_signed)) = numbered.max_by_key(most)?;
        let (mut agree, mut findings) = (Vec::new(), Vec::new());
        let mut longer: Vec<&LedgerCopy> = Vec::new();
        for (number, (copy, signed)) in copies.iter().zip(&signed).enumerate() {
            if number == counted {
                continue;
            }
            let (code, entry, other) = match copy.first_difference(own) {
                Some(entry) if entry < own_signed.unrevoked.min(signed.unrevoked) => {
                    (Code::Forked, Some(entry), own)
                }
                Some(entry) => (Code::LedgerTwice, Some(entry), own),
                None => {
                    agree.push(number);
                    // Copies that agree with the one that counts may contradict each other behind its end.
                    let differs = longer
                        .iter()
                        .find_map(|other| Some((copy.first_difference(other)?, *other)));
                    if copy.leaves.len() > own.leaves.len() {
                        longer.push(copy);
                    }
                    match differs {
                        Some((entry, other)) => (Code::LedgerTwice, Some(entry), other),
                        None if copy.leaves.len() > own.leaves.len() => {
                            (Code::CopyLonger, Some(own.leaves.len() as u64), own)
                        }
                        None => (Code::CopyAgrees, None, own),
                    }
                }
            };
            let [expected, found] = [other, copy].map(|one| match entry {
                Some(entry) if code != Code::CopyLonger => one.at(entry),
                _ => one.length(),
            });
            let finding = Finding { entry, ..Finding::new(code, name) };
            let broken = copy.broken(name, own);
            // What is no longer whole is neither equal nor older.
            if code != Code::CopyAgrees || broken.is_none() {
                findings.push(finding.expected(expected).found(found));
            }
            findings.extend(broken);
            findings.extend(copy.refused(self, name));
        }
        Some(Counted { copy: counted, agree, findings })
    }
}

impl RegisterEvidence {
    /// Whether the party of a ledger signed for the very entries of a copy.
    #[must_use]
    pub fn has_signed(&self, name: &LedgerName, copy: &LedgerCopy) -> bool {
        copy.signed(self, name).any > 0
    }
}

/// For how many of a copy's very entries its party signed.
#[derive(Clone, Copy, Default)]
struct Signed {
    /// With any of its keys.
    any: u64,
    /// With one that was never revoked: nobody else had that.
    unrevoked: u64,
}

impl LedgerCopy {
    fn signed(&self, register: &RegisterEvidence, name: &LedgerName) -> Signed {
        let signed = || {
            let (signed, key) = verified(register, name, self.checkpoint.as_deref()?)?;
            let Checkpoint { size, root: stated, .. } = *signed.checkpoint();
            let covered = self.leaves.get(..usize::try_from(size).ok()?)?;
            let mut tree = Tree::new([]);
            covered.iter().for_each(|leaf| tree.append(*leaf));
            let revoked = Revoked::of(register, &name.party, &key).is_some();
            let unrevoked = if revoked { 0 } else { size };
            (tree.root() == stated).then_some(Signed { any: size, unrevoked })
        };
        signed().unwrap_or_default()
    }

    /// That an entry is damaged, or fewer are there than its own checkpoint states.
    fn broken(&self, name: &LedgerName, counted: &Self) -> Option<Finding> {
        let finding = Finding::new(Code::CopyDamaged, name).found(self.length());
        if let Some(damaged) = self.damaged {
            return Some(finding.entry(damaged).expected(counted.length()));
        }
        let stated = Checkpoint::unverified(self.checkpoint.as_deref()?).ok()?;
        let length = self.leaves.len() as u64;
        let short = stated.size > length && Some(stated.origin) == name.origin();
        short.then(|| finding.entry(length).expected(format!("size={}", stated.size)))
    }

    /// That its checkpoint is none of this ledger's.
    fn refused(&self, register: &RegisterEvidence, name: &LedgerName) -> Option<Finding> {
        let (note, origin) = (self.checkpoint.as_deref()?, name.origin()?);
        let mut fault = None;
        for key in register.checkpoint_keys(name) {
            let Ok(verifier) = LedgerVerifier::new(origin.clone(), key) else { continue };
            fault = Some(SignedCheckpoint::parse(note, &verifier).err()?);
        }
        let finding = Finding::new(Code::BadCheckpoint, name);
        fault.map(|fault| finding.found(format!("{fault}, in `{}`", self.folder)))
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
