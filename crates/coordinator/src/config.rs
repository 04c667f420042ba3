//! The configuration of a coordinator.

use std::path::{Path, PathBuf};

use convenant_setup::{
    DataSection, ListenSection, PartySection, RegisterSection, Rooted, TelemetrySection, TlsSection,
};
use serde::Deserialize;

/// `coordinator.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorConfig {
    /// Who this is.
    pub party: PartySection,
    /// Where partners reach it.
    pub listen: ListenSection,
    /// Its certificate.
    pub tls: TlsSection,
    /// The root of trust.
    pub register: RegisterSection,
    /// Its keys.
    pub keys: Keys,
    /// Where ledger, register and indexes are kept.
    pub data: DataSection,
    /// Documents with which an empty register begins.
    #[serde(default)]
    pub founding: Founding,
    /// Logs, traces and metrics.
    #[serde(default)]
    pub telemetry: TelemetrySection,
}

/// `[keys]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Private JWK file; signs the ledger's checkpoints.
    pub ledger: PathBuf,
    /// The ledger key that comes next. The file need not be there: it is looked for when the register enrols
    /// a key that the coordinator does not have.
    #[serde(default)]
    pub next_ledger: Option<PathBuf>,
    /// Private JWK file; signs the register's checkpoints.
    pub register: PathBuf,
}

/// `[founding]`: the covenant and the first enrolments, with which an empty register begins, so that
/// there is somebody who may connect and submit the rest. They are admitted on their signatures, like
/// all others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Founding {
    /// Signed documents, in the order in which they are admitted.
    pub documents: Vec<PathBuf>,
}

impl Rooted for CoordinatorConfig {
    fn root_at(&mut self, folder: &Path) {
        self.tls.root_at(folder);
        self.register.root_at(folder);
        self.data.root_at(folder);
        let Keys { ledger, next_ledger, register } = &mut self.keys;
        let keys = [ledger, register].into_iter().chain(next_ledger);
        for path in keys.chain(&mut self.founding.documents) {
            *path = folder.join(&*path);
        }
    }
}
