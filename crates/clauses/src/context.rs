//! Facts in the form in which Cedar takes them.

use cedar_policy::{
    Context, ContextCreationError, EntityUid, ExpressionConstructionError, RestrictedExpression,
};
use convenant_model::Oin;

use crate::{
    entities::Names,
    facts::{Facts, GrantFacts, MandateFacts, ProjectFacts, QueryFacts, UsageFacts},
};

/// Why facts cannot be written for Cedar; never the fault of a query.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    #[error(transparent)]
    Record(#[from] ExpressionConstructionError),
    #[error(transparent)]
    Context(#[from] Box<ContextCreationError>),
}

type Member = (&'static str, RestrictedExpression);

/// A set of texts.
pub(crate) fn set<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> RestrictedExpression {
    let texts = texts.into_iter().map(Into::into);
    RestrictedExpression::new_set(texts.map(RestrictedExpression::new_string))
}

/// The context of a request about one target, as `schema.cedarschema` describes it.
pub(crate) fn context(
    facts: &Facts<'_>,
    names: &Names,
    dataset: &EntityUid,
) -> Result<Context, ContextError> {
    let served = facts.served.then(|| entity(dataset.clone()));
    let members = [
        ("covenant", entity(names.covenant.clone())),
        ("grant", record(grant(&facts.grant))?),
        ("mandate", record(mandate(&facts.mandate, names))?),
        ("partnersToday", partners(&facts.partners_today, names)),
        ("project", record(project(&facts.project, names))?),
        ("provider", entity(names.partner(facts.provider))),
        ("query", record(query(&facts.query))?),
        ("requesterKind", text(facts.requester_kind)),
        ("served", RestrictedExpression::new_set(served)),
        ("today", long(facts.today)),
        ("usage", record(usage(&facts.usage))?),
    ];
    Context::from_pairs(owned(members)).map_err(|error| ContextError::Context(Box::new(error)))
}

fn grant(facts: &GrantFacts<'_>) -> [Member; 7] {
    [
        ("categories", set(&facts.categories)),
        ("fields", set(facts.fields.iter().copied())),
        ("kinds", set(facts.kinds.iter().copied())),
        ("ownBases", RestrictedExpression::new_bool(facts.own_bases)),
        ("ownTask", RestrictedExpression::new_bool(facts.own_task)),
        ("retentionDays", long(facts.retention_days)),
        ("wpgDecision", RestrictedExpression::new_bool(facts.wpg_decision)),
    ]
}

fn mandate(facts: &MandateFacts<'_>, names: &Names) -> [Member; 3] {
    [
        ("givenBy", partners(&facts.given_by, names)),
        ("maxSubjects", long(facts.max_subjects)),
        ("roles", set(facts.roles.iter().copied())),
    ]
}

fn project(facts: &ProjectFacts<'_>, names: &Names) -> [Member; 19] {
    [
        ("approved", RestrictedExpression::new_bool(facts.approved)),
        ("areaKinds", set(&facts.area_kinds)),
        ("daysToDestruction", long(facts.days_to_destruction)),
        ("ended", RestrictedExpression::new_bool(facts.ended)),
        ("extended", RestrictedExpression::new_bool(facts.extended)),
        ("feedbackOverdue", RestrictedExpression::new_bool(facts.feedback_overdue)),
        ("firstDay", long(facts.first_day)),
        ("goals", set(facts.goals.iter().copied())),
        ("lastDay", long(facts.last_day)),
        ("monthsRunning", long(facts.months_running)),
        ("participants", partners(&facts.participants, names)),
        ("proposal", text(&facts.proposal)),
        ("quotaCells", long(facts.quota_cells)),
        ("quotaQueries", long(facts.quota_queries)),
        ("quotaSubjects", long(facts.quota_subjects)),
        ("responsible", partners(&facts.responsible, names)),
        ("suspended", RestrictedExpression::new_bool(facts.suspended)),
        ("theme", text(facts.theme)),
        ("withheld", RestrictedExpression::new_bool(facts.withheld)),
    ]
}

fn query(facts: &QueryFacts<'_>) -> [Member; 18] {
    let literals = &facts.literals;
    let bsn_in_justification = RestrictedExpression::new_bool(facts.bsn_in_justification);
    [
        ("anchors", set(facts.anchors.iter().copied())),
        ("bsnInJustification", bsn_in_justification),
        ("designated", RestrictedExpression::new_bool(facts.designated)),
        ("goal", text(facts.goal)),
        ("holdingBsn", set(literals.holding_bsn.iter().copied())),
        ("illTyped", set(literals.ill_typed.iter().copied())),
        ("keyedBy", set(facts.keyed_by)),
        ("kind", text(facts.kind)),
        ("literals", set(literals.literals.iter().copied())),
        ("output", set(facts.output.iter().copied())),
        ("proposal", text(&facts.proposal)),
        ("published", RestrictedExpression::new_bool(facts.published)),
        ("retentionDays", long(facts.retention_days)),
        ("subjects", long(facts.subjects)),
        ("tested", set(facts.tested.iter().copied())),
        ("theme", text(facts.theme)),
        ("used", set(facts.used.iter().copied())),
        ("verifiedBy", set(facts.verified_by)),
    ]
}

fn usage(facts: &UsageFacts) -> [Member; 5] {
    [
        ("cells", long(facts.cells)),
        ("daysSinceCounted", long(facts.days_since_counted)),
        ("overdue", long(facts.overdue)),
        ("queries", long(facts.queries)),
        ("subjects", long(facts.subjects)),
    ]
}

fn partners<'a>(
    oins: impl IntoIterator<Item = &'a &'a Oin>,
    names: &Names,
) -> RestrictedExpression {
    RestrictedExpression::new_set(oins.into_iter().map(|oin| entity(names.partner(oin))))
}

fn record<const N: usize>(members: [Member; N]) -> Result<RestrictedExpression, ContextError> {
    Ok(RestrictedExpression::new_record(owned(members))?)
}

fn owned<const N: usize>(
    members: [Member; N],
) -> impl Iterator<Item = (String, RestrictedExpression)> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value))
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
