//! `convenant ledger fetch`: an auditor copies ledgers over the network.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use convenant_client::{Client, ClientConfig};
use convenant_ledger::{LedgerVerifier, SignedCheckpoint, note::NoteName, origin};
use convenant_model::{Digest, Oin, documents::Enrolment};
use convenant_setup::verifying_key;
use convenant_transport::explain;
use convenant_witness::{FetchError, Remote};
use serde::Serialize;
use tonic::transport::Channel;

use crate::{
    args::ConfigFile,
    exit::{bad_evidence, usage},
    output,
};

pub(super) const EXAMPLES: &str = "\
Example:
  convenant ledger fetch --config auditor/client.toml --out evidence
  convenant audit replay --config auditor/client.toml --register evidence/register \\
      --ledger evidence/coordinator-* evidence/node-*

Copies the register, the coordinator's ledger and that of every node, as `ledger export` does, and
verifies each copy under the key that the register enrols. Only a party that the register enrols
as auditor is given them; ledgers hold no personal data. A party that cannot be reached is named,
and the others are copied all the same. Receipts stay with the requesters: ask them for theirs.";

#[derive(Args, Debug)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Parties whose ledgers are wanted [default: all].
    #[arg(long, value_name = "OIN", num_args = 1..)]
    party: Vec<String>,
    /// New folder for the copies.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// One copy.
#[derive(Serialize)]
struct Fetched {
    ledger: String,
    folder: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// A ledger that is wanted: its folder, its key, and whom to ask.
struct Wanted {
    folder: String,
    verifier: LedgerVerifier,
    channel: Channel,
    register: bool,
}

pub(super) async fn fetch(args: &FetchArgs, json: bool) -> anyhow::Result<()> {
    if args.out.exists() {
        return Err(usage(format!("`{}` exists already", args.out.display())));
    }
    let config: ClientConfig = convenant_setup::load(&args.config.config)?;
    let client = Client::open(&config).await?;
    let fetched = fetch_with(&client, &config, args).await;
    client.close().await;
    let fetched = fetched?;
    if json {
        output::json(&fetched)?;
    } else {
        fetched.iter().try_for_each(|one| output::line(&shown(one)))?;
    }
    let failed = fetched.iter().filter(|one| one.fault.is_some()).count();
    if failed > 0 {
        anyhow::bail!("{failed} of {} ledgers were not copied", fetched.len());
    }
    Ok(())
}

async fn fetch_with(
    client: &Client,
    config: &ClientConfig,
    args: &FetchArgs,
) -> anyhow::Result<Vec<Fetched>> {
    let snapshot = client.refresh().await.context("the register cannot be fetched")?;
    let state = snapshot.register().state();
    let parties = args.party.iter().map(|oin| {
        let party = Oin::new(oin.as_str()).map_err(|error| usage(format!("`{oin}`: {error}")))?;
        let enrolled = state.enrolment(&party).is_some();
        enrolled.then_some(party).ok_or_else(|| usage(format!("`{oin}` is not enrolled")))
    });
    let parties = parties.collect::<anyhow::Result<Vec<_>>>()?;
    let mut notes = vec![origin::register(&config.coordinator.oin)?];
    let mut wanted = Vec::new();
    for enrolment in state.enrolments() {
        let party = &enrolment.partner;
        notes.extend([origin::coordinator(party)?, origin::node(party)?]);
        if parties.is_empty() || parties.contains(party) {
            wanted.extend(of_party(client, config, enrolment)?);
        }
    }
    let mut fetched = Vec::new();
    let mut reached = Vec::new();
    for one in wanted {
        let folder = args.out.join(&one.folder);
        let mut remote = Remote::new(one.channel.clone(), &one.verifier);
        match outcome(&one, &folder, remote.notes(&folder, &notes).await.map(|()| None))? {
            fault if fault.fault.is_some() => fetched.push(fault),
            _ => reached.push(one),
        }
    }
    for one in reached {
        fetched.push(copy(&one, &args.out.join(&one.folder)).await?);
    }
    Ok(fetched)
}

/// The ledgers that a party keeps.
fn of_party(
    client: &Client,
    config: &ClientConfig,
    enrolment: &Enrolment,
) -> anyhow::Result<Vec<Wanted>> {
    let party = &enrolment.partner;
    let ledger = |name: NoteName, folder: String, channel| -> anyhow::Result<Wanted> {
        let verifier = LedgerVerifier::new(name, enrolment.ledger_key.clone())?;
        Ok(Wanted { folder, verifier, channel, register: false })
    };
    if *party == config.coordinator.oin {
        let verifier =
            LedgerVerifier::new(origin::register(party)?, verifying_key(&config.register.key)?)?;
        let (folder, channel) = ("register".to_owned(), client.channel());
        let register = Wanted { folder, verifier, channel, register: true };
        let name = origin::coordinator(party)?;
        return Ok(vec![register, ledger(name, format!("coordinator-{party}"), client.channel())?]);
    }
    let Some(channel) = client.node(enrolment) else {
        return Ok(Vec::new());
    };
    Ok(vec![ledger(origin::node(party)?, format!("node-{party}"), channel)?])
}

async fn copy(wanted: &Wanted, folder: &Path) -> anyhow::Result<Fetched> {
    let mut remote = Remote::new(wanted.channel.clone(), &wanted.verifier);
    let bar = output::bar("entries");
    let mut progress = |copied, of| {
        bar.set_length(of);
        bar.set_position(copied);
    };
    let copied = remote.copy(folder, &mut progress).await;
    bar.finish_and_clear();
    let copied = match copied {
        Ok(signed) if wanted.register => {
            remote.documents(folder, signed.checkpoint().size).await.map(|()| signed)
        }
        other => other,
    };
    outcome(wanted, folder, copied.map(Some))
}

/// What there is to say of a copy. A party that does not give its ledger is no reason to stop, evidence
/// that does not hold is.
fn outcome(
    wanted: &Wanted,
    folder: &Path,
    copied: Result<Option<SignedCheckpoint>, FetchError>,
) -> anyhow::Result<Fetched> {
    let ledger = wanted.verifier.origin().as_str().to_owned();
    let folder = folder.to_owned();
    match copied {
        Ok(signed) => {
            let checkpoint = signed.as_ref().map(SignedCheckpoint::checkpoint);
            let (entries, root) = (checkpoint.map(|one| one.size), checkpoint.map(|one| one.root));
            Ok(Fetched { ledger, folder, entries, root, fault: None })
        }
        Err(FetchError::Refused { source, .. }) => {
            let fault = Some(explain(&source).to_string());
            Ok(Fetched { ledger, folder, entries: None, root: None, fault })
        }
        Err(error @ (FetchError::Copy { .. } | FetchError::Checkpoint { .. })) => {
            Err(bad_evidence(error))
        }
        Err(error) => Err(error.into()),
    }
}

fn shown(one: &Fetched) -> String {
    match (one.entries, &one.fault) {
        (Some(entries), _) => {
            format!("{}: {entries} entries in `{}`", one.ledger, one.folder.display())
        }
        (None, fault) => {
            let fault = fault.as_deref().unwrap_or("unknown");
            format!("{}: not copied: {}", one.ledger, output::shown(fault))
        }
    }
}
