//! Findings as they are gathered: the first of each kind one by one, the rest as a number, so that a ledger
//! in which nothing holds takes no more memory than one in which everything does.

use std::collections::BTreeMap;

use crate::{Code, Finding, finding::LeftOut};

/// How many findings of one code in one ledger are told of one by one.
const TOLD: u64 = 100;

#[derive(Default)]
pub(crate) struct Findings {
    told: Vec<Finding>,
    numbers: BTreeMap<(Code, String), u64>,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        let number = self.numbers.entry((finding.code, finding.ledger.clone())).or_default();
        *number += 1;
        if *number <= TOLD {
            self.told.push(finding);
        }
    }

    /// Notes that there are so many more, of which nothing else is known.
    pub(crate) fn leave_out(&mut self, code: Code, ledger: impl ToString, number: u64) {
        if number > 0 {
            *self.numbers.entry((code, ledger.to_string())).or_default() += number;
        }
    }

    /// Adds what was gathered elsewhere.
    pub(crate) fn absorb(&mut self, other: Self) {
        let left_out = other.left_out();
        self.extend(other.told);
        for left in left_out {
            self.leave_out(left.code, left.ledger, left.number);
        }
    }

    /// What is not told of one by one.
    pub(crate) fn left_out(&self) -> Vec<LeftOut> {
        let left = self.numbers.iter().map(|((code, ledger), number)| {
            let told = self.told.iter().filter(|one| one.code == *code && one.ledger == *ledger);
            let number = number - told.count() as u64;
            LeftOut { code: *code, severity: code.severity(), ledger: ledger.clone(), number }
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
