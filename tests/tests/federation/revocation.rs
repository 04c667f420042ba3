//! A key that was compromised is revoked from an instant on: what it signs is refused from then on, also at
//! a node that is asked past the coordinator and in the middle of an answer; all else goes on.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use convenant_client::{Client, receive::ReceiveError};
use convenant_demo::{SignedDocument, documents};
use convenant_ledger::note::{Note, NoteKey, NoteName};
use convenant_model::{
    Clock as _, Oin, Problem, Timestamp,
    documents::{Revocation, tag},
    entry::Status,
    keys::VerifyingKey,
    parse::BoundedText,
    query::QueryKind,
};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_testkit::{
    Tampering, World,
    question::{question, target, when},
    told, wire,
};

use crate::{
    replay::replay,
    rotation::{configure, poll_each_second, signers},
    support::{LONG_FIELDS, Results, ask, attempt, both, lookup, world},
    under_way::{UnderWay, chunks_of, long_winded},
};

/// Has the LSI revoke a key.
pub(crate) async fn revoke(
    world: &World,
    partner: &Oin,
    key: &VerifyingKey,
    from: Timestamp,
) -> SignedDocument {
    let revocation = Revocation {
        document: tag::Revocation::Revocation,
        partner: partner.clone(),
        key: key.clone(),
        from,
        reason: BoundedText::new("laptop gestolen").unwrap(),
    };
    let signers = world.federation.quorum_keys();
    let signed = SignedDocument::new("revocation", &revocation, signers).unwrap();
    world.submit(&signed).await.unwrap();
    signed
}

async fn revoke_leader(world: &World, from: Timestamp) {
    let leader = &world.federation.leader;
    revoke(world, &leader.partner, leader.key.verifying_key(), from).await;
}

fn put(path: &Path, key: &SigningKey) {
    fs::write(path, key.to_jwk().as_bytes()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A new key for the leader, with a mandate like the former.
async fn new_leader_key(world: &mut World) -> Client {
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    put(&world.federation.leader.dir.join("leader.jwk"), &key);
    world.federation.leader.key = key;
    let federation = &world.federation;
    let project = &federation.spec.projects[0];
    let hash = federation.sign_proposal(&project.proposal).unwrap().hash();
    let (terms, leader) = (project.mandate.unwrap(), federation.leader.key.verifying_key());
    let mandate = documents::mandate(&project.proposal, hash, &terms, leader).unwrap();
    let signing = &world.partner("rotterdam").unwrap().keys.signing;
    let signed = SignedDocument::new("mandate", &mandate, [signing]).unwrap();
    world.submit(&signed).await.unwrap();
    world.client().await.unwrap()
}

#[tokio::test]
async fn a_leader_s_key_that_was_revoked_asks_nothing_and_the_next_one_does() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
    let from = world.clock.now().plus_seconds(60);
    revoke_leader(&world, from).await;
    // Until the instant it holds.
    world.clock.advance(59);
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
    world.clock.advance(1);
    let refused = attempt(&world, &client, &lookup(&world, &client, &["rotterdam"])).await;
    assert_eq!(refused, both(&["S6/MANDAAT"]));
    client.close().await;

    let client = new_leader_key(&mut world).await;
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
    client.close().await;
    world.shut_down().await.unwrap();
    // What the old key asked before holds, and so do the receipts, which the new key vouches for.
    world.receipts().unwrap();
    let report = replay(&world, &["rotterdam"]);
    assert!(report.holds(), "{report}");
}

#[tokio::test]
async fn what_a_stolen_key_asked_before_anybody_knew_is_found_afterwards() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
    world.clock.advance(3600);
    let stolen = world.clock.now();
    world.clock.advance(60);
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
    client.close().await;
    revoke_leader(&world, stolen).await;
    new_leader_key(&mut world).await.close().await;
    world.shut_down().await.unwrap();
    let report = replay(&world, &["rotterdam"]);
    assert!(!report.holds());
    let found = report.findings.iter();
    let found: Vec<_> = found.map(|one| format!("{} {}", one.code, one.ledger)).collect();
    let (coordinator, rotterdam) =
        (&world.federation.coordinator.oin, &world.partner("rotterdam").unwrap().oin);
    // The second question, where it was permitted and where it was received; the first one holds.
    let expected = [
        format!("SLEUTEL_INGETROKKEN coordinator/{coordinator}"),
        format!("SLEUTEL_INGETROKKEN node/{rotterdam}"),
        format!("SLEUTEL_INGETROKKEN receipts/{rotterdam}"),
    ];
    assert_eq!(found, expected);
}

/// The node cosigned the register last with a key that is revoked by now, and the register does not grow any more.
#[tokio::test]
async fn what_was_cosigned_with_a_key_that_was_revoked_since_is_cosigned_anew() {
    let mut world = world(&[]).await;
    let party = world.partner("rotterdam").unwrap();
    let (oin, dir, config) = (party.oin.clone(), party.dir.clone(), party.config.clone());
    configure(&config, "keys", "next_ledger = \"next.jwk\"");
    for config in [&config, &world.federation.coordinator.config] {
        poll_each_second(config);
    }
    world.stop_coordinator().await.unwrap();
    world.start_coordinator().await.unwrap();
    world.start_node("rotterdam").await.unwrap();
    let client = world.client().await.unwrap();
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
    // Enrolled before the node has it; until a minute later the other one holds.
    let next = SigningKey::generate(&SystemRandom::new()).unwrap();
    let party = world.federation.partners.iter_mut().find(|one| one.name == "rotterdam").unwrap();
    let old = std::mem::replace(&mut party.keys.ledger, next);
    let leader_pin = world.federation.leader.certificate.pin;
    world.enrol(world.partner("rotterdam").unwrap(), &[leader_pin]).await.unwrap();
    revoke(&world, &oin, old.verifying_key(), world.clock.now().plus_seconds(60)).await;
    // As it ends, the coordinator has the whole register cosigned.
    world.stop_coordinator().await.unwrap();
    let register = World::state(&world.federation.coordinator.dir).join("register");
    let node = NoteName::new(format!("convenant.node/{oin}")).unwrap();
    let cosigned_with = |key: &VerifyingKey| {
        let key = NoteKey::new(node.clone(), key.clone()).unwrap();
        let notes = convenant_witness::witnessed(&register).all().unwrap();
        notes.iter().any(|note| Note::parse(note).unwrap().cosigned_at(&key).is_ok())
    };
    assert!(cosigned_with(old.verifying_key()));

    world.clock.advance(60);
    put(&dir.join("next.jwk"), &world.partner("rotterdam").unwrap().keys.ledger);
    world.start_coordinator().await.unwrap();
    let new = world.partner("rotterdam").unwrap().keys.ledger.verifying_key().clone();
    let began = Instant::now();
    while !cosigned_with(&new) {
        assert!(began.elapsed() < Duration::from_secs(60), "the old cosignature is given again");
        client.refresh().await.unwrap();
    }
    assert!(!cosigned_with(old.verifying_key()));
    client.close().await;
    world.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_node_s_key_that_was_revoked_counts_for_nothing_until_the_next_one() {
    let mut world = world(&["rotterdam", "denhaag"]).await;
    let client = world.client().await.unwrap();
    let both = ["rotterdam", "denhaag"];
    assert_eq!(ask(&world, &client, &both).await, ["answered", "answered"]);
    world.clock.advance(60);
    let party = world.partner("denhaag").unwrap();
    let (oin, key) = (party.oin.clone(), party.keys.ledger.verifying_key().clone());
    revoke(&world, &oin, &key, world.clock.now()).await;
    assert_eq!(ask(&world, &client, &both).await, ["answered", "S1/GEEN_PARTNER"]);

    // The next key, with a start.
    world.stop_node("denhaag").await.unwrap();
    let party = world.federation.partners.iter_mut().find(|one| one.name == "denhaag").unwrap();
    party.keys.ledger = SigningKey::generate(&SystemRandom::new()).unwrap();
    put(&party.dir.join("ledger.jwk"), &party.keys.ledger);
    world.enrol(world.partner("denhaag").unwrap(), &[]).await.unwrap();
    world.start_node("denhaag").await.unwrap();
    assert_eq!(ask(&world, &client, &both).await, ["answered", "answered"]);
    client.close().await;
    world.shut_down().await.unwrap();
    let report = replay(&world, &both);
    assert!(report.holds(), "{report}");
}

/// Between its next enrolment and its next start a node has both keys.
#[tokio::test]
async fn a_node_that_has_both_keys_signs_nothing_with_the_revoked_one() {
    let mut world = world(&[]).await;
    let party = world.partner("rotterdam").unwrap();
    configure(&party.config, "keys", "next_ledger = \"next.jwk\"");
    let (oin, next) = (party.oin.clone(), party.dir.join("next.jwk"));
    world.start_node("rotterdam").await.unwrap();
    let client = world.client().await.unwrap();
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
    let before = lookup(&world, &client, &["rotterdam"]);

    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    put(&next, &key);
    let party = world.federation.partners.iter_mut().find(|one| one.name == "rotterdam").unwrap();
    let old = std::mem::replace(&mut party.keys.ledger, key);
    let leader_pin = world.federation.leader.certificate.pin;
    world.enrol(world.partner("rotterdam").unwrap(), &[leader_pin]).await.unwrap();
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
    revoke(&world, &oin, old.verifying_key(), world.clock.now()).await;
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);

    // Written when the old key was the only one: its requester takes no other.
    let results = Results::of(&world, "before");
    assert_ne!(told(&results.ask(&client, &before).await), ["answered"]);
    assert!(results.are_empty());
    client.close().await;
    world.shut_down().await.unwrap();
    let new = world.partner("rotterdam").unwrap().keys.ledger.id().clone();
    let old = old.id().clone();
    let expected = [&old, &new, &new, &new].map(Clone::clone);
    assert_eq!(signers(&world.receipts().unwrap()), expected);
}

#[tokio::test]
async fn an_answer_that_comes_signed_with_a_revoked_key_is_not_taken() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let party = world.partner("rotterdam").unwrap();
    let (oin, key) = (party.oin.clone(), party.keys.ledger.verifying_key().clone());
    let announced = revoke(&world, &oin, &key, world.clock.now().plus_seconds(60)).await;
    world.federation.documents.push(announced);
    client.refresh().await.unwrap();
    let hostile = world.turn_coordinator().await.unwrap();
    // The coordinator keeps an answer back until nobody vouches for its key any more.
    let clock = std::sync::Arc::clone(&world.clock);
    hostile.tamper(Tampering::of_frames(move |frames| {
        clock.advance(60);
        frames
    }));
    let composed = lookup(&world, &client, &["rotterdam"]);
    let results = Results::of(&world, "late");
    let sent = results.ask(&client, &composed).await.unwrap();
    assert!(matches!(sent[0].refused_here, Some(ReceiveError::KeyRevoked)), "{sent:?}");
    assert!(results.are_empty());
}

#[tokio::test]
async fn a_signing_key_that_was_revoked_signs_no_document_and_the_next_one_does() {
    let mut world = world(&["rotterdam", "denhaag"]).await;
    let client = world.client().await.unwrap();
    let party = world.partner("denhaag").unwrap();
    let (oin, key) = (party.oin.clone(), party.keys.signing.verifying_key().clone());
    revoke(&world, &oin, &key, world.clock.now()).await;
    let told = ask(&world, &client, &["rotterdam", "denhaag"]).await;
    assert_eq!(told, ["answered", "S1/GEEN_PARTNER"]);
    // Not even together with the LSI.
    assert!(world.enrol(world.partner("denhaag").unwrap(), &[]).await.is_err());
    let party = world.federation.partners.iter_mut().find(|one| one.name == "denhaag").unwrap();
    party.keys.signing = SigningKey::generate(&SystemRandom::new()).unwrap();
    world.enrol(world.partner("denhaag").unwrap(), &[]).await.unwrap();
    let told = ask(&world, &client, &["rotterdam", "denhaag"]).await;
    assert_eq!(told, ["answered", "answered"]);
}

/// What becomes of an answer that is under way when the leader's key is revoked as from `seconds` on.
async fn cut_off(seconds: i64) -> (Problem, u64, u64) {
    let mut world = world(&[]).await;
    long_winded(&mut world, "rotterdam", "brp_persoon.csv").await;
    let client = world.client().await.unwrap();
    let rotterdam = world.partner("rotterdam").unwrap();
    let asked = target(rotterdam, LONG_FIELDS).unwrap();
    let asked = when(asked, "verblijfplaats_functie_adres in ('W', 'B')").unwrap();
    let composed = client.compose(question(QueryKind::Select, vec![asked]).unwrap()).unwrap();
    let answer = UnderWay::begin(&client, &composed).await;

    revoke_leader(&world, world.clock.now().plus_seconds(seconds)).await;
    // The node hears of it: somebody asks with the newer register.
    client.refresh().await.unwrap();
    let other = lookup(&world, &client, &["rotterdam"]);
    let channel = world.to(&world.coordinator(), rotterdam).unwrap();
    let ledger_key = rotterdam.keys.ledger.verifying_key();
    let asked = wire::ask(channel, wire::answer_request(&other, 0), ledger_key).await;
    let expected = if seconds == 0 { "S6/MANDAAT" } else { "answered" };
    assert_eq!(wire::node_told(&asked), [expected]);
    world.clock.advance(seconds);

    let (status, chunks) = answer.end(ledger_key).await;
    let all = chunks_of(&world, "rotterdam", "brp_persoon.csv");
    match status {
        Status::Failed { problem } => (problem, chunks, all),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_revocation_stops_an_answer_that_is_under_way() {
    let (problem, chunks, all) = cut_off(0).await;
    assert_eq!(problem, Problem::Lapsed);
    assert!(chunks < all / 3, "{chunks} chunks left, the file has some {all}");
}

#[tokio::test]
async fn a_revocation_that_was_announced_stops_an_answer_at_its_instant() {
    let (problem, chunks, all) = cut_off(60).await;
    assert_eq!(problem, Problem::Lapsed);
    assert!(chunks < all / 3, "{chunks} chunks left, the file has some {all}");
}
