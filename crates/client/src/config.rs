//! The configuration of a leader's client.

use std::path::{Path, PathBuf};

use convenant_setup::{
    CoordinatorSection, DataSection, PartySection, RegisterSection, Rooted, TelemetrySection,
    TlsSection,
};
use serde::Deserialize;

/// `client.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// Who this is.
    pub party: PartySection,
    /// The organisation's certificate.
    pub tls: TlsSection,
    /// Where the coordinator is.
    pub coordinator: CoordinatorSection,
    /// The root of trust.
    pub register: RegisterSection,
    /// The leader's keys.
    pub keys: Keys,
    /// Where the copy of the register and the receipts are kept.
    pub data: DataSection,
    /// Logs, traces and metrics.
    #[serde(default)]
    pub telemetry: TelemetrySection,
}

/// `[keys]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Private JWK file of the key that the mandate names; it signs queries and receipts.
    pub signing: PathBuf,
    /// Private JWK file of the key under which answers are kept sealed. Without it, every answer needs a file
    /// of its own.
    #[serde(default)]
    pub sealing: Option<PathBuf>,
}

impl Rooted for ClientConfig {
    fn root_at(&mut self, folder: &Path) {
        self.tls.root_at(folder);
        self.register.root_at(folder);
        self.data.root_at(folder);
        self.keys.signing = folder.join(&self.keys.signing);
        if let Some(sealing) = &mut self.keys.sealing {
            *sealing = folder.join(&*sealing);
        }
    }
}
