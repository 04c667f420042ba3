//! The client's side of TLS.

use std::{fmt, sync::Arc, time::Duration};

use convenant_model::{Clock, Digest};
use rustls::{
    ClientConfig,
    client::{Resumption, WebPkiServerVerifier, danger::ServerCertVerifier as _},
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, ServerName};

use crate::{
    CertificateFault, Peer,
    material::{Material, TlsError, TlsFiles, provider},
    reload::{Reload, Reloadable},
    system::TlsClock,
};

/// TLS 1.3 with this party's certificate, towards servers whose certificates are held against
/// revocation lists as well. Cheap to clone; a reload is seen by all clones.
#[derive(Clone)]
pub struct ClientTls(Arc<Reloadable<ClientState>>);

impl ClientTls {
    /// Reads the files. `clock` is what validity and revocation are held against.
    ///
    /// # Errors
    /// When a file is missing, exposed, unusable or an example.
    pub fn load(files: TlsFiles, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        Reloadable::load(files, clock, build).map(Self)
    }

    /// The party that this client is, by its own certificate.
    #[must_use]
    pub fn own(&self) -> Peer {
        self.0.current().own.clone()
    }

    /// Reads the files again; blocks on the file system.
    ///
    /// # Errors
    /// As [`ClientTls::load`]; what was loaded before stays in use.
    pub fn reload(&self) -> Result<Reload, TlsError> {
        self.0.reload()
    }

    /// Reads the files again each `period`, for ever, and logs what came of it.
    pub async fn reload_every(&self, period: Duration) {
        Arc::clone(&self.0).reload_every(period).await;
    }

    /// Over the files that are loaded.
    pub(crate) fn fingerprint(&self) -> Digest {
        self.0.fingerprint()
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0.current().config)
    }

    /// Ends when a reload makes the server's certificate unacceptable.
    pub(crate) async fn until_unacceptable(
        self,
        chain: Vec<CertificateDer<'static>>,
        name: ServerName<'static>,
    ) {
        let mut changes = self.0.changes();
        loop {
            if let Err(fault) = self.0.current().verify(&chain, &name, self.0.clock()) {
                tracing::warn!(%fault, "the connection to a server is cut");
                return;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").field("own", &self.own()).finish_non_exhaustive()
    }
}

/// One load of the client's files.
struct ClientState {
    config: Arc<ClientConfig>,
    verifier: Arc<WebPkiServerVerifier>,
    own: Peer,
}

impl ClientState {
    fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        clock: &dyn Clock,
    ) -> Result<(), CertificateFault> {
        let (leaf, intermediates) = chain.split_first().ok_or(CertificateFault::Invalid)?;
        self.verifier
            .verify_server_cert(leaf, intermediates, name, &[], TlsClock::unix_time(clock))
            .map(|_| ())
            .map_err(|error| CertificateFault::of(&error).unwrap_or(CertificateFault::Invalid))
    }
}

fn build(
    files: &TlsFiles,
    material: Material,
    clock: &Arc<dyn Clock>,
) -> Result<ClientState, TlsError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(material.roots, provider())
        .with_crls(material.revocation_lists)
        .enforce_revocation_expiration()
        .build()
        .map_err(|source| TlsError::RevocationLists { source })?;
    let time = Arc::new(TlsClock(Arc::clone(clock)));
    let mut config = ClientConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&TLS13])
        .map_err(|source| TlsError::Protocol { source })?
        .with_webpki_verifier(Arc::clone(&verifier))
        .with_client_auth_cert(material.chain, material.key)
        .map_err(|source| files.pair_error(source))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(ClientState { config: Arc::new(config), verifier, own: material.own })
}
