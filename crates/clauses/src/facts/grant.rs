//! What a project's data annex grants of the dataset that is asked (clauses L1 and L3).

use std::collections::BTreeSet;

use convenant_model::{
    FieldName,
    covenant::{Category, Dataset},
    documents::Annex,
    query::{Query, QueryKind, Target},
    register::Decided,
};
use serde::Serialize;

use super::Set;

/// The annexes of the decided proposal for this provider and dataset. Each annex grants by itself, so
/// that taking one away never grants more.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GrantFacts<'a> {
    pub(crate) kinds: Set<'a>,
    /// Of the fields in use, those granted for this kind of query and this retention.
    pub(crate) fields: Set<'a>,
    pub(crate) categories: BTreeSet<String>,
    pub(crate) retention_days: i64,
    /// Whether there is an annex, and each states a basis of its own for provider and receiver.
    pub(crate) own_bases: bool,
    /// Whether an annex is there on request of the receiver, for a task of its own.
    pub(crate) own_task: bool,
    /// Whether an annex names the written decision about police data.
    pub(crate) wpg_decision: bool,
    /// Of the fields in use, those granted for a shorter retention only; for the explanation.
    pub(crate) shorter: Set<'a>,
}

impl<'a> GrantFacts<'a> {
    pub(super) fn of(
        decided: Option<&'a Decided>,
        query: &Query,
        target: &Target,
        dataset: Option<&Dataset>,
        used: &Set<'a>,
    ) -> Self {
        let annexes: Vec<_> = decided
            .map_or(&[][..], |decided| decided.proposal.annex.as_slice())
            .iter()
            .filter(|annex| annex.provider == target.partner && annex.dataset == target.dataset)
            .collect();
        let of_kind = annexes.iter().filter(|annex| annex.kinds.contains(&query.kind));
        let mut facts = Self {
            kinds: kinds(&annexes),
            own_bases: !annexes.is_empty() && !annexes.iter().any(|annex| annex.shares_basis()),
            own_task: annexes.iter().any(|annex| annex.own_task.is_some()),
            wpg_decision: annexes.iter().any(|annex| annex.wpg_decision.is_some()),
            ..Self::default()
        };
        for annex in of_kind {
            facts.add(annex, query.retention_days, dataset, used);
        }
        facts.shorter.retain(|field| !facts.fields.contains(field));
        facts
    }

    fn add(&mut self, annex: &'a Annex, days: u16, dataset: Option<&Dataset>, used: &Set<'a>) {
        self.retention_days = self.retention_days.max(i64::from(annex.retention_days));
        let long_enough = days <= annex.retention_days;
        for granted in &annex.field {
            let name = granted.name.as_str();
            if !used.contains(name) {
                continue;
            }
            if long_enough {
                self.fields.insert(name);
                self.add_category(&granted.name, granted.category, dataset);
            } else {
                self.shorter.insert(name);
            }
        }
    }

    /// Where two annexes differ about a category, the covenant's own counts: that grant is sound.
    fn add_category(&mut self, name: &FieldName, granted: Category, dataset: Option<&Dataset>) {
        let own = dataset.and_then(|dataset| dataset.field(name)).and_then(|field| field.category);
        let written = |category: Category| format!("{name} {}", char::from(category));
        let prefix = format!("{name} ");
        if own == Some(granted) {
            self.categories.retain(|other| !other.starts_with(&prefix));
            self.categories.insert(written(granted));
        } else if own.is_none_or(|own| !self.categories.contains(&written(own))) {
            self.categories.insert(written(granted));
        }
    }
}

fn kinds(annexes: &[&Annex]) -> Set<'static> {
    let granted = annexes.iter().flat_map(|annex| annex.kinds.iter().copied());
    granted.map(QueryKind::as_str).collect()
}
