//! What the files of a coordinator, one node and the leader hold, and what must hold of them however the
//! daemons ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use convenant_ledger::{Checkpoint, merkle, note::NoteName, origin};
use convenant_model::{
    QueryId,
    entry::{Entry, RecordedVerdict},
};
use convenant_store::FileLedger;
use convenant_testkit::{World, evidence};
use serde_json::Value;

use crate::deployment::{COORDINATOR, Deployment, shown, text};

/// The partner whose node runs.
pub(crate) const NODE: &str = "rotterdam";

/// Every checkpoint that was seen, by the name of its ledger: size and root.
#[derive(Default)]
pub(crate) struct Books(BTreeMap<String, BTreeSet<(u64, String)>>);

impl Books {
    /// Notes what is in the files: the ledgers' own checkpoints, and what witnesses cosigned.
    pub(crate) fn see(&mut self, deployment: &Deployment) {
        for ledger in ledgers(deployment) {
            self.note(&fs::read(ledger.join("checkpoint")).unwrap());
            let notes =
                [convenant_witness::witnessing(&ledger), convenant_witness::witnessed(&ledger)];
            let notes = notes.iter().flat_map(|notes| notes.all().unwrap());
            notes.for_each(|note| self.note(&note));
        }
    }

    fn note(&mut self, note: &[u8]) {
        let checkpoint = Checkpoint::unverified(note).unwrap();
        let stated = (checkpoint.size, checkpoint.root.to_string());
        self.0.entry(checkpoint.origin.as_str().to_owned()).or_default().insert(stated);
    }

    /// Whatever a checkpoint or a cosignature ever covered is a beginning of the ledger as it is now. Gives
    /// how many were seen.
    pub(crate) fn are_kept(&self, deployment: &Deployment) -> usize {
        for ledger in ledgers(deployment) {
            let checkpoint = fs::read(ledger.join("checkpoint")).unwrap();
            let last = Checkpoint::unverified(&checkpoint).unwrap();
            let read = FileLedger::open_read(&ledger).unwrap();
            for (size, root) in &self.0[last.origin.as_str()] {
                assert!(*size <= last.size, "{} had {size} entries", ledger.display());
                let now = merkle::root(&read.hashes(last.size), *size).unwrap();
                assert_eq!(now.to_string(), *root, "{} at {size}", ledger.display());
            }
        }
        self.0.values().map(BTreeSet::len).sum()
    }
}

/// What an audit says of unusual use: a test asks the same over and over, at whatever hour it runs, and goes on
/// when its quota is used up.
const UNUSUAL: [&str; 3] = ["HERHAALD_BEVRAGEN", "BUITEN_WERKTIJD", "WEIGERINGEN_OP_RIJ"];

/// Replays the files as they are with the built binary: no findings, of all else only what is explained, and as
/// many exchanges without an end as there are. Gives how often each code is said.
pub(crate) fn audit(deployment: &Deployment, explained: &[&str]) -> BTreeMap<String, u64> {
    let federation = &deployment.federation;
    let receipts = World::state(&federation.leader.dir).join("receipts");
    let [coordinator, node, register] = ledgers(deployment);
    let trust = ["audit", "replay", "--json", "--config", text(&federation.auditor.config)];
    let evidence = ["--register", text(&register), "--ledger", text(&coordinator), text(&node)];
    let most = open(deployment);
    let output = deployment.run(&[&trust[..], &evidence, &[text(&receipts)]].concat());
    let least = open(deployment);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut said = report["findings"].as_array().unwrap().clone();
    let mut codes = BTreeMap::new();
    for one in &said {
        *codes.entry(one["code"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for one in report["left_out"].as_array().into_iter().flatten() {
        *codes.entry(one["code"].as_str().unwrap().to_owned()).or_default() +=
            one["number"].as_u64().unwrap();
    }
    let mut all = 0;
    for ledger in report["ledgers"].as_array().unwrap() {
        let told = ledger["counts"]["open"].as_u64().unwrap();
        if let Some(most) = most.get(ledger["name"].as_str().unwrap()) {
            // Who lives may write how an exchange ended meanwhile; nobody asks anything.
            let least = least[ledger["name"].as_str().unwrap()];
            assert!((least..=*most).contains(&told), "{least} to {most} are open: {ledger:#}");
        }
        all += told;
    }
    assert_eq!(codes.get("UITWISSELING_OPEN").copied().unwrap_or(0), all, "{report:#}");
    let expected = |code: &str| explained.contains(&code) || UNUSUAL.contains(&code);
    said.retain(|one| !expected(one["code"].as_str().unwrap()));
    assert!(said.is_empty(), "{said:#?}");
    codes
}

/// How many queries coordinator and node permitted without a record of how they ended, by the name of the
/// ledger.
fn open(deployment: &Deployment) -> BTreeMap<String, u64> {
    let of = |name| {
        let (permitted, ended) = exchanges(deployment, name);
        let name = origin_of(deployment, name);
        let name = name.as_str().strip_prefix("convenant.").unwrap().to_owned();
        (name, permitted.difference(&ended).count() as u64)
    };
    [COORDINATOR, NODE].map(of).into()
}

fn origin_of(deployment: &Deployment, name: &str) -> NoteName {
    let federation = &deployment.federation;
    let origin = match federation.partner(name) {
        Some(party) => origin::node(&party.oin),
        None => origin::coordinator(&federation.coordinator.oin),
    };
    origin.unwrap()
}

/// The queries that a party permitted, and those of which it recorded how they ended.
pub(crate) fn exchanges(
    deployment: &Deployment,
    name: &str,
) -> (BTreeSet<QueryId>, BTreeSet<QueryId>) {
    let federation = &deployment.federation;
    let party = federation.partner(name).unwrap_or(&federation.coordinator);
    let (folder, key) =
        (World::state(&party.dir).join("ledger"), party.keys.ledger.verifying_key());
    let (mut permitted, mut ended) = (BTreeSet::new(), BTreeSet::new());
    let origin = origin_of(deployment, name);
    for entry in evidence::entries(&folder, origin.as_str(), key).unwrap() {
        match entry {
            Entry::Decision(decision) => {
                let permit =
                    |verdict: &RecordedVerdict| matches!(verdict, RecordedVerdict::Permit { .. });
                if decision.verdicts.iter().all(|one| permit(&one.verdict)) {
                    permitted.insert(decision.query);
                }
            }
            Entry::Outcome(outcome) => drop(ended.insert(outcome.query)),
            _ => {}
        }
    }
    (permitted, ended)
}

/// The ledgers of coordinator and node, and the register.
fn ledgers(deployment: &Deployment) -> [PathBuf; 3] {
    let federation = &deployment.federation;
    let coordinator = World::state(&federation.coordinator.dir);
    let node = World::state(&federation.partner(NODE).unwrap().dir).join("ledger");
    [coordinator.join("ledger"), node, coordinator.join("register")]
}
