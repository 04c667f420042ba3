//! Verdicts as recorded beside the same verdicts made again.

use convenant_clauses::Verdict;
use convenant_model::{
    entry::{Entry, Recordable, RecordedVerdict, TargetVerdict},
    verdict::{AreaFilter, Obligations, Refusal},
};

use crate::{Code, account::codes};

/// One thing in which a recorded verdict is not what the rules give.
pub(crate) struct Difference {
    pub(crate) code: Code,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Difference {
    fn new(code: Code, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { code, expected: expected.into(), found: found.into() }
    }
}

/// Compares the verdicts of one decision. Another engine may see other facts and word things
/// differently; its verdict, clauses and obligations must be the same.
pub(crate) fn compare(
    recorded: &[TargetVerdict],
    again: &[TargetVerdict],
    same_engine: bool,
) -> Vec<Difference> {
    let targets = |all: &[TargetVerdict]| {
        let numbers: Vec<_> = all.iter().map(|one| one.target.to_string()).collect();
        format!("targets={}", numbers.join(","))
    };
    let (expected, found) = (targets(again), targets(recorded));
    if expected != found {
        return vec![Difference::new(Code::Verdict, expected, found)];
    }
    let pairs = recorded.iter().zip(again);
    let mut differences: Vec<_> = pairs.flat_map(|(one, again)| compare_one(one, again)).collect();
    if !same_engine {
        for difference in &mut differences {
            if matches!(difference.code, Code::Slice | Code::Wording) {
                difference.code = Code::EngineDifference;
            }
        }
    }
    differences
}

fn compare_one(recorded: &TargetVerdict, again: &TargetVerdict) -> Vec<Difference> {
    let mut differences = Vec::from_iter(compare_verdict(&recorded.verdict, &again.verdict));
    if recorded.slice != again.slice {
        let (expected, found) = (again.slice.to_string(), recorded.slice.to_string());
        differences.push(Difference::new(Code::Slice, expected, found));
    }
    differences
}

fn compare_verdict(recorded: &RecordedVerdict, again: &RecordedVerdict) -> Option<Difference> {
    use RecordedVerdict::{Permit, Refuse};
    match (recorded, again) {
        (Permit { obligations: found }, Permit { obligations }) => {
            let members = differing(obligations, found);
            let (expected, found) = (bounds(obligations, &members), bounds(found, &members));
            (!members.is_empty()).then(|| Difference::new(Code::Obligations, expected, found))
        }
        (Refuse { refusal: found }, Refuse { refusal }) => compare_refusal(found, refusal),
        _ if recorded == again => None,
        _ => Some(Difference::new(Code::Verdict, brief(again), brief(recorded))),
    }
}

fn compare_refusal(found: &Refusal, expected: &Refusal) -> Option<Difference> {
    let (own, theirs) = (codes(expected), codes(found));
    if own != theirs {
        return Some(Difference::new(Code::Clauses, own, theirs));
    }
    let pairs = expected.violations().iter().zip(found.violations());
    let differs = pairs.into_iter().find(|(own, theirs)| own != theirs);
    differs.map(|(own, theirs)| {
        let shown = |detail: &str| format!("{}/{}: {detail}", own.clause, own.code);
        Difference::new(Code::Wording, shown(&own.detail), shown(&theirs.detail))
    })
}

fn differing(own: &Obligations, found: &Obligations) -> Vec<&'static str> {
    let members = [
        ("dataset", own.dataset == found.dataset),
        ("columns", own.columns == found.columns),
        ("scope", own.scope == found.scope),
        ("vouched", own.vouched == found.vouched),
        ("vouches", own.vouches == found.vouches),
        ("alarm_percent", own.alarm_percent == found.alarm_percent),
        ("max_rows", own.max_rows == found.max_rows),
        ("count", own.count == found.count),
        ("retention_days", own.retention_days == found.retention_days),
    ];
    members.into_iter().filter(|(_, same)| !same).map(|(member, _)| member).collect()
}

/// The members that differ, with what they say: names of fields, codes of areas and numbers.
fn bounds(obligations: &Obligations, members: &[&'static str]) -> String {
    let value = |member: &&str| match *member {
        "dataset" => obligations.dataset.to_string(),
        "columns" => {
            obligations.columns.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",")
        }
        "scope" => obligations.scope.iter().map(area).collect::<Vec<_>>().join(" "),
        "vouched" => obligations.vouched.as_ref().map_or("none", |key| key.as_str()).to_owned(),
        "vouches" => obligations
            .vouches
            .as_ref()
            .map_or_else(|| "none".to_owned(), |one| format!("{}/{}", one.key, one.days)),
        "alarm_percent" => {
            obligations.alarm_percent.map_or_else(|| "none".to_owned(), |one| one.to_string())
        }
        "max_rows" => obligations.max_rows.to_string(),
        "count" => obligations.count.map_or_else(
            || "none".to_owned(),
            |one| format!("{}/{}", one.minimum_cell, one.rounding),
        ),
        _ => obligations.retention_days.to_string(),
    };
    let members = members.iter().map(|member| format!("{member}={}", value(member)));
    members.collect::<Vec<_>>().join("; ")
}

fn area(filter: &AreaFilter) -> String {
    let codes: Vec<_> = filter.codes.iter().map(ToString::to_string).collect();
    format!("{}:{}", filter.field, codes.join(","))
}

fn brief(verdict: &RecordedVerdict) -> String {
    match verdict {
        RecordedVerdict::Permit { .. } => "verdict=permit".to_owned(),
        RecordedVerdict::Refuse { refusal } => {
            format!("verdict=refuse {}", codes(refusal))
        }
        RecordedVerdict::Problem { problem } => format!("verdict=problem {}", problem.code()),
    }
}

/// The verdicts of an entry.
pub(crate) fn verdicts(item: &impl Recordable) -> Vec<TargetVerdict> {
    match item.entry() {
        Entry::Decision(decision) => decision.verdicts,
        _ => Vec::new(),
    }
}

/// What a node records when it permits, and then finds that the unsealed subjects are not valid
/// (clause L14), or that nobody vouched for them (clause S10): the refusal, if that is what stands here.
pub(crate) fn subjects_refused(
    recorded: &TargetVerdict,
    again: &Verdict,
) -> Option<Vec<TargetVerdict>> {
    let Verdict::Permit(permit) = again else {
        return None;
    };
    let detail = match &recorded.verdict {
        RecordedVerdict::Permit { .. } => return None,
        RecordedVerdict::Problem { .. } => String::new(),
        RecordedVerdict::Refuse { refusal } => match refusal.violations() {
            [one] => one.detail.clone(),
            _ => return None,
        },
    };
    let permit = || permit.as_ref().clone();
    let mut possible = vec![permit().refuse_subjects(detail.clone())];
    if permit().obligations().vouched.is_some() {
        possible.push(permit().refuse_vouchers(detail));
    }
    let refused = possible.iter().map(verdicts);
    let mut same =
        refused.filter(|all| all.first().is_some_and(|one| one.verdict == recorded.verdict));
    same.next()
}
