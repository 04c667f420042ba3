//! The numbers that were given in a project, so that no two of them are subtracted to find a person (clause L4).
//! Every party counts them from its own ledger.

use std::collections::BTreeMap;

use crate::{
    ids::{DatasetId, Oin},
    predicate::Predicate,
    query::Target,
    time::Date,
};

/// The cells that were counted in a project, and when last.
#[derive(Clone, Debug, Default)]
pub struct CountedCells {
    cells: BTreeMap<(Oin, DatasetId), Vec<(Cell, Date)>>,
}

/// What a number was about. Of whom it was is no part of it: all residents but one, as given people, differ from all
/// residents by that one.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Cell(Option<Predicate>);

impl Cell {
    /// Whether the difference of two numbers can tell something of a person: somebody may be in both. Only numbers
    /// of groups that have nobody in common can never be subtracted. What fields a condition tests says nothing: one
    /// that is true for everybody in the area is the number of everybody, whatever it tests.
    fn is_related(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (&self.0, &other.0) else {
            return true;
        };
        !one.excludes(other)
    }
}

impl CountedCells {
    /// Notes that a number was permitted.
    pub fn note(&mut self, target: &Target, day: Date) {
        let (cell, key) = (Cell(target.predicate.clone()), key(target));
        let cells = self.cells.entry(key).or_default();
        match cells.iter_mut().find(|(known, _)| *known == cell) {
            Some((_, last)) => *last = day.max(*last),
            None => cells.push((cell, day)),
        }
    }

    /// The day on which the same was counted last, or what this number could be subtracted from.
    #[must_use]
    pub fn last(&self, target: &Target) -> Option<Date> {
        let cell = Cell(target.predicate.clone());
        let cells = self.cells.get(&key(target))?.iter();
        cells.filter(|(known, _)| known.is_related(&cell)).map(|(_, day)| *day).max()
    }
}

fn key(target: &Target) -> (Oin, DatasetId) {
    (target.partner.clone(), target.dataset.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(condition: &str) -> Target {
        Target {
            partner: "00000099000000000599".parse().unwrap(),
            dataset: "gemeente/brp_persoon".parse().unwrap(),
            fields: Vec::new(),
            predicate: (!condition.is_empty()).then(|| condition.parse().unwrap()),
            subjects: None,
            vouch: None,
        }
    }

    fn related(one: &str, other: &str) -> bool {
        let day = Date::new(2026, 3, 2).unwrap();
        let last = |one, other| {
            let mut counted = CountedCells::default();
            counted.note(&target(one), day);
            counted.last(&target(other)).is_some()
        };
        assert_eq!(last(one, other), last(other, one), "{one} / {other}");
        last(one, other)
    }

    #[test]
    fn what_could_be_subtracted_is_the_same_cell() {
        for (one, other) in [
            ("functie = 'W'", "functie = 'W'"),
            ("functie = 'W'", ""),
            ("functie = 'W'", "functie = 'W' and leeftijd >= 18"),
            ("leeftijd >= 18", "leeftijd >= 19"),
            ("leeftijd >= 18", "leeftijd < 18"),
            ("functie = 'W'", "functie != 'W'"),
            ("functie = 'W'", "not functie = 'W'"),
            ("buurt = 'BU1'", "buurt in ('BU1', 'BU2')"),
            ("functie = 'W'", "functie = 'B' or leeftijd = 40"),
        ] {
            assert!(related(one, other), "{one} / {other}");
        }
    }

    #[test]
    fn what_nobody_is_in_both_of_is_another_cell() {
        assert!(!related("functie = 'W'", "functie = 'B'"));
        assert!(!related("functie = 'W'", "functie = 'B' and leeftijd >= 18"));
        assert!(!related("buurt = 'BU1'", "buurt in ('BU2', 'BU3')"));
    }

    #[test]
    fn a_test_that_everybody_in_the_area_passes_makes_no_other_cell() {
        assert!(related("leeftijd >= 18", "gemeente = '0599'"));
        assert!(related("functie = 'W' and leeftijd >= 0", "functie = 'W' and gemeente = '0599'"));
        assert!(related("functie = 'W'", "leeftijd >= 18"));
    }

    #[test]
    fn the_last_day_of_what_is_related_counts() {
        let mut counted = CountedCells::default();
        for day in [4, 9, 7] {
            counted.note(&target("leeftijd >= 18"), Date::new(2026, 3, day).unwrap());
        }
        counted.note(&target("leeftijd >= 19"), Date::new(2026, 3, 8).unwrap());
        assert_eq!(counted.last(&target("leeftijd >= 20")), Date::new(2026, 3, 9).ok());
        let mut elsewhere = target("leeftijd >= 18");
        elsewhere.partner = "00000099000000000518".parse().unwrap();
        assert_eq!(counted.last(&elsewhere), None);
    }
}
