//! What lies in the folder of a ledger or register and does not belong there, as whoever reads the folder tells of it.

use convenant_ledger::Checkpoint;

use crate::{Code, Finding, LedgerName, register};

impl Finding {
    /// So many bytes in a segment, behind the last entry, that are no entry.
    #[must_use]
    pub fn behind(ledger: &LedgerName, segment: &str, bytes: u64) -> Self {
        Self::new(Code::Behind, ledger).found(format!("bytes={bytes} in `{segment}`"))
    }

    /// A file that a witness named after a ledger or register and that holds something else.
    #[must_use]
    pub fn misnamed(by: &LedgerName, file: &str, held: &[u8]) -> Self {
        let held = Checkpoint::unverified(held).map_or_else(
            |_| "unreadable".to_owned(),
            |held| format!("origin={} size={}", held.origin.as_str(), held.size),
        );
        Self::new(Code::Statement, by).found(format!("{held} in `{file}`"))
    }

    /// Published tiles of the register that are missing or do not follow from its documents; `None` without any.
    #[must_use]
    pub fn tiles_of_register(unlike: &[String]) -> Option<Self> {
        let first = unlike.first()?;
        let found = format!("tiles={} tile={first}", unlike.len());
        Some(Self::new(Code::Tile, register::NAME).found(found))
    }
}
