//! The sections of a configuration that roles share.

use std::{
    collections::BTreeMap,
    num::NonZero,
    path::{Path, PathBuf},
};

use convenant_model::{Digest, Oin, keys::VerifyingKey, register::RootOfTrust};
use convenant_signing::key_id;
use convenant_transport::TlsFiles;
use serde::Deserialize;

use crate::{
    keys::{KeyFileError, verifying_key},
    load::{Rooted, under},
};

/// `[party]`: who this is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartySection {
    /// The organisation's OIN; the certificate must carry it.
    pub oin: Oin,
}

/// `[listen]`: where a daemon is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenSection {
    /// `address:port`.
    pub address: String,
}

/// `[tls]`: certificate, key, authorities and revocation lists.
pub type TlsSection = TlsFiles;

/// `[coordinator]`: where the coordinator is, and how to know it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorSection {
    /// `host:port`.
    pub address: String,
    /// The coordinator's OIN.
    pub oin: Oin,
    /// SHA-256 over the SubjectPublicKeyInfo of each TLS key that it may use.
    pub pins: Vec<Digest>,
}

/// `[register]`: the root of trust, and how the register is followed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterSection {
    /// Public JWK files of the LSI.
    pub lsi_keys: Vec<PathBuf>,
    /// How many of the LSI's keys make a quorum.
    pub quorum: usize,
    /// Public JWK file of the key that signs the register's checkpoints.
    pub key: PathBuf,
    /// Seconds between looks at the coordinator's register.
    #[serde(default = "poll_seconds")]
    pub poll_seconds: u64,
}

const fn poll_seconds() -> u64 {
    5
}

impl RegisterSection {
    /// Reads the keys of the LSI.
    ///
    /// # Errors
    /// When a file is no public JWK, a key is there twice, or the quorum is not between one and the number of
    /// keys.
    pub fn root_of_trust(&self) -> Result<RootOfTrust, KeyFileError> {
        let lsi: Vec<VerifyingKey> =
            self.lsi_keys.iter().map(|path| verifying_key(path)).collect::<Result<_, _>>()?;
        self.distinct(&lsi)?;
        if self.quorum == 0 || self.quorum > lsi.len() {
            return Err(KeyFileError::Quorum { quorum: self.quorum, keys: lsi.len() });
        }
        Ok(RootOfTrust { lsi, quorum: self.quorum })
    }

    /// With one key in the place of two, no document would have its quorum, and the evidence would be blamed.
    fn distinct(&self, keys: &[VerifyingKey]) -> Result<(), KeyFileError> {
        let mut seen = BTreeMap::new();
        for (path, key) in self.lsi_keys.iter().zip(keys) {
            if let Some(first) = seen.insert(key, path) {
                let (first, again) = (first.clone(), path.clone());
                return Err(KeyFileError::Repeated { first, again, id: key_id(key) });
            }
        }
        Ok(())
    }
}

/// `[data]`: where a party keeps its ledger, its copy of the register and its indexes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSection {
    /// The folder.
    pub dir: PathBuf,
    /// KiB after which a ledger goes on in a new file; the store has a usual size.
    #[serde(default)]
    pub segment_kib: Option<NonZero<u32>>,
}

/// `[telemetry]`: logs, traces and metrics.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySection {
    /// OTLP endpoint (gRPC) for traces and metrics; none is sent without it.
    #[serde(default)]
    pub otlp: Option<String>,
    /// Filter of log lines, for instance `info` or `convenant_node=debug`.
    #[serde(default = "log_filter")]
    pub log: String,
}

fn log_filter() -> String {
    "info".to_owned()
}

impl Default for TelemetrySection {
    fn default() -> Self {
        Self { otlp: None, log: log_filter() }
    }
}

impl Rooted for TlsSection {
    fn root_at(&mut self, folder: &Path) {
        under(folder, &mut self.certificate);
        under(folder, &mut self.key);
        under(folder, &mut self.roots);
        self.revocation_lists.iter_mut().for_each(|path| under(folder, path));
    }
}

impl Rooted for RegisterSection {
    fn root_at(&mut self, folder: &Path) {
        self.lsi_keys.iter_mut().for_each(|path| under(folder, path));
        under(folder, &mut self.key);
    }
}

impl Rooted for DataSection {
    fn root_at(&mut self, folder: &Path) {
        under(folder, &mut self.dir);
    }
}
