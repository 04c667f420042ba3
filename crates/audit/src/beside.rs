//! What lies beside a ledger's entries: what its party and others signed for.

use convenant_ledger::Checkpoint;

use crate::{LedgerName, Statement};

/// What is held against the entries of a ledger. It is there before the first of them is read, because a tree is
/// compared at its very sizes.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// The checkpoint that the party signed.
    pub checkpoint: Option<Vec<u8>>,
    /// Checkpoints that witnesses cosigned, as the party keeps them.
    pub witnessed: Vec<Vec<u8>>,
    /// What witnesses hold themselves, of this ledger and of others.
    pub statements: Vec<Statement>,
    /// Checkpoints that an authority put under a timestamp (RFC 3161). Who that authority is, and whether it
    /// signed, is not looked at.
    pub stamped: Vec<Vec<u8>>,
    /// What other copies of this ledger hold that the party signed, by their folder; what it did not sign proves
    /// nothing.
    pub copies: Vec<(String, Vec<Vec<u8>>)>,
}

impl Beside {
    /// Only the checkpoint.
    #[must_use]
    pub fn signed(checkpoint: impl Into<Vec<u8>>) -> Self {
        Self { checkpoint: Some(checkpoint.into()), ..Self::default() }
    }

    /// The same without what is said of other ledgers.
    pub(crate) fn of(self, name: &LedgerName) -> Self {
        let (own, mut statements) = (name.origin(), self.statements);
        statements.retain(|one| {
            Checkpoint::unverified(&one.note).is_ok_and(|stated| Some(stated.origin) == own)
        });
        Self { statements, ..self }
    }

    /// The sizes that are stated anywhere.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = u64> {
        let said = self.statements.iter().map(|one| &one.note);
        let copied = self.copies.iter().flat_map(|(_, notes)| notes);
        let notes = self.checkpoint.iter().chain(&self.witnessed).chain(&self.stamped);
        let notes = notes.chain(said).chain(copied);
        notes.filter_map(|note| Checkpoint::unverified(note).ok()).map(|stated| stated.size)
    }
}
