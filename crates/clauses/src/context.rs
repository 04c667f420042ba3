//! Facts in the form in which Cedar takes them, and as bytes by which equal ones are known.

use std::collections::BTreeMap;

use cedar_policy::{Context, EntityUid, RestrictedExpression};
use convenant_model::Oin;

use crate::{entities::Names, facts::Facts};

/// A fact that rules read: the member of the context, the member of that if it is a record, and its value.
pub(crate) type Fact =
    (&'static str, Option<&'static str>, for<'a, 'f> fn(&'a Facts<'f>) -> Value<'a>);

/// The context of a request about one target, as `schema.cedarschema` describes it.
pub(crate) const FACTS: [Fact; 58] = [
    ("covenant", None, |_| Value::Covenant),
    ("partnersToday", None, |of| Value::partners(&of.partners_today)),
    ("provider", None, |of| Value::Partner(of.provider)),
    ("requesterKind", None, |of| Value::Text(of.requester_kind)),
    ("served", None, |of| Value::Served(of.served)),
    ("today", None, |of| Value::Long(of.today)),
    ("grant", Some("categories"), |of| Value::texts(&of.grant.categories)),
    ("grant", Some("fields"), |of| Value::texts(&of.grant.fields)),
    ("grant", Some("kinds"), |of| Value::texts(&of.grant.kinds)),
    ("grant", Some("ownBases"), |of| Value::Truth(of.grant.own_bases)),
    ("grant", Some("ownTask"), |of| Value::Truth(of.grant.own_task)),
    ("grant", Some("retentionDays"), |of| Value::Long(of.grant.retention_days)),
    ("grant", Some("wpgDecision"), |of| Value::Truth(of.grant.wpg_decision)),
    ("mandate", Some("givenBy"), |of| Value::partners(&of.mandate.given_by)),
    ("mandate", Some("maxSubjects"), |of| Value::Long(of.mandate.max_subjects)),
    ("mandate", Some("roles"), |of| Value::texts(&of.mandate.roles)),
    ("project", Some("approved"), |of| Value::Truth(of.project.approved)),
    ("project", Some("areaKinds"), |of| Value::texts(&of.project.area_kinds)),
    ("project", Some("daysToDestruction"), |of| Value::Long(of.project.days_to_destruction)),
    ("project", Some("ended"), |of| Value::Truth(of.project.ended)),
    ("project", Some("extended"), |of| Value::Truth(of.project.extended)),
    ("project", Some("feedbackOverdue"), |of| Value::Truth(of.project.feedback_overdue)),
    ("project", Some("firstDay"), |of| Value::Long(of.project.first_day)),
    ("project", Some("goals"), |of| Value::texts(&of.project.goals)),
    ("project", Some("lastDay"), |of| Value::Long(of.project.last_day)),
    ("project", Some("monthsRunning"), |of| Value::Long(of.project.months_running)),
    ("project", Some("participants"), |of| Value::partners(&of.project.participants)),
    ("project", Some("proposal"), |of| Value::Text(&of.project.proposal)),
    ("project", Some("quotaCells"), |of| Value::Long(of.project.quota_cells)),
    ("project", Some("quotaQueries"), |of| Value::Long(of.project.quota_queries)),
    ("project", Some("quotaSubjects"), |of| Value::Long(of.project.quota_subjects)),
    ("project", Some("responsible"), |of| Value::partners(&of.project.responsible)),
    ("project", Some("suspended"), |of| Value::Truth(of.project.suspended)),
    ("project", Some("theme"), |of| Value::Text(of.project.theme)),
    ("project", Some("withheld"), |of| Value::Truth(of.project.withheld)),
    ("query", Some("anchors"), |of| Value::texts(&of.query.anchors)),
    ("query", Some("bsnInJustification"), |of| Value::Truth(of.query.bsn_in_justification)),
    ("query", Some("designated"), |of| Value::Truth(of.query.designated)),
    ("query", Some("goal"), |of| Value::Text(of.query.goal)),
    ("query", Some("holdingBsn"), |of| Value::texts(&of.query.literals.holding_bsn)),
    ("query", Some("illTyped"), |of| Value::texts(&of.query.literals.ill_typed)),
    ("query", Some("keyedBy"), |of| Value::texts(&of.query.keyed_by)),
    ("query", Some("kind"), |of| Value::Text(of.query.kind)),
    ("query", Some("literals"), |of| Value::texts(&of.query.literals.literals)),
    ("query", Some("output"), |of| Value::texts(&of.query.output)),
    ("query", Some("proposal"), |of| Value::Text(&of.query.proposal)),
    ("query", Some("published"), |of| Value::Truth(of.query.published)),
    ("query", Some("retentionDays"), |of| Value::Long(of.query.retention_days)),
    ("query", Some("subjects"), |of| Value::Long(of.query.subjects)),
    ("query", Some("tested"), |of| Value::texts(&of.query.tested)),
    ("query", Some("theme"), |of| Value::Text(of.query.theme)),
    ("query", Some("used"), |of| Value::texts(&of.query.used)),
    ("query", Some("verifiedBy"), |of| Value::texts(&of.query.verified_by)),
    ("usage", Some("cells"), |of| Value::Long(of.usage.cells)),
    ("usage", Some("daysSinceCounted"), |of| Value::Long(of.usage.days_since_counted)),
    ("usage", Some("overdue"), |of| Value::Long(of.usage.overdue)),
    ("usage", Some("queries"), |of| Value::Long(of.usage.queries)),
    ("usage", Some("subjects"), |of| Value::Long(of.usage.subjects)),
];

/// The value of a fact. Sets are sorted.
pub(crate) enum Value<'a> {
    Truth(bool),
    Long(i64),
    Text(&'a str),
    Texts(Vec<&'a str>),
    Partner(&'a Oin),
    Partners(Vec<&'a Oin>),
    /// The covenant in force.
    Covenant,
    /// The dataset that is asked, or nothing.
    Served(bool),
}

impl<'a> Value<'a> {
    fn texts<T: AsRef<str> + 'a>(texts: impl IntoIterator<Item = &'a T>) -> Self {
        Self::Texts(texts.into_iter().map(AsRef::as_ref).collect())
    }

    fn partners(oins: impl IntoIterator<Item = &'a &'a Oin>) -> Self {
        Self::Partners(oins.into_iter().copied().collect())
    }

    /// Appends the value so that no two lists of values of the same facts are the same bytes.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Truth(truth) | Self::Served(truth) => to.push(u8::from(*truth)),
            Self::Long(number) => to.extend(number.to_le_bytes()),
            Self::Text(text) => write(text, to),
            Self::Partner(oin) => write(oin.as_str(), to),
            Self::Texts(texts) => {
                to.extend(texts.len().to_le_bytes());
                texts.iter().for_each(|text| write(text, to));
            }
            Self::Partners(oins) => {
                to.extend(oins.len().to_le_bytes());
                oins.iter().for_each(|oin| write(oin.as_str(), to));
            }
            Self::Covenant => {}
        }
    }

    fn expression(self, names: &Names, dataset: &EntityUid) -> RestrictedExpression {
        let entity = RestrictedExpression::new_entity_uid;
        match self {
            Self::Truth(truth) => RestrictedExpression::new_bool(truth),
            Self::Long(number) => RestrictedExpression::new_long(number),
            Self::Text(text) => RestrictedExpression::new_string(text.to_owned()),
            Self::Texts(texts) => set(texts),
            Self::Partner(oin) => entity(names.partner(oin)),
            Self::Partners(oins) => RestrictedExpression::new_set(
                oins.into_iter().map(|oin| entity(names.partner(oin))),
            ),
            Self::Covenant => entity(names.covenant.clone()),
            Self::Served(served) => {
                RestrictedExpression::new_set(served.then(|| entity(dataset.clone())))
            }
        }
    }
}

/// A text behind its length.
pub(crate) fn write(text: &str, to: &mut Vec<u8>) {
    to.extend(text.len().to_le_bytes());
    to.extend(text.as_bytes());
}

/// A set of texts.
pub(crate) fn set<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> RestrictedExpression {
    let texts = texts.into_iter().map(Into::into);
    RestrictedExpression::new_set(texts.map(RestrictedExpression::new_string))
}

/// The context with those of [`FACTS`] that `read` holds of; `None` where Cedar does not take it, which is never the
/// fault of a query.
pub(crate) fn context(
    facts: &Facts<'_>,
    names: &Names,
    dataset: &EntityUid,
    read: impl Fn(usize) -> bool,
) -> Option<Context> {
    let (mut members, mut records) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
    for (number, (member, inner, value)) in FACTS.iter().enumerate() {
        if !read(number) {
            continue;
        }
        let value = value(facts).expression(names, dataset);
        match inner {
            None => members.push(((*member).to_owned(), value)),
            Some(inner) => records.entry(*member).or_default().push(((*inner).to_owned(), value)),
        }
    }
    for (member, inner) in records {
        members.push((member.to_owned(), RestrictedExpression::new_record(inner).ok()?));
    }
    Context::from_pairs(members).ok()
}
