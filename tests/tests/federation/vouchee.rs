//! Who vouched for the subjects of an answer leaves, suspends its part or has its key revoked while the answer is
//! under way: it stops, although the requester and the node that answers are as before.

use std::fs;

use convenant_demo::Party;
use convenant_model::{Clock as _, Problem, entry::Status, subjects::Subject};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_testkit::{World, wire};

use crate::{
    joining::depart,
    revocation::revoke,
    support::world,
    suspension::suspension,
    under_way::{UnderWay, chunks_of, long_winded},
    vouchers::{Case, PROJECT, REFUSED, vouched_for, with_title},
};

const FILE: &str = "verblijfsrecht.csv";

/// Den Haag, which is not the requester, vouched for residents of Rotterdam.
async fn vouched_by_den_haag() -> Case {
    let mut world = world(&[]).await;
    let [den_haag, rotterdam] = ["denhaag", "rotterdam"]
        .map(|name| world.partner(name).unwrap().dir.join("data/brp_persoon.csv"));
    fs::copy(rotterdam, den_haag).unwrap();
    world.start_node("denhaag").await.unwrap();
    let known = with_title(&world, 4);
    keep_only(&world, &known);
    long_winded(&mut world, "ind", FILE).await;
    let client = world.client().await.unwrap();
    let kept = vouched_for(&world, &client, "denhaag", &known).await;
    Case { world, client, kept, known }
}

/// Leaves in the IND's file what is about these, so that the answer is as long as the file.
fn keep_only(world: &World, people: &[Subject]) {
    let file = world.partner("ind").unwrap().dir.join("data").join(FILE);
    let text = fs::read_to_string(&file).unwrap();
    let about = |row: &&str| people.iter().any(|one| row.contains(one.key.expose()));
    let mut lines = text.lines();
    let kept: Vec<_> = lines.next().into_iter().chain(lines.filter(about)).collect();
    fs::write(&file, format!("{}\n", kept.join("\n"))).unwrap();
}

fn den_haag(world: &World) -> &Party {
    world.partner("denhaag").unwrap()
}

/// The IND's answer is under way when this happens, and ends without the rest.
async fn assert_stopped_by(case: Case, happens: impl AsyncFnOnce(&World)) {
    let Case { world, client, .. } = &case;
    client.refresh().await.unwrap();
    let answer = UnderWay::begin(client, &case.lookup(&case.known)).await;
    happens(world).await;
    // The node hears of it: somebody asks with the newer register.
    client.refresh().await.unwrap();
    let ind = world.partner("ind").unwrap();
    let ledger_key = ind.keys.ledger.verifying_key();
    let channel = world.to(&world.coordinator(), ind).unwrap();
    let other = wire::answer_request(&case.lookup(&case.known), 0);
    let told = wire::node_told(&wire::ask(channel, other, ledger_key).await);
    assert_eq!(told, REFUSED);
    let (status, chunks) = answer.end(ledger_key).await;
    assert_eq!(status, Status::Failed { problem: Problem::Lapsed });
    let all = chunks_of(world, "ind", FILE);
    assert!(chunks < all / 3, "{chunks} chunks left, the file has some {all}");
}

#[tokio::test]
async fn who_vouched_leaves() {
    assert_stopped_by(vouched_by_den_haag().await, async |world| depart(world, "denhaag", 0).await)
        .await;
}

#[tokio::test]
async fn who_vouched_suspends_its_part() {
    assert_stopped_by(vouched_by_den_haag().await, async |world| {
        let party = den_haag(world);
        let signers = [&party.keys.signing];
        let suspended = suspension(world, PROJECT, Some(&party.oin), &signers);
        world.submit(&suspended).await.unwrap();
    })
    .await;
}

/// The key with which it vouched, which is not its latest by then.
#[tokio::test]
async fn the_key_of_who_vouched_is_revoked() {
    let mut case = vouched_by_den_haag().await;
    let parties = &mut case.world.federation.partners;
    let party = parties.iter_mut().find(|one| one.name == "denhaag").unwrap();
    let next = SigningKey::generate(&SystemRandom::new()).unwrap();
    let old = std::mem::replace(&mut party.keys.ledger, next);
    case.world.enrol(den_haag(&case.world), &[]).await.unwrap();
    assert_stopped_by(case, async |world| {
        let (oin, now) = (&den_haag(world).oin, world.clock.now());
        revoke(world, oin, old.verifying_key(), now).await;
    })
    .await;
}
