//! Parties watch over each other's ledgers, so that none can tell two stories: each asks the others to
//! cosign its checkpoints, and cosigns theirs as long as they only grow. An auditor that compares
//! what the witnesses hold with the ledgers sees what was set back or forked.
//!
//! ```text
//! state/ledger/witnessing/NAME   the last checkpoint of the ledger NAME that this party cosigned
//! state/ledger/witnessed/NAME    the last checkpoint of this ledger that the party with ledger NAME cosigned
//! ```
//!
//! **In scope:** the services `Witness` and `Ledger` of the protocol, the record of who reads a ledger, what
//! has checkpoints cosigned, and what copies a ledger over the network.
//!
//! **Out of scope:** when a checkpoint may be cosigned (`ledger`), which key belongs to which ledger and
//! who may read (the daemons, from the register), and what an auditor makes of it (`audit`).

mod fetch;
mod publish;
mod readers;
mod reading;
mod witness;

pub use fetch::{FetchError, Remote};
pub use publish::{PublishError, Published};
pub use readers::Readers;
pub use reading::{Entitled, LedgerService, Shelf};
pub use witness::{Keys, MAX_REQUEST, Witness, WitnessService};

use std::path::Path;

use convenant_store::Notes;

/// The checkpoints of others that a party cosigned.
#[must_use]
pub fn witnessing(ledger: &Path) -> Notes {
    Notes::new(ledger.join("witnessing"))
}

/// The checkpoints of a ledger that others cosigned.
#[must_use]
pub fn witnessed(ledger: &Path) -> Notes {
    Notes::new(ledger.join("witnessed"))
}
