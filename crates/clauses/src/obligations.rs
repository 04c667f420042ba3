//! What a permit obliges to, computed from the covenant and the project, never from what was asked for
//! alone.

use convenant_model::{
    covenant::{Covenant, Dataset},
    documents::Proposal,
    query::{Query, QueryKind, Target},
    register::Decided,
    verdict::{AreaFilter, CountLimits, Obligations, Vouches},
};

/// The obligations of a permit; `None` where there is no project, no dataset or nothing that holds the
/// answer in the area, because then nothing may be answered whatever the rules say.
pub(crate) fn obligations(
    covenant: &Covenant,
    decided: Option<&Decided>,
    query: &Query,
    target: &Target,
) -> Option<Obligations> {
    let dataset = covenant.dataset(&target.dataset)?;
    let proposal = &decided?.proposal;
    let key = target.subjects.as_ref().map(|subjects| &subjects.key);
    // An answer is bound by the dataset's own area or by vouchers, never by both.
    let (scope, vouched) = if dataset.holds_area(&proposal.area) {
        (scope(proposal, dataset), None)
    } else {
        let vouched = dataset.vouched_key(key?)?;
        (Vec::new(), Some(vouched.key.clone()))
    };
    let head = covenant.head();
    let counts = query.kind == QueryKind::Count;
    Some(Obligations {
        dataset: target.dataset.clone(),
        columns: if counts { Vec::new() } else { dataset.columns(&target.fields) },
        scope,
        vouched: vouched.clone(),
        vouches: target
            .vouch
            .as_ref()
            .zip(head.voucher_days)
            .map(|(key, days)| Vouches { key: key.clone(), days }),
        alarm_percent: (dataset.residents && !counts && vouched.is_none())
            .then(|| covenant.alarm_percent()),
        max_rows: head.max_rows,
        count: counts.then_some(CountLimits {
            minimum_cell: head.minimum_cell,
            rounding: head.count_rounding,
        }),
        retention_days: query.retention_days,
    })
}

/// Whether what a target is to vouch for is of use to nobody: then nothing is vouched for (clause S10).
pub(crate) fn vouches_in_vain(
    covenant: &Covenant,
    decided: Option<&Decided>,
    target: &Target,
) -> bool {
    let of_use = |key| {
        decided.is_some_and(|decided| {
            covenant.is_vouching_of_use(&decided.proposal, &target.dataset, key)
        })
    };
    target.vouch.as_ref().is_some_and(|key| !of_use(key))
}

/// The project's area in the fields of the dataset that hold areas of those kinds (clause S10).
fn scope(proposal: &Proposal, dataset: &Dataset) -> Vec<AreaFilter> {
    let filter = |area: &convenant_model::covenant::AreaField| {
        let codes = proposal.area.iter();
        let codes: Vec<_> = codes.filter(|code| code.kind() == area.kind).cloned().collect();
        (!codes.is_empty()).then(|| AreaFilter { field: area.field.clone(), codes })
    };
    dataset.area.iter().filter_map(filter).collect()
}
