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

/// The entries behind a figure: how many, and the first of them by ledger and index.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Entries {
    /// How many.
    pub number: u64,
    /// The first ones.
    pub first: Vec<Place>,
}

impl Entries {
    /// Notes an entry. Which of them are named does not depend on the order in which they are noted.
    pub(crate) fn note(&mut self, ledger: &LedgerName, entry: u64) {
        self.number += 1;
        let after = |last: &Place| (&last.ledger, last.entry) <= (ledger, entry);
        let at = if self.first.last().is_none_or(after) {
            self.first.len()
        } else {
            self.first.partition_point(after)
        };
        if at < NAMED {
            self.first.insert(at, Place { ledger: ledger.clone(), entry });
            self.first.truncate(NAMED);
        }
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.number += other.number;
        self.first.extend(other.first);
        self.first.sort();
        self.first.truncate(NAMED);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LedgerKind;

    #[test]
    fn the_first_entries_are_named_in_whatever_order_they_are_noted() {
        let name =
            |oin: &str| LedgerName::new(LedgerKind::Node, convenant_model::Oin::new(oin).unwrap());
        let [one, two] = ["00000099000000002000", "00000099000000004000"].map(name);
        let all: Vec<_> =
            (0..NAMED as u64 + 7).flat_map(|entry| [(&two, entry), (&one, entry)]).collect();
        let (mut forth, mut back, mut parts) = <(Entries, Entries, Entries)>::default();
        all.iter().for_each(|(ledger, entry)| forth.note(ledger, *entry));
        all.iter().rev().for_each(|(ledger, entry)| back.note(ledger, *entry));
        for (ledger, entry) in &all {
            let mut part = Entries::default();
            part.note(ledger, *entry);
            parts.absorb(part);
        }
        assert_eq!(forth.first.last(), Some(&Place { ledger: one, entry: NAMED as u64 - 1 }));
        assert_eq!((&forth, &forth), (&back, &parts));
        assert_eq!(forth.more(), NAMED as u64 + 14);
    }
}
