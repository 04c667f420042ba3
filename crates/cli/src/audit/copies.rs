//! Several folders with copies of one ledger, of which one is replayed.

use std::{collections::BTreeMap, fmt, path::Path};

use anyhow::Context as _;
use convenant_audit::{Finding, LedgerCopy, LedgerName, RegisterEvidence};

use super::evidence;
use crate::output;

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
        let copies: anyhow::Result<Vec<_>> = folders.iter().map(|folder| copy(folder)).collect();
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

fn copy(folder: &Path) -> anyhow::Result<LedgerCopy> {
    let read = || -> anyhow::Result<_> {
        Ok(LedgerCopy {
            folder: folder.display().to_string(),
            checkpoint: evidence::checkpoint(folder)?,
            leaves: evidence::leaves(folder)?,
        })
    };
    read().with_context(|| format!("the ledger in `{}`", folder.display()))
}
