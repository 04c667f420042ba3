//! A certificate with its key, as one party shows it to another.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use convenant_demo::{
    Party,
    pki::{Issued, Pki},
};
use convenant_model::{Clock, Digest, Oin};
use convenant_transport::{ClientTls, Expected, Limits, TlsFiles, connect};
use tonic::transport::Channel;

use crate::Fallible;

/// A certificate and key in files, with the authorities and revocation lists that its holder trusts.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The files.
    pub files: TlsFiles,
}

impl Identity {
    /// Writes a certificate and its key into a folder of their own. The holder trusts the authority
    /// of `trusted`.
    ///
    /// # Errors
    /// When the folder exists, or a file cannot be written.
    pub fn write(folder: &Path, issued: &Issued, trusted: &Pki) -> Fallible<Self> {
        fs::create_dir_all(folder)?;
        let (certificate, key) = (folder.join("tls.pem"), folder.join("tls.key"));
        fs::write(&certificate, &issued.certificate)?;
        fs::write(&key, issued.key.as_bytes())?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        let roots = trusted.roots().to_owned();
        let revocation_lists = vec![trusted.crl().to_owned()];
        Ok(Self {
            files: TlsFiles {
                certificate,
                key,
                roots,
                revocation_lists,
                allow_example: true,
                reload_seconds: 60,
            },
        })
    }

    /// The identity that a party's daemon has.
    #[must_use]
    pub fn of_party(party: &Party, trusted: &Pki) -> Self {
        Self::in_folder(&party.dir, trusted)
    }

    /// The identity in a folder that the example wrote.
    #[must_use]
    pub fn in_folder(folder: &Path, trusted: &Pki) -> Self {
        let files = TlsFiles {
            certificate: folder.join("tls.pem"),
            key: folder.join("tls.key"),
            roots: trusted.roots().to_owned(),
            revocation_lists: vec![trusted.crl().to_owned()],
            allow_example: true,
            reload_seconds: 60,
        };
        Self { files }
    }

    /// A connection to a party at an address, made at the first call.
    ///
    /// # Errors
    /// When a file is not as it should be.
    pub fn connect(
        &self,
        expected: Expected,
        address: &str,
        clock: Arc<dyn Clock>,
    ) -> Fallible<Channel> {
        let tls = ClientTls::load(self.files.clone(), clock)?;
        Ok(connect(expected, address, tls, &Limits::default())?)
    }
}

/// A party by its OIN and the pin of one key.
pub(crate) fn expected(oin: &Oin, pin: Digest) -> Expected {
    Expected { oin: oin.clone(), pins: BTreeSet::from([pin]) }
}
