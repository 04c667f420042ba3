//! `convenant ledger`: a ledger's folder, read and verified without the daemon that wrote it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use convenant_ledger::{
    Checkpoint, LedgerVerifier, SignedCheckpoint,
    merkle::{inclusion_proof, leaf_hash, verify_inclusion},
    note::{Note, NoteName},
};
use convenant_model::Digest;
use convenant_setup::verifying_key;
use convenant_store::{EntriesError, FileLedger};
use serde::{Serialize, de::IgnoredAny};

use self::{
    export::ExportArgs, fetch::FetchArgs, records::RecordsArgs, timestamp::TimestampCommand,
    transactions::TransactionsArgs,
};
use crate::{
    args::number,
    exit::{Exit, Named as _, bad_evidence, of_file, usage},
    output,
};

mod export;
mod fetch;
pub(crate) mod folder;
mod records;
pub(crate) mod timestamp;
mod transactions;
mod verify;

const FORMAT: &str = "\
A ledger's folder is `state/ledger` of a daemon, `state/receipts` of a client, or
`state/register` of the coordinator. Its checkpoint is a C2SP signed note over an RFC 9162
Merkle tree, with tiles as C2SP `tlog-tiles` lays them out, so that other tools verify it as
well.";

#[derive(Debug, Subcommand)]
#[command(after_help = FORMAT)]
pub(crate) enum LedgerCommand {
    /// Print the signed checkpoint.
    Checkpoint {
        #[command(flatten)]
        ledger: Folder,
        #[command(flatten)]
        key: OptionalKey,
    },
    /// Print the entries as JSON lines.
    Entries {
        #[command(flatten)]
        ledger: Folder,
        /// Index of the first entry.
        #[arg(long, value_name = "INDEX", default_value_t = 0,
              value_parser = number::<u64>(0..=u64::MAX))]
        from: u64,
        /// Most entries.
        #[arg(long, value_name = "NUMBER", value_parser = number::<usize>(0..=u64::MAX))]
        limit: Option<usize>,
    },
    /// Print the proof that an entry is in the tree of the checkpoint (RFC 9162, section 2.1.3).
    Prove {
        /// Index of the entry.
        #[arg(value_parser = number::<u64>(0..=u64::MAX))]
        index: u64,
        #[command(flatten)]
        ledger: Folder,
        #[command(flatten)]
        key: OptionalKey,
    },
    /// Verify every entry, the tree and the checkpoint's signature.
    #[command(after_help = verify::EXAMPLES)]
    Verify {
        #[command(flatten)]
        ledger: Folder,
        /// Public key of the ledger (JWK).
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Name of the ledger [default: as its checkpoint says].
        #[arg(long, value_name = "NAME")]
        origin: Option<String>,
    },
    /// Print the entries as records of FSC or ADL, which other Dutch systems read.
    #[command(after_help = records::EXAMPLES)]
    Records(RecordsArgs),
    /// Print a page of FSC's transaction-log records, chosen as `GET /logs` lets choose.
    #[command(after_help = transactions::EXAMPLES)]
    Transactions(TransactionsArgs),
    /// Copy a ledger in the form that others' tools verify.
    #[command(after_help = export::EXAMPLES)]
    Export(ExportArgs),
    /// Copy the ledgers of a federation over the network, as an auditor.
    #[command(after_help = fetch::EXAMPLES)]
    Fetch(FetchArgs),
    /// Put a checkpoint under the timestamp of an authority (RFC 3161).
    #[command(subcommand, after_help = timestamp::EXAMPLES)]
    Timestamp(TimestampCommand),
}

#[derive(Args, Debug)]
pub(crate) struct Folder {
    /// Folder of the ledger.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct OptionalKey {
    /// Public key of the ledger (JWK); without it the signature is not checked.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Name of the ledger [default: as its checkpoint says].
    #[arg(long, value_name = "NAME", requires = "key")]
    origin: Option<String>,
}

pub(crate) async fn run(command: &LedgerCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        LedgerCommand::Checkpoint { ledger, key } => checkpoint(&ledger.dir, key, json)?,
        LedgerCommand::Entries { ledger, from, limit } => entries(&ledger.dir, *from, *limit)?,
        LedgerCommand::Prove { index, ledger, key } => prove(&ledger.dir, *index, key, json)?,
        LedgerCommand::Verify { ledger, key, origin } => {
            verify::verify(&ledger.dir, key, origin.as_deref(), json)?;
        }
        LedgerCommand::Records(args) => records::records(args)?,
        LedgerCommand::Transactions(args) => transactions::transactions(args)?,
        LedgerCommand::Export(args) => export::export(args, json)?,
        LedgerCommand::Fetch(args) => fetch::fetch(args, json).await?,
        LedgerCommand::Timestamp(command) => timestamp::run(command, json)?,
    }
    Ok(Exit::Done.into())
}

/// What a checkpoint states, and whether its signature was checked.
#[derive(Serialize)]
struct Stated {
    origin: String,
    size: u64,
    root: Digest,
    signature_checked: bool,
    note: String,
}

fn checkpoint(dir: &Path, key: &OptionalKey, json: bool) -> anyhow::Result<()> {
    let stated = stated(dir, key)?;
    if json {
        return output::json(&stated);
    }
    if !stated.signature_checked {
        output::note("the signature was not checked: give the ledger's key with `--key`");
    }
    output::raw(stated.note.as_bytes())
}

fn stated(dir: &Path, key: &OptionalKey) -> anyhow::Result<Stated> {
    let note = note(dir)?;
    if let Some(path) = &key.key {
        let verifier = verifier(path, key.origin.as_deref(), &note)?;
        SignedCheckpoint::parse(note.as_bytes(), &verifier).map_err(bad_evidence)?;
    }
    let parsed = Note::parse(note.as_bytes()).map_err(bad_evidence)?;
    let mut lines = parsed.text().lines();
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (origin, size, root) = (line(), line(), line());
    let size = size.parse().ok().context("the checkpoint states no size");
    Ok(Stated {
        origin,
        size: size.map_err(bad_evidence)?,
        root: root_of(&root).context("the checkpoint states no root").map_err(bad_evidence)?,
        signature_checked: key.key.is_some(),
        note,
    })
}

/// The root as a checkpoint writes it: base64 of its 32 bytes (C2SP tlog-checkpoint).
fn root_of(text: &str) -> Option<Digest> {
    let url = text.strip_suffix('=')?.replace('+', "-").replace('/', "_");
    let bytes: convenant_model::keys::Base64Bytes<32> = url.parse().ok()?;
    Some(Digest::from_bytes(bytes.0))
}

/// The checkpoint of a ledger or register, not verified.
pub(crate) fn note(dir: &Path) -> anyhow::Result<String> {
    folder::is_one(dir)?;
    let path = dir.join("checkpoint");
    let read = fs::read(&path);
    let missing = read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    let read = read.named(|| format!("`{}` cannot be read", path.display()));
    // A ledger has a checkpoint from its first entry on: without one, nothing vouches for it.
    let read = if missing { read.map_err(bad_evidence) } else { read }?;
    let none = || format!("`{}` is no checkpoint", path.display());
    Checkpoint::unverified(&read).with_context(none).map_err(bad_evidence)?;
    String::from_utf8(read).with_context(none).map_err(bad_evidence)
}

/// The verifier of a ledger: its key, and its name as given or as its checkpoint says.
pub(crate) fn verifier(
    key: &Path,
    origin: Option<&str>,
    note: &str,
) -> anyhow::Result<LedgerVerifier> {
    let stated = note.lines().next().unwrap_or_default();
    let origin = origin.unwrap_or(stated);
    if origin != stated {
        let [origin, stated] = [origin, stated].map(output::shown);
        return Err(bad_evidence(anyhow::anyhow!(
            "`--origin`: the checkpoint is of ledger `{stated}`, not of `{origin}`"
        )));
    }
    let name = NoteName::new(origin).map_err(bad_evidence)?;
    LedgerVerifier::new(name, verifying_key(key)?)
        .map_err(|error| usage(format!("`{}`: {error}", key.display())))
}

fn entries(dir: &Path, from: u64, limit: Option<usize>) -> anyhow::Result<()> {
    each(dir, from, limit, |index, bytes| {
        let not_json = || format!("entry {index} is not JSON");
        serde_json::from_slice::<IgnoredAny>(&bytes)
            .with_context(not_json)
            .map_err(bad_evidence)?;
        // Printed as recorded, not written anew: these are the bytes of the leaf.
        let entry = String::from_utf8(bytes).with_context(not_json).map_err(bad_evidence)?;
        output::line(&format!(r#"{{"index":{index},"entry":{entry}}}"#))
    })
}

/// Shows the entries from one on. Where there are none, that is told with where the ledger ends.
fn each(
    dir: &Path,
    from: u64,
    limit: Option<usize>,
    mut show: impl FnMut(u64, Vec<u8>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if limit == Some(0) {
        output::note("`--limit 0` shows nothing");
    }
    let (mut left, mut size) = (limit.unwrap_or(usize::MAX), 0);
    for entry in open(dir)?.entries().map_err(unreadable)? {
        if left == 0 {
            return Ok(());
        }
        let (index, bytes) = entry.map_err(unreadable)?;
        size = index + 1;
        if index >= from {
            left -= 1;
            show(index, bytes)?;
        }
    }
    match size.checked_sub(1) {
        None => output::note("the ledger has no entries yet"),
        Some(last) if last < from => {
            output::note(&format!("nothing from entry {from} on: the ledger ends at entry {last}"));
        }
        Some(_) => {}
    }
    Ok(())
}

fn open(dir: &Path) -> anyhow::Result<FileLedger> {
    folder::has_entries(dir)?;
    FileLedger::open_read(dir).named(|| format!("`{}` is no ledger", dir.display()))
}

/// Why entries cannot be read: the evidence does not hold, or the folder is not what it should be.
pub(crate) fn unreadable(error: EntriesError) -> anyhow::Error {
    match error {
        EntriesError::Damaged(_) | EntriesError::Shortened(_) | EntriesError::Checkpoint(_) => {
            bad_evidence(error)
        }
        EntriesError::Io(error) => of_file(error, "the ledger cannot be read".to_owned()),
    }
}

#[derive(Serialize)]
struct Proof {
    #[serde(flatten)]
    checkpoint: Stated,
    index: u64,
    leaf: Digest,
    proof: Vec<Digest>,
}

fn prove(dir: &Path, index: u64, key: &OptionalKey, json: bool) -> anyhow::Result<()> {
    let ledger = open(dir)?;
    let checkpoint = stated(dir, key)?;
    let found = ledger.entries().map_err(unreadable)?.find(|entry| match entry {
        Ok((at, _)) => *at == index,
        Err(_) => true,
    });
    let found = found.transpose().map_err(unreadable)?.filter(|_| index < checkpoint.size);
    let (_, entry) = found.ok_or_else(|| {
        let entries = output::number(checkpoint.size, "entry", "entries");
        usage(format!("the checkpoint covers {entries}, not entry {index}"))
    })?;
    let leaf = leaf_hash(&entry);
    let proof = inclusion_proof(&ledger.hashes(checkpoint.size), index, checkpoint.size)
        .map_err(bad_evidence)?;
    verify_inclusion(&leaf, index, checkpoint.size, &proof, &checkpoint.root)
        .with_context(|| format!("entry {index}"))
        .map_err(bad_evidence)?;
    let proof = Proof { checkpoint, index, leaf, proof };
    if json {
        return output::json(&proof);
    }
    output::line(&format!("entry {index} of {}", proof.checkpoint.origin))?;
    output::line(&format!("leaf  {}", proof.leaf))?;
    proof.proof.iter().try_for_each(|hash| output::line(&format!("path  {hash}")))?;
    let entries = output::number(proof.checkpoint.size, "entry", "entries");
    output::line(&format!("root  {} of {entries}", proof.checkpoint.root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_an_empty_tree_is_read() {
        let root = root_of("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").unwrap();
        assert_eq!(root, convenant_signing::sha256(b""));
        assert_eq!(root_of("47DEQpj8"), None);
    }
}
