//! The coordinator's ledger that ends before what others know of it: an old copy, or one that was cut short. Nothing
//! else than what is missing behind its end is told of as that.

use std::collections::BTreeMap;

use convenant_model::{QueryId, Timestamp};

use crate::{
    Code, Finding, LedgerKind, LedgerName, Place,
    account::{Asked, Decided},
    told::Told,
};

/// The queries of which others know that the coordinator decided on them, and that are all later than its last entry.
pub(crate) struct Early<'a> {
    ledger: &'a Told,
    last: Option<Timestamp>,
    queries: BTreeMap<QueryId, Known>,
}

/// What others know of one query.
struct Known {
    /// The earliest time that any of them states, because the coordinator decided before.
    at: Timestamp,
    place: Place,
    /// Whether anything was given. A refusal gave nothing away, and alone makes no ledger too short.
    given: bool,
}

impl<'a> Early<'a> {
    /// Gathers what others know and this ledger does not. Of one of which the end is missing that is told already.
    pub(crate) fn of(ledger: &'a Told, ledgers: &[&Told]) -> Self {
        let last = ledger.passed.latest();
        let mut early = Self { ledger, last, queries: BTreeMap::new() };
        if ledger.is_cut {
            return early;
        }
        for other in ledgers {
            match other.name.kind {
                LedgerKind::Coordinator => {}
                LedgerKind::Node => {
                    // What its party decided nothing on, nobody is held to have permitted.
                    let ruled = |(_, one): &(_, &Decided)| {
                        one.ruled.targets.iter().any(|asked| asked.ruling.is_some())
                    };
                    for (query, decided) in other.decided.iter().filter(ruled) {
                        let given = decided.ruled.targets.iter().any(Asked::permitted);
                        early.note(*query, decided.at, (&other.name, decided.index), given);
                    }
                }
                LedgerKind::Receipts => {
                    for receipt in other.receipts.iter().filter(|one| one.outcome.is_some()) {
                        early.note(
                            receipt.query,
                            receipt.asked,
                            (&other.name, receipt.index),
                            true,
                        );
                    }
                }
            }
        }
        early.queries.retain(|_, known| Some(known.at) > last);
        if !early.queries.values().any(|known| known.given) {
            early.queries.clear();
        }
        early
    }

    fn note(
        &mut self,
        query: QueryId,
        at: Timestamp,
        (ledger, entry): (&LedgerName, u64),
        given: bool,
    ) {
        if self.ledger.decided.contains_key(&query) {
            return;
        }
        let place = || Place { ledger: ledger.clone(), entry };
        let known =
            self.queries.entry(query).or_insert_with(|| Known { at, place: place(), given });
        known.given |= given;
        if at < known.at {
            (known.at, known.place) = (at, place());
        }
    }

    /// Whether that a query is missing is told of with the others.
    pub(crate) fn tells(&self, query: QueryId) -> bool {
        self.queries.contains_key(&query)
    }

    /// All of it at once, and where each is.
    pub(crate) fn findings(&self) -> impl Iterator<Item = Finding> {
        let each = self.queries.iter().map(|(query, known)| {
            let Place { ledger, entry } = &known.place;
            Finding::new(Code::AfterEnd, ledger).entry(*entry).query(*query)
        });
        // That it was set back is told of already.
        let whole = self.finding().filter(|_| !self.ledger.set_back);
        whole.into_iter().chain(each)
    }

    /// All of it at once, at the last entry.
    fn finding(&self) -> Option<Finding> {
        let first = self.queries.values().min_by_key(|known| known.at)?;
        let Place { ledger, entry } = &first.place;
        let (number, at) = (self.queries.len(), first.at);
        let finding = Finding::new(Code::EndsEarly, &self.ledger.name);
        let entries = self.ledger.entries;
        let finding = Finding { entry: entries.checked_sub(1), ..finding };
        let found = match self.last {
            Some(last) => format!("entries={entries} at={last}"),
            None => format!("entries={entries}"),
        };
        let expected = format!("queries={number} at>={at} as in {ledger}, entry={entry}");
        Some(finding.expected(expected).found(found))
    }
}
