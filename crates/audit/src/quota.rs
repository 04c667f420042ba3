//! The quota of a project counted again from a party's own decisions.
//!
//! A party decides on a project's queries one after another, but records them side by side, so that
//! the ledger may hold them in a somewhat different order; and a query whose subjects turn out invalid
//! once unsealed is counted for a moment and then taken back. What must hold whatever the order: a
//! permit that was given when `used` was counted is at most the `used + 1`-th. So each permit is given
//! a place of its own below that number. Where there is none left, something was not counted. Rules
//! refuse when the quota is reached, so this proves that no more was permitted than the quota.

use std::collections::BTreeMap;

use convenant_model::{QueryId, entry::Usage};

/// One decision as the quota sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) index: u64,
    pub(crate) query: QueryId,
    /// What the party said was used before.
    pub(crate) used: Usage,
    /// Subjects in the permitted targets; `None` where nothing was permitted.
    pub(crate) permitted: Option<u64>,
    /// Subjects that were counted and taken back, because they turned out invalid.
    pub(crate) taken_back: Option<u64>,
    /// Numbers in the permitted targets.
    pub(crate) cells: u64,
}

/// What the ledger's permits of one project add up to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    recorded: Usage,
    queries: Places,
    subjects: Places,
    cells: Places,
    /// `used.queries` of each decision that counted, if only for a moment.
    counted: Numbers,
    counted_subjects: u64,
    /// Decisions that counted more than the ledger held before them.
    ahead: Vec<Counted>,
}

impl Tally {
    /// Counts a decision. Gives what the ledger held before it, if the party counted too little.
    pub(crate) fn count(&mut self, decision: Counted) -> Result<(), Usage> {
        let (before, used) = (self.recorded, decision.used);
        if used.queries > before.queries || used.subjects > before.subjects {
            self.ahead.push(decision);
        }
        if let Some(subjects) = decision.permitted.or(decision.taken_back) {
            self.counted.note(used.queries);
            self.counted_subjects = self.counted_subjects.saturating_add(subjects);
        }
        let Some(subjects) = decision.permitted else {
            return Ok(());
        };
        self.recorded = Usage {
            queries: before.queries.saturating_add(1),
            subjects: before.subjects.saturating_add(subjects),
            cells: before.cells.saturating_add(decision.cells),
            overdue: 0,
        };
        let queries = self.queries.take(used.queries.saturating_add(1), 1);
        let subjects = self.subjects.take(used.subjects.saturating_add(subjects), subjects);
        let cells = self.cells.take(used.cells.saturating_add(decision.cells), decision.cells);
        if queries && subjects && cells { Ok(()) } else { Err(before) }
    }

    /// The decisions that counted more than the whole ledger can explain. The count rises by one at a
    /// time, so a count of `n` was preceded by decisions that counted 0, 1, … n - 1.
    pub(crate) fn overcounted(self) -> Vec<Counted> {
        let below = self.counted.below();
        let explained = |used: Usage| {
            below(used.queries) >= used.queries && used.subjects <= self.counted_subjects
        };
        self.ahead.iter().filter(|decision| !explained(decision.used)).copied().collect()
    }
}

/// Numbers that were noted, nearly all of them 0, 1, 2, … once each.
#[derive(Debug, Default)]
struct Numbers {
    /// Every number below this was noted once.
    whole: u64,
    /// How often each was noted beside that.
    others: BTreeMap<u64, u64>,
}

impl Numbers {
    fn note(&mut self, number: u64) {
        *self.others.entry(number).or_default() += 1;
        while let Some(times) = self.others.get_mut(&self.whole) {
            *times -= 1;
            if *times == 0 {
                self.others.remove(&self.whole);
            }
            self.whole += 1;
        }
    }

    /// How many below a number were noted.
    fn below(&self) -> impl Fn(u64) -> u64 {
        let (whole, mut sum) = (self.whole, 0_u64);
        let others = self.others.iter().map(|(number, times)| {
            sum += times;
            (*number, sum)
        });
        let others: Vec<_> = others.collect();
        move |number| {
            let until = others.partition_point(|(other, _)| *other < number);
            let others = until.checked_sub(1).and_then(|last| others.get(last));
            whole.min(number) + others.map_or(0, |(_, sum)| *sum)
        }
    }
}

/// How many runs of free places are looked at for one decision. Parties leave a few behind, between decisions that were
/// recorded side by side; only a ledger that was made up leaves more.
const RUNS: usize = 4096;

/// Places 0, 1, 2, …, of which some are taken.
#[derive(Debug)]
struct Places {
    /// Start and end (exclusive) of each run of free places.
    free: BTreeMap<u64, u64>,
}

impl Default for Places {
    fn default() -> Self {
        Self { free: BTreeMap::from([(0, u64::MAX)]) }
    }
}

impl Places {
    /// Takes the `number` last free places before `end`; or none, if there are fewer.
    fn take(&mut self, end: u64, number: u64) -> bool {
        let mut left = number;
        let mut runs = Vec::new();
        for (&start, &stop) in self.free.range(..end).rev().take(RUNS) {
            if left == 0 {
                break;
            }
            let top = stop.min(end);
            let taken = left.min(top - start);
            runs.push((start, top - taken, top, stop));
            left -= taken;
        }
        if left > 0 {
            return false;
        }
        for (start, low, top, stop) in runs {
            self.free.remove(&start);
            for (from, to) in [(start, low), (top, stop)] {
                if from < to {
                    self.free.insert(from, to);
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(index: u64, queries: u64, subjects: u64, permitted: Option<u64>) -> Counted {
        let query = QueryId::from_parts(index, &[0; 10]);
        let used = Usage { queries, subjects, ..Usage::default() };
        Counted { index, query, used, permitted, taken_back: None, cells: 0 }
    }

    #[test]
    fn numbers_in_any_order_and_more_than_once() {
        let mut numbers = Numbers::default();
        [3, 0, 1, 1, 9, 2, 1].into_iter().for_each(|number| numbers.note(number));
        let below: Vec<_> = (0..11).map(numbers.below()).collect();
        assert_eq!(below, [0, 1, 4, 5, 6, 6, 6, 6, 6, 6, 7]);
        assert_eq!((numbers.whole, numbers.others.len()), (4, 2));
    }

    #[test]
    fn another_order_in_the_ledger_is_no_fault() {
        let mut tally = Tally::default();
        for (index, queries, subjects) in [(0, 1, 3), (1, 0, 0), (2, 3, 7), (3, 2, 6)] {
            let subjects_of = [3, 3, 1, 1][usize::try_from(index).unwrap()];
            let counted = tally.count(decision(index, queries, subjects, Some(subjects_of)));
            assert_eq!(counted, Ok(()), "{index}");
        }
        assert!(tally.overcounted().is_empty());
    }

    #[test]
    fn a_count_that_begins_again_is_found_at_its_entry() {
        let mut tally = Tally::default();
        for index in 0..4 {
            assert!(tally.count(decision(index, index, 2 * index, Some(2))).is_ok());
        }
        let before = Usage { queries: 4, subjects: 8, ..Usage::default() };
        assert_eq!(tally.count(decision(4, 0, 0, Some(2))), Err(before));
        assert!(tally.count(decision(5, 4, 8, Some(2))).is_ok());
        // The subjects alone too low.
        assert!(tally.count(decision(6, 6, 9, Some(2))).is_err());
    }

    #[test]
    fn what_is_taken_back_may_be_counted_for_a_moment() {
        let mut tally = Tally::default();
        let taken_back = Counted { taken_back: Some(5), ..decision(0, 0, 0, None) };
        assert!(tally.count(taken_back).is_ok());
        assert!(tally.count(decision(1, 1, 5, Some(2))).is_ok());
        assert!(tally.count(decision(2, 1, 2, Some(2))).is_ok());
        assert!(tally.overcounted().is_empty());
    }

    #[test]
    fn a_count_without_permits_is_too_high() {
        let mut tally = Tally::default();
        assert!(tally.count(decision(0, 0, 0, Some(1))).is_ok());
        assert!(tally.count(decision(1, 9, 1, None)).is_ok());
        let found: Vec<_> = tally.overcounted().iter().map(|one| one.index).collect();
        assert_eq!(found, [1]);
    }
}
