//! Which ledger it is, and whose.

use std::fmt;

use convenant_ledger::note::NoteName;
use convenant_model::Oin;
use serde::{Serialize, Serializer};

/// What a ledger is of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum LedgerKind {
    /// The coordinator's.
    Coordinator,
    /// A partner's node's.
    Node,
    /// A requester's receipts.
    Receipts,
}

/// A ledger's name: its kind and its party. `kind/OIN`, as in the origin of its checkpoints.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LedgerName {
    /// What it is of.
    pub kind: LedgerKind,
    /// Whose it is.
    pub party: Oin,
}

impl LedgerName {
    /// Names a ledger.
    #[must_use]
    pub const fn new(kind: LedgerKind, party: Oin) -> Self {
        Self { kind, party }
    }

    /// The ledger whose checkpoints have this origin; `None` where it is none of an exchange's.
    #[must_use]
    pub fn from_origin(origin: &str) -> Option<Self> {
        let (kind, party) = origin.strip_prefix("convenant.")?.split_once('/')?;
        let kind = [LedgerKind::Coordinator, LedgerKind::Node, LedgerKind::Receipts]
            .into_iter()
            .find(|one| one.as_str() == kind)?;
        Some(Self { kind, party: Oin::new(party).ok()? })
    }

    /// Origin of its checkpoints; `None` never, because an OIN has only digits.
    #[must_use]
    pub fn origin(&self) -> Option<NoteName> {
        NoteName::new(format!("convenant.{self}")).ok()
    }
}

impl LedgerKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Node => "node",
            Self::Receipts => "receipts",
        }
    }
}

impl fmt::Display for LedgerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.party)
    }
}

impl Serialize for LedgerName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_origin_say_the_same() {
        let text = "convenant.node/00000099000000002000";
        let name = LedgerName::from_origin(text).unwrap();
        assert_eq!(name.kind, LedgerKind::Node);
        assert_eq!(name.origin().unwrap().as_str(), text);
        assert_eq!(LedgerName::from_origin("convenant.register/00000099000000002000"), None);
        assert_eq!(LedgerName::from_origin("convenant.node/2000"), None);
    }
}
