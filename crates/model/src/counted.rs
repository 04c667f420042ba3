//! The numbers that were given in a project, so that no two of them are subtracted to find a person (clause L4).
//! Every party counts them from its own ledger.

use std::collections::BTreeMap;

use crate::{
    ids::{DatasetId, Oin},
    query::Target,
    time::Date,
};

/// The cells that were counted in a project, and when last.
#[derive(Clone, Debug, Default)]
pub struct CountedCells {
    last: BTreeMap<Cell, Date>,
}

/// What two numbers have in common that tell something of a person when they are subtracted: they differ in whom
/// they are about, or in the day, and in nothing else.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Cell {
    partner: Oin,
    dataset: DatasetId,
    // A condition in its one spelling; a published condition names nobody.
    condition: Option<String>,
    about_subjects: bool,
}

impl Cell {
    fn of(target: &Target) -> Self {
        Self {
            partner: target.partner.clone(),
            dataset: target.dataset.clone(),
            condition: target.predicate.as_ref().map(ToString::to_string),
            about_subjects: target.subjects.is_some(),
        }
    }
}

impl CountedCells {
    /// Notes that a number was permitted.
    pub fn note(&mut self, target: &Target, day: Date) {
        let last = self.last.entry(Cell::of(target)).or_insert(day);
        *last = day.max(*last);
    }

    /// The day on which the same cell was counted last.
    #[must_use]
    pub fn last(&self, target: &Target) -> Option<Date> {
        self.last.get(&Cell::of(target)).copied()
    }
}
