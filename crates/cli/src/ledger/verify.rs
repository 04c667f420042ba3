//! `convenant ledger verify`: whether entries, checkpoint, timestamps and published tiles are one ledger's.

use std::path::Path;

use convenant_ledger::{LedgerVerifier, OpenError, Replayed, merkle::leaf_hash};
use convenant_model::Digest;
use convenant_store::{EntriesError, Published};
use serde::Serialize;

use super::{folder, note, open, timestamp::Stamped, unreadable, verifier};
use crate::{
    exit::{bad_evidence, of_file},
    output,
};

pub(super) const EXAMPLES: &str = "\
Example:
  convenant ledger verify --dir state/ledger --key ledger.pub.jwk

Reads every entry, computes the tree again, and compares its root with the signed checkpoint, and
with those under a timestamp; and compares each published tile with the entries.
What is damaged, altered or missing is named, and the exit code is 4.";

#[derive(Serialize)]
struct Verified {
    origin: String,
    entries: u64,
    root: Digest,
    /// Entries that the checkpoint covers: only these are evidence.
    covered: u64,
    torn_bytes: u64,
}

pub(super) fn verify(
    dir: &Path,
    key: &Path,
    origin: Option<&str>,
    json: bool,
) -> anyhow::Result<()> {
    let ledger = open(dir)?;
    let verifier = verifier(key, origin, &note(dir)?)?;
    let mut stamped = Stamped::of(dir, &verifier)?;
    let mut published = Published::of(&ledger).map_err(EntriesError::from).map_err(unreadable)?;
    let replayed = ledger.verify(&verifier, &mut |found| {
        let leaf = leaf_hash(found.entry);
        stamped.push(leaf);
        published.push(leaf, found.entry);
    });
    let replayed = replayed.map_err(refused)?;
    stamped.hold()?;
    tiles_hold(dir, published)?;
    let verified = Verified::of(&verifier, &replayed);
    if json {
        return output::json(&verified);
    }
    if verified.covered < verified.entries {
        let more = verified.entries - verified.covered;
        let entries = output::number(more, "entry is", "entries are");
        output::note(&format!("at the end {entries} not covered by the checkpoint yet"));
    }
    if verified.torn_bytes > 0 {
        output::note(&format!(
            "{} of an entry that was never completed",
            output::number(verified.torn_bytes, "byte", "bytes")
        ));
    }
    let entries = output::number(verified.entries, "entry", "entries");
    output::line(&format!("{} holds: {entries}", verified.origin))?;
    output::line(&format!("root {}", verified.root))
}

/// Others make proofs from the tiles, and an altered one proves what is not so.
fn tiles_hold(dir: &Path, published: Published) -> anyhow::Result<()> {
    let unlike = published.unlike();
    let Some(first) = unlike.first() else { return Ok(()) };
    let path = dir.join(first);
    let more = match unlike.len() {
        1 => String::new(),
        several => format!(" (and {} more)", several - 1),
    };
    let advice = if folder::is_copy(dir) {
        "this is a copy: export or fetch it again from the daemon's ledger"
    } else {
        "a daemon makes its tiles again when it starts"
    };
    Err(bad_evidence(anyhow::anyhow!(
        "the entries hold, and the published tile `{}` does not follow from them{more}; {advice}",
        path.display()
    )))
}

pub(super) fn refused(error: OpenError) -> anyhow::Error {
    match error {
        OpenError::Io(error) => of_file(error, "the ledger cannot be read".to_owned()),
        _ => bad_evidence(error),
    }
}

impl Verified {
    fn of(verifier: &LedgerVerifier, replayed: &Replayed) -> Self {
        let covered = replayed.checkpoint.as_ref().map_or(0, |signed| signed.checkpoint().size);
        Self {
            origin: verifier.origin().as_str().to_owned(),
            entries: replayed.tree.size(),
            root: replayed.tree.root(),
            covered,
            torn_bytes: replayed.tail.torn_bytes,
        }
    }
}
