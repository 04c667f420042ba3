//! Who and what stands behind a figure.

use std::fmt::Display;

use convenant_audit::{Documents, Entries};
use convenant_model::Oin;

use super::{Page, markup::Cell};

/// How many entries or documents stand in a table at once. The others are behind a fold.
const AT_ONCE: usize = 10;

/// The entries or documents behind a figure.
pub(super) struct Behind {
    /// The first ones.
    first: String,
    /// All that the report names, with what folds them away; absent where the first are all.
    all: Option<(String, String)>,
}

impl Page<'_> {
    /// An organisation by name and number.
    pub(super) fn party(&self, oin: &Oin) -> String {
        let name = self.report.answers.parties.get(oin);
        name.map_or_else(|| oin.to_string(), |name| format!("{name} ({oin})"))
    }

    /// A ledger by its name, and by that of its party.
    pub(super) fn ledger_of(&self, name: &str) -> String {
        let oin = name.rsplit_once('/').and_then(|(_, oin)| Oin::new(oin).ok());
        let party = oin.and_then(|oin| self.report.answers.parties.get(&oin));
        party.map_or_else(|| name.to_owned(), |party| format!("{name} ({party})"))
    }

    /// The entries behind a figure.
    pub(super) fn entries(&self, entries: &Entries) -> Behind {
        let place = |place: &convenant_audit::Place| (place.ledger.to_string(), place.entry);
        let places: Vec<_> = entries.first.iter().map(place).collect();
        self.behind(&places, entries.number)
    }

    /// How many, with the entries behind it.
    pub(super) fn numbered(&self, entries: &Entries) -> Cell {
        match entries.number {
            0 => Cell::Number(0),
            number => self.entries(entries).within(format_args!("{number} ("), ")"),
        }
    }

    /// The documents of the register behind a figure.
    pub(super) fn documents(&self, documents: &Documents) -> Behind {
        let place = |index: &u64| ("register".to_owned(), *index);
        let places: Vec<_> = documents.first.iter().map(place).collect();
        self.behind(&places, documents.number)
    }

    fn behind(&self, places: &[(String, u64)], number: u64) -> Behind {
        let all = counted(places);
        let shown = all.get(..AT_ONCE).unwrap_or(&all);
        let mut first = listed(shown);
        let told: u64 = shown.iter().map(|one| one.times).sum();
        let more = number.saturating_sub(told);
        if more > 0 {
            let and = self.of("en nog", "and");
            first.push_str(&format!(" {and} {more}{}", self.of("", " more")));
        }
        if first.is_empty() {
            first.push_str(self.of("geen", "none"));
        }
        let unnamed = number.saturating_sub(places.len() as u64);
        let all = (all.len() > shown.len()).then(|| {
            let fold = if unnamed > 0 {
                self.of("de eerste", "the first")
            } else {
                self.of("alle", "all")
            };
            (format!("{fold} {}", places.len()), listed(&all))
        });
        Behind { first, all }
    }
}

impl Behind {
    pub(super) fn cell(self) -> Cell {
        self.within("", "")
    }

    /// The same in the middle of a text.
    pub(super) fn within(self, before: impl Display, after: &str) -> Cell {
        let text = format!("{before}{}{after}", self.first);
        match self.all {
            Some((fold, all)) => Cell::Folded { text, fold, all },
            None => Cell::Text(text),
        }
    }
}

/// An entry or a document, and how often it stands behind the figure: it may be about several things that count.
struct Counted<'p> {
    ledger: &'p str,
    entry: u64,
    times: u64,
}

/// Each once, in their order.
fn counted(places: &[(String, u64)]) -> Vec<Counted<'_>> {
    let same = places.chunk_by(|one, next| one == next);
    let counted = same.filter_map(|same| {
        let (ledger, entry) = same.first()?;
        Some(Counted { ledger, entry: *entry, times: same.len() as u64 })
    });
    counted.collect()
}

/// Each ledger with its entries, as they follow each other.
fn listed(places: &[Counted<'_>]) -> String {
    let (mut text, mut before) = (String::new(), None);
    for Counted { ledger, entry, times } in places {
        if before != Some(ledger) {
            text.push_str(if before.is_some() { "; " } else { "" });
            text.push_str(&format!("{ledger}:"));
            before = Some(ledger);
        }
        text.push_str(&format!(" {entry}"));
        if *times > 1 {
            text.push_str(&format!(" ({times}×)"));
        }
    }
    text
}
