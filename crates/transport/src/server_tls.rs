//! The server's side of TLS.

use std::{fmt, sync::Arc, time::Duration};

use convenant_model::{Clock, Digest};
use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::TLS13,
};
use rustls_pki_types::CertificateDer;

use crate::{
    CertificateFault, Peer,
    material::{Material, TlsError, TlsFiles, provider},
    reload::{Reload, Reloadable},
    system::TlsClock,
};

/// TLS 1.3 with client certificates and revocation lists that must be up to date. Cheap to clone;
/// a reload is seen by all clones.
#[derive(Clone)]
pub struct ServerTls(Arc<Reloadable<ServerState>>);

impl ServerTls {
    /// Reads the files. `clock` is what validity and revocation are held against.
    ///
    /// # Errors
    /// When a file is missing, exposed, unusable or an example.
    pub fn load(files: TlsFiles, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        Reloadable::load(files, clock, build).map(Self)
    }

    /// The party that this server is, by its own certificate.
    #[must_use]
    pub fn own(&self) -> Peer {
        self.0.current().own.clone()
    }

    /// Reads the files again; blocks on the file system.
    ///
    /// # Errors
    /// As [`ServerTls::load`]; what was loaded before stays in use.
    pub fn reload(&self) -> Result<Reload, TlsError> {
        self.0.reload()
    }

    /// Reads the files again each `period`, for ever, and logs what came of it.
    pub async fn reload_every(&self, period: Duration) {
        Arc::clone(&self.0).reload_every(period).await;
    }

    pub(crate) fn current(&self) -> Arc<ServerState> {
        self.0.current()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.0.clock()
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("own", &self.own()).finish_non_exhaustive()
    }
}

/// One load of the server's files.
pub(crate) struct ServerState {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) fingerprint: Digest,
    verifier: Arc<dyn ClientCertVerifier>,
    own: Peer,
}

impl ServerState {
    /// Verifies a client's chain, as the handshake does.
    pub(crate) fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        clock: &dyn Clock,
    ) -> Result<(), CertificateFault> {
        let (leaf, intermediates) = chain.split_first().ok_or(CertificateFault::Invalid)?;
        self.verifier
            .verify_client_cert(leaf, intermediates, TlsClock::unix_time(clock))
            .map(|_| ())
            .map_err(|error| CertificateFault::of(&error).unwrap_or(CertificateFault::Invalid))
    }
}

fn build(
    files: &TlsFiles,
    material: Material,
    clock: &Arc<dyn Clock>,
) -> Result<ServerState, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(material.roots, provider())
        .with_crls(material.revocation_lists)
        .enforce_revocation_expiration()
        .build()
        .map_err(|source| TlsError::RevocationLists { source })?;
    let time = Arc::new(TlsClock(Arc::clone(clock)));
    let mut config = ServerConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&TLS13])
        .map_err(|source| TlsError::Protocol { source })?
        .with_client_cert_verifier(Arc::clone(&verifier))
        .with_single_cert(material.chain, material.key)
        .map_err(|source| files.pair_error(source))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A resumed session would skip the check of the certificate.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(ServerState {
        config: Arc::new(config),
        fingerprint: material.fingerprint,
        verifier,
        own: material.own,
    })
}
