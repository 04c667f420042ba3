//! What ordinary queries look like as facts. A fact that the rules do not know is left out by whoever
//! asks them, and one that is not set here is false, zero or empty.

use std::collections::{BTreeMap, BTreeSet};

use convenant_clauses::sample::{Fact, Party, Sample};
use convenant_model::{
    ThemeId,
    covenant::{Class, Covenant, Dataset, Field, Use},
};

use super::cases::with;

/// What a first query is about.
pub(crate) struct Base<'a> {
    pub(crate) kind: &'static str,
    pub(crate) dataset: &'a Dataset,
    pub(crate) theme: &'a ThemeId,
    pub(crate) covenant: &'a Covenant,
}

/// The themes for which a dataset can be asked, each with a field that may be answered. A dataset that
/// can be asked for none is asked for the first all the same: that is refused, and rules may show why.
pub(crate) fn themes<'a>(
    dataset: &'a Dataset,
    covenant: &'a Covenant,
) -> Vec<(&'a ThemeId, &'a Field)> {
    let themes = || covenant.text().theme.iter().map(|theme| &theme.id);
    let usable = themes().filter_map(|theme| Some((theme, ordinary(dataset, theme)?)));
    let usable: Vec<_> = usable.collect();
    if usable.is_empty() {
        return themes().zip(&dataset.field).take(1).collect();
    }
    usable
}

fn ordinary<'a>(dataset: &'a Dataset, theme: &ThemeId) -> Option<&'a Field> {
    let usable = || dataset.field.iter().filter(|field| field.themes.contains(theme));
    let plain = |field: &&Field| field.usage == Use::Allowed && field.class == Class::Ordinary;
    usable().find(plain).or_else(|| usable().next())
}

impl Base<'_> {
    /// A query for one field, in a project that is as it should be.
    pub(crate) fn with_output(&self, field: &Field) -> Sample {
        let text = self.covenant.text();
        let goal = text.goal.iter().find(|goal| !goal.needs_designation);
        let goal = goal.map_or("", |goal| goal.id.as_str());
        let asks = text.partner.iter().find(|one| one.kind.as_str() != self.dataset.id.kind());
        let area = self.dataset.area.first().map(|area| format!("{:?}", area.kind));
        let both = Fact::Parties(BTreeSet::from([Party::Requester, Party::Provider]));
        let requester = Fact::Parties(BTreeSet::from([Party::Requester]));
        let facts = [
            ("grant.kinds", texts([self.kind])),
            ("grant.retentionDays", Fact::Number(30)),
            ("mandate.givenBy", requester.clone()),
            ("mandate.maxSubjects", Fact::Number(20)),
            ("partnersToday", both.clone()),
            ("project.approved", Fact::Truth(true)),
            ("project.areaKinds", texts(area.as_deref())),
            ("project.goals", texts([goal])),
            ("project.lastDay", Fact::Number(730)),
            ("project.participants", both),
            ("project.quotaQueries", Fact::Number(10)),
            ("project.quotaSubjects", Fact::Number(100)),
            ("project.responsible", requester),
            ("project.theme", Fact::Text(self.theme.as_str().to_owned())),
            ("query.goal", Fact::Text(goal.to_owned())),
            ("query.kind", Fact::Text(self.kind.to_owned())),
            ("query.retentionDays", Fact::Number(30)),
            ("query.theme", Fact::Text(self.theme.as_str().to_owned())),
            ("requesterKind", Fact::Text(asks.map_or("", |one| one.kind.as_str()).to_owned())),
            ("served", Fact::Served(true)),
            ("today", Fact::Number(100)),
            ("usage.queries", Fact::Number(1)),
        ];
        let facts: BTreeMap<_, _> =
            facts.into_iter().map(|(path, fact)| (path.to_owned(), fact)).collect();
        let sample = Sample { kind: self.kind, dataset: self.dataset.id.clone(), facts };
        let sample = output(&sample, field);
        let key = self.dataset.field.iter().find(|field| field.usage == Use::Key);
        key.map_or_else(|| sample.clone(), |key| keyed(&sample, self.dataset, key))
    }
}

/// Queries about one field: it is answered, it is a condition, or the subjects are values of it.
pub(crate) fn about(base: &Sample, dataset: &Dataset, field: &Field) -> Vec<Sample> {
    let answered = output(base, field);
    let mut made = vec![answered.clone(), tested(base, field), keyed(base, dataset, field)];
    let filter = dataset.field.iter().find(|field| field.filterable);
    if let Some(filter) = filter.filter(|_| base.kind == "select") {
        // Without subjects: rows are chosen by a condition.
        made.push(tested(&answered, filter));
    }
    made
}

fn output(sample: &Sample, field: &Field) -> Sample {
    let mut sample = sample.clone();
    for path in ["query.output", "query.used"] {
        sample = with(&sample, path, texts([field.name.as_str()]));
    }
    for path in ["grant.fields", "grant.categories"] {
        sample = with(&sample, path, texts([]));
    }
    granted(&sample, field)
}

fn tested(sample: &Sample, field: &Field) -> Sample {
    let name = field.name.as_str();
    let mut sample = added(&granted(sample, field), "query.used", name);
    for path in ["query.tested", "query.literals", "query.anchors"] {
        sample = with(&sample, path, texts([name]));
    }
    if sample.kind == "lookup" {
        return sample;
    }
    for path in ["query.keyedBy", "query.verifiedBy"] {
        sample = with(&sample, path, texts([]));
    }
    for path in ["query.subjects", "usage.subjects"] {
        sample = with(&sample, path, Fact::Number(0));
    }
    sample
}

fn keyed(sample: &Sample, dataset: &Dataset, field: &Field) -> Sample {
    let verified = dataset.verified_by.as_ref().filter(|_| field.class == Class::Bsn);
    let sample = with(sample, "query.keyedBy", texts([field.name.as_str()]));
    let sample = with(&sample, "query.verifiedBy", texts(verified.map(|field| field.as_str())));
    with(&with(&sample, "query.subjects", Fact::Number(3)), "usage.subjects", Fact::Number(3))
}

/// The annex names the field, in the covenant's own category.
fn granted(sample: &Sample, field: &Field) -> Sample {
    let sample = added(sample, "grant.fields", field.name.as_str());
    let letter = field.category.map(char::from);
    letter.map_or_else(
        || sample.clone(),
        |letter| added(&sample, "grant.categories", &format!("{} {letter}", field.name)),
    )
}

fn added(sample: &Sample, path: &str, text: &str) -> Sample {
    let mut all = match sample.facts.get(path) {
        Some(Fact::Texts(texts)) => texts.clone(),
        _ => BTreeSet::new(),
    };
    all.insert(text.to_owned());
    with(sample, path, Fact::Texts(all))
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Fact {
    Fact::Texts(texts.into_iter().map(str::to_owned).collect())
}
