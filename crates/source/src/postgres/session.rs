//! Connections: a few idle ones are kept, each query has a read-only transaction of its own on one.
//!
//! This is a client of the partner's own database, on the partner's own network. Its TLS is apart from
//! that between the parties (`transport`), with roots of its own.

use std::{
    error::Error as _,
    io,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use convenant_model::DatasetId;
use rustls::{ClientConfig, RootCertStore, crypto::ring, version::TLS13};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::task::JoinHandle;
use tokio_postgres::{
    CancelToken, Client, Error, IsolationLevel, NoTls, Transaction,
    config::{Config, SslMode},
    error::SqlState,
};
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

use crate::{PostgresConfig, error::SourceError};

/// Most idle connections that are kept.
const IDLE: usize = 4;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A database, and the idle connections to it.
pub(super) struct Server {
    dataset: DatasetId,
    config: PostgresConfig,
    idle: Mutex<Vec<Session>>,
}

/// One connection.
pub(super) struct Session {
    client: Client,
    connection: JoinHandle<()>,
}

/// Dropping a session closes its connection at once, and with it whatever was still going on.
impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Session {
    fn new<S, T>(client: Client, connection: tokio_postgres::Connection<S, T>) -> Self
    where
        tokio_postgres::Connection<S, T>: Future + Send + 'static,
    {
        // Its faults reach the client too, where they are reported.
        let connection = tokio::spawn(async move {
            connection.await;
        });
        Self { client, connection }
    }

    pub(super) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }
}

impl Server {
    pub(super) const fn new(dataset: DatasetId, config: PostgresConfig) -> Self {
        Self { dataset, config, idle: Mutex::new(Vec::new()) }
    }

    pub(super) const fn config(&self) -> &PostgresConfig {
        &self.config
    }

    /// An idle connection, or a new one.
    pub(super) async fn session(&self) -> Result<Session, SourceError> {
        loop {
            let idle = self.idle().pop();
            match idle {
                Some(session) if session.client.is_closed() => {}
                Some(session) => return Ok(session),
                None => return self.connect().await,
            }
        }
    }

    /// Keeps a session whose last transaction ended well.
    pub(super) fn give_back(&self, session: Session) {
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(session);
        }
    }

    /// A transaction that can write nothing, sees one state of the database, and whose statements end
    /// in time. Names that we do not qualify (functions, operators, types) are PostgreSQL's own.
    pub(super) async fn begin<'a>(
        &self,
        session: &'a mut Session,
    ) -> Result<Transaction<'a>, SourceError> {
        let begun = session
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await;
        let transaction = begun.map_err(|error| self.failed(&error))?;
        let settings = format!(
            "SET LOCAL statement_timeout = {}; \
             SET LOCAL search_path = pg_catalog; \
             SET LOCAL datestyle = 'ISO'",
            u64::from(self.config.statement_seconds) * 1000,
        );
        let set = transaction.batch_execute(&settings).await;
        set.map_err(|error| self.failed(&error))?;
        Ok(transaction)
    }

    /// Asks the server to stop what a session is doing. Where that fails, the statement's time-out
    /// stops it.
    pub(super) async fn cancel(&self, token: CancelToken) {
        let cancelled = match self.tls().await {
            Ok(Some(tls)) => token.cancel_query(tls).await,
            Ok(None) => token.cancel_query(NoTls).await,
            Err(_) => return,
        };
        if let Err(error) = cancelled {
            tracing::debug!(dataset = %self.dataset, fault = fault(&error), "cannot cancel");
        }
    }

    /// What a failing statement becomes. The server's message stays here: it may quote a row.
    pub(super) fn failed(&self, error: &Error) -> SourceError {
        let dataset = self.dataset.clone();
        match error.code() {
            Some(&SqlState::QUERY_CANCELED) => {
                SourceError::Timeout { dataset, seconds: self.config.statement_seconds }
            }
            Some(code) => {
                SourceError::Database { dataset, fault: format!("SQLSTATE {}", code.code()) }
            }
            None => SourceError::Database { dataset, fault: fault(error) },
        }
    }

    async fn connect(&self) -> Result<Session, SourceError> {
        let config = &self.config;
        let mut settings = Config::new();
        settings
            .host(&config.host)
            .port(config.port)
            .dbname(&config.database)
            .user(&config.user)
            .application_name("convenant")
            .connect_timeout(CONNECT);
        if let Some(path) = &config.password_file {
            settings.password(self.password(path).await?.as_bytes());
        }
        let connected = match self.tls().await? {
            Some(tls) => {
                settings.ssl_mode(SslMode::Require);
                let connected = settings.connect(tls).await;
                connected.map(|(client, connection)| Session::new(client, connection))
            }
            None => {
                settings.ssl_mode(SslMode::Disable);
                let connected = settings.connect(NoTls).await;
                connected.map(|(client, connection)| Session::new(client, connection))
            }
        };
        connected.map_err(|error| SourceError::Connect {
            dataset: self.dataset.clone(),
            host: config.host.clone(),
            port: config.port,
            fault: fault(&error),
        })
    }

    async fn password(&self, path: &Path) -> Result<Zeroizing<String>, SourceError> {
        let read = tokio::fs::read_to_string(path).await.map(Zeroizing::new);
        let text = read.map_err(|error| self.setting(path, error.to_string()))?;
        Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// TLS 1.3 with the configured roots; `None` where none are configured.
    async fn tls(&self) -> Result<Option<MakeRustlsConnect>, SourceError> {
        let Some(path) = &self.config.tls_roots else {
            return Ok(None);
        };
        let pem = tokio::fs::read(path).await;
        let pem = pem.map_err(|error| self.setting(path, error.to_string()))?;
        let config = client_config(&pem).map_err(|fault| self.setting(path, fault))?;
        Ok(Some(MakeRustlsConnect::new(config)))
    }

    fn setting(&self, path: &Path, fault: String) -> SourceError {
        SourceError::Setting { dataset: self.dataset.clone(), path: path.to_owned(), fault }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn client_config(pem: &[u8]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    let provider = std::sync::Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// What went wrong with a connection: the server's words about role, password or database, or the
/// fault of the network or of TLS. None of these quotes a row.
fn fault(error: &Error) -> String {
    if let Some(refused) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", refused.message(), refused.code().code());
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return io.to_string();
        }
        cause = inner.source();
    }
    error.to_string()
}
