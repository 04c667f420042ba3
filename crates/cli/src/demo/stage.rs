//! The running federation: daemons that were started from their own files, and the leader's client.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use convenant_client::{Client, ClientConfig, ClientError, TargetResult};
use convenant_coordinator::{Coordinator, CoordinatorConfig};
use convenant_demo::{Federation, Party};
use convenant_model::Oin;
use convenant_node::{Node, NodeConfig};
use convenant_wire::v1::{SubmitRequest, register_client::RegisterClient};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use super::ask::Composed;

/// Longest that a daemon may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest that an answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// A federation that runs.
pub(super) struct Stage {
    pub(super) federation: Federation,
    pub(super) client: Client,
    daemons: Vec<Daemon>,
    asked: AtomicU32,
}

struct Daemon {
    name: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<()>>,
}

type Listening = oneshot::Sender<SocketAddr>;
type Stop = oneshot::Receiver<()>;

impl Stage {
    /// Starts the coordinator, every node and the leader's client, from what is on disk. Where that fails, nothing runs.
    pub(super) async fn start(federation: Federation) -> Result<Self> {
        let mut daemons = Vec::new();
        match Self::begin(&federation, &mut daemons).await {
            Ok(client) => Ok(Self { federation, client, daemons, asked: AtomicU32::new(0) }),
            Err(error) => {
                // Why it did not start says more than how the others ended.
                let _ended = end(daemons).await;
                Err(error)
            }
        }
    }

    async fn begin(federation: &Federation, daemons: &mut Vec<Daemon>) -> Result<Client> {
        let config: CoordinatorConfig = convenant_setup::load(&federation.coordinator.config)?;
        let coordinator = Coordinator::set_up(config).await?;
        let run = |listening: Listening, stop: Stop| async move {
            Ok(coordinator.run(announce(listening), stopped(stop)).await?)
        };
        Daemon::start(daemons, "coordinator", run).await?;
        for party in federation.partners.iter().filter(|party| party.address.is_some()) {
            start_node(daemons, party).await?;
        }
        let config: ClientConfig = convenant_setup::load(&federation.leader.config)?;
        let client = Client::open(&config).await?;
        if let Err(error) = client.refresh().await {
            client.close().await;
            return Err(error.into());
        }
        Ok(client)
    }

    /// Submits the projects' documents to the register as the leader.
    pub(super) async fn submit(&self) -> Result<()> {
        std::fs::create_dir_all(self.answers())?;
        let mut register = RegisterClient::new(self.client.channel());
        for document in &self.federation.documents {
            if document.founds() {
                // The coordinator's register began with these.
                continue;
            }
            let request = SubmitRequest { document: document.jws.to_json().into() };
            let submitted = register.submit(request).await;
            submitted.with_context(|| format!("`{}` is not admitted", document.name))?;
        }
        self.client.refresh().await?;
        Ok(())
    }

    /// The partner with this short name.
    pub(super) fn partner(&self, name: &str) -> Result<&Party> {
        self.federation.partner(name).with_context(|| format!("there is no partner `{name}`"))
    }

    /// The name of a partner, for people.
    pub(super) fn title(&self, oin: &Oin) -> String {
        let partner = self.federation.partners.iter().find(|party| party.oin == *oin);
        partner.map_or_else(|| oin.to_string(), |party| party.title.clone())
    }

    /// Sends a query as the leader; each answer becomes a file of its own.
    pub(super) async fn send(&self, composed: &Composed) -> Result<Vec<TargetResult>, ClientError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = self.answers();
        let path = |target: usize, _: &_| folder.join(format!("{number:02}-{}.csv", target + 1));
        self.client.send(composed, ANSWER, path).await
    }

    /// Where the leader's answers stand.
    pub(super) fn answers(&self) -> PathBuf {
        self.federation.leader.dir.join("answers")
    }

    /// Stops the client and every daemon, and waits until their ledgers are closed: nothing writes any more.
    pub(super) async fn strike(self) -> Result<Federation> {
        self.client.close().await;
        end(self.daemons).await?;
        Ok(self.federation)
    }
}

/// Stops all, the coordinator last. The first that did not end well is told of once all have ended.
async fn end(daemons: Vec<Daemon>) -> Result<()> {
    let mut ended = Ok(());
    for daemon in daemons.into_iter().rev() {
        ended = ended.and(daemon.end().await);
    }
    ended
}

async fn start_node(daemons: &mut Vec<Daemon>, party: &Party) -> Result<()> {
    let config: NodeConfig = convenant_setup::load(&party.config)?;
    let node = Node::set_up(config)?;
    let run = |listening: Listening, stop: Stop| async move {
        Ok(node.run(announce(listening), stopped(stop)).await?)
    };
    Daemon::start(daemons, &party.name, run).await
}

/// Passes the address on; whoever waited for it may be gone.
fn announce(listening: Listening) -> impl FnOnce(SocketAddr) + Send {
    move |address| {
        let _ = listening.send(address);
    }
}

/// Ends when it is told to, or when nobody is left to tell.
async fn stopped(stop: Stop) {
    drop(stop.await);
}

impl Daemon {
    /// Starts a daemon, which is among `daemons` from then on, and waits until it listens.
    async fn start<R>(
        daemons: &mut Vec<Self>,
        name: &str,
        run: impl FnOnce(Listening, Stop) -> R,
    ) -> Result<()>
    where
        R: Future<Output = Result<()>> + Send + 'static,
    {
        let (listening, listens) = oneshot::channel();
        let (stop, told) = oneshot::channel();
        let task = tokio::spawn(run(listening, told));
        match timeout(PATIENCE, listens).await {
            // It has ended by itself.
            Ok(Err(_)) => match task.await? {
                Ok(()) => bail!("{name} stopped before it listened"),
                Err(error) => Err(error.context(format!("{name} did not start"))),
            },
            listens => {
                daemons.push(Self { name: name.to_owned(), stop, task });
                listens.with_context(|| format!("{name} did not listen within {PATIENCE:?}"))??;
                Ok(())
            }
        }
    }

    async fn end(self) -> Result<()> {
        drop(self.stop);
        let ended = timeout(PATIENCE, self.task).await;
        let ended = ended.map_err(|_| anyhow!("{} did not stop in time", self.name))?;
        ended?.with_context(|| format!("{} did not stop well", self.name))
    }
}
