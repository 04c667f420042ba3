//! The configuration of a node.

use std::path::{Path, PathBuf};

use convenant_ldv::LdvConfig;
use convenant_setup::{
    CoordinatorSection, DataSection, ListenSection, PartySection, RegisterSection, Rooted,
    TelemetrySection, TlsSection,
};
use convenant_source::DatasetConfig;
use serde::Deserialize;

/// `node.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Who this is.
    pub party: PartySection,
    /// Where the coordinator reaches it.
    pub listen: ListenSection,
    /// The organisation's certificate.
    pub tls: TlsSection,
    /// The only party that may query.
    pub coordinator: CoordinatorSection,
    /// The root of trust.
    pub register: RegisterSection,
    /// The node's keys.
    pub keys: Keys,
    /// Where ledger, copy of the register and indexes are kept.
    pub data: DataSection,
    /// Logs, traces and metrics.
    #[serde(default)]
    pub telemetry: TelemetrySection,
    /// Its own account of whom its answers are about; without it the node cannot answer a citizen who asks.
    #[serde(default)]
    pub subjects: Option<SubjectKeys>,
    /// Where its log of processing goes, made from that account.
    #[serde(default)]
    pub ldv: Option<LdvConfig>,
    /// The datasets that it serves.
    pub dataset: Vec<DatasetConfig>,
}

/// `[keys]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Private JWK file; signs outcomes and the ledger's checkpoints.
    pub ledger: PathBuf,
    /// Private JWK file; opens sealed subjects.
    pub sealing: PathBuf,
    /// The ledger key that comes next. The file need not be there: it is looked for when the register enrols
    /// a key that the node does not have.
    #[serde(default)]
    pub next_ledger: Option<PathBuf>,
    /// The sealing key that comes next; likewise.
    #[serde(default)]
    pub next_sealing: Option<PathBuf>,
}

/// `[subjects]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectKeys {
    /// Private JWK file; makes the pseudonyms of people.
    pub pseudonym_key: PathBuf,
    /// Public JWK file; people's numbers are sealed to it. Its private half need not be on this machine.
    pub seal_to: PathBuf,
}

impl NodeConfig {
    /// The folder in which the node keeps whom its answers are about.
    #[must_use]
    pub fn subjects_folder(&self) -> PathBuf {
        self.data.dir.join("subjects")
    }
}

impl Rooted for NodeConfig {
    fn root_at(&mut self, folder: &Path) {
        self.tls.root_at(folder);
        self.register.root_at(folder);
        self.data.root_at(folder);
        let Keys { ledger, sealing, next_ledger, next_sealing } = &mut self.keys;
        for path in [ledger, sealing].into_iter().chain(next_ledger).chain(next_sealing) {
            *path = folder.join(&*path);
        }
        if let Some(SubjectKeys { pseudonym_key, seal_to }) = &mut self.subjects {
            *pseudonym_key = folder.join(&*pseudonym_key);
            *seal_to = folder.join(&*seal_to);
        }
        if let Some(ldv) = &mut self.ldv {
            ldv.root_at(folder);
        }
        for dataset in &mut self.dataset {
            dataset.source = dataset.source.clone().relative_to(folder);
        }
    }
}
