//! A federation in one process: the example, its daemons and the project leader's client.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use convenant_client::{Client, ClientConfig};
use convenant_coordinator::{Coordinator, CoordinatorConfig};
use convenant_demo::{Federation, Options, Party, Ports, SignedDocument, documents};
use convenant_model::{Date, Digest, documents::PublishedPredicate, entry::Entry};
use convenant_node::{Node, NodeConfig};
use convenant_setup::load;
use convenant_signing::SystemRandom;
use convenant_wire::v1::{SubmitRequest, register_client::RegisterClient};
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::{
    Fallible, Fault, HostileCoordinator, Identity, PortBlock, Running, SilentNode, TestClock,
    evidence, identity::expected, running::stopped,
};

/// The example's project that may ask.
pub const PROJECT: &str = "P-2026-001";

/// The day on which every world stands.
///
/// # Errors
/// Never: it is a day.
pub fn today() -> Fallible<Date> {
    Ok(Date::new(2026, 3, 2)?)
}

/// Conditions by which tests select and count in Rotterdam and at the SVB, besides those of the example. A
/// query uses one word for word (clause S12).
fn published() -> Fallible<Vec<PublishedPredicate>> {
    let conditions = [
        ("gemeente/brp_persoon", "verblijfplaats_functie_adres in ('W', 'B')"),
        ("gemeente/brp_persoon", "verblijfplaats_functie_adres != 'B'"),
        ("gemeente/brp_persoon", "gemeente_van_inschrijving = '0599'"),
        (
            "gemeente/brp_persoon",
            "verblijfplaats_functie_adres = 'W' or verblijfplaats_functie_adres = 'B'",
        ),
        ("svb/aow_uitkering", "datum_ingang_recht >= '1980-01-01'"),
        ("svb/aow_uitkering", "datum_ingang_recht >= '2100-01-01'"),
    ];
    let predicate = |(i, (dataset, condition)): (usize, (&str, &str))| {
        Ok(documents::predicate(&format!("T{i}"), dataset, condition, "voor een test")?)
    };
    conditions.into_iter().enumerate().map(predicate).collect()
}

/// What a world consists of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// People, at least.
    pub persons: usize,
    /// Names of the partners whose nodes run.
    pub nodes: Vec<&'static str>,
}

impl Plan {
    /// A small population, and these nodes.
    #[must_use]
    pub fn nodes(nodes: &[&'static str]) -> Self {
        Self { persons: 200, nodes: nodes.to_vec() }
    }
}

/// A running federation. Its clock stands still, on a morning in March 2026.
pub struct World {
    /// The example that it was made from.
    pub federation: Federation,
    /// Everybody's clock.
    pub clock: Arc<TestClock>,
    folder: TempDir,
    coordinator: Option<Running>,
    nodes: BTreeMap<String, Running>,
    ports: PortBlock,
}

impl World {
    /// Writes the example and starts its coordinator, submits every document, and starts the nodes.
    ///
    /// # Errors
    /// When one of these fails.
    pub async fn start(plan: &Plan) -> Fallible<Self> {
        let example = |dir: &Path, ports| -> Fallible<_> {
            let (persons, today, published) = (plan.persons, today()?, published()?);
            let options = Options { seed: 20260302, persons, ports, today, published };
            Ok(Federation::write(dir, &options, &SystemRandom::new())?)
        };
        let mut world = Self::found(example).await?;
        for name in &plan.nodes {
            world.start_node(name).await?;
        }
        Ok(world)
    }

    /// Writes a federation of a test's own into a folder, starts its coordinator and submits every document;
    /// no node runs as yet.
    ///
    /// # Errors
    /// When one of these fails.
    pub async fn found(write: impl FnOnce(&Path, Ports) -> Fallible<Federation>) -> Fallible<Self> {
        let (folder, ports) = (tempfile::tempdir()?, PortBlock::claim()?);
        let federation = write(&folder.path().join("federation"), Ports::Given(ports.ports()))?;
        let mut world = Self {
            federation,
            clock: Arc::new(TestClock::on(today()?)),
            folder,
            coordinator: None,
            nodes: BTreeMap::new(),
            ports,
        };
        world.start_coordinator().await?;
        for index in 0..world.federation.documents.len() {
            let document = world.federation.documents.get(index);
            if let Some(document) = document.filter(|document| !document.founds()) {
                world.submit(document).await?;
            }
        }
        Ok(world)
    }

    /// The partner with this short name.
    ///
    /// # Errors
    /// When there is none.
    pub fn partner(&self, name: &str) -> Fallible<&Party> {
        self.federation.partner(name).ok_or_else(|| Fault::from(format!("no partner `{name}`")))
    }

    /// An address at which no daemon of the example listens.
    ///
    /// # Errors
    /// When every port is taken.
    pub fn spare_address(&self) -> Fallible<SocketAddr> {
        let port = self.ports.ports().pop().ok_or("no port is left")?;
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// Enrols a party anew, as it is now, with these TLS keys besides its certificate's.
    ///
    /// # Errors
    /// When the enrolment is not admitted.
    pub async fn enrol(&self, party: &Party, more_pins: &[Digest]) -> Fallible<u64> {
        let enrolment = documents::enrolment(party, more_pins, today()?)?;
        let signers = self.federation.quorum_keys().chain([&party.keys.signing]);
        self.submit(&SignedDocument::new("enrolment", &enrolment, signers)?).await
    }

    /// A path of its own for the results of one query, in a folder that is not there yet.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The project leader's client with a fresh copy of the register.
    ///
    /// # Errors
    /// When it cannot be opened, or the coordinator does not give its register.
    pub async fn client(&self) -> Fallible<Client> {
        let config: ClientConfig = load(&self.federation.leader.config)?;
        let client = Client::open_at(&config, self.clock.clone()).await?;
        client.refresh().await?;
        Ok(client)
    }

    /// Submits a document in the leader's name.
    ///
    /// # Errors
    /// When it is not admitted.
    pub async fn submit(&self, document: &SignedDocument) -> Fallible<u64> {
        let document = document.jws.to_json().into();
        let mut register = RegisterClient::new(self.to_coordinator(&self.leader())?);
        Ok(register.submit(SubmitRequest { document }).await?.into_inner().index)
    }

    /// What the project leader shows.
    #[must_use]
    pub fn leader(&self) -> Identity {
        Identity::in_folder(&self.federation.leader.dir, &self.federation.pki)
    }

    /// What the coordinator shows.
    #[must_use]
    pub fn coordinator(&self) -> Identity {
        Identity::of_party(&self.federation.coordinator, &self.federation.pki)
    }

    /// A connection to the coordinator.
    ///
    /// # Errors
    /// When the identity's files are not as they should be.
    pub fn to_coordinator(&self, identity: &Identity) -> Fallible<Channel> {
        self.to(identity, &self.federation.coordinator)
    }

    /// A connection to a party's daemon.
    ///
    /// # Errors
    /// When the party has none, or the identity's files are not as they should be.
    pub fn to(&self, identity: &Identity, party: &Party) -> Fallible<Channel> {
        let address = party.address.ok_or("the party has no daemon")?;
        let expected = expected(&party.oin, party.certificate.pin);
        identity.connect(expected, &address.to_string(), self.clock.clone())
    }

    /// Starts the coordinator from its configuration file.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_coordinator(&mut self) -> Fallible<()> {
        let config: CoordinatorConfig = load(&self.federation.coordinator.config)?;
        let coordinator = Coordinator::set_up_at(config, self.clock.clone()).await?;
        let running = Running::start(|listening, stop| async move {
            Ok(coordinator.run(listening, stopped(stop)).await?)
        });
        self.coordinator = Some(running.await?);
        Ok(())
    }

    /// Starts a node from its configuration file.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_node(&mut self, name: &str) -> Fallible<()> {
        let config: NodeConfig = load(&self.partner(name)?.config)?;
        let node = Node::set_up_at(config, self.clock.clone())?;
        let running = Running::start(|listening, stop| async move {
            Ok(node.run(listening, stopped(stop)).await?)
        });
        self.nodes.insert(name.to_owned(), running.await?);
        Ok(())
    }

    /// Stops a node in an orderly way.
    ///
    /// # Errors
    /// When it does not run, or ended with an error.
    pub async fn stop_node(&mut self, name: &str) -> Fallible<()> {
        let node = self.nodes.remove(name).ok_or("the node does not run")?;
        node.stop().await
    }

    /// Stops the coordinator in an orderly way.
    ///
    /// # Errors
    /// When it does not run, or ended with an error.
    pub async fn stop_coordinator(&mut self) -> Fallible<()> {
        let coordinator = self.coordinator.take().ok_or("the coordinator does not run")?;
        coordinator.stop().await
    }

    /// Puts the coordinator into hostile hands: its address, its certificate, the key of its register
    /// and all that it knew.
    ///
    /// # Errors
    /// When the coordinator does not stop, or its double does not start.
    pub async fn turn_coordinator(&mut self) -> Fallible<HostileCoordinator> {
        self.stop_coordinator().await?;
        HostileCoordinator::start(self).await
    }

    /// Puts a node in its partner's place that takes queries and never answers.
    ///
    /// # Errors
    /// When the node runs, or its double does not start.
    pub async fn silence(&self, name: &str) -> Fallible<SilentNode> {
        let identity = Identity::of_party(self.partner(name)?, &self.federation.pki);
        self.impersonate(name, &identity).await
    }

    /// The same, with another certificate than the partner's.
    ///
    /// # Errors
    /// When the node runs, or its double does not start.
    pub async fn impersonate(&self, name: &str, identity: &Identity) -> Fallible<SilentNode> {
        SilentNode::start(self.partner(name)?, identity, self.clock.clone()).await
    }

    /// What a party recorded, after its ledger was verified under its key.
    ///
    /// # Errors
    /// When the ledger does not hold.
    pub fn node_entries(&self, name: &str) -> Fallible<Vec<Entry>> {
        let party = self.partner(name)?;
        let origin = format!("convenant.node/{}", party.oin);
        let key = party.keys.ledger.verifying_key();
        evidence::entries(&Self::state(&party.dir).join("ledger"), &origin, key)
    }

    /// What the coordinator recorded of queries.
    ///
    /// # Errors
    /// When the ledger does not hold.
    pub fn coordinator_entries(&self) -> Fallible<Vec<Entry>> {
        let party = &self.federation.coordinator;
        let origin = format!("convenant.coordinator/{}", party.oin);
        let key = party.keys.ledger.verifying_key();
        evidence::entries(&Self::state(&party.dir).join("ledger"), &origin, key)
    }

    /// The receipts of the project leader.
    ///
    /// # Errors
    /// When the ledger does not hold.
    pub fn receipts(&self) -> Fallible<Vec<Entry>> {
        let leader = &self.federation.leader;
        let origin = format!("convenant.receipts/{}", leader.partner);
        let key = leader.key.verifying_key();
        evidence::entries(&Self::state(&leader.dir).join("receipts"), &origin, key)
    }

    /// Stops every daemon in an orderly way; what they wrote stays until the world is dropped.
    ///
    /// # Errors
    /// When one ended with an error.
    pub async fn shut_down(&mut self) -> Fallible<()> {
        for node in std::mem::take(&mut self.nodes).into_values() {
            node.stop().await?;
        }
        match self.coordinator.take() {
            Some(coordinator) => coordinator.stop().await,
            None => Ok(()),
        }
    }

    /// Where a party keeps what it writes.
    #[must_use]
    pub fn state(folder: &Path) -> PathBuf {
        folder.join("state")
    }
}
