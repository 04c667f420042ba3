//! The entities that do not change while a covenant is in force, built once.

use std::{collections::BTreeMap, str::FromStr};

use cedar_policy::{
    Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema,
};
use convenant_model::{
    DatasetId, Oin,
    covenant::{Class, Covenant, Dataset, Field, Parameter, Use},
    query::QueryKind,
};

use crate::{
    compile::{CompileError, Internal},
    context::set,
};

/// Names of entities and actions, parsed once.
pub(crate) struct Names {
    partner: EntityTypeName,
    /// The covenant.
    pub(crate) covenant: EntityUid,
    datasets: BTreeMap<DatasetId, EntityUid>,
    unknown: EntityUid,
    actions: [EntityUid; 3],
}

impl Names {
    /// The names that one covenant needs.
    pub(crate) fn of(covenant: &Covenant) -> Result<Self, CompileError> {
        let dataset = type_name("Dataset")?;
        let action = type_name("Action")?;
        let named = |kind| uid(&action, QueryKind::as_str(kind));
        let ids = covenant.text().dataset.iter().map(|one| &one.id);
        Ok(Self {
            partner: type_name("Partner")?,
            covenant: uid(&type_name("Covenant")?, covenant.head().id.as_str()),
            datasets: ids.map(|id| (id.clone(), uid(&dataset, id.as_str()))).collect(),
            // No dataset of a covenant has this id, because theirs hold a slash.
            unknown: uid(&dataset, "unknown"),
            actions: [QueryKind::Lookup, QueryKind::Select, QueryKind::Count].map(named),
        })
    }

    /// An organisation.
    pub(crate) fn partner(&self, oin: &Oin) -> EntityUid {
        uid(&self.partner, oin.as_str())
    }

    /// A dataset; for one that the covenant does not know, an entity that has nothing.
    pub(crate) fn dataset(&self, id: &DatasetId) -> &EntityUid {
        self.datasets.get(id).unwrap_or(&self.unknown)
    }

    /// What is done.
    pub(crate) const fn action(&self, kind: QueryKind) -> &EntityUid {
        let [lookup, select, count] = &self.actions;
        match kind {
            QueryKind::Lookup => lookup,
            QueryKind::Select => select,
            QueryKind::Count => count,
        }
    }
}

fn type_name(text: &str) -> Result<EntityTypeName, CompileError> {
    EntityTypeName::from_str(text).map_err(Internal::wrap)
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// The covenant and its datasets as entities, checked against the schema.
pub(crate) fn build(
    covenant: &Covenant,
    names: &Names,
    schema: &Schema,
) -> Result<Entities, CompileError> {
    let unknown = dataset_entity(names.unknown.clone(), &[], None, &BTreeMap::new());
    let datasets = covenant.text().dataset.iter().map(|dataset| {
        let tags = themes(dataset);
        dataset_entity(names.dataset(&dataset.id).clone(), &dataset.field, Some(dataset), &tags)
    });
    let all: Result<Vec<_>, _> =
        datasets.chain([unknown, covenant_entity(covenant, names)]).collect();
    Entities::from_entities(all?, Some(schema)).map_err(Internal::wrap)
}

fn covenant_entity(covenant: &Covenant, names: &Names) -> Result<Entity, CompileError> {
    let goals = covenant.text().goal.iter();
    // One that needs a designation holds only where there is one, which is a fact of the day (S3).
    let goals = goals.filter(|goal| !goal.needs_designation);
    let goals = set(goals.map(|goal| goal.id.as_str()));
    let mut attributes = vec![("goals".to_owned(), goals)];
    for clause in &covenant.text().clause {
        if clause.params.is_empty() {
            continue;
        }
        let values = clause.params.iter().map(|(name, value)| (name.clone(), parameter(value)));
        let record = RestrictedExpression::new_record(values).map_err(Internal::wrap)?;
        attributes.push((clause.id.to_string(), record));
    }
    Entity::new_with_tags(names.covenant.clone(), attributes, [], []).map_err(Internal::wrap)
}

fn parameter(value: &Parameter) -> RestrictedExpression {
    match value {
        Parameter::Number(number) => RestrictedExpression::new_long(*number),
        Parameter::List(list) => set(list),
    }
}

fn themes(dataset: &Dataset) -> BTreeMap<&str, Vec<&str>> {
    let mut themes = BTreeMap::<_, Vec<_>>::new();
    for field in &dataset.field {
        for theme in &field.themes {
            themes.entry(theme.as_str()).or_default().push(field.name.as_str());
        }
    }
    themes
}

fn dataset_entity(
    uid: EntityUid,
    fields: &[Field],
    dataset: Option<&Dataset>,
    themes: &BTreeMap<&str, Vec<&str>>,
) -> Result<Entity, CompileError> {
    let those = |chosen: &dyn Fn(&Field) -> bool| {
        let chosen = fields.iter().filter(|field| chosen(field));
        set(chosen.map(|field| field.name.as_str()))
    };
    let categories = fields.iter().filter_map(|field| {
        let letter = field.category?;
        Some(format!("{} {}", field.name, char::from(letter)))
    });
    let areas = dataset.map_or(&[][..], |dataset| dataset.area.as_slice());
    let vouched = dataset.map_or(&[][..], |dataset| dataset.vouched.as_slice());
    let verified_by = dataset.and_then(|dataset| dataset.verified_by.as_ref());
    let attributes = [
        ("areaKinds", set(areas.iter().map(|area| format!("{:?}", area.kind)))),
        ("bsn", those(&|field| field.class == Class::Bsn)),
        ("categories", set(categories)),
        ("criminal", those(&|field| field.class == Class::Criminal)),
        ("filterable", those(&|field| field.filterable)),
        ("fiscal", RestrictedExpression::new_bool(dataset.is_some_and(|one| one.fiscal))),
        ("hitOnly", those(&|field| field.usage == Use::HitOnly)),
        ("identifying", those(&|field| is_identifying(field))),
        ("keys", those(&|field| field.usage == Use::Key)),
        ("refused", those(&|field| field.usage == Use::Refused)),
        ("sensitive", those(&|field| field.class == Class::Sensitive)),
        ("special", those(&|field| field.class == Class::Special)),
        ("verifiedBy", set(verified_by.map(|field| field.as_str()))),
        ("vouchedKeys", set(vouched.iter().map(|vouched| vouched.key.as_str()))),
        ("wjsg", RestrictedExpression::new_bool(dataset.is_some_and(|one| one.wjsg))),
        ("wpg", RestrictedExpression::new_bool(dataset.is_some_and(|one| one.wpg))),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
    let tags =
        themes.iter().map(|(theme, fields)| ((*theme).to_owned(), set(fields.iter().copied())));
    Entity::new_with_tags(uid, attributes, [], tags).map_err(Internal::wrap)
}

/// Whether a value of the field points out a person or an address: subjects are sealed or absent.
pub(crate) fn is_identifying(field: &Field) -> bool {
    field.class == Class::Bsn || field.usage == Use::Key
}
