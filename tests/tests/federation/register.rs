//! Copies of the register: how a party comes by one in parts, what it refuses, and what it does while the
//! coordinator is away.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use convenant_ledger::{LedgerVerifier, origin};
use convenant_model::{Clock as _, query::RegisterPosition};
use convenant_register::{FollowError, Follower, Limits, Snapshot};
use convenant_signing::Jws;
use convenant_testkit::{HostileCoordinator, Plan, Shown, World};
use tonic::transport::Channel;

mod away;
mod catching_up;
mod crashes;
mod hostile;

/// A coordinator in hostile hands, and the documents that it was given before.
struct Turned {
    world: World,
    coordinator: HostileCoordinator,
    documents: Vec<Vec<u8>>,
}

impl Turned {
    async fn start() -> Self {
        let mut world = World::start(&Plan::nodes(&[])).await.unwrap();
        let coordinator = world.turn_coordinator().await.unwrap();
        let documents = coordinator.register();
        Self { world, coordinator, documents }
    }

    fn first(&self, size: usize) -> Vec<Vec<u8>> {
        self.documents[..size].to_vec()
    }

    fn size(&self) -> u64 {
        self.documents.len() as u64
    }

    /// Shows the whole register, as an honest coordinator would.
    fn show_all(&self) {
        self.coordinator.show(Shown::all_of(self.documents.clone()));
    }

    /// Index of a document with which its neighbour can trade places.
    fn swappable(&self) -> usize {
        let attests =
            |document: &Vec<u8>| Jws::parse(document).unwrap().typ().contains("attestation");
        self.documents.windows(2).position(|pair| pair.iter().all(attests)).unwrap()
    }

    fn copy(&self, name: &str) -> Copy {
        self.try_copy(name).unwrap()
    }

    fn try_copy(&self, name: &str) -> Result<Copy, FollowError> {
        let federation = &self.world.federation;
        let origin = origin::register(&federation.coordinator.oin).unwrap();
        let key = federation.register_key.verifying_key().clone();
        let verifier = LedgerVerifier::new(origin, key).unwrap();
        let dir = self.world.path(name);
        let follower = Follower::open(dir.clone(), federation.root_of_trust(), verifier)?;
        let channel = self.world.to_coordinator(&self.world.leader()).unwrap();
        Ok(Copy { dir, channel, follower })
    }
}

/// A party's copy in a folder of its own.
struct Copy {
    dir: PathBuf,
    channel: Channel,
    follower: Follower,
}

impl Copy {
    fn within(mut self, limits: Limits) -> Self {
        self.follower = self.follower.within(limits);
        self
    }

    async fn refresh(&self) -> Result<Arc<Snapshot>, FollowError> {
        self.follower.refresh(self.channel.clone()).await
    }

    fn size(&self) -> u64 {
        self.position().size
    }

    fn position(&self) -> RegisterPosition {
        self.follower.current().position()
    }

    /// The same folder after the party started again.
    fn restarted(self, turned: &Turned) -> Self {
        let name = self.dir.file_name().unwrap().to_str().unwrap().to_owned();
        drop(self);
        turned.copy(&name)
    }

    /// Names and bytes of what was agreed on.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.names("documents");
        files.extend(fs::read(self.dir.join("checkpoint")).map(|note| ("checkpoint".into(), note)));
        files
    }

    /// Names and bytes of what came and was not agreed on.
    fn incoming(&self) -> BTreeMap<String, Vec<u8>> {
        self.names("incoming")
    }

    fn names(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let Ok(files) = fs::read_dir(self.dir.join(folder)) else { return BTreeMap::new() };
        let file = |file: Result<fs::DirEntry, _>| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&path).unwrap())
        };
        files.map(file).collect()
    }

    fn is_trusted(&self, turned: &Turned) -> bool {
        let now = turned.world.clock.now();
        self.follower.current().trusted(now).is_ok()
    }
}
