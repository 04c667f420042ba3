//! The auditor's replay over the ledgers that a world leaves behind.

use std::{fs, path::Path};

use convenant_audit::{Beside, LedgerName, RegisterEvidence, Replay, Report, Statement};
use convenant_client::ClientConfig;
use convenant_ledger::{
    LedgerVerifier,
    merkle::{HashSource as _, leaf_hash},
    origin,
};
use convenant_register::folder;
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
    let ledgers = ledgers.chain([World::state(&federation.leader.dir).join("receipts")]);
    let ledgers: Vec<_> = ledgers.filter(|ledger| ledger.exists()).collect();
    let statements: Vec<_> = ledgers.iter().flat_map(|ledger| statements(ledger)).collect();
    replay.statements(&statements);
    for ledger in ledgers {
        add(&mut replay, &ledger, &statements);
    }
    replay.report()
}

/// The same with every node that ever ran.
pub(crate) fn audit(world: &World) -> Report {
    let nodes = ["rotterdam", "denhaag", "uwv", "svb", "toeslagen", "ind"];
    let ran = nodes.into_iter().filter(|name| {
        let party = world.partner(name).unwrap();
        World::state(&party.dir).join("ledger").exists()
    });
    replay(world, &ran.collect::<Vec<_>>())
}

fn statements(dir: &Path) -> Vec<Statement> {
    let notes = convenant_witness::witnessing(dir).all().unwrap();
    notes.into_iter().map(|note| Statement { by: name(dir), note }).collect()
}

fn name(dir: &Path) -> LedgerName {
    let checkpoint = fs::read_to_string(dir.join("checkpoint")).unwrap();
    LedgerName::from_origin(checkpoint.lines().next().unwrap()).unwrap()
}

fn register(world: &World) -> RegisterEvidence {
    let party = &world.federation.coordinator;
    let dir = World::state(&party.dir).join("register");
    let trust: ClientConfig = load(&world.federation.auditor.config).unwrap();
    let key = convenant_setup::verifying_key(&trust.register.key).unwrap();
    let verifier = LedgerVerifier::new(origin::register(&party.oin).unwrap(), key).unwrap();
    let documents: Vec<_> = (0..).map_while(|index| folder::document(&dir, index).ok()).collect();
    let checkpoint = folder::checkpoint(&dir).unwrap();
    let root = trust.register.root_of_trust().unwrap();
    RegisterEvidence::verify(root, documents, checkpoint.as_deref(), &verifier)
}

fn add(replay: &mut Replay<'_>, dir: &Path, statements: &[Statement]) {
    let checkpoint = fs::read(dir.join("checkpoint")).unwrap();
    let size = std::str::from_utf8(&checkpoint).unwrap().lines().nth(1).unwrap();
    let size = size.parse().unwrap();
    let ledger = FileLedger::open_read(dir).unwrap();
    let beside = Beside {
        checkpoint: Some(checkpoint),
        witnessed: convenant_witness::witnessed(dir).all().unwrap(),
        statements: statements.to_vec(),
        ..Beside::default()
    };
    let mut replayed = replay.ledger(name(dir), beside);
    let mut leaves = Vec::new();
    for entry in ledger.entries().unwrap() {
        let (index, bytes) = entry.unwrap();
        leaves.push(leaf_hash(&bytes));
        replayed.entry(index, &bytes);
    }
    let hashes = ledger.hashes(size);
    replay.add(replayed.finish(|index| hashes.hash(0, index).ok(), || leaves));
}
