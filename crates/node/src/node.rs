//! Setting a node up, checking it and serving.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use convenant_ledger::{LedgerSigner, LedgerVerifier, Recovery, origin};
use convenant_model::{Clock, Timestamp, entry::Started};
use convenant_register::{FollowError, Follower};
use convenant_setup::{pseudonym_key, sealing_key, verifying_key};
use convenant_signing::SystemRandom;
use convenant_store::{Books, Layout};
use convenant_subjects::Subjects;
use convenant_transport::{
    ClientTls, Expected, Limits, Line, ServerTls, SystemClock, drained, explain, health, serve,
};
use convenant_wire::v1::{
    exchange_server::ExchangeServer, ledger_server::LedgerServer, witness_server::WitnessServer,
};
use convenant_witness::{LedgerService, MAX_REQUEST, WitnessService};
use tokio::{net::TcpListener, sync::Semaphore};
use tonic::service::Routes;

use crate::{
    NodeConfig, NodeError,
    answering::{AT_ONCE, Answering},
    datasets::{Datasets, Exposed},
    keyring::Keyring,
    logbook::Logbook,
    metrics::Metrics,
    policy::Admitted,
    service::ExchangeService,
    witnessing::{self, Cosigned},
};

/// Longest that a node that stops waits for its last checkpoint to be cosigned.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often a first copy of the register is asked for.
const RETRY: Duration = Duration::from_secs(1);

/// A node that is set up.
pub struct Node {
    config: NodeConfig,
    clock: Arc<dyn Clock>,
    limits: Limits,
    follower: Arc<Follower>,
    coordinator: Line,
    expected: Expected,
    server_tls: ServerTls,
    client_tls: ClientTls,
}

impl Node {
    /// Reads keys, certificates and the copy of the register.
    ///
    /// # Errors
    /// When a file is missing or not as it should be.
    pub fn set_up(config: NodeConfig) -> Result<Self, NodeError> {
        Self::set_up_at(config, Arc::new(SystemClock))
    }

    /// The same with another clock.
    ///
    /// # Errors
    /// When a file is missing or not as it should be.
    pub fn set_up_at(config: NodeConfig, clock: Arc<dyn Clock>) -> Result<Self, NodeError> {
        let server_tls = ServerTls::load(config.tls.clone(), Arc::clone(&clock))?;
        let client_tls = ClientTls::load(config.tls.clone(), Arc::clone(&clock))?;
        let found = server_tls.own().oin;
        if found != config.party.oin {
            return Err(NodeError::Certificate { found, configured: config.party.oin });
        }
        if let Some(ldv) = &config.ldv {
            ldv.check(Arc::clone(&clock))?;
            config.subjects.as_ref().ok_or(NodeError::LdvOfNobody)?;
        }
        let key = verifying_key(&config.register.key)?;
        let verifier = LedgerVerifier::new(origin::register(&config.coordinator.oin)?, key)?;
        let root = config.register.root_of_trust()?;
        let follower = Follower::open(config.data.dir.join("register"), root, verifier)?;
        let limits = Limits::default();
        let expected = Expected {
            oin: config.coordinator.oin.clone(),
            pins: config.coordinator.pins.iter().copied().collect(),
        };
        let coordinator =
            Line::new(expected.clone(), &config.coordinator.address, client_tls.clone(), &limits)?;
        let follower = Arc::new(follower);
        Ok(Self { config, clock, limits, follower, coordinator, expected, server_tls, client_tls })
    }

    /// Checks the address and the sources, these against the covenant, and tells what would be given out, to whom
    /// and on which basis. Serves nothing.
    ///
    /// # Errors
    /// When the register cannot be had, a source is not as the covenant needs it, or the address is none.
    pub async fn check(&self) -> Result<Vec<Exposed>, NodeError> {
        let address = &self.config.listen.address;
        let none = |source| NodeError::Listen { address: address.clone(), source };
        let _addresses = tokio::net::lookup_host(address).await.map_err(none)?;
        if let Err(error) = self.follower.refresh(self.coordinator.channel()).await {
            // With a copy from before, the check still says something.
            if self.follower.current().rules().is_none() {
                return Err(error.into());
            }
            tracing::warn!(%error, "the register could not be refreshed; checked with the copy");
        }
        let datasets = self.bind().await?;
        Ok(datasets.exposed(self.follower.current().register(), &self.config.party.oin))
    }

    /// Serves until `shutdown`. `listening` is told the address once queries are taken.
    ///
    /// # Errors
    /// When a source is not as the covenant needs it, the ledger does not hold, or the address cannot
    /// be listened on. Also when a write to the ledger ended in doubt: what supervises the daemon starts it
    /// again (docs/adr/0023).
    pub async fn run(
        self,
        listening: impl FnOnce(std::net::SocketAddr),
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), NodeError> {
        let address = self.config.listen.address.clone();
        let failed = |source| NodeError::Listen { address: address.clone(), source };
        let listener = TcpListener::bind(&address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        tokio::pin!(shutdown);
        // First of all: a node that cannot record has nothing to wait for.
        let keyring = Keyring::open(self.config.party.oin.clone(), self.config.keys.clone())?;
        let books = self.books(&keyring).await?;
        let subjects = self.subjects()?;
        let clock = Arc::clone(&self.clock);
        let logbook = Logbook::start(&self.config, &books.ledger, subjects.as_ref(), clock)?;
        let datasets = tokio::select! {
            datasets = self.bind_when_possible() => datasets?,
            () = &mut shutdown => {
                close(&books, subjects.as_ref(), logbook).await;
                return Ok(());
            }
        };
        let subjects = (subjects, logbook.as_ref());
        let answering = Arc::new(self.answering(keyring, books, subjects, datasets));
        let (config, follower) = (&self.config, || Arc::clone(&self.follower));
        let ledger = || answering.books.ledger.clone();
        let cosigned = Cosigned::new(
            config,
            follower(),
            ledger(),
            self.coordinator.clone(),
            Arc::clone(&self.clock),
        )?;
        let cosigned = Arc::new(cosigned);
        let witness = witnessing::witness(config, follower(), ledger(), Arc::clone(&self.clock))?;
        let shelf = witnessing::shelf(config, follower(), ledger(), Arc::clone(&self.clock))?;
        let followed = tokio::spawn(keep_up(
            Arc::clone(&answering),
            Arc::clone(&cosigned),
            self.config.clone(),
            Duration::from_secs(self.config.register.poll_seconds.max(1)),
        ));
        let (server_tls, client_tls) = (self.server_tls.clone(), self.client_tls.clone());
        let period = self.config.tls.reload_period();
        let reloaded = tokio::spawn(async move {
            tokio::join!(server_tls.reload_every(period), client_tls.reload_every(period))
        });
        let service = ExchangeServer::new(ExchangeService(Arc::clone(&answering)))
            .max_decoding_message_size(self.limits.max_query);
        let (reporter, health) = health(&self.limits);
        reporter.set_serving::<ExchangeServer<ExchangeService>>().await;
        let routes = Routes::new(service)
            .add_service(
                WitnessServer::new(WitnessService(Arc::new(witness)))
                    .max_decoding_message_size(MAX_REQUEST),
            )
            .add_service(LedgerServer::new(LedgerService(Arc::new(shelf))))
            .add_service(health);
        let policy = Arc::new(Admitted {
            coordinator: self.expected,
            follower: self.follower,
            clock: self.clock,
        });
        listening(local);
        tracing::info!(%local, "the node serves");
        let shutdown = async {
            tokio::select! {
                () = &mut shutdown => {}
                () = answering.in_doubt() => {}
            }
        };
        let served = serve(listener, self.server_tls, policy, routes, self.limits, shutdown).await;
        followed.abort();
        reloaded.abort();
        drained(&answering.places, AT_ONCE).await;
        // So that the last entries are cosigned too, also those that nobody waits for; where nobody answers, at the
        // next start.
        let _failed = answering.books.ledger.flush().await;
        let _late = tokio::time::timeout(FAREWELL, cosigned.renew()).await;
        close(&answering.books, answering.subjects.as_ref(), logbook).await;
        if answering.is_in_doubt() {
            return Err(NodeError::InDoubt);
        }
        Ok(served?)
    }

    async fn books(&self, keyring: &Keyring) -> Result<Books, NodeError> {
        let party = self.config.party.oin.clone();
        let snapshot = self.follower.current();
        let state = snapshot.register().state();
        let key = keyring.ledger.at_start(state, self.clock.now());
        let signer = LedgerSigner::new(origin::node(&party)?, key)?
            .after(state.enrolments_of(&party).map(|one| one.ledger_key.clone()));
        let started = |at: Timestamp, recovery: &Recovery| Started {
            party: party.clone(),
            at,
            software: concat!("convenant ", env!("CARGO_PKG_VERSION")).to_owned(),
            torn_bytes: recovery.torn_bytes,
        };
        let clock = Arc::clone(&self.clock);
        let data = &self.config.data;
        let place = (data.dir.as_path(), Layout::with_segments_of(data.segment_kib));
        let (books, recovery) = Books::open(place, signer, clock, started).await?;
        if recovery.torn_bytes > 0 {
            tracing::warn!(bytes = recovery.torn_bytes, "an incomplete last entry was cut off");
        }
        Ok(books)
    }

    /// Opens the account of whom answers are about.
    fn subjects(&self) -> Result<Option<Subjects>, NodeError> {
        let Some(keys) = &self.config.subjects else {
            tracing::warn!(
                "no `[subjects]` in the configuration: nobody can be told which answers were about them \
                 (AVG art. 15)"
            );
            return Ok(None);
        };
        let keys = (pseudonym_key(&keys.pseudonym_key)?, sealing_key(&keys.seal_to)?);
        let party = self.config.party.oin.clone();
        let (subjects, torn_bytes) = Subjects::open(&self.config.subjects_folder(), party, keys)?;
        if torn_bytes > 0 {
            tracing::warn!(bytes = torn_bytes, "an incomplete last record of subjects was cut off");
        }
        Ok(Some(subjects))
    }

    fn answering(
        &self,
        keyring: Keyring,
        books: Books,
        (subjects, logbook): (Option<Subjects>, Option<&Logbook>),
        datasets: Datasets,
    ) -> Answering {
        Answering {
            broker: self.config.coordinator.oin.clone(),
            keyring,
            party: self.config.party.oin.clone(),
            follower: Arc::clone(&self.follower),
            coordinator: self.coordinator.clone(),
            books,
            subjects,
            logbook: logbook.map(Logbook::gate),
            datasets: ArcSwapOption::from_pointee(datasets),
            clock: Arc::clone(&self.clock),
            random: SystemRandom::new(),
            metrics: Metrics::new(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            turned_away: std::sync::Mutex::default(),
        }
    }

    /// Waits for a register with a covenant, which a new node does not have yet.
    async fn bind_when_possible(&self) -> Result<Datasets, NodeError> {
        let mut told = None;
        loop {
            let refreshed = self.follower.refresh(self.coordinator.channel()).await;
            if self.follower.current().rules().is_some() {
                return self.bind().await;
            }
            let why = match refreshed {
                Ok(_) => "it holds none yet".to_owned(),
                Err(FollowError::Unavailable(status)) => explain(&status).to_string(),
                Err(unfinished @ FollowError::Unfinished { .. }) => unfinished.to_string(),
                Err(error) => return Err(error.into()),
            };
            // Each reason once: whoever named the wrong coordinator, or pin, is told so.
            if told.as_ref() != Some(&why) {
                tracing::warn!(why, "waiting for a register that holds a covenant");
                told = Some(why);
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn bind(&self) -> Result<Datasets, NodeError> {
        bind(&self.follower, &self.config).await
    }
}

async fn close(books: &Books, subjects: Option<&Subjects>, logbook: Option<Logbook>) {
    // It reads both others.
    if let Some(logbook) = logbook {
        logbook.stop().await;
    }
    if let Some(subjects) = subjects {
        subjects.journal().close().await;
    }
    books.close().await;
}

async fn bind(follower: &Follower, config: &NodeConfig) -> Result<Datasets, NodeError> {
    let snapshot = follower.current();
    let covenant = snapshot.register().state().covenant().ok_or(NodeError::NoCovenant)?;
    let (covenant, hash) = (&covenant.covenant, covenant.hash);
    Datasets::bind(covenant, hash, &config.dataset, config.subjects.is_some()).await
}

/// Follows the register, and binds the datasets anew when the covenant changes. While that fails,
/// nothing is served: the binding to the former covenant says nothing about the present one.
/// Each time the coordinator is asked to cosign the ledger as well.
async fn keep_up(
    answering: Arc<Answering>,
    cosigned: Arc<Cosigned>,
    config: NodeConfig,
    period: Duration,
) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut fits = true;
    loop {
        ticks.tick().await;
        let refreshed = answering.follower.refresh(answering.coordinator.channel()).await;
        if let Err(error) = refreshed {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "the register could not be refreshed");
        }
        cosigned.renew().await;
        cosigned.rotate(&answering.keyring.ledger).await;
        let snapshot = answering.follower.current();
        let fitted =
            std::mem::replace(&mut fits, answering.keyring.fits(snapshot.register().state()));
        if fitted && !fits {
            tracing::error!(
                "the register enrols a key that this node does not have: its answers are refused"
            );
        }
        let wanted = snapshot.register().state().covenant().map(|covenant| covenant.hash);
        let bound = answering.datasets.load().as_ref().map(|datasets| datasets.covenant());
        if wanted == bound {
            continue;
        }
        match bind(&answering.follower, &config).await {
            Ok(datasets) => answering.datasets.store(Some(Arc::new(datasets))),
            Err(error) => {
                tracing::error!(%error, "the sources do not fit the covenant in force; nothing is served");
                answering.datasets.store(None);
            }
        }
    }
}
