//! `convenant register`: submit documents, list and show them, verify them all.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;
use convenant_client::{Client, ClientConfig, ClientError};
use convenant_ledger::{SignedCheckpoint, register::Register};
use convenant_model::{
    Digest,
    query::RegisterPosition,
    register::{Envelope as _, RegisterState, RootOfTrust},
};
use convenant_register::{
    FollowError,
    folder::{self, FolderError},
};
use convenant_signing::Jws;
use convenant_transport::explain;
use convenant_wire::{
    problem::{PeerProblem, read},
    v1::{SubmitRequest, register_client::RegisterClient},
};
use serde::Serialize;

use crate::{
    args::{ConfigFile, number},
    exit::{Exit, Named as _, bad_evidence, causes, usage},
    ledger, output,
    telemetry::{self, Role},
};

mod listing;
mod source;

use listing::Listed;
pub(crate) use source::Source;

const ABOUT: &str = "\
The register holds the signed documents on which everything rests. The coordinator keeps it,
every party follows it and verifies it, and nobody can alter it unseen.

Documents, and who signs them:
  covenant, designation                      the LSI's quorum
  accession                                  the organisation that joins
  enrolment                                  the LSI's quorum and the organisation
  departure, revocation                      the organisation, or the LSI's quorum
  proposal                                   who proposes, who is responsible, who provides data
  attestation                                each participant
  decision, extension                        the LSI's quorum
  mandate                                    the responsible partner; for a team, its leader
  suspension, resumption                     the LSI's quorum, or a partner for its own data
  withdrawal                                 the responsible partner, or the one that leaves
  closure, final-report, securing            the responsible partner
  feedback, destruction                      the receiver of the data";

const EXAMPLES: &str = "\
Examples:
  convenant register submit proposal.jws decision.jws --config client.toml
  convenant register list --config client.toml
  convenant register show 3 --config client.toml
  convenant register show 3 --toml --config client.toml > enrolment.toml
  convenant register verify --dir state/register --lsi-key lsi/*.pub.jwk \\
      --quorum 2 --key register.pub.jwk

With `--config`, what is new is fetched from the coordinator first. With `--dir`, nothing is:
the folder is that of the coordinator (`state/register`) or of any follower, and nobody has to
be trusted but the LSI's keys.";

#[derive(Subcommand)]
#[command(long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) enum RegisterCommand {
    /// Submit signed documents, in this order.
    Submit {
        /// Signed documents (JWS).
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// List the documents.
    List(Source),
    /// Show one document: what it says, and whose keys signed it.
    Show {
        /// Index of the document.
        #[arg(value_parser = number::<u64>(0..=u64::MAX))]
        index: u64,
        /// As TOML, from which the next one of its kind is made.
        #[arg(long)]
        toml: bool,
        #[command(flatten)]
        source: Source,
    },
    /// Verify every signature, every admission and the checkpoint.
    Verify(Source),
}

pub(crate) async fn run(command: RegisterCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        RegisterCommand::Submit { files, config } => submit(&files, &config.config, json).await?,
        RegisterCommand::List(source) => listing::list(&source.open().await?, json)?,
        RegisterCommand::Show { index, toml: true, source } => {
            listing::show_toml(&source.open().await?, index)?;
        }
        RegisterCommand::Show { index, toml: false, source } => {
            listing::show(&source.open().await?, index, json)?;
        }
        RegisterCommand::Verify(source) => verify(&source.open().await?, json)?,
    }
    Ok(Exit::Done.into())
}

/// A register on disk of which every document was verified, and the checkpoint over it.
pub(crate) struct Opened {
    dir: PathBuf,
    register: Register,
    /// What the checkpoint covers.
    covered: RegisterPosition,
    /// Whether the coordinator was asked for what is new.
    fetched: bool,
}

impl Opened {
    /// What the documents add up to.
    pub(crate) const fn state(&self) -> &RegisterState {
        self.register.state()
    }
}

pub(crate) async fn follow(path: &Path) -> anyhow::Result<Opened> {
    let config: ClientConfig = convenant_setup::load(path)?;
    let telemetry = telemetry::start(Role::Client, &config.party.oin, &config.telemetry)?;
    let fetched = fetch(&config).await;
    telemetry.stop().await;
    let (fetched, root) = (fetched?, config.register.root_of_trust()?);
    let dir = config.data.dir.join("register");
    if !fetched && ledger::folder::is_register(&dir).is_err() {
        anyhow::bail!("there is no copy of the register in `{}` yet", dir.display());
    }
    read_verified(dir, root, &config.register.key, fetched)
}

/// Fetches what is new; whether the coordinator could be asked.
async fn fetch(config: &ClientConfig) -> anyhow::Result<bool> {
    let client = Client::open(config).await.map_err(distrusted)?;
    let refreshed = client.refresh().await;
    client.close().await;
    match refreshed {
        Ok(_) => Ok(true),
        Err(error) if out_of_reach(&error) => {
            output::note(&format!("warning: {}; this is the copy from before", why(error)));
            Ok(false)
        }
        Err(error) => Err(distrusted(error)),
    }
}

/// Whether the coordinator did not give what is new, so that there is no more than the copy from before.
pub(crate) const fn out_of_reach(error: &ClientError) -> bool {
    use FollowError::{Unavailable, Unfinished};
    matches!(error, ClientError::Register(Unavailable(_) | Unfinished { .. }))
}

/// An error with its causes, in one line.
pub(crate) fn why(error: ClientError) -> String {
    let error = anyhow::Error::from(error);
    let why = [error.to_string()].into_iter().chain(causes(&error));
    why.collect::<Vec<_>>().join(": ")
}

fn read_verified(
    dir: PathBuf,
    root: RootOfTrust,
    key: &Path,
    fetched: bool,
) -> anyhow::Result<Opened> {
    let register = folder::read(&dir, root).map_err(|error| match error {
        FolderError::Document { .. } => bad_evidence(error),
        FolderError::Io { .. } => error.into(),
    })?;
    let note = ledger::note(&dir)?;
    let verifier = ledger::verifier(key, None, &note)?;
    let signed = SignedCheckpoint::parse(note.as_bytes(), &verifier).map_err(bad_evidence)?;
    let stated = signed.checkpoint();
    let covered = RegisterPosition { size: stated.size, root: stated.root };
    if !register.held(&covered) {
        let held = register.position().size;
        let stated = output::number(covered.size, "document", "documents");
        let held = output::number(held, "document", "documents");
        return Err(bad_evidence(anyhow::anyhow!(
            "the checkpoint states {stated}, and its root is not that of the {held} in `{}`",
            dir.display()
        )));
    }
    Ok(Opened { dir, register, covered, fetched })
}

/// Tells a register that does not verify from one that cannot be had.
pub(crate) fn distrusted(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Register(
            FollowError::Document { .. }
            | FollowError::Forked { .. }
            | FollowError::Checkpoint(_)
            | FollowError::Rules(_)
            | FollowError::Folder(FolderError::Document { .. }),
        ) => bad_evidence(error),
        // A file that the configuration names is wrong use.
        ClientError::Key(error) => error.into(),
        _ => error.into(),
    }
}

#[derive(Serialize)]
struct Submitted {
    index: u64,
    hash: Digest,
    file: PathBuf,
}

async fn submit(files: &[PathBuf], config: &Path, json: bool) -> anyhow::Result<()> {
    submit_if(files, config, json, |_| Ok(())).await
}

/// Submits documents if they pass a test against the register as it is now.
pub(crate) async fn submit_if(
    files: &[PathBuf],
    config: &Path,
    json: bool,
    test: impl FnOnce(&RegisterState) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let config: ClientConfig = convenant_setup::load(config)?;
    let documents = files.iter().map(|file| readable(file)).collect::<anyhow::Result<Vec<_>>>()?;
    distinct(&documents)?;
    let telemetry = telemetry::start(Role::Client, &config.party.oin, &config.telemetry)?;
    let mut done = Vec::new();
    let outcome = submit_all(&config, documents, &mut done, test).await;
    telemetry.stop().await;
    if json {
        output::json(&done)?;
    } else {
        for one in &done {
            output::line(&format!("{}  {}  {}", one.index, one.hash, one.file.display()))?;
        }
    }
    outcome
}

/// Stops at the first that is not admitted: those after it may build on it.
async fn submit_all(
    config: &ClientConfig,
    documents: Vec<Document>,
    done: &mut Vec<Submitted>,
    test: impl FnOnce(&RegisterState) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let client = Client::open(config).await.map_err(distrusted)?;
    let refreshed = client.refresh().await.map_err(distrusted);
    let mut outcome = refreshed.and_then(|snapshot| test(snapshot.register().state()));
    let documents = if outcome.is_ok() { documents } else { Vec::new() };
    for Document { file, bytes, hash } in documents {
        match submit_one(&client, bytes).await {
            Ok(index) => done.push(Submitted { index, hash, file }),
            Err(error) => {
                outcome = Err(error.context(format!("`{}` was not submitted", file.display())));
                break;
            }
        }
    }
    client.close().await;
    outcome
}

/// A signed document that was read.
struct Document {
    file: PathBuf,
    bytes: Vec<u8>,
    hash: Digest,
}

fn readable(file: &Path) -> anyhow::Result<Document> {
    let bytes = std::fs::read(file).named(|| format!("`{}` cannot be read", file.display()))?;
    let jws = Jws::parse(&bytes).map_err(|error| {
        let toml = file.extension().is_some_and(|end| end == "toml");
        let next = if toml { "; `convenant sign` makes one of it" } else { "" };
        usage(format!("`{}` is no signed document{next}: {error}", file.display()))
    })?;
    Ok(Document { file: file.to_owned(), bytes, hash: jws.payload_hash() })
}

/// The register takes nothing twice, and would say so with half of it submitted.
fn distinct(documents: &[Document]) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for Document { file, hash, .. } in documents {
        if let Some(first) = seen.insert(hash, file) {
            let (first, again) = (first.display(), file.display());
            return Err(usage(format!("`{first}` and `{again}` are the same document: {hash}")));
        }
    }
    Ok(())
}

async fn submit_one(client: &Client, document: Vec<u8>) -> anyhow::Result<u64> {
    let mut register = RegisterClient::new(client.channel());
    let answer = register.submit(SubmitRequest { document: document.into() }).await;
    match answer {
        Ok(answer) => Ok(answer.into_inner().index),
        Err(status) => Err(match read(&status) {
            PeerProblem::Problem(problem) => {
                anyhow::anyhow!("{}: {}", problem.code(), output::shown(status.message()))
            }
            _ => anyhow::anyhow!("{}", explain(&status)),
        }),
    }
}

#[derive(Serialize)]
struct Verified {
    documents: u64,
    root: Digest,
    covered: u64,
    fetched: bool,
    covenant: Option<String>,
    partners: usize,
    projects: usize,
}

fn verify(opened: &Opened, json: bool) -> anyhow::Result<()> {
    let (position, state) = (opened.register.position(), opened.register.state());
    let covenant = state.covenant().map(|in_force| in_force.covenant.head());
    let verified = Verified {
        documents: position.size,
        root: position.root,
        covered: opened.covered.size,
        fetched: opened.fetched,
        covenant: covenant.map(|head| format!("{} version {}", head.id, head.version)),
        partners: state.enrolments().count(),
        projects: state.projects().count(),
    };
    if json {
        return output::json(&verified);
    }
    if verified.covered < verified.documents {
        let more = verified.documents - verified.covered;
        let documents = output::number(more, "document is", "documents are");
        output::note(&format!("at the end {documents} not covered by the checkpoint yet"));
    }
    let covenant = verified.covenant.as_deref().unwrap_or("none");
    let documents = output::number(verified.documents, "document", "documents");
    output::line(&format!("the register holds: {documents}"))?;
    output::line(&format!("root {}", verified.root))?;
    output::line(&format!(
        "covenant {covenant}; {} enrolled; {}",
        output::number(verified.partners as u64, "organisation", "organisations"),
        output::number(verified.projects as u64, "project", "projects"),
    ))
}

/// Every document with what it says in one line.
fn listed(opened: &Opened) -> anyhow::Result<Vec<Listed>> {
    (0..opened.register.position().size).map(|index| Listed::read(&opened.dir, index)).collect()
}
