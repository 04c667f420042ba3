//! Facts in the form in which Cedar takes them.

use cedar_policy::{
    Context, ContextCreationError, EntityUid, ExpressionConstructionError, RestrictedExpression,
};
use convenant_model::Oin;

use crate::{
    entities::Names,
    facts::{Facts, GrantFacts, MandateFacts, ProjectFacts, QueryFacts, UsageFacts},
    standing::{Reads, USAGE},
};

/// Why facts cannot be written for Cedar; never the fault of a query.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    #[error(transparent)]
    Record(#[from] ExpressionConstructionError),
    #[error(transparent)]
    Context(#[from] Box<ContextCreationError>),
}

/// Members of a record, of those that are read.
struct Members<'r> {
    reads: &'r Reads,
    /// The member of the context that this record is; nothing if it is the context.
    of: Option<&'static str>,
    all: Vec<(String, RestrictedExpression)>,
}

impl<'r> Members<'r> {
    const fn new(reads: &'r Reads) -> Self {
        Self { reads, of: None, all: Vec::new() }
    }

    fn put(&mut self, name: &'static str, value: impl FnOnce() -> RestrictedExpression) {
        let read = match self.of {
            None => self.reads.member(name),
            Some(of) => self.reads.within(of, name),
        };
        if read {
            self.all.push((name.to_owned(), value()));
        }
    }

    /// A record within the context.
    fn record(
        &mut self,
        name: &'static str,
        fill: impl FnOnce(&mut Self),
    ) -> Result<(), ContextError> {
        let mut record = Self { of: Some(name), ..Self::new(self.reads) };
        fill(&mut record);
        let record = RestrictedExpression::new_record(record.all)?;
        self.put(name, || record);
        Ok(())
    }
}

/// A set of texts.
pub(crate) fn set<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> RestrictedExpression {
    let texts = texts.into_iter().map(Into::into);
    RestrictedExpression::new_set(texts.map(RestrictedExpression::new_string))
}

/// The context of a request about one target, as `schema.cedarschema` describes it, with the members that are read.
pub(crate) fn context(
    facts: &Facts<'_>,
    names: &Names,
    dataset: &EntityUid,
    reads: &Reads,
) -> Result<Context, ContextError> {
    let served = || facts.served.then(|| entity(dataset.clone()));
    let mut to = Members::new(reads);
    to.put("covenant", || entity(names.covenant.clone()));
    to.record("grant", |to| grant(&facts.grant, to))?;
    to.record("mandate", |to| mandate(&facts.mandate, names, to))?;
    to.put("partnersToday", || partners(&facts.partners_today, names));
    to.record("project", |to| project(&facts.project, names, to))?;
    to.put("provider", || entity(names.partner(facts.provider)));
    to.record("query", |to| query(&facts.query, to))?;
    to.put("requesterKind", || text(facts.requester_kind));
    to.put("served", || RestrictedExpression::new_set(served()));
    to.put("today", || long(facts.today));
    to.record(USAGE, |to| usage(&facts.usage, to))?;
    Context::from_pairs(to.all).map_err(|error| ContextError::Context(Box::new(error)))
}

fn grant(facts: &GrantFacts<'_>, to: &mut Members<'_>) {
    to.put("categories", || set(&facts.categories));
    to.put("fields", || set(facts.fields.iter().copied()));
    to.put("kinds", || set(facts.kinds.iter().copied()));
    to.put("ownBases", || truth(facts.own_bases));
    to.put("ownTask", || truth(facts.own_task));
    to.put("retentionDays", || long(facts.retention_days));
    to.put("wpgDecision", || truth(facts.wpg_decision));
}

fn mandate(facts: &MandateFacts<'_>, names: &Names, to: &mut Members<'_>) {
    to.put("givenBy", || partners(&facts.given_by, names));
    to.put("maxSubjects", || long(facts.max_subjects));
    to.put("roles", || set(facts.roles.iter().copied()));
}

fn project(facts: &ProjectFacts<'_>, names: &Names, to: &mut Members<'_>) {
    to.put("approved", || truth(facts.approved));
    to.put("areaKinds", || set(&facts.area_kinds));
    to.put("daysToDestruction", || long(facts.days_to_destruction));
    to.put("ended", || truth(facts.ended));
    to.put("extended", || truth(facts.extended));
    to.put("feedbackOverdue", || truth(facts.feedback_overdue));
    to.put("firstDay", || long(facts.first_day));
    to.put("goals", || set(facts.goals.iter().copied()));
    to.put("lastDay", || long(facts.last_day));
    to.put("monthsRunning", || long(facts.months_running));
    to.put("participants", || partners(&facts.participants, names));
    to.put("proposal", || text(&facts.proposal));
    to.put("quotaCells", || long(facts.quota_cells));
    to.put("quotaQueries", || long(facts.quota_queries));
    to.put("quotaSubjects", || long(facts.quota_subjects));
    to.put("responsible", || partners(&facts.responsible, names));
    to.put("suspended", || truth(facts.suspended));
    to.put("theme", || text(facts.theme));
    to.put("withheld", || truth(facts.withheld));
}

fn query(facts: &QueryFacts<'_>, to: &mut Members<'_>) {
    let literals = &facts.literals;
    to.put("anchors", || set(facts.anchors.iter().copied()));
    to.put("bsnInJustification", || truth(facts.bsn_in_justification));
    to.put("designated", || truth(facts.designated));
    to.put("goal", || text(facts.goal));
    to.put("holdingBsn", || set(literals.holding_bsn.iter().copied()));
    to.put("illTyped", || set(literals.ill_typed.iter().copied()));
    to.put("keyedBy", || set(facts.keyed_by));
    to.put("kind", || text(facts.kind));
    to.put("literals", || set(literals.literals.iter().copied()));
    to.put("output", || set(facts.output.iter().copied()));
    to.put("proposal", || text(&facts.proposal));
    to.put("published", || truth(facts.published));
    to.put("retentionDays", || long(facts.retention_days));
    to.put("subjects", || long(facts.subjects));
    to.put("tested", || set(facts.tested.iter().copied()));
    to.put("theme", || text(facts.theme));
    to.put("used", || set(facts.used.iter().copied()));
    to.put("verifiedBy", || set(facts.verified_by));
}

fn usage(facts: &UsageFacts, to: &mut Members<'_>) {
    to.put("cells", || long(facts.cells));
    to.put("daysSinceCounted", || long(facts.days_since_counted));
    to.put("overdue", || long(facts.overdue));
    to.put("queries", || long(facts.queries));
    to.put("subjects", || long(facts.subjects));
}

fn partners<'a>(
    oins: impl IntoIterator<Item = &'a &'a Oin>,
    names: &Names,
) -> RestrictedExpression {
    RestrictedExpression::new_set(oins.into_iter().map(|oin| entity(names.partner(oin))))
}

fn truth(truth: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(truth)
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn long(number: i64) -> RestrictedExpression {
    RestrictedExpression::new_long(number)
}

fn entity(uid: EntityUid) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid)
}
