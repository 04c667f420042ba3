//! `convenant ledger timestamp`: checkpoints under the time of an authority that has no part in the federation.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use convenant_ledger::{
    Checkpoint, LedgerVerifier, SignedCheckpoint,
    merkle::{Frontier, leaf_hash},
};
use convenant_model::Digest;
use convenant_signing::{Salter, SystemRandom, sha256};
use serde::Serialize;

use self::rfc3161::Request;
use super::{Folder, OptionalKey, folder, note, open, unreadable, verifier};
use crate::{
    exit::{Named as _, bad_evidence, usage},
    files::{PUBLIC, create},
    output,
};

mod rfc3161;

/// Where timestamps stand in the folder of a ledger.
pub(crate) const FOLDER: &str = "timestamps";
const CHECKPOINT: &str = "checkpoint";

pub(super) const EXAMPLES: &str = "\
Example, with an authority at http://tsa.example.nl:
  convenant ledger timestamp ask --dir state/ledger --out now.tsq
  curl --fail -H 'Content-Type: application/timestamp-query' --data-binary @now.tsq \\
       http://tsa.example.nl > now.tsr
  convenant ledger timestamp keep --dir state/ledger --request now.tsq --response now.tsr

Nothing is asked over a ledger whose entries do not make the checkpoint. With `--key`, its
signature is checked as well. The request goes over whatever way the authority asks for, so the
daemons need no road to it. The timestamp (RFC 3161) is kept as `timestamps/SIZE.tsr`, beside the
checkpoint that it is over.
`ledger verify` and `audit replay` hold the ledger against each such checkpoint. Whether the
authority signed it, and when, anybody verifies with a tool of his own:
  openssl ts -verify -data timestamps/SIZE.checkpoint -in timestamps/SIZE.tsr -CAfile tsa-ca.pem";

#[derive(Debug, Subcommand)]
pub(crate) enum TimestampCommand {
    /// Write a request for a timestamp over the present checkpoint.
    Ask {
        #[command(flatten)]
        ledger: Folder,
        #[command(flatten)]
        key: OptionalKey,
        /// New file for the request; the checkpoint is copied beside it, as a new FILE.checkpoint.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Keep what the authority answered, if it answers the request.
    Keep(KeepArgs),
}

#[derive(Args, Debug)]
pub(crate) struct KeepArgs {
    #[command(flatten)]
    ledger: Folder,
    /// The request, with the checkpoint beside it.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// The authority's response.
    #[arg(long, value_name = "FILE")]
    response: PathBuf,
}

pub(super) fn run(command: &TimestampCommand, json: bool) -> anyhow::Result<()> {
    match command {
        TimestampCommand::Ask { ledger, key, out } => ask(&ledger.dir, key, out, json),
        TimestampCommand::Keep(args) => keep(args, json),
    }
}

/// A request, or a timestamp that is kept.
#[derive(Serialize)]
struct Stated {
    origin: String,
    size: u64,
    /// SHA-256 over the checkpoint.
    hash: Digest,
    /// When, as the authority writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    file: PathBuf,
}

fn ask(dir: &Path, key: &OptionalKey, out: &Path, json: bool) -> anyhow::Result<()> {
    let note = note(dir)?;
    let checkpoint = checkpoint(&note, &dir.join(CHECKPOINT))?;
    require_new(out, dir)?;
    if let Some(path) = &key.key {
        let verifier = verifier(path, key.origin.as_deref(), &note)?;
        SignedCheckpoint::parse(note.as_bytes(), &verifier).map_err(bad_evidence)?;
    }
    made_of_entries(dir, &checkpoint)?;
    let request = Request::new(sha256(note.as_bytes()), random()?);
    create(&beside(out), PUBLIC, note.as_bytes())?;
    create(out, PUBLIC, &request.to_der())?;
    tell(checkpoint, request.hash, None, out, json)
}

/// What an authority says of a checkpoint holds for good, so it must be the entries'. A register as others follow it
/// has documents instead, and `register verify` for them.
fn made_of_entries(dir: &Path, stated: &Checkpoint) -> anyhow::Result<()> {
    if folder::has_documents_alone(dir) {
        return Ok(());
    }
    let mut tree = Frontier::default();
    let mut entries = open(dir)?.entries().map_err(unreadable)?;
    while tree.size() < stated.size {
        let Some(entry) = entries.next() else { break };
        tree.append(leaf_hash(&entry.map_err(unreadable)?.1));
    }
    if tree.size() == stated.size && tree.root() == stated.root {
        return Ok(());
    }
    let path = dir.join(CHECKPOINT);
    Err(bad_evidence(anyhow::anyhow!(
        "`{}` states {} entries, and its root is not that of the entries in `{}`; nothing was asked",
        path.display(),
        stated.size,
        dir.display()
    )))
}

/// An answer fits one request and the checkpoint beside it only: over neither is anything written.
fn require_new(out: &Path, dir: &Path) -> anyhow::Result<()> {
    let copied = beside(out);
    if out.exists() {
        let (dir, request) = (output::argument(dir), output::argument(out));
        return Err(usage(format!(
            "`{}` is there already. Put the answer to it beside the ledger with `convenant ledger timestamp keep \
             --dir {dir} --request {request} --response RESPONSE`, or ask anew with another `--out`",
            out.display()
        )));
    }
    if copied.exists() {
        let (copied, request) = (copied.display(), out.display());
        return Err(usage(format!(
            "`{copied}` is there already, where the checkpoint is to be copied, and `{request}` is not: move it, \
             or give another `--out`"
        )));
    }
    Ok(())
}

fn keep(args: &KeepArgs, json: bool) -> anyhow::Result<()> {
    let read =
        |path: &Path| fs::read(path).named(|| format!("`{}` cannot be read", path.display()));
    let request = Request::from_der(&read(&args.request)?);
    let request = request.ok_or_else(|| {
        usage(format!("`{}` is no request of `ledger timestamp ask`", args.request.display()))
    })?;
    let copied = beside(&args.request);
    let note = read(&copied)?;
    if sha256(&note) != request.hash {
        let (request, copied) = (args.request.display(), copied.display());
        return Err(usage(format!(
            "`{request}` asks for a timestamp over something else than `{copied}`"
        )));
    }
    let response = read(&args.response)?;
    let token = request.token(&response);
    let token = token.map_err(|fault| usage(format!("`{}`: {fault}", args.response.display())))?;
    let stated = checkpoint(&String::from_utf8_lossy(&note), &copied)?;
    let own = checkpoint(&self::note(&args.ledger.dir)?, &args.ledger.dir.join(CHECKPOINT))?;
    if own.origin != stated.origin {
        let dir = args.ledger.dir.display();
        return Err(usage(format!("`{}` is not of the ledger in `{dir}`", copied.display())));
    }
    let folder = args.ledger.dir.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
    let (size, kept) = (stated.size, folder.join(format!("{}.tsr", stated.size)));
    if kept.exists() {
        return Err(usage(format!("`{}` is there already", kept.display())));
    }
    // The checkpoint first: a timestamp without it says nothing.
    let copy = folder.join(format!("{size}.{CHECKPOINT}"));
    if !copy.exists() {
        create(&copy, PUBLIC, &note)?;
    } else if read(&copy)? != note {
        return Err(usage(format!("`{}` is another checkpoint of that size", copy.display())));
    }
    create(&kept, PUBLIC, &response)?;
    tell(stated, request.hash, Some(token.time), &kept, json)
}

fn tell(
    checkpoint: Checkpoint,
    hash: Digest,
    time: Option<String>,
    file: &Path,
    json: bool,
) -> anyhow::Result<()> {
    let (origin, size) = (checkpoint.origin.as_str().to_owned(), checkpoint.size);
    let stated = Stated { origin, size, hash, time, file: file.to_owned() };
    if json {
        return output::json(&stated);
    }
    let entries = output::number(stated.size, "entry", "entries");
    let of = format!("{} of {entries}", stated.origin);
    output::line(&match &stated.time {
        None => format!("{of}: request in {}", file.display()),
        Some(time) => format!("{of}: timestamp of {} in {}", output::shown(time), file.display()),
    })
}

fn random() -> anyhow::Result<[u8; 8]> {
    let drawn = Salter::draw(&SystemRandom::new())?;
    Ok(drawn.seed().expose().first_chunk().copied().unwrap_or_default())
}

fn checkpoint(note: &str, path: &Path) -> anyhow::Result<Checkpoint> {
    let stated = Checkpoint::unverified(note.as_bytes());
    stated.with_context(|| format!("`{}`", path.display())).map_err(bad_evidence)
}

fn beside(request: &Path) -> PathBuf {
    let mut name = request.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

/// The checkpoints under a timestamp in the folder of a ledger, by their files.
pub(crate) fn stamped(dir: &Path) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let folder = dir.join(FOLDER);
    let unreadable = || format!("`{}` cannot be read", folder.display());
    let listed = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        listed => listed.with_context(unreadable)?,
    };
    let mut stamped = BTreeMap::new();
    for file in listed {
        let path = file.with_context(unreadable)?.path();
        if path.extension().is_some_and(|end| end == CHECKPOINT) {
            let read =
                fs::read(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
            stamped.insert(path, read);
        }
    }
    Ok(stamped)
}

/// Checkpoints under a timestamp, to be held against the entries of their ledger as these are read.
pub(super) struct Stamped {
    wanted: BTreeMap<u64, Vec<(PathBuf, Digest)>>,
    tree: Frontier,
    fault: Option<PathBuf>,
}

impl Stamped {
    /// Those in the folder of a ledger, by whatever key it was signed then: the timestamp is over these bytes.
    pub(super) fn of(dir: &Path, verifier: &LedgerVerifier) -> anyhow::Result<Self> {
        let mut wanted = BTreeMap::<_, Vec<_>>::new();
        for (path, note) in stamped(dir)? {
            let stated = checkpoint(&String::from_utf8_lossy(&note), &path)?;
            if stated.origin != *verifier.origin() {
                let (path, origin) = (path.display(), output::shown(stated.origin.as_str()));
                return Err(bad_evidence(anyhow::anyhow!(
                    "`{path}` is of another ledger, `{origin}`"
                )));
            }
            wanted.entry(stated.size).or_default().push((path, stated.root));
        }
        Ok(Self { wanted, tree: Frontier::default(), fault: None })
    }

    /// The leaf of the next entry.
    pub(super) fn push(&mut self, leaf: Digest) {
        self.compare();
        self.tree.append(leaf);
    }

    /// Every checkpoint was met, with the root that it states.
    ///
    /// # Errors
    /// Names the first that the ledger contradicts.
    pub(super) fn hold(mut self) -> anyhow::Result<()> {
        self.compare();
        let beyond = self.wanted.into_values().flatten().map(|(path, _)| path).next();
        match self.fault.or(beyond) {
            None => Ok(()),
            Some(path) => {
                let path = path.display();
                Err(bad_evidence(anyhow::anyhow!(
                    "the ledger contradicts a checkpoint under a timestamp, `{path}`"
                )))
            }
        }
    }

    fn compare(&mut self) {
        if let Some(stated) = self.wanted.remove(&self.tree.size()) {
            let root = self.tree.root();
            let other = stated.into_iter().find(|(_, stated)| *stated != root);
            self.fault = self.fault.take().or(other.map(|(path, _)| path));
        }
    }
}
