//! Whether the values of a file's columns are those of the fields that are bound to them.

use std::sync::Arc;

use convenant_model::{DatasetId, value::FieldType};

use crate::{binding::Column, error::SourceError, filter::Block};

/// What was seen of each column. One value that is no number, date or boolean is an error at once: no
/// row could be compared any more. Of numbers, codes and partial dates registers hold wrong ones (the
/// official BRP test set has `19660013`), so there a column is refused only when it has values and
/// none of them has the form: then it is another column.
pub(super) struct Conformity<'a>(Vec<Seen<'a>>);

struct Seen<'a> {
    column: &'a Arc<Column>,
    values: u64,
    wrong: u64,
    first_wrong: u64,
}

impl<'a> Conformity<'a> {
    pub(super) fn new(columns: &'a [Arc<Column>]) -> Self {
        let unseen = |column| Seen { column, values: 0, wrong: 0, first_wrong: 0 };
        Self(columns.iter().map(unseen).collect())
    }

    pub(super) fn see(&mut self, block: &Block) -> Result<(), SourceError> {
        self.0.iter_mut().try_for_each(|seen| seen.see(block))
    }

    pub(super) fn conclude(self, dataset: &DatasetId) -> Result<(), SourceError> {
        self.0.iter().try_for_each(|seen| seen.conclude(dataset))
    }
}

impl Seen<'_> {
    fn see(&mut self, block: &Block) -> Result<(), SourceError> {
        let kind = self.column.kind;
        if !has_form(kind) {
            return block.typed(self.column).map(|_| ());
        }
        for (row, text) in block.spelled(self.column)?.iter().enumerate() {
            let Some(text) = text else { continue };
            self.values += 1;
            if kind.admits(text) {
                continue;
            }
            if self.wrong == 0 {
                self.first_wrong = block.before + row as u64 + 1;
            }
            self.wrong += 1;
        }
        Ok(())
    }

    fn conclude(&self, dataset: &DatasetId) -> Result<(), SourceError> {
        let Column { field, name, kind } = &**self.column;
        if self.wrong == 0 {
            return Ok(());
        }
        if self.wrong == self.values {
            return Err(SourceError::ColumnType {
                dataset: dataset.clone(),
                field: field.clone(),
                column: name.clone(),
                expected: kind.as_str(),
                found: "without any such value".to_owned(),
            });
        }
        tracing::warn!(
            %dataset,
            %field,
            expected = kind.as_str(),
            wrong = self.wrong,
            first_row = self.first_wrong,
            "the source has values that are not of their field's type"
        );
        Ok(())
    }
}

const fn has_form(kind: FieldType) -> bool {
    !matches!(kind, FieldType::Integer | FieldType::Date | FieldType::Boolean)
}
