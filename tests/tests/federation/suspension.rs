//! The emergency brake: the LSI suspends a project, a partner what it provides itself; at once, also in
//! the middle of an answer; and only whoever may.

use convenant_demo::SignedDocument;
use convenant_model::{
    Clock as _, Digest, Oin, Problem, ProjectId, Timestamp,
    documents::{Resumption, Suspension, tag},
    entry::{Entry, Status},
    parse::BoundedText,
    query::QueryKind,
};
use convenant_signing::{SigningKey, sha256};
use convenant_testkit::{
    PROJECT, World,
    question::{question, target, when},
    wire,
};

use crate::{
    support::{LONG_FIELDS, ask, attempt, both, in_rotterdam, lookup, world},
    under_way::{UnderWay, chunks_of, long_winded},
};

pub(crate) fn suspension(
    world: &World,
    project: &str,
    partner: Option<&Oin>,
    signers: &[&SigningKey],
) -> SignedDocument {
    let document = Suspension {
        document: tag::Suspension::Suspension,
        project: ProjectId::new(project).unwrap(),
        partner: partner.cloned(),
        from: now(world),
        reason: BoundedText::new("een fout in de geleverde gegevens").unwrap(),
    };
    let signers = signers.iter().copied();
    SignedDocument::new("suspension", &document, signers).unwrap()
}

fn resumption(
    suspension: Digest,
    from: Timestamp,
    reason: &str,
    signers: &[&SigningKey],
) -> SignedDocument {
    let document = Resumption {
        document: tag::Resumption::Resumption,
        project: ProjectId::new(PROJECT).unwrap(),
        suspension,
        from,
        reason: BoundedText::new(reason).unwrap(),
    };
    let signers = signers.iter().copied();
    SignedDocument::new("resumption", &document, signers).unwrap()
}

fn now(world: &World) -> Timestamp {
    world.clock.now()
}

fn lsi(world: &World) -> Vec<&SigningKey> {
    world.federation.quorum_keys().collect()
}

#[tokio::test]
async fn the_lsi_suspends_a_project_and_resumes_it() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let suspended = suspension(&world, PROJECT, None, &lsi(&world));
    world.submit(&suspended).await.unwrap();
    client.refresh().await.unwrap();
    let refused = attempt(&world, &client, &lookup(&world, &client, &["rotterdam"])).await;
    assert_eq!(refused, both(&["S4/GEEN_LSI_BESLUIT"]));

    let resumed = resumption(suspended.hash(), now(&world), "hersteld", &lsi(&world));
    world.submit(&resumed).await.unwrap();
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
}

#[tokio::test]
async fn a_partner_suspends_what_it_provides_and_nothing_else() {
    let world = world(&["rotterdam", "denhaag"]).await;
    let client = world.client().await.unwrap();
    let den_haag = world.partner("denhaag").unwrap();
    let (oin, key) = (&den_haag.oin, &den_haag.keys.signing);
    let suspended = suspension(&world, PROJECT, Some(oin), &[key]);
    world.submit(&suspended).await.unwrap();
    let told = ask(&world, &client, &["rotterdam", "denhaag"]).await;
    assert_eq!(told, ["answered", "S2/GEEN_DEELNEMER"]);
    // Not even the LSI lifts what a partner suspended for itself.
    let forced = resumption(suspended.hash(), now(&world), "op last", &lsi(&world));
    assert!(world.submit(&forced).await.is_err());
    let resumed = resumption(suspended.hash(), now(&world), "hersteld", &[key]);
    world.submit(&resumed).await.unwrap();
    let told = ask(&world, &client, &["rotterdam", "denhaag"]).await;
    assert_eq!(told, ["answered", "answered"]);
}

#[tokio::test]
async fn nobody_suspends_or_resumes_for_another() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let (rotterdam, uwv) = (world.partner("rotterdam").unwrap(), world.partner("uwv").unwrap());
    let ind = world.partner("ind").unwrap();
    let one_of_three = [lsi(&world)[0]];
    let forged = [
        ("one key of the LSI", suspension(&world, PROJECT, None, &one_of_three)),
        ("a partner, all of it", suspension(&world, PROJECT, None, &[&uwv.keys.signing])),
        ("another's data", suspension(&world, PROJECT, Some(&rotterdam.oin), &[&uwv.keys.signing])),
        // Who signs for the data is its partner, not the LSI.
        ("the LSI, a partner's", suspension(&world, PROJECT, Some(&rotterdam.oin), &lsi(&world))),
        ("no participant", suspension(&world, PROJECT, Some(&ind.oin), &[&ind.keys.signing])),
        ("not decided on", suspension(&world, "P-2026-002", None, &lsi(&world))),
        ("unknown", suspension(&world, "P-2026-999", None, &lsi(&world))),
        ("the key of its ledger", suspension(&world, PROJECT, Some(&uwv.oin), &[&uwv.keys.ledger])),
    ];
    for (what, document) in &forged {
        assert!(world.submit(document).await.is_err(), "{what}");
    }
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);

    let bsn = in_rotterdam(&world, 1)[0].key.expose().to_owned();
    let naming = resumption(sha256(b"no suspension"), now(&world), &bsn, &lsi(&world));
    let error = world.submit(&naming).await.unwrap_err().to_string();
    assert!(error.contains("`reason`") && !error.contains(&bsn), "{error}");

    let suspended = suspension(&world, PROJECT, None, &lsi(&world));
    world.submit(&suspended).await.unwrap();
    let hash = suspended.hash();
    let early = now(&world).plus_seconds(-1);
    let forged = [
        ("a partner", resumption(hash, now(&world), "x", &[&rotterdam.keys.signing])),
        ("one key of the LSI", resumption(hash, now(&world), "x", &one_of_three)),
        ("before it began", resumption(hash, early, "x", &lsi(&world))),
        ("no suspension", resumption(sha256(b"no suspension"), now(&world), "x", &lsi(&world))),
    ];
    for (what, document) in &forged {
        assert!(world.submit(document).await.is_err(), "{what}");
    }
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["S4/GEEN_LSI_BESLUIT"]);
    // An end that was set too late, by a slip, is brought forward.
    let late = now(&world).plus_seconds(3_000_000_000);
    world.submit(&resumption(hash, late, "hersteld", &lsi(&world))).await.unwrap();
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["S4/GEEN_LSI_BESLUIT"]);
    world.submit(&resumption(hash, now(&world), "hersteld", &lsi(&world))).await.unwrap();
    // Not put off again; and an old suspension, shown again, does not come back.
    let twice = resumption(hash, now(&world), "nogmaals", &lsi(&world));
    assert!(world.submit(&twice).await.is_err());
    assert!(world.submit(&suspended).await.is_err());
    assert_eq!(ask(&world, &client, &["rotterdam"]).await, ["answered"]);
}

#[tokio::test]
async fn a_suspension_stops_an_answer_that_is_under_way() {
    let mut world = world(&[]).await;
    long_winded(&mut world, "rotterdam", "brp_persoon.csv").await;
    let client = world.client().await.unwrap();
    let rotterdam = world.partner("rotterdam").unwrap();
    let asked = target(rotterdam, LONG_FIELDS).unwrap();
    let asked = when(asked, "verblijfplaats_functie_adres in ('W', 'B')").unwrap();
    let composed = client.compose(question(QueryKind::Select, vec![asked]).unwrap()).unwrap();
    let answer = UnderWay::begin(&client, &composed).await;

    let key = &rotterdam.keys.signing;
    let suspended = suspension(&world, PROJECT, Some(&rotterdam.oin), &[key]);
    world.submit(&suspended).await.unwrap();
    // The node hears of it: somebody asks with the newer register.
    client.refresh().await.unwrap();
    let other = lookup(&world, &client, &["rotterdam"]);
    let channel = world.to(&world.coordinator(), rotterdam).unwrap();
    let ledger_key = rotterdam.keys.ledger.verifying_key();
    let refused = wire::ask(channel, wire::answer_request(&other, 0), ledger_key).await;
    assert_eq!(wire::node_told(&refused), ["S2/GEEN_DEELNEMER"]);

    let (status, chunks) = answer.end(ledger_key).await;
    let lapsed = Status::Failed { problem: Problem::Lapsed };
    assert_eq!(status, lapsed);
    // Far from all of them left.
    let all = chunks_of(&world, "rotterdam", "brp_persoon.csv");
    assert!(chunks < all / 3, "{chunks} chunks left, the file has some {all}");
    client.close().await;
    world.shut_down().await.unwrap();
    let ended = |entry: &Entry| match entry {
        Entry::Outcome(outcome) => {
            outcome.query == composed.query.id && outcome.results[0].status == lapsed
        }
        _ => false,
    };
    assert!(world.node_entries("rotterdam").unwrap().iter().any(ended));
    assert!(world.coordinator_entries().unwrap().iter().any(ended));
}
