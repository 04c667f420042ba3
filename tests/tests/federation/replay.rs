//! The auditor's replay over the ledgers that a world leaves behind.

use std::{fs, path::Path};

use convenant_audit::{LedgerName, RegisterEvidence, Replay, Report};
use convenant_client::ClientConfig;
use convenant_ledger::{LedgerVerifier, merkle::HashSource as _};
use convenant_register::{folder, register_origin};
use convenant_setup::load;
use convenant_store::FileLedger;
use convenant_testkit::World;

/// Replays the register and every ledger of a world that was shut down.
pub(crate) fn replay(world: &World, nodes: &[&str]) -> Report {
    let register = register(world);
    let mut replay = Replay::new(&register);
    let federation = &world.federation;
    let parties = nodes.iter().map(|name| &world.partner(name).unwrap().dir);
    let ledgers = parties.chain([&federation.coordinator.dir]);
    let ledgers = ledgers.map(|dir| World::state(dir).join("ledger"));
    for ledger in ledgers.chain([World::state(&federation.leader.dir).join("receipts")]) {
        add(&mut replay, &ledger);
    }
    replay.report()
}

fn register(world: &World) -> RegisterEvidence {
    let party = &world.federation.coordinator;
    let dir = World::state(&party.dir).join("register");
    let trust: ClientConfig = load(&world.federation.auditor.config).unwrap();
    let key = convenant_setup::verifying_key(&trust.register.key).unwrap();
    let verifier = LedgerVerifier::new(register_origin(&party.oin).unwrap(), key).unwrap();
    let documents: Vec<_> = (0..).map_while(|index| folder::document(&dir, index).ok()).collect();
    let checkpoint = folder::checkpoint(&dir).unwrap();
    let root = trust.register.root_of_trust().unwrap();
    RegisterEvidence::verify(root, documents, checkpoint.as_deref(), &verifier)
}

fn add(replay: &mut Replay<'_>, dir: &Path) {
    let checkpoint = fs::read(dir.join("checkpoint")).unwrap();
    let mut lines = std::str::from_utf8(&checkpoint).unwrap().lines();
    let name = LedgerName::from_origin(lines.next().unwrap()).unwrap();
    let size = lines.next().unwrap().parse().unwrap();
    let ledger = FileLedger::open_read(dir).unwrap();
    let mut entries = replay.ledger(name);
    for entry in ledger.entries().unwrap() {
        let (index, bytes) = entry.unwrap();
        entries.entry(index, &bytes);
    }
    let hashes = ledger.hashes(size);
    let replayed = entries.finish(Some(&checkpoint), |index| hashes.hash(0, index).ok());
    replay.add(replayed);
}
