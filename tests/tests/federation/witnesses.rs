//! Parties cosign each other's ledgers; whoever sets a ledger back or tells two stories is found out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use convenant_audit::{Code, Finding, Report};
use convenant_client::{Client, compose::Composed};
use convenant_demo::Party;
use convenant_ledger::{
    LedgerSigner, merkle,
    note::{Note, NoteKey, SignatureType},
    origin,
};
use convenant_model::{
    Digest, Problem, Timestamp,
    entry::{Entry, Rejected},
    query::QueryKind,
};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_testkit::{
    Identity, World,
    question::{about, question, target},
    told, wire,
};
use convenant_wire::v1::{
    AddCheckpointRequest, ReadRequest, add_checkpoint_response::Body, ledger_client::LedgerClient,
    witness_client::WitnessClient,
};
use tonic::Status;

use crate::{
    replay::audit,
    support::{BRP_FIELDS, Results, in_rotterdam, world},
};

/// One lookup at Rotterdam, answered.
pub(crate) async fn exchange(world: &World) {
    let client = world.client().await.unwrap();
    let composed = lookup(world, &client);
    let results = Results::of(world, &composed.query.id.to_string());
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
    client.close().await;
}

pub(crate) fn lookup(world: &World, client: &Client) -> Composed {
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, in_rotterdam(world, 1)).unwrap();
    client.compose(question(QueryKind::Lookup, vec![asked]).unwrap()).unwrap()
}

pub(crate) fn ledger(party: &Party) -> PathBuf {
    World::state(&party.dir).join("ledger")
}

pub(crate) fn codes<'r>(report: &'r Report, ledger: &str) -> Vec<(Code, &'r Finding)> {
    let of = report.findings.iter().filter(|one| one.ledger.starts_with(ledger));
    of.map(|one| (one.code, one)).collect()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let to = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &to);
        } else {
            fs::copy(file.path(), to).unwrap();
        }
    }
}

pub(crate) fn restore(from: &Path, to: &Path) {
    fs::remove_dir_all(to).unwrap();
    copy(from, to);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_party_recorded_is_cosigned_by_the_time_it_stops() {
    let mut world = world(&["rotterdam"]).await;
    exchange(&world).await;
    world.stop_coordinator().await.unwrap();
    world.start_coordinator().await.unwrap();
    world.shut_down().await.unwrap();
    let report = audit(&world);
    assert!(report.holds(), "{report}");
    let node = report.ledgers.iter().find(|one| one.name.starts_with("node/")).unwrap();
    let [cosigned] = node.cosigned.as_slice() else { panic!("{node}") };
    assert_eq!(cosigned.entries, node.counts.entries);
    assert_eq!(cosigned.by, format!("coordinator/{}", world.federation.coordinator.oin));
    let coordinator = report.ledgers.iter().find(|one| one.name.starts_with("coordinator/"));
    let coordinator = coordinator.unwrap();
    let [cosigned] = coordinator.cosigned.as_slice() else { panic!("{coordinator}") };
    // All but its second start, or that too where the node was in time.
    let entries = coordinator.counts.entries;
    assert!((entries - 1..=entries).contains(&cosigned.entries), "{coordinator}");
    let register = World::state(&world.federation.coordinator.dir).join("register");
    assert_eq!(convenant_witness::witnessed(&register).all().unwrap().len(), 1);
}

/// A node that was set back to a backup, and records anew. Its coordinator cosigned what is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_set_back_is_found_out() {
    let mut world = world(&["rotterdam"]).await;
    exchange(&world).await;
    world.stop_node("rotterdam").await.unwrap();
    let node = ledger(world.partner("rotterdam").unwrap());
    let backup = world.path("backup");
    copy(&node, &backup);
    world.start_node("rotterdam").await.unwrap();
    exchange(&world).await;
    exchange(&world).await;
    world.stop_node("rotterdam").await.unwrap();
    restore(&backup, &node);

    // As it is: shorter than what the coordinator holds.
    let report = audit(&world);
    assert!(codes(&report, "node/").iter().any(|(code, _)| *code == Code::SetBack), "{report}");

    // And once it went on: the coordinator does not cosign, and records what it was shown.
    world.start_node("rotterdam").await.unwrap();
    world.stop_node("rotterdam").await.unwrap();
    world.shut_down().await.unwrap();
    let entries = world.coordinator_entries().unwrap();
    let conflicts = entries.iter().filter(|entry| matches!(entry, Entry::Conflict(_)));
    assert_eq!(conflicts.count(), 1);
    let report = audit(&world);
    let told = codes(&report, "node/");
    assert!(told.iter().any(|(code, _)| *code == Code::ConflictTold), "{report}");
    assert!(told.iter().any(|(code, _)| *code == Code::SetBack), "{report}");
    assert!(!report.holds());
}

/// The same, until there are more entries than before: not shorter, but another story.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_tells_another_story_is_found_out() {
    let mut world = world(&["rotterdam"]).await;
    world.stop_node("rotterdam").await.unwrap();
    let node = ledger(world.partner("rotterdam").unwrap());
    let backup = world.path("backup");
    copy(&node, &backup);
    world.start_node("rotterdam").await.unwrap();
    exchange(&world).await;
    world.stop_node("rotterdam").await.unwrap();
    restore(&backup, &node);
    world.start_node("rotterdam").await.unwrap();
    exchange(&world).await;
    exchange(&world).await;
    world.shut_down().await.unwrap();
    let report = audit(&world);
    let told = codes(&report, "node/");
    assert!(told.iter().any(|(code, _)| *code == Code::Forked), "{report}");
    assert!(!report.holds());
}

/// Coordinator and node agree to forget; another partner's node does not.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_forget_together_are_betrayed_by_a_third() {
    let mut world = world(&["rotterdam", "toeslagen"]).await;
    world.shut_down().await.unwrap();
    let both = [&world.federation.coordinator, world.partner("rotterdam").unwrap()].map(ledger);
    let backups = ["one", "two"].map(|name| world.path(name));
    both.iter().zip(&backups).for_each(|(ledger, backup)| copy(ledger, backup));
    world.start_coordinator().await.unwrap();
    for node in ["rotterdam", "toeslagen"] {
        world.start_node(node).await.unwrap();
    }
    exchange(&world).await;
    // In this order, so that the coordinator's last checkpoint is cosigned by Toeslagen.
    world.stop_node("rotterdam").await.unwrap();
    world.stop_coordinator().await.unwrap();
    world.shut_down().await.unwrap();
    both.iter().zip(&backups).for_each(|(ledger, backup)| restore(backup, ledger));
    fs::remove_dir_all(World::state(&world.federation.leader.dir).join("receipts")).unwrap();
    let report = audit(&world);
    let told = codes(&report, "coordinator/");
    assert!(told.iter().any(|(code, _)| *code == Code::SetBack), "{report}");
}

struct Shown {
    checkpoint: String,
    old_size: u64,
    proof: Vec<Digest>,
}

async fn add(world: &World, as_party: &Identity, shown: &Shown) -> Result<Option<Body>, Status> {
    let channel = world.to_coordinator(as_party).unwrap();
    let asked = AddCheckpointRequest {
        old_size: shown.old_size,
        proof: shown.proof.iter().map(|hash| hash.as_bytes().to_vec().into()).collect(),
        checkpoint: shown.checkpoint.clone().into_bytes().into(),
    };
    Ok(WitnessClient::new(channel).add_checkpoint(asked).await?.into_inner().body)
}

fn signed(key: SigningKey, party: &Party, size: u64, root: Digest) -> Shown {
    let signer = LedgerSigner::new(origin::node(&party.oin).unwrap(), key).unwrap();
    let now = Timestamp::from_millis(1_772_000_000_000).unwrap();
    let checkpoint = signer.sign(size, root, now).unwrap().to_string();
    Shown { checkpoint, old_size: 0, proof: Vec::new() }
}

/// A checkpoint with a fourth line, which C2SP allows and a witness has no use for.
fn with_line(key: SigningKey, party: &Party, line: &str) -> Shown {
    let name = origin::node(&party.oin).unwrap();
    let root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let mut note = Note::new(format!("{}\n1\n{root}\n{line}\n", name.as_str()));
    let signature = key.sign(note.text().as_bytes()).unwrap();
    let key = NoteKey::new(name, key.verifying_key().clone()).unwrap();
    note.add(&key, SignatureType::Ed25519, signature);
    Shown { checkpoint: note.to_string(), old_size: 0, proof: Vec::new() }
}

fn key_of(party: &Party) -> SigningKey {
    let jwk = fs::read_to_string(party.dir.join("ledger.jwk")).unwrap();
    SigningKey::from_jwk(&jwk, &SystemRandom::new()).unwrap()
}

/// Hostile callers: a stranger's key, another partner's ledger, a fork, and bytes that are nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_witness_cosigns_nothing_else() {
    let mut world = world(&[]).await;
    let (uwv, svb) = (world.partner("uwv").unwrap(), world.partner("svb").unwrap());
    let as_uwv = Identity::of_party(uwv, &world.federation.pki);
    let root = |seed: u8| merkle::leaf_hash(&[seed]);
    let problem = |told: Result<Option<Body>, Status>| {
        let status = told.expect_err("it was cosigned");
        match convenant_wire::problem::read(&status) {
            convenant_wire::problem::PeerProblem::Problem(problem) => problem,
            other => panic!("{other:?}"),
        }
    };
    let other = SigningKey::generate(&SystemRandom::new()).unwrap();
    let forged = signed(other, uwv, 1, root(0));
    assert_eq!(problem(add(&world, &as_uwv, &forged).await), Problem::BadSignature);
    // What SVB signed itself, shown by UWV.
    let foreign = signed(key_of(svb), svb, 1, root(0));
    assert_eq!(problem(add(&world, &as_uwv, &foreign).await), Problem::NotAllowed);
    let nothing =
        Shown { checkpoint: "nothing".to_owned(), ..signed(key_of(uwv), uwv, 1, root(0)) };
    assert_eq!(problem(add(&world, &as_uwv, &nothing).await), Problem::Malformed);
    let long = Shown { proof: vec![root(1); 65], ..signed(key_of(uwv), uwv, 1, root(0)) };
    assert_eq!(problem(add(&world, &as_uwv, &long).await), Problem::Malformed);
    // A line of one's own, signed; and nothing at all with a root. Of neither anything is kept.
    let line = with_line(key_of(uwv), uwv, "123456782");
    assert_eq!(problem(add(&world, &as_uwv, &line).await), Problem::BadSignature);
    let nothing = signed(key_of(uwv), uwv, 0, root(0));
    assert_eq!(problem(add(&world, &as_uwv, &nothing).await), Problem::LedgerConflict);

    let first = signed(key_of(uwv), uwv, 1, root(0));
    let cosigned = add(&world, &as_uwv, &first).await.unwrap();
    assert!(matches!(cosigned, Some(Body::Cosigned(_))), "{cosigned:?}");
    let second = signed(key_of(uwv), uwv, 2, merkle::node_hash(&root(0), &root(1)));
    let known = add(&world, &as_uwv, &second).await.unwrap();
    assert_eq!(known, Some(Body::KnownSize(1)));
    let unproven = Shown { old_size: 1, ..signed(key_of(uwv), uwv, 2, root(8)) };
    assert_eq!(problem(add(&world, &as_uwv, &unproven).await), Problem::LedgerConflict);
    for (size, seed) in [(1, 7), (1, 8), (0, 9)] {
        let fork = Shown { old_size: 1, ..signed(key_of(uwv), uwv, size, root(seed)) };
        assert_eq!(problem(add(&world, &as_uwv, &fork).await), Problem::LedgerConflict);
    }
    // The witness holds the first still.
    let second = Shown { old_size: 1, proof: vec![root(1)], ..second };
    let cosigned = add(&world, &as_uwv, &second).await.unwrap();
    assert!(matches!(cosigned, Some(Body::Cosigned(_))), "{cosigned:?}");

    // One conflict is on record, however often UWV tries; it proves the fork all by itself.
    world.shut_down().await.unwrap();
    let entries = world.coordinator_entries().unwrap();
    let conflicts = entries.iter().filter(|entry| matches!(entry, Entry::Conflict(_)));
    assert_eq!(conflicts.count(), 1);
    let report = audit(&world);
    let told = codes(&report, "node/");
    assert_eq!(told.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [Code::Forked], "{report}");
}

async fn read(world: &World, who: &Identity, party: &Party, path: &str) -> Result<Vec<u8>, Status> {
    let channel = world.to(who, party).unwrap();
    let coordinates = party.oin == world.federation.coordinator.oin;
    let origin = if coordinates { origin::coordinator } else { origin::node };
    let origin = origin(&party.oin).unwrap().as_str().to_owned();
    let asked = ReadRequest { origin, path: path.to_owned() };
    Ok(LedgerClient::new(channel).read(asked).await?.into_inner().content.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_reads_ledgers_and_nothing_else_and_nobody_else_does() {
    let mut world = world(&["rotterdam"]).await;
    exchange(&world).await;
    let pki = &world.federation.pki;
    let auditor = Identity::of_party(&world.federation.auditor, pki);
    let (node, coordinator) = (world.partner("rotterdam").unwrap(), &world.federation.coordinator);
    for party in [node, coordinator] {
        let checkpoint = read(&world, &auditor, party, "checkpoint").await.unwrap();
        assert!(checkpoint.starts_with(b"convenant."));
        let missing = read(&world, &auditor, party, "../../ledger.jwk").await.unwrap_err();
        assert_eq!(missing.code(), tonic::Code::NotFound);
        let missing = read(&world, &auditor, party, "segments/00000000000000000000.seg").await;
        assert_eq!(missing.unwrap_err().code(), tonic::Code::NotFound);
    }
    // The coordinator itself reads no node's ledger, a partner reads nobody's.
    let refused = read(&world, &world.coordinator(), node, "checkpoint").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
    let refused = read(&world, &world.leader(), coordinator, "checkpoint").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
    let refused = read(&world, &world.leader(), node, "checkpoint").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);

    // A query that holds in every way, passed on by the auditor.
    let client = world.client().await.unwrap();
    let composed = lookup(&world, &client);
    let key = node.keys.ledger.verifying_key();
    let channel = world.to(&auditor, node).unwrap();
    // However often: it is on record once.
    for _ in 0..3 {
        let answered = wire::ask(channel.clone(), wire::answer_request(&composed, 0), key).await;
        assert_eq!(wire::node_told(&answered), [Problem::NotAllowed.code()]);
    }
    world.shut_down().await.unwrap();
    let entries = world.node_entries("rotterdam").unwrap();
    let rejected = entries.iter().filter_map(|entry| match entry {
        Entry::Rejected(Rejected { peer, problem, .. }) => Some((peer.clone(), *problem)),
        _ => None,
    });
    let auditor = world.federation.auditor.oin.clone();
    assert_eq!(rejected.collect::<Vec<_>>(), [(auditor, Problem::NotAllowed)]);
}
