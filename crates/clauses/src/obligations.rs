//! What a permit obliges to, computed from the covenant and the project, never from what was asked for
//! alone.

use convenant_model::{
    covenant::{Covenant, Dataset},
    documents::Proposal,
    query::{Query, QueryKind, Target},
    register::Decided,
    verdict::{AreaFilter, CountLimits, Obligations},
};

/// The obligations of a permit; `None` where there is no project, no dataset or no area to hold the
/// answer in, because then nothing may be answered whatever the rules say.
pub(crate) fn obligations(
    covenant: &Covenant,
    decided: Option<&Decided>,
    query: &Query,
    target: &Target,
) -> Option<Obligations> {
    let dataset = covenant.dataset(&target.dataset)?;
    let scope = scope(&decided?.proposal, dataset);
    if scope.is_empty() {
        return None;
    }
    let head = covenant.head();
    let counts = query.kind == QueryKind::Count;
    Some(Obligations {
        dataset: target.dataset.clone(),
        columns: if counts { Vec::new() } else { dataset.columns(&target.fields) },
        scope,
        max_rows: head.max_rows,
        count: counts.then_some(CountLimits {
            minimum_cell: head.minimum_cell,
            rounding: head.count_rounding,
        }),
        retention_days: query.retention_days,
    })
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
