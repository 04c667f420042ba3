//! What the tests of this suite share.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use convenant_client::{Client, ClientError, TargetResult, compose::Composed};
use convenant_demo::population::{DEN_HAAG, Municipality, Person, ROTTERDAM};
use convenant_model::{query::QueryKind, subjects::Subject};
use convenant_testkit::{
    Plan, Told, World,
    question::{about, question, target},
    told, wire,
};

/// Long enough for any answer on loopback.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) const BRP_FIELDS: &[&str] =
    &["burgerservicenummer", "naam_geslachtsnaam", "gemeente_van_inschrijving"];

/// Fields of which a municipality's rows take several chunks.
pub(crate) const LONG_FIELDS: &[&str] = &[
    "burgerservicenummer",
    "gemeente_van_inschrijving",
    "verblijfplaats_datum_van",
    "verblijfplaats_adresseerbaar_object_identificatie",
    "verblijfadres_postcode",
    "verblijfadres_huisnummer",
];

pub(crate) async fn world(nodes: &[&'static str]) -> World {
    World::start(&Plan::nodes(nodes)).await.unwrap()
}

pub(crate) fn residents(world: &World, of: Municipality, count: usize) -> Vec<&Person> {
    let population = world.federation.population.as_ref().unwrap();
    let residents: Vec<_> = population.residents_of(of).map(|(_, p)| p).take(count).collect();
    assert_eq!(residents.len(), count);
    residents
}

pub(crate) fn in_rotterdam(world: &World, count: usize) -> Vec<Subject> {
    residents(world, ROTTERDAM, count).into_iter().map(Person::subject).collect()
}

pub(crate) fn in_den_haag(world: &World, count: usize) -> Vec<Subject> {
    residents(world, DEN_HAAG, count).into_iter().map(Person::subject).collect()
}

/// About one resident of Rotterdam, at each of these partners.
pub(crate) fn lookup(world: &World, client: &Client, partners: &[&str]) -> Composed {
    let targets = partners.iter().map(|name| {
        let asked = target(world.partner(name).unwrap(), BRP_FIELDS).unwrap();
        about(asked, in_rotterdam(world, 1)).unwrap()
    });
    client.compose(question(QueryKind::Lookup, targets.collect()).unwrap()).unwrap()
}

/// Asks that with the newest register, through the coordinator.
pub(crate) async fn ask(world: &World, client: &Client, partners: &[&str]) -> Vec<String> {
    client.refresh().await.unwrap();
    let composed = lookup(world, client, partners);
    let results = Results::of(world, &composed.query.id.to_string());
    told(&results.ask(client, &composed).await)
}

/// A folder for results that must stay empty unless something was answered.
pub(crate) struct Results(PathBuf);

impl Results {
    pub(crate) fn of(world: &World, name: &str) -> Self {
        let folder = world.path(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, target: usize) -> PathBuf {
        self.0.join(format!("{target}.csv"))
    }

    /// Nothing at all was written, not even a part of a file.
    pub(crate) fn are_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }

    /// The rows of one target's file as texts, without the header.
    pub(crate) fn rows(&self, target: usize) -> Vec<Vec<String>> {
        rows(&self.path(target))
    }

    pub(crate) async fn ask(
        &self,
        client: &Client,
        composed: &Composed,
    ) -> Result<Vec<TargetResult>, ClientError> {
        client.send(composed, TIMEOUT, |index, _| self.path(index)).await
    }
}

/// The rows of a CSV file without quoted cells, without the header.
pub(crate) fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().skip(1);
    rows.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// What coordinator and node each say of the same query: the first to the requester, the second to
/// whoever holds the coordinator's certificate and passes everything on.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) coordinator: Told,
    pub(crate) node: Told,
}

/// Both refuse, with the same words.
pub(crate) fn both(codes: &[&str]) -> Attempt {
    let codes: Told = codes.iter().map(|code| (*code).to_owned()).collect();
    Attempt { coordinator: codes.clone(), node: codes }
}

/// Sends a query through the coordinator and, past its judgement, to the node of its first target.
/// Neither way may anything be written or leave the node.
pub(crate) async fn attempt(world: &World, client: &Client, composed: &Composed) -> Attempt {
    let results = Results::of(world, &format!("attempt-{}", composed.query.id));
    let sent = results.ask(client, composed).await;
    assert!(results.are_empty(), "a refusal left a file");
    let partner = &composed.query.targets[0].partner;
    let node = world.federation.partners.iter().find(|one| one.oin == *partner).unwrap();
    let channel = world.to(&world.coordinator(), node).unwrap();
    let key = node.keys.ledger.verifying_key();
    let answered = wire::ask(channel, wire::answer_request(composed, 0), key).await;
    Attempt { coordinator: told(&sent), node: wire::node_told(&answered) }
}
