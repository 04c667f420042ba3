//! The evidence on disk: a register, the keys to trust, and ledgers.

use std::{
    collections::BTreeMap,
    fs, io, iter,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use convenant_audit::{Finding, LedgerName, RegisterEvidence, Severity, Statement};
use convenant_client::ClientConfig;
use convenant_ledger::{Checkpoint, DocumentEntry, LedgerVerifier, note::NoteName};
use convenant_register::folder::{self, FolderError};
use convenant_setup::{RegisterSection, verifying_key};
use convenant_signing::Jws;
use convenant_store::{Entries, EntriesError, FileLedger, Notes, Published};

use super::{ReplayArgs, federation};
use crate::{
    exit::{Named as _, usage},
    ledger::{
        self,
        folder::{documents_in, has_documents_alone},
        unreadable,
    },
    output,
};

/// Where everything is.
pub(super) struct Evidence {
    register: PathBuf,
    trust: RegisterSection,
    ledgers: Vec<PathBuf>,
}

impl Evidence {
    pub(super) fn gather(args: &ReplayArgs) -> anyhow::Result<Self> {
        let evidence = Self::named(args)?;
        each_once(&evidence.ledgers)?;
        Ok(evidence)
    }

    fn named(args: &ReplayArgs) -> anyhow::Result<Self> {
        if let Some(dir) = &args.federation {
            return Self::federation(dir);
        }
        let trust = match (&args.config, &args.register_key) {
            (Some(config), _) => convenant_setup::load::<ClientConfig>(config)?.register,
            (None, Some(key)) => RegisterSection {
                lsi_keys: args.lsi_key.clone(),
                quorum: args.quorum.unwrap_or_default(),
                key: key.clone(),
                poll_seconds: 0,
            },
            // clap has seen to it that one of the two is there.
            (None, None) => return Err(usage("give `--config`, or the keys to trust")),
        };
        let register = args.register.clone().ok_or_else(|| usage("`--register` is missing"))?;
        ledger::folder::is_register(&register)?;
        args.ledger.iter().try_for_each(|dir| ledger::folder::has_exchanges(dir))?;
        Ok(Self { register, trust, ledgers: args.ledger.clone() })
    }

    /// The layout that `convenant demo` writes.
    pub(super) fn federation(dir: &Path) -> anyhow::Result<Self> {
        federation::is_one(dir)?;
        let config: ClientConfig = convenant_setup::load(&dir.join("auditor/client.toml"))?;
        let state = dir.join("coordinator/state");
        let mut ledgers = vec![state.join("ledger")];
        let nodes = dir.join("nodes");
        let listed = fs::read_dir(&nodes).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let listed = listed.named(|| format!("`{}` cannot be read", nodes.display()))?;
        ledgers.extend(listed.iter().map(|node| node.path().join("state/ledger")));
        ledgers.push(dir.join("leader/state/receipts"));
        // A party that never started has no ledger. One that was removed is missed by the others'.
        ledgers.retain(|ledger| ledger.is_dir());
        ledgers.sort();
        Ok(Self { register: state.join("register"), trust: config.register, ledgers })
    }

    pub(super) fn ledgers(&self) -> impl Iterator<Item = &Path> {
        self.ledgers.iter().map(PathBuf::as_path)
    }

    /// The register, with what does not hold of it as findings.
    pub(super) fn register(&self) -> anyhow::Result<RegisterEvidence> {
        // First: with wrong keys, no evidence holds.
        let (root, key) = (self.trust.root_of_trust()?, verifying_key(&self.trust.key)?);
        let checkpoint = folder::checkpoint(&self.register)?;
        let reading = output::spinner("register lezen");
        let documents = documents(&self.register);
        reading.finish_and_clear();
        let (documents, missing) = documents?;
        if documents.is_empty() && missing == 0 {
            return Err(usage(format!("`{}` holds no register", self.register.display())));
        }
        let origin = checkpoint.as_deref().and_then(first_line).unwrap_or("convenant.register");
        let origin = NoteName::new(origin).context("the register's checkpoint names no ledger")?;
        let verifier = LedgerVerifier::new(origin, key)?;
        let bar = output::bar("documenten");
        bar.set_length(documents.len() as u64);
        let documents = documents.into_iter().inspect(|_| bar.inc(1)).map(Some);
        let documents = documents.chain(iter::repeat_n(None, missing));
        let evidence = RegisterEvidence::verify(root, documents, checkpoint.as_deref(), &verifier);
        bar.finish_and_clear();
        Ok(evidence)
    }

    /// That tiles which the coordinator publishes of the register are not those of its documents. Where these do not
    /// hold themselves, that is told; a register as others follow it has no tiles.
    pub(super) fn tiles_of_register(
        &self,
        register: &RegisterEvidence,
    ) -> anyhow::Result<Option<Finding>> {
        let unsound = |one: &Finding| one.severity == Severity::Finding;
        if has_documents_alone(&self.register) || register.findings().iter().any(unsound) {
            return Ok(None);
        }
        let mut published = Published::of(&open(&self.register)?)?;
        for index in 0..register.position().size {
            let document = folder::document(&self.register, index)?;
            let described = DocumentEntry::describe(&document, Jws::parse(&document)?.typ())?;
            let entry = described.to_bytes()?;
            published.push(*entry.leaf(), entry.as_bytes());
        }
        Ok(Finding::tiles_of_register(&published.unlike()))
    }
}

/// An error where one folder is named twice, however it is spelled.
fn each_once(ledgers: &[PathBuf]) -> anyhow::Result<()> {
    let mut named = BTreeMap::new();
    for ledger in ledgers {
        // One that is not there is told of when it is opened.
        let Ok(folder) = fs::canonicalize(ledger) else { continue };
        if let Some(first) = named.insert(folder, ledger) {
            let (first, again) = (first.display(), ledger.display());
            return Err(usage(format!(
                "`{first}` and `{again}` are one folder: name the folder of each ledger once"
            )));
        }
    }
    Ok(())
}

/// The documents up to the first that is missing, and how many there should be from there on: others are behind it.
fn documents(dir: &Path) -> anyhow::Result<(Vec<Vec<u8>>, usize)> {
    let mut documents = Vec::new();
    loop {
        match folder::document(dir, documents.len() as u64) {
            Ok(document) => documents.push(document),
            Err(FolderError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let all = documents_in(dir).map(|last| last + 1).max().unwrap_or(0);
    let missing = all.saturating_sub(documents.len());
    Ok((documents, missing))
}

/// What the party of a ledger cosigned as a witness of others, and the files that hold something else than they are
/// named after.
pub(super) fn statements(
    dir: &Path,
    by: &LedgerName,
) -> anyhow::Result<(Vec<Statement>, Vec<Finding>)> {
    let witnessing = convenant_witness::witnessing(dir);
    let (mut statements, mut misnamed) = (Vec::new(), Vec::new());
    for (file, note) in witnessing.listed().named(|| of_witnesses(dir))? {
        let of = Checkpoint::unverified(&note).map(|stated| witnessing.path(&stated.origin));
        let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
        let own = name(&file).unwrap_or_default();
        // What the program does not write there is no word of the witness, and a copy of a note says the same.
        let written = own.starts_with("convenant.");
        let is_one = of.is_ok_and(|of| name(&of).is_some_and(|of| own.starts_with(&of)));
        if !written {
            continue;
        }
        if !is_one {
            let shown = file.strip_prefix(dir).unwrap_or(&file).display().to_string();
            misnamed.push(Finding::misnamed(by, &shown, &note));
        }
        statements.push(Statement { by: by.clone(), note });
    }
    Ok((statements, misnamed))
}

pub(super) fn notes(notes: &Notes, dir: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    notes.all().named(|| of_witnesses(dir))
}

fn of_witnesses(dir: &Path) -> String {
    format!("the notes of witnesses in `{}` cannot be read", dir.display())
}

/// How many entries it says that it has; zero where it does not say.
pub(super) fn size(dir: &Path) -> u64 {
    let checkpoint = checkpoint(dir).ok().flatten();
    checkpoint.and_then(|note| Checkpoint::unverified_size(&note).ok()).unwrap_or(0)
}

/// The entries; where the checkpoint is none of this ledger, which is told of by itself, all that are whole.
pub(super) fn entries(
    ledger: &FileLedger,
    name: &LedgerName,
    checkpoint: Option<&[u8]>,
) -> anyhow::Result<Entries> {
    let origin = name.origin();
    let own = |note| first_line(note) == origin.as_ref().map(NoteName::as_str);
    let entries = match ledger.entries() {
        Ok(entries) if checkpoint.is_none_or(own) => Ok(entries),
        Ok(_) | Err(EntriesError::Checkpoint(_)) => ledger.whole_entries(),
        Err(error) => Err(error),
    };
    entries.map_err(unreadable)
}

/// What a folder holds that the party of the ledger signed: its checkpoint, and those that were cosigned or put under
/// a timestamp.
pub(super) fn checkpoints(dir: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut checkpoints = notes(&convenant_witness::witnessed(dir), dir)?;
    checkpoints.extend(checkpoint(dir)?);
    checkpoints.extend(ledger::timestamp::stamped(dir)?.into_values());
    Ok(checkpoints)
}

pub(super) fn open(dir: &Path) -> anyhow::Result<FileLedger> {
    FileLedger::open_read(dir).named(|| format!("`{}` is no ledger", dir.display()))
}

pub(super) fn checkpoint(dir: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let path = dir.join("checkpoint");
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).named(|| format!("`{}` cannot be read", path.display())),
    }
}

pub(super) fn first_line(note: &[u8]) -> Option<&str> {
    std::str::from_utf8(note).ok()?.lines().next()
}
