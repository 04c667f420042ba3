//! A decision carries its reasons: what was refused under which clause, and what a permit obliges to.

use serde::{Deserialize, Serialize};

use crate::{
    area::AreaCode,
    ids::{ClauseId, DatasetId, FieldName},
    subjects::spells_bsn,
};

/// One clause that refuses a query.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// Id of the clause in the covenant, for instance `S10`.
    pub clause: ClauseId,
    /// The clause's refusal code, for instance `BUITEN_GEBIED`.
    pub code: String,
    /// The covenant's own Dutch text of the clause.
    pub text: String,
    /// What in this query offends, in Dutch: names of fields, counts, dates; never personal data.
    pub detail: String,
}

/// Most bytes of a refusal that another party wrote: it stands in ledgers beside other things.
const MOST_FOREIGN_BYTES: usize = 12 << 10;

impl Violation {
    fn names_a_person(&self) -> bool {
        [self.clause.as_str(), &self.code, &self.text, &self.detail].into_iter().any(spells_bsn)
    }

    fn bytes(&self) -> usize {
        self.clause.as_str().len() + self.code.len() + self.text.len() + self.detail.len()
    }
}

/// Every clause that refuses a query, sorted by clause and code; never empty.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Vec<Violation>", into = "Vec<Violation>")]
pub struct Refusal(Vec<Violation>);

impl Refusal {
    /// Sorts the violations; `None` when there is none, because then nothing was refused.
    #[must_use]
    pub fn new(mut violations: Vec<Violation>) -> Option<Self> {
        violations.sort();
        violations.dedup();
        (!violations.is_empty()).then_some(Self(violations))
    }

    /// The violations, sorted.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0
    }
}

impl TryFrom<Vec<Violation>> for Refusal {
    type Error = &'static str;
    fn try_from(violations: Vec<Violation>) -> Result<Self, Self::Error> {
        let bytes: usize = violations.iter().map(Violation::bytes).sum();
        if bytes > MOST_FOREIGN_BYTES {
            return Err("the texts of a refusal are too long");
        }
        // Whoever unsealed the subjects could write them here.
        if violations.iter().any(Violation::names_a_person) {
            return Err("the texts of a refusal hold a BSN");
        }
        Self::new(violations).ok_or("a refusal names at least one clause")
    }
}

impl From<Refusal> for Vec<Violation> {
    fn from(refusal: Refusal) -> Self {
        refusal.0
    }
}

/// What a permit obliges the node to, computed by typed code from the covenant and the project;
/// recorded with the decision, so that an auditor can compute it again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Obligations {
    /// The dataset that is opened.
    pub dataset: DatasetId,
    /// The columns that may leave, in this order: what was asked for, then what must go with it
    /// (clause L15).
    pub columns: Vec<FieldName>,
    /// The mandatory row filter of the project's area (clause S10): a row passes when one of these
    /// fields holds one of its codes. Empty only where `vouched` takes its place.
    pub scope: Vec<AreaFilter>,
    /// Present where no field of the dataset holds its area: the key field for whose values vouchers
    /// must have come, for every subject, before anything is read (clause S10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched: Option<FieldName>,
    /// Present where the answer is to vouch for whom it discloses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouches: Option<Vouches>,
    /// Present where the rows are the residents of the project's area: the share of them all, in percent,
    /// from which the answer raises an alarm (clause S12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_percent: Option<u8>,
    /// Most rows that may leave (clause S12).
    pub max_rows: u64,
    /// Present for a `count`: the covenant's disclosure limits.
    pub count: Option<CountLimits>,
    /// Days after which the receiver must have destroyed the result.
    pub retention_days: u16,
}

/// One column that holds an area, and the codes of it that belong to the project.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AreaFilter {
    /// The dataset's field that holds the area.
    pub field: FieldName,
    /// The project's codes of the kind that the field holds; never empty.
    pub codes: Vec<AreaCode>,
}

/// For what an answer vouches.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vouches {
    /// The field whose values it vouches for.
    pub key: FieldName,
    /// Days for which the vouchers hold.
    pub days: u16,
}

impl Obligations {
    /// Whether so many rows, of so many residents of the area, are out of proportion.
    #[must_use]
    pub fn is_alarming(&self, rows: u64, residents: u64) -> bool {
        self.alarm_percent.is_some_and(|percent| {
            rows > 0 && rows.saturating_mul(100) >= residents.saturating_mul(u64::from(percent))
        })
    }
}

/// How a count is made safe before it leaves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CountLimits {
    /// Smaller counts are answered as "fewer than this".
    pub minimum_cell: u32,
    /// Counts are rounded to the nearest multiple of this.
    pub rounding: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_all_residents_is_out_of_proportion() {
        let of = |alarm: &str| -> Obligations {
            let text = format!(
                r#"{{"dataset":"gemeente/brp_persoon","columns":[],"scope":[],{alarm}"max_rows":9,
                "count":null,"retention_days":1}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let tenth = of(r#""alarm_percent":10,"#);
        assert!(tenth.is_alarming(12, 120) && tenth.is_alarming(13, 120));
        assert!(!tenth.is_alarming(11, 120) && !tenth.is_alarming(0, 0));
        assert!(of(r#""alarm_percent":0,"#).is_alarming(1, u64::MAX));
        assert!(!of("").is_alarming(120, 120));
    }
}
