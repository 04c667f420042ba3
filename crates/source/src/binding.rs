//! Which column of the source holds which field of the covenant.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use convenant_model::{
    DatasetId, FieldName,
    covenant::{Dataset, Use},
    value::FieldType,
};

use crate::{DatasetConfig, error::BindingError};

/// A dataset of which every field that the covenant lets out has a column, or is known to have none.
#[derive(Clone, Debug)]
pub struct Binding {
    dataset: DatasetId,
    columns: BTreeMap<FieldName, Arc<Column>>,
    accompanying: BTreeSet<FieldName>,
    /// The keys that are numbers of persons: whom a row is about.
    about: BTreeSet<FieldName>,
    /// Whether somebody keeps account of whom rows are about.
    tells: bool,
}

/// A field with the column that holds it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Column {
    pub(crate) field: FieldName,
    pub(crate) name: String,
    pub(crate) kind: FieldType,
}

impl Binding {
    /// Binds the covenant's fields to the columns that a configuration names.
    ///
    /// # Errors
    /// When the configuration names a field that the covenant lacks or refuses, leaves one out, or
    /// gives no column to any field that holds the area of a dataset that takes no vouchers instead.
    pub fn new(dataset: &Dataset, config: &DatasetConfig) -> Result<Self, BindingError> {
        let named = config.columns.keys().chain(&config.absent);
        named.into_iter().try_for_each(|field| check_named(dataset, field))?;
        let mut columns = BTreeMap::new();
        for field in dataset.field.iter().filter(|f| f.usage != Use::Refused) {
            if let Some(name) = column_of(dataset, config, &field.name)? {
                let column =
                    Column { field: field.name.clone(), name: name.clone(), kind: field.kind };
                columns.insert(field.name.clone(), Arc::new(column));
            }
        }
        let own_area = dataset.area.iter().any(|area| columns.contains_key(&area.field));
        if !own_area && dataset.vouched.is_empty() {
            return Err(BindingError::NoArea { dataset: dataset.id.clone() });
        }
        let accompanying = dataset.field.iter().filter(|f| f.usage == Use::Accompany);
        let about =
            dataset.field.iter().filter(|f| f.usage == Use::Key && f.kind == FieldType::Bsn);
        Ok(Self {
            dataset: dataset.id.clone(),
            columns,
            accompanying: accompanying.map(|f| f.name.clone()).collect(),
            about: about.map(|f| f.name.clone()).collect(),
            tells: true,
        })
    }

    /// The same where nobody keeps account of whom rows are about: then a number of a person is read only where it
    /// leaves or the query looks at it.
    #[must_use]
    pub fn telling_nobody(self) -> Self {
        Self { tells: false, ..self }
    }

    /// The dataset.
    #[must_use]
    pub const fn dataset(&self) -> &DatasetId {
        &self.dataset
    }

    /// Whether the source has this field.
    #[must_use]
    pub fn serves(&self, field: &FieldName) -> bool {
        self.columns.contains_key(field)
    }

    /// The fields that the source has, each with its column.
    pub fn fields(&self) -> impl Iterator<Item = (&FieldName, &str)> {
        self.columns.values().map(|c| (&c.field, c.name.as_str()))
    }

    pub(crate) fn column(&self, field: &FieldName) -> Option<Arc<Column>> {
        self.columns.get(field).cloned()
    }

    pub(crate) fn columns(&self) -> Vec<Arc<Column>> {
        self.columns.values().cloned().collect()
    }

    /// The columns that tell whom an answer with these columns is about: the person of each row, whether or
    /// not that number leaves, and every other person whose number does. None where nobody keeps account of it.
    pub(crate) fn persons(&self, output: &[Arc<Column>]) -> Vec<Arc<Column>> {
        let of_person = |column: &&Arc<Column>| {
            self.tells
                && column.kind == FieldType::Bsn
                && (self.about.contains(&column.field) || output.contains(column))
        };
        self.columns.values().filter(of_person).cloned().collect()
    }

    /// Whether the field goes with an answer only where the source has it (clause L15).
    pub(crate) fn accompanies(&self, field: &FieldName) -> bool {
        self.accompanying.contains(field)
    }
}

fn check_named(dataset: &Dataset, name: &FieldName) -> Result<(), BindingError> {
    let (id, field) = (dataset.id.clone(), name.clone());
    match dataset.field(name) {
        None => Err(BindingError::Unknown { dataset: id, field }),
        Some(found) if found.usage == Use::Refused => {
            Err(BindingError::Refused { dataset: id, field })
        }
        Some(_) => Ok(()),
    }
}

fn column_of<'a>(
    dataset: &Dataset,
    config: &'a DatasetConfig,
    name: &FieldName,
) -> Result<Option<&'a String>, BindingError> {
    let (id, field) = (dataset.id.clone(), name.clone());
    match (config.columns.get(name), config.absent.contains(name)) {
        (Some(_), true) => Err(BindingError::BoundAndAbsent { dataset: id, field }),
        (None, false) => Err(BindingError::Unbound { dataset: id, field }),
        (column, _) => Ok(column),
    }
}
