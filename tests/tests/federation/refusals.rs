//! Every query that the covenant forbids, tried twice: at the coordinator, and at the node by a
//! coordinator that passes on everything. Nobody enforces for another.

use convenant_client::{
    Client, ClientError,
    compose::{ComposeError, Composed, TargetQuestion},
};
use convenant_demo::{SignedDocument, documents, pki::CertificateRequest};
use convenant_model::{
    FieldName, ProjectId, ThemeId,
    documents::Proposal,
    entry::Entry,
    parse::BoundedText,
    query::{QueryKind, Target},
    subjects::{Identifying, Subject},
};
use convenant_signing::{SigningKey, SystemRandom, sha256};
use convenant_testkit::{
    World,
    question::{about, question, target, when},
    told, wire,
};

use crate::support::{
    Attempt, BRP_FIELDS, Results, attempt, both, in_den_haag, in_rotterdam, world,
};

/// A lookup at Rotterdam that would be answered.
fn lookup(world: &World, client: &Client, people: Vec<Subject>) -> Composed {
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    compose(client, QueryKind::Lookup, about(asked, people).unwrap())
}

fn compose(client: &Client, kind: QueryKind, asked: TargetQuestion) -> Composed {
    client.compose_anything(question(kind, vec![asked]).unwrap()).unwrap()
}

/// The same query after a change by whoever holds the leader's key.
fn changed(
    world: &World,
    client: &Client,
    change: impl FnOnce(&mut convenant_model::query::Query),
) -> Composed {
    let mut composed = lookup(world, client, in_rotterdam(world, 1));
    change(&mut composed.query);
    wire::sign_again(&mut composed, &world.federation.leader.key).unwrap();
    composed
}

fn select(world: &World, client: &Client, fields: &[&str], predicate: Option<&str>) -> Composed {
    let asked = target(world.partner("rotterdam").unwrap(), fields).unwrap();
    let asked = match predicate {
        Some(predicate) => when(asked, predicate).unwrap(),
        None => asked,
    };
    compose(client, QueryKind::Select, asked)
}

/// Whether a ledger says that a query came and was not taken, by its hash alone.
fn holds_by_hash(entries: &[Entry], composed: &Composed) -> bool {
    entries.iter().any(|entry| match entry {
        Entry::Rejected(rejected) => rejected.message == composed.hash,
        _ => false,
    })
}

fn name(field: &str) -> FieldName {
    FieldName::new(field).unwrap()
}

#[tokio::test]
async fn a_field_that_is_not_granted() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let with =
        |field: &str| changed(&world, &client, |query| query.targets[0].fields.push(name(field)));
    // The covenant allows it under this theme; the project's annex does not name it.
    let told = attempt(&world, &client, &with("leeftijd")).await;
    assert_eq!(told, both(&["L1/NIET_NOODZAKELIJK"]));
    // Nobody gives a nationality.
    let told = attempt(&world, &client, &with("nationaliteiten")).await;
    assert!(told.coordinator.contains(&"L1/NIET_NOODZAKELIJK".to_owned()), "{told:?}");
    assert_eq!(told.coordinator, told.node);
    let told = attempt(&world, &client, &with("bestaat_niet")).await;
    assert!(told.node.contains(&"L1/NIET_NOODZAKELIJK".to_owned()), "{told:?}");
    assert_eq!(told.coordinator, told.node);
}

#[tokio::test]
async fn a_field_of_another_theme() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    // Of the theme `arbeidsmigranten`; asked under `adresfraude`.
    let field = "immigratie_datum_vestiging_in_nederland";
    let foreign = changed(&world, &client, |query| query.targets[0].fields.push(name(field)));
    let told = attempt(&world, &client, &foreign).await;
    assert_eq!(told, both(&["L1/NIET_NOODZAKELIJK", "S7/THEMA"]));
    // Said to be of the field's theme, which is not the project's.
    let relabelled = changed(&world, &client, |query| {
        query.theme = ThemeId::new("arbeidsmigranten").unwrap();
    });
    assert_eq!(attempt(&world, &client, &relabelled).await, both(&["S7/THEMA"]));
}

#[tokio::test]
async fn a_subject_outside_the_area_is_never_answered() {
    let world = world(&["rotterdam", "denhaag"]).await;
    let client = world.client().await.unwrap();
    // Den Haag holds these people and takes part, but the project is about Rotterdam.
    let outside = in_den_haag(&world, 20);
    for name in ["denhaag", "rotterdam"] {
        let asked = target(world.partner(name).unwrap(), BRP_FIELDS).unwrap();
        let asked = about(asked, outside.clone()).unwrap();
        let composed = compose(&client, QueryKind::Lookup, asked);
        let results = Results::of(&world, name);
        assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
        assert!(results.rows(0).is_empty(), "{name} gave rows");
    }
}

#[tokio::test]
async fn an_expired_or_future_query() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let now = convenant_model::Clock::now(world.clock.as_ref());
    let expired = changed(&world, &client, |query| {
        query.created = now.plus_seconds(-1200);
        query.expires = now;
    });
    assert_eq!(attempt(&world, &client, &expired).await, both(&["VERLOPEN_VRAAG"]));
    let future = changed(&world, &client, |query| {
        query.created = now.plus_seconds(120);
        query.expires = now.plus_seconds(240);
    });
    assert_eq!(attempt(&world, &client, &future).await, both(&["VRAAG_UIT_DE_TOEKOMST"]));
    let everlasting = changed(&world, &client, |query| query.expires = now.plus_seconds(901));
    assert_eq!(attempt(&world, &client, &everlasting).await, both(&["VRAAG_UIT_DE_TOEKOMST"]));
    // It was in order when it was signed, and waited too long.
    let late = lookup(&world, &client, in_rotterdam(&world, 1));
    world.clock.advance(600);
    assert_eq!(attempt(&world, &client, &late).await, both(&["VERLOPEN_VRAAG"]));
}

#[tokio::test]
async fn a_replayed_query() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let composed = lookup(&world, &client, in_rotterdam(&world, 1));
    let results = Results::of(&world, "first");
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
    assert_eq!(attempt(&world, &client, &composed).await, both(&["HERHAALDE_VRAAG"]));
    // Another question under the same id is a replay as well.
    let mut other = lookup(&world, &client, in_rotterdam(&world, 2));
    other.query.id = composed.query.id;
    wire::sign_again(&mut other, &world.federation.leader.key).unwrap();
    assert_eq!(attempt(&world, &client, &other).await, both(&["HERHAALDE_VRAAG"]));
}

#[tokio::test]
async fn a_tampered_query() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let tampered = |change: fn(&mut convenant_model::query::Query)| {
        let mut composed = lookup(&world, &client, in_rotterdam(&world, 1));
        composed.signed = wire::alter_signed(&composed.signed, change).unwrap();
        composed
    };
    let field = tampered(|query| query.targets[0].fields.push(name("verblijfadres_postcode")));
    assert_eq!(attempt(&world, &client, &field).await, both(&["ONJUISTE_HANDTEKENING"]));
    let longer = tampered(|query| query.expires = query.expires.plus_seconds(60));
    assert_eq!(attempt(&world, &client, &longer).await, both(&["ONJUISTE_HANDTEKENING"]));
    // Other people than were signed for: the shape holds their hash.
    let mut swapped = lookup(&world, &client, in_rotterdam(&world, 1));
    swapped.sealed = lookup(&world, &client, in_rotterdam(&world, 1)).sealed;
    let told = attempt(&world, &client, &swapped).await;
    assert_eq!(told.coordinator, ["L14/BSN"], "only the node can see it");
}

#[tokio::test]
async fn a_project_that_was_not_decided_on() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let proposal = document(&world, "proposal-P-2026-002");
    let undecided = changed(&world, &client, |query| {
        query.project = ProjectId::new("P-2026-002").unwrap();
        query.proposal = proposal.hash();
        query.theme = ThemeId::new("leefbaarheid").unwrap();
        query.goal = "uitkeringsfraude".parse().unwrap();
    });
    let told = attempt(&world, &client, &undecided).await;
    assert!(told.coordinator.contains(&"S4/GEEN_LSI_BESLUIT".to_owned()), "{told:?}");
    assert_eq!(told.coordinator, told.node);
    let unknown = changed(&world, &client, |query| {
        query.project = ProjectId::new("P-2026-999").unwrap();
    });
    let told = attempt(&world, &client, &unknown).await;
    assert!(told.coordinator.contains(&"S4/GEEN_LSI_BESLUIT".to_owned()), "{told:?}");
    assert_eq!(told.coordinator, told.node);
    // Another version of the proposal than the one decided on.
    let other = changed(&world, &client, |query| query.proposal = sha256(b"another version"));
    assert_eq!(attempt(&world, &client, &other).await, both(&["S4/GEEN_LSI_BESLUIT"]));
}

#[tokio::test]
async fn a_project_that_has_ended() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, in_rotterdam(&world, 1)).unwrap();
    let mut question = question(QueryKind::Lookup, vec![asked]).unwrap();
    question.project = ProjectId::new("P-2025-004").unwrap();
    let told = attempt(&world, &client, &client.compose(question).unwrap()).await;
    assert!(told.coordinator.contains(&"S10/VERLOPEN".to_owned()), "{told:?}");
    assert_eq!(told.coordinator, told.node);
}

#[tokio::test]
async fn a_project_of_another_partner() {
    let world = world(&["rotterdam"]).await;
    let mandated = SigningKey::generate(&SystemRandom::new()).unwrap();
    submit_project_of_den_haag(&world, &mandated).await;
    let client = world.client().await.unwrap();
    let project = ProjectId::new("P-2026-003").unwrap();
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, in_rotterdam(&world, 1)).unwrap();
    let mut question = question(QueryKind::Lookup, vec![asked]).unwrap();
    question.project = project;
    let composed = client.compose(question.clone()).unwrap();
    assert_eq!(attempt(&world, &client, &composed).await, both(&["S6/MANDAAT"]));
    // With the mandated key, but from another organisation.
    let mut composed = client.compose(question).unwrap();
    composed.query.requester.key = mandated.verifying_key().clone();
    wire::sign_again(&mut composed, &mandated).unwrap();
    assert_eq!(attempt(&world, &client, &composed).await, both(&["S6/MANDAAT"]));
}

#[tokio::test]
async fn a_partner_that_does_not_take_part() {
    let world = world(&["ind"]).await;
    let client = world.client().await.unwrap();
    let asked = target(world.partner("ind").unwrap(), &["verblijfstitel_code"]).unwrap();
    let people = in_rotterdam(&world, 1);
    let people = people.into_iter().map(|one| Subject { verify: None, ..one }).collect();
    let composed = compose(&client, QueryKind::Lookup, about(asked, people).unwrap());
    let told = attempt(&world, &client, &composed).await;
    assert!(told.coordinator.contains(&"S2/GEEN_DEELNEMER".to_owned()), "{told:?}");
    assert_eq!(told.coordinator, told.node);
}

#[tokio::test]
async fn a_requester_without_a_mandate() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let colleague = SigningKey::generate(&SystemRandom::new()).unwrap();
    let mut composed = lookup(&world, &client, in_rotterdam(&world, 1));
    composed.query.requester.key = colleague.verifying_key().clone();
    wire::sign_again(&mut composed, &colleague).unwrap();
    assert_eq!(attempt(&world, &client, &composed).await, both(&["S6/MANDAAT"]));
    // The leader's name under a colleague's signature.
    let mut composed = lookup(&world, &client, in_rotterdam(&world, 1));
    wire::sign_again(&mut composed, &colleague).unwrap();
    assert_eq!(attempt(&world, &client, &composed).await, both(&["ONJUISTE_HANDTEKENING"]));
}

#[tokio::test]
async fn a_query_that_another_organisation_brings() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let composed = lookup(&world, &client, in_rotterdam(&world, 1));
    // UWV found it and shows its own certificate.
    let request = CertificateRequest::new(
        &world.partner("uwv").unwrap().oin.clone(),
        "uwv",
        world.federation.spec.today,
    );
    let _unused = world.federation.pki.issue(&request).unwrap();
    let uwv =
        convenant_testkit::Identity::of_party(world.partner("uwv").unwrap(), &world.federation.pki);
    let channel = world.to_coordinator(&uwv).unwrap();
    let mut broker = convenant_wire::v1::broker_client::BrokerClient::new(channel);
    let request = convenant_wire::v1::QueryRequest {
        signed_query: composed.signed.clone(),
        subjects: Vec::new(),
    };
    let status = broker.query(request).await.unwrap_err();
    let problem = convenant_wire::problem::read(&status);
    assert_eq!(
        problem,
        convenant_wire::problem::PeerProblem::Problem(convenant_model::Problem::NotAllowed)
    );
    // It did not use up the id: the leader may still ask.
    let results = Results::of(&world, "own");
    assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
}

#[tokio::test]
async fn a_bulk_select() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let fields = &["verblijfadres_postcode"];
    for predicate in [
        None,
        Some("verblijfplaats_functie_adres != 'B'"),
        Some("gemeente_van_inschrijving = '0599'"),
        Some("verblijfplaats_functie_adres = 'W' or verblijfplaats_functie_adres = 'B'"),
    ] {
        let composed = select(&world, &client, fields, predicate);
        assert_eq!(attempt(&world, &client, &composed).await, both(&["S12/BULK"]), "{predicate:?}");
    }
    // A lookup of nobody in particular.
    let asked = target(world.partner("rotterdam").unwrap(), fields).unwrap();
    let composed = compose(&client, QueryKind::Lookup, asked);
    assert_eq!(attempt(&world, &client, &composed).await, both(&["S12/BULK"]));
    // Names only of people that were given.
    let composed = select(
        &world,
        &client,
        &["naam_geslachtsnaam"],
        Some("verblijfplaats_functie_adres = 'W'"),
    );
    assert_eq!(attempt(&world, &client, &composed).await, both(&["S12/GEEN_PREDICAAT"]));
}

#[tokio::test]
async fn a_bsn_as_a_literal() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let bsn = in_rotterdam(&world, 1)[0].key.expose().to_owned();
    let refused = async |predicate: String| {
        let composed =
            select(&world, &client, &["verblijfadres_postcode"], Some(predicate.as_str()));
        let told = attempt(&world, &client, &composed).await;
        assert!(told.coordinator.contains(&"L14/BSN".to_owned()), "{told:?}");
        assert_eq!(told.coordinator, told.node);
    };
    refused(format!("burgerservicenummer = '{bsn}'")).await;
    // Nor hidden in a field that may be tested.
    refused(format!("verblijfplaats_functie_adres in ('W', '{bsn}')")).await;
    refused("verblijfplaats_adresseerbaar_object_identificatie = '0599010000208579'".into()).await;
    let told = changed(&world, &client, |query| {
        query.justification = BoundedText::new(format!("melding over {bsn}")).unwrap();
    });
    assert_eq!(attempt(&world, &client, &told).await, both(&["L14/BSN"]));
}

#[tokio::test]
async fn a_bsn_in_the_question_to_another_partner() {
    let mut world = world(&["rotterdam", "denhaag"]).await;
    let client = world.client().await.unwrap();
    let bsn = in_rotterdam(&world, 1)[0].key.expose().to_owned();
    let fields = &["verblijfadres_postcode"];
    let of = |name: &str, condition: &str| {
        when(target(world.partner(name).unwrap(), fields).unwrap(), condition).unwrap()
    };
    let innocent = of("rotterdam", "verblijfplaats_functie_adres = 'B'");
    let naming = of("denhaag", &format!("burgerservicenummer = '{bsn}'"));
    let question = question(QueryKind::Select, vec![innocent, naming]).unwrap();
    let composed = client.compose_anything(question).unwrap();
    // Rotterdam's own target is in order, but its ledger would keep the whole query.
    let told = attempt(&world, &client, &composed).await;
    assert!(told.coordinator.contains(&"L14/BSN".to_owned()), "{told:?}");
    assert_eq!(told.node, ["L14/BSN"]);
    client.close().await;
    world.shut_down().await.unwrap();
    let entries = [world.coordinator_entries().unwrap(), world.node_entries("rotterdam").unwrap()];
    for entries in &entries {
        let of_query = entries.iter().filter(|entry| match entry {
            Entry::Decision(decision) => decision.query == composed.query.id,
            _ => false,
        });
        assert_eq!(of_query.count(), 0, "the query is on record whole");
        assert!(holds_by_hash(entries, &composed), "nothing says that it came");
    }
    assert!(world.receipts().unwrap().is_empty());
}

#[tokio::test]
async fn a_bsn_in_the_guise_of_a_name() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let bsn = in_rotterdam(&world, 1)[0].key.expose().to_owned();
    let disguised = name(&format!("veld_{bsn}"));
    let field = changed(&world, &client, |query| query.targets[0].fields.push(disguised.clone()));
    let key = changed(&world, &client, |query| {
        query.targets[0].subjects.as_mut().unwrap().key = disguised.clone();
    });
    let project = changed(&world, &client, |query| {
        query.project = ProjectId::new(bsn.clone()).unwrap();
    });
    let trace = changed(&world, &client, |query| {
        query.trace = Some(BoundedText::new(bsn.clone()).unwrap());
    });
    for composed in [&field, &key, &project] {
        let told = attempt(&world, &client, composed).await;
        assert!(told.coordinator.len() == told.node.len(), "{told:?}");
        assert!(told.coordinator.iter().all(|code| code != "answered"), "{told:?}");
    }
    assert_eq!(attempt(&world, &client, &trace).await, both(&["ONJUIST_BERICHT"]));
    client.close().await;
    world.shut_down().await.unwrap();
    for entries in [world.coordinator_entries().unwrap(), world.node_entries("rotterdam").unwrap()]
    {
        assert!(!entries.iter().any(|entry| matches!(entry, Entry::Decision(_))));
    }
    assert!(world.receipts().unwrap().is_empty());
}

#[tokio::test]
async fn the_client_sends_nothing_that_names_somebody() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let bsn = in_rotterdam(&world, 1)[0].key.expose().to_owned();
    let rotterdam = world.partner("rotterdam").unwrap();
    let asked = target(rotterdam, &["verblijfadres_postcode"]).unwrap();
    let condition = format!("verblijfplaats_functie_adres = '{bsn}'");
    let in_condition = question(QueryKind::Select, vec![when(asked, &condition).unwrap()]).unwrap();
    let asked = about(target(rotterdam, BRP_FIELDS).unwrap(), in_rotterdam(&world, 1)).unwrap();
    let mut in_text = question(QueryKind::Lookup, vec![asked]).unwrap();
    in_text.justification = BoundedText::new(format!("melding over {bsn}")).unwrap();
    for named in [in_condition, in_text] {
        let error = client.compose(named).unwrap_err();
        assert!(matches!(error, ClientError::Compose(ComposeError::Names(_))), "{error}");
        assert!(!error.to_string().contains(&bsn), "{error}");
    }
    client.close().await;
    world.shut_down().await.unwrap();
    let nothing_came = |entry: &Entry| matches!(entry, Entry::Started(_));
    assert!(world.coordinator_entries().unwrap().iter().all(nothing_came));
}

#[tokio::test]
async fn a_refusal_too_long_to_record_is_no_answer_either() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    // Sixteen targets, each against as many clauses as can be.
    let stranger = SigningKey::generate(&SystemRandom::new()).unwrap();
    let mut crowded = lookup(&world, &client, in_rotterdam(&world, 1));
    let query = &mut crowded.query;
    query.requester.key = stranger.verifying_key().clone();
    query.theme = ThemeId::new("arbeidsmigranten").unwrap();
    query.goal = "overtreding-arbeidswetgeving".parse().unwrap();
    query.proposal = sha256(b"another version");
    query.retention_days = 9999;
    let fields = world.federation.covenant.dataset(&query.targets[0].dataset).unwrap();
    let fields: Vec<_> = fields.field.iter().map(|field| field.name.clone()).collect();
    let sample = query.targets[0].clone();
    let crowd = (0..16_u64).map(|number| Target {
        partner: format!("{:020}", 99_000_077_000 + number).parse().unwrap(),
        fields: fields.clone(),
        subjects: None,
        ..sample.clone()
    });
    query.targets = crowd.collect();
    wire::sign_again(&mut crowded, &stranger).unwrap();
    let results = Results::of(&world, "crowded");
    assert_eq!(told(&results.ask(&client, &crowded).await), ["ONJUIST_BERICHT"]);
    assert!(results.are_empty());
    client.close().await;
    world.shut_down().await.unwrap();
    // That it came is on record all the same.
    assert!(holds_by_hash(&world.coordinator_entries().unwrap(), &crowded));
}

#[tokio::test]
async fn more_subjects_than_the_cap() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let capped = lookup(&world, &client, in_rotterdam(&world, 101));
    assert_eq!(attempt(&world, &client, &capped).await, both(&["S10/QUOTUM"]));
    // A shape that says fewer than were sealed: only the node can see it.
    let mut understated = lookup(&world, &client, in_rotterdam(&world, 101));
    understated.query.targets[0].subjects.as_mut().unwrap().count = 1;
    wire::sign_again(&mut understated, &world.federation.leader.key).unwrap();
    let Attempt { coordinator, .. } = attempt(&world, &client, &understated).await;
    assert_eq!(coordinator, ["L14/BSN"]);
}

#[tokio::test]
async fn subjects_that_are_no_bsn_or_lack_the_second_attribute() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let mut people = in_rotterdam(&world, 1);
    people[0].key = Identifying::new("123456789".to_owned());
    let composed = lookup(&world, &client, people);
    let Attempt { coordinator, .. } = attempt(&world, &client, &composed).await;
    assert_eq!(coordinator, ["L14/BSN"], "123456789 fails the eleven-test");
    let people = in_rotterdam(&world, 1);
    let people = people.into_iter().map(|one| Subject { verify: None, ..one }).collect();
    let composed = lookup(&world, &client, people);
    assert_eq!(attempt(&world, &client, &composed).await, both(&["L14/BSN"]));
}

fn document<'a>(world: &'a World, name: &str) -> &'a SignedDocument {
    world.federation.documents.iter().find(|document| document.name == name).unwrap()
}

/// A running project like the example's, for which Den Haag is responsible.
async fn submit_project_of_den_haag(world: &World, mandated: &SigningKey) {
    let federation = &world.federation;
    let running = &federation.spec.projects[0];
    let den_haag = world.partner("denhaag").unwrap();
    let proposal = Proposal {
        project: ProjectId::new("P-2026-003").unwrap(),
        proposed_by: [den_haag.oin.clone()].into(),
        responsible: den_haag.oin.clone(),
        ..running.proposal.clone()
    };
    let signed = federation.sign_proposal(&proposal).unwrap();
    let hash = signed.hash();
    let attestations = federation.attestations(&proposal, hash).unwrap();
    let hashes = attestations.iter().map(SignedDocument::hash).collect();
    let terms = running.decision.as_ref().unwrap();
    let decision = documents::decision(&proposal, hash, hashes, terms).unwrap();
    let decision = SignedDocument::new("decision", &decision, federation.quorum_keys());
    let terms = running.mandate.as_ref().unwrap();
    let mandate = documents::mandate(&proposal, hash, terms, mandated.verifying_key()).unwrap();
    let keys = [&den_haag.keys.signing];
    let mandate = SignedDocument::new("mandate", &mandate, keys);
    let decided = [decision.unwrap(), mandate.unwrap()];
    for document in [signed].into_iter().chain(attestations).chain(decided) {
        world.submit(&document).await.unwrap();
    }
}
