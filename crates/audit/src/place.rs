//! The entries and documents behind a figure.

use serde::Serialize;

use crate::LedgerName;

/// How many entries or documents behind a figure are named: so many that few figures have more, and a ledger
/// cannot make a report of any size.
const NAMED: usize = 1000;

/// Where something stands: an entry of a ledger.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Place {
    /// Which ledger.
    pub ledger: LedgerName,
    /// Index of the entry.
    pub entry: u64,
}

/// The entries behind a figure: how many, and the first of them.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Entries {
    /// How many.
    pub number: u64,
    /// The first ones.
    pub first: Vec<Place>,
}

impl Entries {
    pub(crate) fn note(&mut self, ledger: &LedgerName, entry: u64) {
        self.number += 1;
        if self.first.len() < NAMED {
            self.first.push(Place { ledger: ledger.clone(), entry });
        }
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.number += other.number;
        let room = NAMED.saturating_sub(self.first.len());
        self.first.extend(other.first.into_iter().take(room));
    }

    /// Puts those that are named in their sequence.
    pub(crate) fn sort(&mut self) {
        self.first.sort_unstable();
    }

    /// How many are not named.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.number.saturating_sub(self.first.len() as u64)
    }
}

/// The documents of the register behind a figure: how many, and the numbers of the first of them.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Documents {
    /// How many.
    pub number: u64,
    /// The first ones, by their place in the register.
    pub first: Vec<u64>,
}

impl Documents {
    /// How many are not named.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.number.saturating_sub(self.first.len() as u64)
    }
}

impl FromIterator<u64> for Documents {
    fn from_iter<T: IntoIterator<Item = u64>>(numbers: T) -> Self {
        let mut documents = Self::default();
        for index in numbers {
            documents.number += 1;
            if documents.first.len() < NAMED {
                documents.first.push(index);
            }
        }
        documents
    }
}
