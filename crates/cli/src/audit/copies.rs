//! Several folders with copies of one ledger, of which one is replayed.

use std::{collections::BTreeMap, fmt, path::Path};

use anyhow::Context as _;
use convenant_audit::{Finding, LedgerCopy, LedgerName, RegisterEvidence};
use convenant_ledger::merkle::leaf_hash;
use convenant_store::EntriesError;

use super::evidence;
use crate::{ledger::unreadable, output};

/// The folder of a ledger that is replayed.
pub(super) struct Counted<'e> {
    pub(super) name: LedgerName,
    pub(super) folder: &'e Path,
    /// Other copies, which agree with it.
    pub(super) agree: Vec<&'e Path>,
}

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ledger in `{}`", self.folder.display())
    }
}

/// Of each ledger the folder that counts, and what is to be said of other copies.
pub(super) fn counted<'e>(
    register: &RegisterEvidence,
    named: BTreeMap<LedgerName, Vec<&'e Path>>,
) -> anyhow::Result<(Vec<Counted<'e>>, Vec<Finding>)> {
    let (mut counted, mut findings) = (Vec::new(), Vec::new());
    for (name, folders) in named {
        if let [folder] = *folders {
            counted.push(Counted { name, folder, agree: Vec::new() });
            continue;
        }
        let comparing = output::spinner("kopieën vergelijken");
        let copies = folders.iter().map(|folder| copy(folder, &name));
        let copies: anyhow::Result<Vec<_>> = copies.collect();
        comparing.finish_and_clear();
        let Some(which) = register.compare_copies(&name, &copies?) else { continue };
        findings.extend(which.findings);
        let folder = |number: usize| folders.get(number).copied();
        let Some(first) = folder(which.copy) else { continue };
        let agree = which.agree.into_iter().filter_map(folder).collect();
        counted.push(Counted { name, folder: first, agree });
    }
    Ok((counted, findings))
}

/// The entries of a folder, as far as they can be read, with the checkpoint that is held against them.
pub(super) fn copy(folder: &Path, name: &LedgerName) -> anyhow::Result<LedgerCopy> {
    let read = || -> anyhow::Result<_> {
        let checkpoint = evidence::checkpoint(folder)?;
        let (mut leaves, mut damaged) = (Vec::new(), None);
        for entry in evidence::entries(&evidence::open(folder)?, name, checkpoint.as_deref())? {
            match entry {
                Ok((_, entry)) => leaves.push(leaf_hash(&entry)),
                Err(EntriesError::Damaged(place)) => damaged = Some(place.index),
                // What is missing at the end, the checkpoint shows.
                Err(EntriesError::Shortened(_)) => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        Ok(LedgerCopy { folder: folder.display().to_string(), checkpoint, leaves, damaged })
    };
    read().with_context(|| format!("the ledger in `{}`", folder.display()))
}
