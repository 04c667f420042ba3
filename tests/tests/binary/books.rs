//! What must hold of the files that daemons leave behind, however they ended.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use convenant_ledger::{Checkpoint, merkle, origin};
use convenant_model::{
    QueryId,
    entry::{Entry, RecordedVerdict},
    keys::VerifyingKey,
};
use convenant_store::FileLedger;
use convenant_testkit::{World, evidence};
use serde_json::Value;

use super::{Case, NODE};
use crate::deployment::{COORDINATOR, shown, text};

/// What the example's project may ask in all.
const QUOTA: usize = 500;
/// What an audit may say after a kill: no findings, and only what a kill explains.
const EXPLAINED: [&str; 6] = [
    "UITWISSELING_OPEN",
    "HERSTART_NA_STORING",
    "REGELS_NIET_GEDEKT",
    "KNOOPPUNT_NIET_BEREIKT",
    "NIET_AANGEKOMEN",
    "TELLING_TE_HOOG",
];

impl Case {
    pub(super) fn ledger(&self, name: &str) -> PathBuf {
        let federation = &self.deployment.federation;
        let party = federation.partner(name).unwrap_or(&federation.coordinator);
        World::state(&party.dir).join("ledger")
    }

    pub(super) fn register(&self) -> PathBuf {
        World::state(&self.deployment.federation.coordinator.dir).join("register")
    }

    /// Replays the files as they are with the built binary.
    pub(super) fn audit(&self) {
        let federation = &self.deployment.federation;
        let receipts = World::state(&federation.leader.dir).join("receipts");
        let (register, config) = (self.register(), &federation.auditor.config);
        let trust = ["audit", "replay", "--json", "--config", text(config), "--register"];
        let ledgers = [self.ledger(COORDINATOR), self.ledger(NODE), receipts];
        let mut arguments = [&trust[..], &[text(&register), "--ledger"]].concat();
        arguments.extend(ledgers.iter().map(|ledger| text(ledger)));
        let output = self.deployment.run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let said = report["findings"].as_array().unwrap().iter();
        let unexplained: Vec<_> =
            said.filter(|one| !EXPLAINED.contains(&one["code"].as_str().unwrap())).collect();
        assert!(unexplained.is_empty(), "{unexplained:#?}");
    }

    /// Whatever a checkpoint or a cosignature ever covered is a beginning of the ledger as it is now.
    pub(super) fn nothing_recorded_is_lost(&self) {
        for ledger in [self.ledger(COORDINATOR), self.ledger(NODE), self.register()] {
            let checkpoint = fs::read(ledger.join("checkpoint")).unwrap();
            let last = Checkpoint::unverified(&checkpoint).unwrap();
            let seen = &self.seen[last.origin.as_str()];
            let read = FileLedger::open_read(&ledger).unwrap();
            for (size, root) in seen {
                assert!(*size <= last.size, "{} had {size} entries", ledger.display());
                let now = merkle::root(&read.hashes(last.size), *size).unwrap();
                assert_eq!(now.to_string(), *root, "{} at {size}", ledger.display());
            }
            println!("{}: {} checkpoints of {}", ledger.display(), seen.len(), last.size);
        }
        assert!(self.seen.values().map(BTreeSet::len).sum::<usize>() > 200);
    }

    /// Every answer has its permits, and its outcomes where the party lived to write them.
    pub(super) fn nothing_unrecorded_was_answered(&self) {
        let federation = &self.deployment.federation;
        let (node, coordinator) = (federation.partner(NODE).unwrap(), &federation.coordinator);
        let origins = [origin::coordinator(&coordinator.oin), origin::node(&node.oin)];
        for ((name, party), origin) in
            [(COORDINATOR, coordinator), (NODE, node)].into_iter().zip(origins)
        {
            let key = party.keys.ledger.verifying_key();
            let (permitted, ended) = exchanges(&self.ledger(name), origin.unwrap().as_str(), key);
            for (query, killed) in &self.answered {
                assert!(permitted.contains(query), "{name} has no permit of {query}");
                let ended = ended.contains(query);
                assert!(ended || killed.contains(&name), "{name} has no outcome of {query}");
            }
            assert!(permitted.len() <= QUOTA, "{name} permitted {}", permitted.len());
            println!("{name}: {} permits, {} outcomes", permitted.len(), ended.len());
        }
        println!("{} answered, {} not", self.answered.len(), self.failed);
        assert!(self.answered.len() > 50 && self.failed > 50, "the kills come at no useful moment");
        assert_eq!(fs::read_dir(&self.results).unwrap().count(), self.answered.len());
    }
}

/// The queries that a ledger permits, and those of which it says how they ended.
fn exchanges(
    ledger: &Path,
    origin: &str,
    key: &VerifyingKey,
) -> (BTreeSet<QueryId>, BTreeSet<QueryId>) {
    let (mut permitted, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for entry in evidence::entries(ledger, origin, key).unwrap() {
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
