//! What an audit was made with, and of: so that whoever reads its report can make it again.

use convenant_model::{KeyId, Timestamp};
use serde::Serialize;

use crate::{RegisterEvidence, Replayed};

/// What an audit was made with, and of. Nothing of it depends on when it was made.
#[derive(Clone, Debug, Serialize)]
pub struct Basis {
    /// This software and its version.
    pub software: String,
    /// The rules' engine with which decisions were made again; absent where no rules are in force.
    pub engine: Option<String>,
    /// Ids of the keys of the LSI that were trusted.
    pub lsi_keys: Vec<KeyId>,
    /// How many of them make a quorum.
    pub quorum: usize,
    /// Id of the key that was trusted to sign the register's checkpoints.
    pub register_key: KeyId,
    /// The time of the first entry of any ledger.
    pub first: Option<Timestamp>,
    /// The latest time of an entry of any ledger.
    pub last: Option<Timestamp>,
}

impl Basis {
    pub(crate) fn new(register: &RegisterEvidence, ledgers: &[Replayed]) -> Self {
        let covenant = register.register().state().covenant();
        let rules = covenant.and_then(|covenant| register.rules(&covenant.hash));
        let (lsi_keys, quorum, register_key) = register.trusted();
        Self {
            software: concat!("convenant ", env!("CARGO_PKG_VERSION")).to_owned(),
            engine: rules.map(|rules| rules.engine().to_owned()),
            lsi_keys: lsi_keys.to_vec(),
            quorum,
            register_key,
            first: ledgers.iter().filter_map(|one| one.report.first).min(),
            last: ledgers.iter().filter_map(|one| one.report.last).max(),
        }
    }
}
