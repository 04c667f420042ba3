//! Findings as they are gathered: the first of each kind one by one, the rest as a number, so that a ledger
//! in which nothing holds takes no more memory than one in which everything does.

use std::collections::BTreeMap;

use crate::{Code, Finding, finding::LeftOut};

/// How many findings of one code in one ledger are told of one by one.
const TOLD: u64 = 100;

#[derive(Default)]
pub(crate) struct Findings {
    told: Vec<Finding>,
    /// How many there are of each kind, and how many of these are told of.
    numbers: BTreeMap<(Code, String), (u64, u64)>,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        let kind = (finding.code, finding.ledger.clone());
        let (number, told) = self.numbers.entry(kind).or_default();
        *number += 1;
        if *number <= TOLD {
            *told += 1;
            self.told.push(finding);
        }
    }

    /// Notes that there are so many more, of which nothing else is known.
    pub(crate) fn leave_out(&mut self, code: Code, ledger: impl ToString, number: u64) {
        if number > 0 {
            self.numbers.entry((code, ledger.to_string())).or_default().0 += number;
        }
    }

    /// Whether they tell this of a ledger.
    pub(crate) fn tell(&self, code: Code, ledger: impl ToString) -> bool {
        self.numbers.contains_key(&(code, ledger.to_string()))
    }

    /// Adds what was gathered elsewhere.
    pub(crate) fn absorb(&mut self, other: Self) {
        let left_out = other.left_out();
        self.extend(other.told);
        for left in left_out {
            self.leave_out(left.code, left.ledger, left.number);
        }
    }

    /// Forgets findings, and the number of others of their kinds.
    pub(crate) fn forget(&mut self, of: impl Fn(&Finding) -> bool) {
        let kind = |one: &Finding| (one.code, one.ledger.clone());
        for one in self.told.iter().filter(|one| of(one)) {
            if let Some((number, told)) = self.numbers.get_mut(&kind(one)) {
                *told -= 1;
                *number = *told;
            }
        }
        self.told.retain(|one| !of(one));
    }

    /// What is not told of one by one.
    pub(crate) fn left_out(&self) -> Vec<LeftOut> {
        let left = self.numbers.iter().map(|((code, ledger), (number, told))| {
            let (ledger, number) = (ledger.clone(), number - told);
            LeftOut { code: *code, severity: code.severity(), ledger, number }
        });
        left.filter(|left| left.number > 0).collect()
    }

    pub(crate) fn told(self) -> Vec<Finding> {
        self.told
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}
