//! Several folders with copies of one ledger, of which one is replayed.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use convenant_audit::{LedgerCopy, LedgerName, Replay};

use super::evidence;
use crate::output;

/// The folder of a ledger that is replayed.
pub(super) struct Counted<'e> {
    pub(super) name: LedgerName,
    pub(super) folder: &'e Path,
    /// Other copies, which agree with it.
    pub(super) agree: Vec<&'e Path>,
}

/// Of each ledger the folder that counts. What is to be said of other copies is said to the audit.
pub(super) fn counted<'e>(
    replay: &mut Replay<'_>,
    named: BTreeMap<LedgerName, Vec<&'e Path>>,
) -> anyhow::Result<Vec<Counted<'e>>> {
    let mut counted = Vec::new();
    for (name, folders) in named {
        if let [folder] = *folders {
            counted.push(Counted { name, folder, agree: Vec::new() });
            continue;
        }
        let comparing = output::spinner("kopieën vergelijken");
        let copies: anyhow::Result<Vec<_>> = folders.iter().map(|folder| copy(folder)).collect();
        comparing.finish_and_clear();
        let Some(which) = replay.copies(&name, &copies?) else { continue };
        let folder = |number: usize| folders.get(number).copied();
        let Some(first) = folder(which.copy) else { continue };
        let agree = which.agree.into_iter().filter_map(folder).collect();
        counted.push(Counted { name, folder: first, agree });
    }
    Ok(counted)
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
