//! `convenant ledger fetch`: an auditor copies ledgers over the network.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use convenant_client::{Client, ClientConfig};
use convenant_ledger::{LedgerVerifier, SignedCheckpoint, note::NoteName, origin};
use convenant_model::{Clock as _, Digest, Oin, documents::Enrolment, register::RegisterState};
use convenant_setup::verifying_key;
use convenant_transport::{Explanation, SystemClock, explain};
use convenant_witness::{FetchError, Remote};
use serde::Serialize;
use tonic::{Code, transport::Channel};

use crate::{
    args::ConfigFile,
    exit::{bad_evidence, usage},
    names, output,
    register::distrusted,
};

pub(super) const EXAMPLES: &str = "\
Example:
  convenant ledger fetch --config auditor/client.toml --out evidence
  convenant audit replay --config auditor/client.toml --register evidence/register \\
      --ledger evidence/coordinator-* evidence/node-*

Copies the register, the coordinator's ledger and that of every node, in the form of `ledger export`
but for its `vkeys`, because the register names the keys, and verifies each copy under the key that
the register enrols. Only a party that the register enrols as auditor is given them; ledgers hold no
personal data. A party that cannot be reached is named, and the others are copied all the same.
Receipts stay with the requesters: ask them for theirs.

Audit copies of one run together: each ledger grows by the record of who reads it, so an earlier
copy looks set back beside a later one of its witness.";

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

const NOT_ENTITLED: &str = "only auditors that the register enrols read ledgers";

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
    /// Whether the fault is that the evidence does not hold.
    #[serde(skip)]
    evidence: bool,
}

/// A ledger that is wanted: its folder, its name and keys, and whom to ask.
struct Wanted {
    folder: String,
    origin: NoteName,
    keys: Vec<LedgerVerifier>,
    channel: Channel,
    register: bool,
}

impl Wanted {
    fn remote(&self) -> Remote {
        Remote::new(self.channel.clone(), self.origin.clone(), self.keys.clone())
    }
}

pub(super) async fn fetch(args: &FetchArgs, json: bool) -> anyhow::Result<()> {
    if args.out.exists() {
        return Err(usage(format!("`{}` exists already", args.out.display())));
    }
    let parties = args.party.iter().map(|oin| {
        let no_oin = |_| usage(format!("`--party`: {} is no OIN", names::shown(oin)));
        Oin::new(oin.as_str()).map_err(no_oin)
    });
    let parties = parties.collect::<anyhow::Result<Vec<_>>>()?;
    let config: ClientConfig = convenant_setup::load(&args.config.config)?;
    let client = Client::open(&config).await.map_err(distrusted)?;
    let fetched = fetch_with(&client, &config, (args, &parties)).await;
    client.close().await;
    let (fetched, denied) = fetched?;
    if json {
        output::json(&fetched)?;
    } else {
        fetched.iter().try_for_each(|one| output::line(&shown(one)))?;
    }
    let failed = fetched.iter().filter(|one| one.fault.is_some()).count();
    let error = format!("ledgers not copied: {failed} of {}", fetched.len());
    let error = match denied {
        None => anyhow::anyhow!(error),
        Some(why) => anyhow::anyhow!(why).context(error),
    };
    match failed {
        0 => Ok(()),
        _ if fetched.iter().any(|one| one.evidence) => Err(bad_evidence(error)),
        _ => Err(error),
    }
}

async fn fetch_with(
    client: &Client,
    config: &ClientConfig,
    (args, parties): (&FetchArgs, &[Oin]),
) -> anyhow::Result<(Vec<Fetched>, Option<String>)> {
    let snapshot = client.refresh().await.context("the register cannot be fetched")?;
    let state = snapshot.register().state();
    if let Some(unknown) = parties.iter().find(|party| state.enrolment(party).is_none()) {
        let known = state.enrolments().map(|one| one.partner.as_str());
        return Err(names::unknown("`--party`: the register enrols no", unknown.as_str(), known));
    }
    let mut notes = vec![origin::register(&config.coordinator.oin)?];
    let mut wanted = Vec::new();
    for enrolment in state.enrolments() {
        let party = &enrolment.partner;
        notes.extend([origin::coordinator(party)?, origin::node(party)?]);
        if parties.is_empty() || parties.contains(party) {
            wanted.extend(of_party(client, config, state, enrolment)?);
        }
    }
    let denied = denied(state, &config.party.oin);
    let entitled = denied.is_none();
    let mut fetched = Vec::new();
    let mut reached = Vec::new();
    for one in wanted {
        let folder = args.out.join(&one.folder);
        let mut remote = one.remote();
        let noted = remote.notes(&folder, &notes).await.map(|()| None);
        match outcome(&one, &folder, entitled, noted) {
            fault if fault.fault.is_some() => fetched.push(fault),
            _ => reached.push(one),
        }
    }
    for one in reached {
        fetched.push(copy(&one, &args.out.join(&one.folder), entitled).await);
    }
    Ok((fetched, denied))
}

/// Why a party is given no ledger, and who is, if it is no auditor by the register.
fn denied(state: &RegisterState, party: &Oin) -> Option<String> {
    let now = SystemClock.now();
    if state.auditor_at(party, now).is_some() {
        return None;
    }
    let name = |one: &Enrolment| format!("{} ({})", output::shown(one.name.as_str()), one.partner);
    let own = state.enrolment(party).map_or_else(|| party.to_string(), |own| name(own));
    let auditors = state.enrolments().filter(|one| state.auditor_at(&one.partner, now).is_some());
    let auditors: Vec<_> = auditors.map(|one| name(one)).collect();
    let given = match auditors.as_slice() {
        [] => "and it enrols none yet".to_owned(),
        auditors => format!("which are: {}", auditors.join(", ")),
    };
    Some(format!(
        "ledgers are given to auditors that the register enrols, {given}; the configuration's party, {own}, is none"
    ))
}

/// The ledgers that a party keeps.
fn of_party(
    client: &Client,
    config: &ClientConfig,
    state: &RegisterState,
    enrolment: &Enrolment,
) -> anyhow::Result<Vec<Wanted>> {
    let party = &enrolment.partner;
    let ledger = |origin: NoteName, folder: String, channel| {
        let keys = state.ledger_keys_at(party, SystemClock.now());
        let keys = keys.filter_map(|key| LedgerVerifier::new(origin.clone(), key.clone()).ok());
        Wanted { folder, keys: keys.collect(), origin, channel, register: false }
    };
    if *party == config.coordinator.oin {
        let origin = origin::register(party)?;
        let keys = vec![LedgerVerifier::new(origin.clone(), verifying_key(&config.register.key)?)?];
        let (folder, channel) = ("register".to_owned(), client.channel());
        let register = Wanted { folder, origin, keys, channel, register: true };
        let name = origin::coordinator(party)?;
        return Ok(vec![register, ledger(name, format!("coordinator-{party}"), client.channel())]);
    }
    let node = client.node(enrolment).map(|channel| -> anyhow::Result<Wanted> {
        Ok(ledger(origin::node(party)?, format!("node-{party}"), channel))
    });
    node.into_iter().collect()
}

async fn copy(wanted: &Wanted, folder: &Path, entitled: bool) -> Fetched {
    let mut remote = wanted.remote();
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
    outcome(wanted, folder, entitled, copied.map(Some))
}

/// What there is to say of a copy. What one party does not give, or gives and does not hold, is no reason to
/// leave the others.
fn outcome(
    wanted: &Wanted,
    folder: &Path,
    entitled: bool,
    copied: Result<Option<SignedCheckpoint>, FetchError>,
) -> Fetched {
    let (ledger, folder) = (wanted.origin.as_str().to_owned(), folder.to_owned());
    let none = Fetched { ledger, folder, entries: None, root: None, fault: None, evidence: false };
    match copied {
        Ok(signed) => {
            let checkpoint = signed.as_ref().map(SignedCheckpoint::checkpoint);
            let (entries, root) = (checkpoint.map(|one| one.size), checkpoint.map(|one| one.root));
            Fetched { entries, root, ..none }
        }
        Err(FetchError::Refused { source, .. }) => {
            let fault = match explain(&source) {
                reached if entitled => reached.to_string(),
                // A node knows no certificate of anybody else's, and says no more than that.
                Explanation::ConnectionLost => NOT_ENTITLED.to_owned(),
                Explanation::Answered(status)
                    if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) =>
                {
                    NOT_ENTITLED.to_owned()
                }
                other => other.to_string(),
            };
            Fetched { fault: Some(fault), ..none }
        }
        Err(error) => {
            let evidence = matches!(error, FetchError::Copy { .. } | FetchError::Checkpoint { .. });
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            let fault = Some(format!("{error}{}", cause.unwrap_or_default()));
            Fetched { fault, evidence, ..none }
        }
    }
}

fn shown(one: &Fetched) -> String {
    match (one.entries, &one.fault) {
        (Some(entries), _) => {
            let entries = output::number(entries, "entry", "entries");
            format!("{}: {entries} in `{}`", one.ledger, one.folder.display())
        }
        (None, fault) => {
            let fault = fault.as_deref().unwrap_or("unknown");
            format!("{}: not copied: {}", one.ledger, output::shown(fault))
        }
    }
}
