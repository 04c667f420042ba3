//! The files of one party's TLS: certificate chain, private key, trusted roots, revocation lists.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use convenant_model::Digest;
use rustls::{RootCertStore, crypto::CryptoProvider};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use serde::Deserialize;
use thiserror::Error;

use crate::{
    files::{FileError, PemFile},
    peer::{Peer, PeerError, is_example, sha256},
};

/// Where a party's TLS files are. All are PEM and all are read again on a reload.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// This party's certificate, followed by the intermediate ones up to the root.
    pub certificate: PathBuf,
    /// Its private key (PKCS #8, SEC 1 or PKCS #1); readable by its owner only.
    pub key: PathBuf,
    /// The authorities that issue the certificates of the parties.
    pub roots: PathBuf,
    /// Their revocation lists, of the intermediate authorities as well. At least one; a chain through
    /// an authority without a list is refused.
    pub revocation_lists: Vec<PathBuf>,
    /// Whether the published example keys will do. Only ever for a demonstration.
    #[serde(default)]
    pub allow_example: bool,
    /// Seconds between looks at the files.
    #[serde(default = "reload_seconds")]
    pub reload_seconds: u64,
}

const fn reload_seconds() -> u64 {
    60
}

impl TlsFiles {
    /// How often the files are read again.
    #[must_use]
    pub fn reload_period(&self) -> Duration {
        Duration::from_secs(self.reload_seconds.max(1))
    }

    /// The error for a key that does not go with its certificate.
    pub(crate) fn pair_error(&self, source: rustls::Error) -> TlsError {
        TlsError::Pair { certificate: self.certificate.clone(), key: self.key.clone(), source }
    }
}

/// Why TLS cannot be set up from its files.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file is missing, unreadable, exposed or not what it should be.
    #[error(transparent)]
    File(#[from] FileError),
    /// An example certificate, whose private key is public.
    #[error(
        "`{}` holds an example certificate, whose private key everybody has; \
         set `allow_example` if this is a demonstration",
        path.display()
    )]
    Example {
        /// The file.
        path: PathBuf,
    },
    /// No revocation list, so that nobody would ever be told to be revoked.
    #[error("no certificate revocation list is configured")]
    NoRevocationList,
    /// This party's own certificate names no party.
    #[error("the certificate in `{}` names no party", path.display())]
    Own {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PeerError,
    },
    /// The key is not that of the certificate, or of a kind that cannot be used.
    #[error("key `{}` cannot be used with certificate `{}`", key.display(), certificate.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// A root that is no certificate of an authority.
    #[error("a root in `{}` cannot be used", path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// A revocation list that cannot be parsed.
    #[error("the revocation lists cannot be used")]
    RevocationLists {
        /// What the TLS library said.
        source: rustls::client::VerifierBuilderError,
    },
    /// TLS 1.3 is not to be had.
    #[error("TLS 1.3 cannot be configured")]
    Protocol {
        /// What the TLS library said.
        source: rustls::Error,
    },
}

/// What the files held.
pub(crate) struct Material {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) roots: Arc<RootCertStore>,
    pub(crate) revocation_lists: Vec<CertificateRevocationListDer<'static>>,
    pub(crate) own: Peer,
    /// Over every byte of every file, so that a reload tells whether anything changed.
    pub(crate) fingerprint: Digest,
}

impl Material {
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let certificate = PemFile::read(&files.certificate)?;
        let key = PemFile::read_private(&files.key)?;
        let roots = PemFile::read(&files.roots)?;
        let lists = files
            .revocation_lists
            .iter()
            .map(|path| PemFile::read(path))
            .collect::<Result<Vec<_>, _>>()?;
        if lists.is_empty() {
            return Err(TlsError::NoRevocationList);
        }

        let chain = certificate.certificates()?;
        refuse_example(files.allow_example, &files.certificate, &chain)?;
        let own = own(&files.certificate, &chain)?;
        let mut revocation_lists = Vec::new();
        for list in &lists {
            revocation_lists.extend(list.revocation_lists()?);
        }
        Ok(Self {
            chain,
            key: key.private_key()?,
            roots: root_store(&files.roots, files.allow_example, &roots)?,
            revocation_lists,
            own,
            fingerprint: fingerprint([&certificate, &key, &roots].into_iter().chain(&lists)),
        })
    }
}

/// The one cryptography provider of this project.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn own(path: &Path, chain: &[CertificateDer<'_>]) -> Result<Peer, TlsError> {
    let leaf = chain.first().map(AsRef::as_ref).unwrap_or_default();
    Peer::of(leaf).map_err(|source| TlsError::Own { path: path.to_owned(), source })
}

pub(crate) fn root_store(
    path: &Path,
    allow_example: bool,
    roots: &PemFile,
) -> Result<Arc<RootCertStore>, TlsError> {
    let certificates = roots.certificates()?;
    // Whoever trusts the example authority trusts everybody: its private key is public.
    refuse_example(allow_example, path, &certificates)?;
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store
            .add(certificate)
            .map_err(|source| TlsError::Root { path: path.to_owned(), source })?;
    }
    Ok(Arc::new(store))
}

pub(crate) fn refuse_example(
    allow_example: bool,
    path: &Path,
    certificates: &[CertificateDer<'_>],
) -> Result<(), TlsError> {
    if allow_example || !certificates.iter().any(|certificate| is_example(certificate)) {
        return Ok(());
    }
    Err(TlsError::Example { path: path.to_owned() })
}

fn fingerprint<'a>(files: impl Iterator<Item = &'a PemFile>) -> Digest {
    let digests: Vec<u8> = files.flat_map(|file| *sha256(file.bytes()).as_bytes()).collect();
    sha256(&digests)
}
