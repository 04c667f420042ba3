//! Nodes as witnesses of the coordinator: neither its ledger nor the register can be set back or told in another way
//! without a node that says so.

use std::{collections::BTreeMap, fs, path::PathBuf};

use convenant_audit::{Code, Report};
use convenant_ledger::Checkpoint;
use convenant_model::{
    Digest,
    entry::{Conflict, Entry},
};
use convenant_testkit::World;

use crate::{
    replay::audit,
    support::world,
    witnesses::{codes, copy, exchange, restore},
};

/// Ledger and register of the coordinator, in this order, as a finding names them.
const BOTH: [&str; 2] = ["coordinator/", "register"];

/// The folders of ledger and register, each with a place for its backup.
fn folders(world: &World) -> [(PathBuf, PathBuf); 2] {
    let state = World::state(&world.federation.coordinator.dir);
    ["ledger", "register"].map(|name| (state.join(name), world.path(name)))
}

/// Takes a backup, and has its nodes cosign what `happens` then. The ledger grows by the start itself.
async fn backed_up(world: &mut World, happens: impl AsyncFnOnce(&World)) {
    world.stop_coordinator().await.unwrap();
    folders(world).iter().for_each(|(folder, backup)| copy(folder, backup));
    world.start_coordinator().await.unwrap();
    happens(world).await;
    // When it stops it asks for the last time.
    world.stop_coordinator().await.unwrap();
}

/// Enrols a partner anew, with another TLS key besides its own.
async fn enrol(world: &World, partner: &str) {
    let party = world.partner(partner).unwrap();
    world.enrol(party, &[Digest::from_bytes([7; 32])]).await.unwrap();
}

fn set_back(world: &World) {
    folders(world).iter().for_each(|(folder, backup)| restore(backup, folder));
}

/// A coordinator that was set back behind an enrolment, and begins anew at another time, while the node that
/// cosigned what was is away; and what that one holds.
async fn set_back_unseen() -> (World, BTreeMap<String, Vec<u8>>) {
    let mut world = world(&["toeslagen"]).await;
    backed_up(&mut world, async |world: &World| enrol(world, "uwv").await).await;
    let cosigned = held(&world, "toeslagen");
    world.stop_node("toeslagen").await.unwrap();
    set_back(&world);
    world.clock.advance(60);
    (world, cosigned)
}

/// What a node holds of others, by name.
fn held(world: &World, node: &str) -> BTreeMap<String, Vec<u8>> {
    let state = World::state(&world.partner(node).unwrap().dir);
    let notes = fs::read_dir(state.join("ledger/witnessing")).unwrap();
    let notes = notes.map(|note| note.unwrap().path());
    notes.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

/// The conflicts that a node recorded: that of the coordinator's ledger, and that of the register.
fn conflicts(world: &World, node: &str) -> [Conflict; 2] {
    let entries = world.node_entries(node).unwrap().into_iter();
    let mut conflicts: Vec<_> = entries
        .filter_map(|entry| match entry {
            Entry::Conflict(conflict) => Some(conflict),
            _ => None,
        })
        .collect();
    conflicts.sort_by(|one, other| one.shown.cmp(&other.shown));
    for conflict in &conflicts {
        assert_eq!(conflict.party, world.partner(node).unwrap().oin);
        assert_eq!(conflict.peer, world.federation.coordinator.oin);
    }
    conflicts.try_into().unwrap()
}

fn stated(note: &str) -> Checkpoint {
    Checkpoint::unverified(note.as_bytes()).unwrap()
}

/// The audit tells of both ledgers under each of these codes.
fn assert_told(report: &Report, expected: &[Code]) {
    for ledger in BOTH {
        let told: Vec<_> = codes(report, ledger).iter().map(|(code, _)| *code).collect();
        for code in expected {
            assert!(told.contains(code), "{ledger}: {code:?} in {report}");
        }
    }
    assert!(!report.holds());
}

/// The coordinator forgets an exchange and two enrolments. The node that took part holds what both ledgers were.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_was_set_back_is_found_out_by_its_nodes() {
    let mut world = world(&["rotterdam"]).await;
    backed_up(&mut world, async |world: &World| {
        exchange(world).await;
        enrol(world, "uwv").await;
        enrol(world, "svb").await;
    })
    .await;
    let cosigned = held(&world, "rotterdam");
    assert_eq!(cosigned.len(), 2, "{:?}", cosigned.keys());
    set_back(&world);
    // The register is as long as in the backup, with whose last cosignature it came back.
    world.start_coordinator().await.unwrap();
    world.stop_coordinator().await.unwrap();
    assert_eq!(held(&world, "rotterdam"), cosigned, "nothing was cosigned since");
    world.shut_down().await.unwrap();

    for conflict in conflicts(&world, "rotterdam") {
        let [before, now] = [&conflict.held, &conflict.shown].map(|note| stated(note));
        assert_eq!(before.origin, now.origin);
        assert!(now.size < before.size, "{conflict:?}");
    }
    assert_told(&audit(&world), &[Code::ConflictTold, Code::SetBack]);
}

/// The same, until both are as long as before, while no witness looks: a split view. A node that was away is asked to
/// cosign the other half.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_tells_two_stories_is_found_out_by_its_nodes() {
    let (mut world, cosigned) = set_back_unseen().await;
    world.start_coordinator().await.unwrap();
    enrol(&world, "svb").await;
    world.start_node("toeslagen").await.unwrap();
    world.stop_coordinator().await.unwrap();
    assert_eq!(held(&world, "toeslagen"), cosigned, "nothing was cosigned since");
    world.shut_down().await.unwrap();

    for conflict in conflicts(&world, "toeslagen") {
        let [before, now] = [&conflict.held, &conflict.shown].map(|note| stated(note));
        assert_eq!((&before.origin, before.size), (&now.origin, now.size));
        assert_ne!(before.root, now.root);
    }
    let report = audit(&world);
    assert_told(&report, &[Code::Forked]);
    // The entry alone proves it, whatever else is handed over.
    let entry = format!("in node/{}, regel: ", world.partner("toeslagen").unwrap().oin);
    for ledger in BOTH {
        let told = codes(&report, ledger).into_iter();
        let mut forked = told.filter(|(code, _)| *code == Code::Forked);
        assert!(forked.any(|(_, finding)| finding.to_string().contains(&entry)), "{report}");
    }
}

/// Beyond what was cosigned, a fork has no proof. Of a wrong one nothing is recorded, because it proves nothing; what
/// the node holds does.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_tells_a_longer_other_story_is_found_out_by_its_nodes() {
    let (mut world, cosigned) = set_back_unseen().await;
    for partner in ["svb", "ind"] {
        world.start_coordinator().await.unwrap();
        enrol(&world, partner).await;
        world.stop_coordinator().await.unwrap();
    }
    world.start_node("toeslagen").await.unwrap();
    world.start_coordinator().await.unwrap();
    world.stop_coordinator().await.unwrap();
    assert_eq!(held(&world, "toeslagen"), cosigned, "nothing was cosigned since");
    world.shut_down().await.unwrap();

    let entries = world.node_entries("toeslagen").unwrap();
    assert!(!entries.iter().any(|entry| matches!(entry, Entry::Conflict(_))));
    assert_told(&audit(&world), &[Code::Forked]);
}
