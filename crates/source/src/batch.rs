//! What a source yields: rows that may leave and, apart from them, whom they are about.

use arrow::record_batch::RecordBatch;
use convenant_model::{FieldName, subjects::Identifying, value::FieldType};

use crate::{binding::Column, plan::Plan};

/// Some rows of an answer.
#[derive(Debug)]
pub struct Batch {
    /// The permitted columns, and no other.
    pub rows: RecordBatch,
    /// Whom these rows are about, and perhaps some that follow: never fewer. They are for the node's own
    /// account of whose data it gave; the permit need not let them out. Nobody where no such account is kept
    /// ([`Binding::telling_nobody`](crate::Binding::telling_nobody)).
    pub persons: Vec<Persons>,
}

/// The values of one identifying field.
#[derive(Debug)]
pub struct Persons {
    /// The field.
    pub field: FieldName,
    /// What kind of number identifies.
    pub kind: FieldType,
    /// The values, as the source writes them.
    pub values: Vec<Identifying>,
}

impl Persons {
    pub(crate) const fn new(field: FieldName, kind: FieldType) -> Self {
        Self { field, kind, values: Vec::new() }
    }

    /// Adds the values of a column; who is not named there is not known.
    pub(crate) fn extend<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>) {
        self.values.extend(texts.flatten().map(|text| Identifying::new(text.to_owned())));
    }
}

/// Nobody as yet, in the columns of a plan that identify.
pub(crate) fn nobody(plan: &Plan) -> Vec<Persons> {
    let of = |column: &Column| Persons::new(column.field.clone(), column.kind);
    plan.persons.iter().map(|column| of(column)).collect()
}
