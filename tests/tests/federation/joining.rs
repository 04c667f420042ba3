//! A municipality joins a federation that runs, and partners leave one.

use std::{fs, path::Path};

use convenant_client::{Client, compose::Composed};
use convenant_demo::{
    Party, PartyKeys, ProjectSpec, SignedDocument, documents, pki::CertificateRequest,
};
use convenant_model::{
    Clock as _, Oin, ProjectId,
    documents::{Departure, Participant, tag},
    parse::BoundedText,
    query::QueryKind,
    subjects::Subject,
};
use convenant_signing::{OpeningKey, PseudonymKey, SigningKey, SystemRandom};
use convenant_testkit::{
    World,
    question::{about, question, target},
    told,
};

use crate::{
    replay::replay,
    support::{BRP_FIELDS, Results, attempt, in_rotterdam, rows, world},
};

const UTRECHT: &str = "00000099000000000344";

/// Utrecht's folder as its IT department makes it: keys, certificate, configuration, data.
fn utrecht(world: &mut World) -> Party {
    let random = SystemRandom::new();
    let oin = Oin::new(UTRECHT).unwrap();
    let address = world.spare_address().unwrap();
    let today = world.federation.spec.today;
    let request = CertificateRequest::new(&oin, "utrecht", today);
    let certificate = world.federation.pki.issue(&request).unwrap();
    let rotterdam = world.partner("rotterdam").unwrap();
    let dir = rotterdam.dir.with_file_name("utrecht");
    fs::create_dir_all(dir.join("data")).unwrap();
    certificate.write(&dir, "tls").unwrap();
    let keys = PartyKeys {
        signing: SigningKey::generate(&random).unwrap(),
        ledger: SigningKey::generate(&random).unwrap(),
        sealing: OpeningKey::generate(&random).unwrap(),
        pseudonym: PseudonymKey::generate(&random).unwrap(),
        subjects: OpeningKey::generate(&random).unwrap(),
    };
    write_private(&dir.join("ledger.jwk"), &keys.ledger.to_jwk());
    write_private(&dir.join("sealing.jwk"), &keys.sealing.to_jwk());
    write_private(&dir.join("pseudonym.jwk"), &keys.pseudonym.to_jwk());
    let seal_to = serde_json::to_string(keys.subjects.sealing_key()).unwrap();
    fs::write(dir.join("subjects.pub.jwk"), seal_to).unwrap();
    let text = fs::read_to_string(&rotterdam.config).unwrap();
    let text = text.replace(rotterdam.oin.as_str(), UTRECHT);
    let text = text.replace(&rotterdam.address.unwrap().to_string(), &address.to_string());
    fs::write(dir.join("node.toml"), text).unwrap();
    // The same people, who moved to Utrecht.
    let people = fs::read_to_string(rotterdam.dir.join("data/brp_persoon.csv")).unwrap();
    fs::write(dir.join("data/brp_persoon.csv"), people.replace(",0599,", ",0344,")).unwrap();
    Party {
        name: "utrecht".to_owned(),
        title: "Gemeente Utrecht".to_owned(),
        kind: "gemeente".to_owned(),
        oin,
        config: dir.join("node.toml"),
        dir,
        address: Some(address),
        datasets: rotterdam.datasets.clone(),
        keys,
        certificate,
    }
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A project of Rotterdam and Utrecht, in both.
fn together(world: &World) -> ProjectSpec {
    let (rotterdam, utrecht) =
        (&world.partner("rotterdam").unwrap().oin, &world.partner("utrecht").unwrap().oin);
    let mut proposal = world.federation.spec.projects[0].proposal.clone();
    proposal.project = ProjectId::new("P-2026-020").unwrap();
    proposal.predicate.clear();
    let role = proposal.participant[0].role.clone();
    let participant = |partner: &Oin| Participant { partner: partner.clone(), role: role.clone() };
    proposal.participant = vec![participant(rotterdam), participant(utrecht)];
    proposal.annex.retain(|annex| annex.provider == *rotterdam);
    let mut own = proposal.annex[0].clone();
    own.provider = utrecht.clone();
    proposal.annex.push(own);
    proposal.area = ["GM0599", "GM0344"].map(|code| code.parse().unwrap()).into();
    ProjectSpec::approved(proposal, 100)
}

fn lookup(world: &World, client: &Client, partners: &[&str], whom: &[Subject]) -> Composed {
    let targets = partners.iter().map(|name| {
        let asked = target(world.partner(name).unwrap(), BRP_FIELDS).unwrap();
        about(asked, whom.to_vec()).unwrap()
    });
    client.compose(question(QueryKind::Lookup, targets.collect()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_municipality_accedes_with_one_document_and_one_enrolment() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let whom = in_rotterdam(&world, 1);
    let party = utrecht(&mut world);
    world.federation.partners.push(party);
    let party = world.partner("utrecht").unwrap();
    let accession =
        documents::accession(party, &world.federation.covenant, world.federation.spec.today);
    let accession = accession.unwrap();
    // Nobody is enrolled who did not accede, nor with a key of somebody else.
    assert!(world.enrol(party, &[]).await.is_err());
    let other = &world.partner("denhaag").unwrap().keys.signing;
    let forged = SignedDocument::new("accession", &accession, [other]).unwrap();
    assert!(world.submit(&forged).await.is_err());

    let signed = SignedDocument::new("accession", &accession, [&party.keys.signing]).unwrap();
    world.submit(&signed).await.unwrap();
    world.enrol(party, &[]).await.unwrap();
    world.start_node("utrecht").await.unwrap();
    // It serves nothing until it takes part in a project (clause S2).
    client.refresh().await.unwrap();
    let refused = attempt(&world, &client, &lookup(&world, &client, &["utrecht"], &whom)).await;
    assert!(refused.coordinator.contains(&"S2/GEEN_DEELNEMER".to_owned()), "{refused:?}");
    assert_eq!(refused.coordinator, refused.node);

    for document in world.federation.project_documents(&together(&world)).unwrap() {
        world.submit(&document).await.unwrap();
    }
    client.refresh().await.unwrap();
    let asked = target(world.partner("utrecht").unwrap(), BRP_FIELDS).unwrap();
    let mut asked = question(QueryKind::Lookup, vec![about(asked, whom).unwrap()]).unwrap();
    asked.project = ProjectId::new("P-2026-020").unwrap();
    let composed = client.compose(asked).unwrap();
    let results = Results::of(&world, "utrecht");
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
    let found = rows(&results.path(0));
    assert_eq!((found.len(), found[0][2].as_str()), (1, "0344"));

    client.close().await;
    world.shut_down().await.unwrap();
    let report = replay(&world, &["rotterdam", "utrecht"]);
    assert!(report.holds(), "{report}");
}

async fn depart(world: &World, name: &str, seconds: i64) {
    let party = world.partner(name).unwrap();
    let departure = Departure {
        document: tag::Departure::Departure,
        partner: party.oin.clone(),
        from: world.clock.now().plus_seconds(seconds),
        reason: BoundedText::new("besluit van het college").unwrap(),
    };
    let signed = SignedDocument::new("departure", &departure, [&party.keys.signing]).unwrap();
    world.submit(&signed).await.unwrap();
}

#[tokio::test]
async fn a_partner_that_left_is_asked_nothing_and_the_others_go_on() {
    let mut world = world(&["rotterdam", "denhaag"]).await;
    let client = world.client().await.unwrap();
    let whom = in_rotterdam(&world, 1);
    let results = Results::of(&world, "before");
    let composed = lookup(&world, &client, &["rotterdam", "denhaag"], &whom);
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered", "answered"]);

    world.clock.advance(60);
    depart(&world, "denhaag", 0).await;
    client.refresh().await.unwrap();
    let results = Results::of(&world, "after");
    let composed = lookup(&world, &client, &["rotterdam", "denhaag"], &whom);
    let told = told(&results.ask(&client, &composed).await);
    assert_eq!(told, ["answered", "S1/GEEN_PARTNER"]);
    // Den Haag's own node answers nobody under a register that it may no longer fetch.
    let refused = attempt(&world, &client, &lookup(&world, &client, &["denhaag"], &whom)).await;
    assert_eq!(
        (refused.coordinator[0].as_str(), refused.node[0].as_str()),
        ("S1/GEEN_PARTNER", "REGISTER_VEROUDERD")
    );
    client.close().await;
    world.shut_down().await.unwrap();
    let report = replay(&world, &["rotterdam", "denhaag"]);
    assert!(report.holds(), "{report}");
}

#[tokio::test]
async fn a_partner_that_left_asks_nothing() {
    let world = world(&["denhaag"]).await;
    let client = world.client().await.unwrap();
    let whom = in_rotterdam(&world, 1);
    depart(&world, "rotterdam", 60).await;
    // Until then it asks, and by that the node hears of it.
    client.refresh().await.unwrap();
    let results = Results::of(&world, "until then");
    let composed = lookup(&world, &client, &["denhaag"], &whom);
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);

    world.clock.advance(60);
    let refused = attempt(&world, &client, &lookup(&world, &client, &["denhaag"], &whom)).await;
    assert_eq!(refused.coordinator, ["NIET_GEAUTHENTICEERD"]);
    assert_eq!(refused.node, ["S1/GEEN_PARTNER"]);
}
