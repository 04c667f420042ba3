//! Setting a coordinator up and serving.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use convenant_ledger::{LedgerSigner, MAX_DOCUMENT, Recovery, origin};
use convenant_model::{Clock, Timestamp, entry::Started};
use convenant_setup::{LedgerKeys, signing_key, verifying_key};
use convenant_store::{Books, Layout};
use convenant_transport::{ClientTls, Limits, ServerTls, SystemClock, drained, health, serve};
use convenant_wire::v1::{
    broker_server::BrokerServer, ledger_server::LedgerServer, register_server::RegisterServer,
    witness_server::WitnessServer,
};
use convenant_witness::{LedgerService, MAX_REQUEST, WitnessService};
use tokio::{net::TcpListener, sync::Semaphore};
use tonic::service::Routes;

use crate::{
    CoordinatorConfig, CoordinatorError,
    brokering::{AT_ONCE, Brokering},
    metrics::Metrics,
    nodes::Nodes,
    policy::Enrolled,
    registrar::Registrar,
    service::{BrokerService, RegisterService},
    witnessing::{self, Cosigned},
};

/// Longest that a coordinator that stops waits for its last checkpoints to be cosigned.
const FAREWELL: Duration = Duration::from_secs(2);

/// A coordinator that is set up.
pub struct Coordinator {
    config: CoordinatorConfig,
    clock: Arc<dyn Clock>,
    limits: Limits,
    registrar: Arc<Registrar>,
    server_tls: ServerTls,
    client_tls: ClientTls,
}

impl Coordinator {
    /// Reads keys, certificates and the register; an empty register begins with the founding documents.
    ///
    /// # Errors
    /// When a file is missing or not as it should be, or a document is not admitted.
    pub async fn set_up(config: CoordinatorConfig) -> Result<Self, CoordinatorError> {
        Self::set_up_at(config, Arc::new(SystemClock)).await
    }

    /// The same with another clock.
    ///
    /// # Errors
    /// When a file is missing or not as it should be, or a document is not admitted.
    pub async fn set_up_at(
        config: CoordinatorConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CoordinatorError> {
        let server_tls = ServerTls::load(config.tls.clone(), Arc::clone(&clock))?;
        let client_tls = ClientTls::load(config.tls.clone(), Arc::clone(&clock))?;
        let found = server_tls.own().oin;
        if found != config.party.oin {
            return Err(CoordinatorError::Certificate { found, configured: config.party.oin });
        }
        let key = signing_key(&config.keys.register)?;
        if *key.verifying_key() != verifying_key(&config.register.key)? {
            return Err(CoordinatorError::RegisterKey);
        }
        let signer = LedgerSigner::new(origin::register(&config.party.oin)?, key)?;
        let root = config.register.root_of_trust()?;
        let layout = Layout::with_segments_of(config.data.segment_kib);
        let place = (config.data.dir.join("register"), layout);
        let registrar = Registrar::open(place, root, signer, Arc::clone(&clock))?;
        if registrar.current().position().size == 0 {
            found_register(&registrar, &config).await?;
        }
        let registrar = Arc::new(registrar);
        let limits = Limits::default();
        Ok(Self { config, clock, limits, registrar, server_tls, client_tls })
    }

    /// Serves until `shutdown`. `listening` is told the address.
    ///
    /// # Errors
    /// When the ledger does not hold, or the address cannot be listened on. Also when a write to ledger or
    /// register ended in doubt: what supervises the daemon starts it again (docs/adr/0023).
    pub async fn run(
        self,
        listening: impl FnOnce(SocketAddr),
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), CoordinatorError> {
        let address = self.config.listen.address.clone();
        let failed = |source| CoordinatorError::Listen { address: address.clone(), source };
        let listener = TcpListener::bind(&address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let keys = LedgerKeys::open(
            self.config.party.oin.clone(),
            &self.config.keys.ledger,
            self.config.keys.next_ledger.clone(),
        )?;
        let brokering = Arc::new(self.brokering(&keys).await?);
        let (server_tls, client_tls) = (self.server_tls.clone(), self.client_tls.clone());
        let period = self.config.tls.reload_period();
        let reloaded = tokio::spawn(async move {
            tokio::join!(server_tls.reload_every(period), client_tls.reload_every(period))
        });
        let broker = BrokerServer::new(BrokerService(Arc::clone(&brokering)))
            .max_decoding_message_size(self.limits.max_query);
        let register = RegisterServer::new(RegisterService(Arc::clone(&self.registrar)))
            .max_decoding_message_size(MAX_DOCUMENT + 1024);
        let (reporter, health) = health(&self.limits);
        reporter.set_serving::<BrokerServer<BrokerService>>().await;
        let registrar = Arc::clone(&self.registrar);
        let witness = witnessing::witness(&self.config, &brokering);
        let (ledger, clock) = (brokering.books.ledger.clone(), Arc::clone(&self.clock));
        let shelf = witnessing::shelf(&self.config, Arc::clone(&registrar), ledger, clock)?;
        let period = Duration::from_secs(self.config.register.poll_seconds.max(1));
        let cosigned = Arc::new(Cosigned::new(&self.config, Arc::clone(&brokering), keys)?);
        let renewed = tokio::spawn(Arc::clone(&cosigned).renew_every(period));
        let routes = Routes::new(broker)
            .add_service(register)
            .add_service(
                WitnessServer::new(WitnessService(Arc::new(witness)))
                    .max_decoding_message_size(MAX_REQUEST),
            )
            .add_service(LedgerServer::new(LedgerService(Arc::new(shelf))))
            .add_service(health);
        let policy = Arc::new(Enrolled { registrar, clock: Arc::clone(&self.clock) });
        listening(local);
        tracing::info!(%local, "the coordinator serves");
        let (ledger, documents) = (&brokering.books.ledger, self.registrar.ledger());
        let shutdown = async {
            tokio::select! {
                () = shutdown => {}
                () = ledger.in_doubt() => {}
                () = documents.in_doubt() => {}
            }
        };
        let served = serve(listener, self.server_tls, policy, routes, self.limits, shutdown).await;
        reloaded.abort();
        renewed.abort();
        drained(&brokering.places, AT_ONCE).await;
        // So that the last entries are cosigned too, also those that nobody waits for; where no node answers, at the
        // next start.
        let _failed = brokering.books.ledger.flush().await;
        let _late = tokio::time::timeout(FAREWELL, cosigned.renew()).await;
        brokering.books.close().await;
        self.registrar.close().await;
        if ledger.is_poisoned() || documents.is_poisoned() {
            return Err(CoordinatorError::InDoubt);
        }
        Ok(served?)
    }

    async fn brokering(&self, keys: &LedgerKeys) -> Result<Brokering, CoordinatorError> {
        let own = self.config.party.oin.clone();
        let snapshot = self.registrar.current();
        let state = snapshot.register().state();
        let key = keys.at_start(state, self.clock.now());
        let signer = LedgerSigner::new(origin::coordinator(&own)?, key)?
            .after(state.enrolments_of(&own).map(|one| one.ledger_key.clone()));
        let started = |at: Timestamp, recovery: &Recovery| Started {
            party: own.clone(),
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
        Ok(Brokering {
            own,
            registrar: Arc::clone(&self.registrar),
            books,
            nodes: Nodes::new(self.client_tls.clone(), self.limits.clone()),
            clock: Arc::clone(&self.clock),
            metrics: Metrics::new(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }
}

async fn found_register(
    registrar: &Registrar,
    config: &CoordinatorConfig,
) -> Result<(), CoordinatorError> {
    for path in &config.founding.documents {
        let document = fs::read(path)
            .map_err(|source| CoordinatorError::FoundingFile { path: path.clone(), source })?;
        registrar.submit(&document).await.map_err(|source| CoordinatorError::Founding {
            path: path.clone(),
            source: Box::new(source),
        })?;
    }
    Ok(())
}
