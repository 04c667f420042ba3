//! Whether the values of a file's columns are those of the fields that are bound to them.

use std::sync::Arc;

use arrow::array::AsArray;
use convenant_model::{DatasetId, value::FieldType};

use crate::{binding::Column, error::SourceError, filter::Block};

/// What was seen of each column. One value that is no number, date or boolean is an error at once.
/// Of identifying numbers and codes registers hold wrong ones, so there a column is refused only when
/// it has values and none of them has the form: then it is another column.
pub(super) struct Conformity<'a>(Vec<Seen<'a>>);

struct Seen<'a> {
    column: &'a Arc<Column>,
    values: bool,
    fitting: bool,
}

impl<'a> Conformity<'a> {
    pub(super) fn new(columns: &'a [Arc<Column>]) -> Self {
        let unseen = |column| Seen {
            column,
            values: false,
            fitting: false,
        };
        Self(columns.iter().map(unseen).collect())
    }

    pub(super) fn see(&mut self, block: &Block) -> Result<(), SourceError> {
        self.0.iter_mut().try_for_each(|seen| seen.see(block))
    }

    pub(super) fn conclude(self, dataset: &DatasetId) -> Result<(), SourceError> {
        match self.0.iter().find(|seen| seen.values && !seen.fitting) {
            None => Ok(()),
            Some(Seen { column, .. }) => Err(SourceError::ColumnType {
                dataset: dataset.clone(),
                field: column.field.clone(),
                column: column.name.clone(),
                expected: column.kind.as_str(),
                found: "without any such value".to_owned(),
            }),
        }
    }
}

impl Seen<'_> {
    fn see(&mut self, block: &Block) -> Result<(), SourceError> {
        let array = block.typed(self.column)?;
        let kind = self.column.kind;
        if !has_form(kind) {
            self.fitting = true;
        }
        if self.fitting {
            return Ok(());
        }
        let texts = array.as_string::<i32>();
        self.values |= texts.iter().any(|text| text.is_some());
        self.fitting = texts.iter().flatten().any(|text| kind.admits(text));
        Ok(())
    }
}

const fn has_form(kind: FieldType) -> bool {
    matches!(
        kind,
        FieldType::Bsn | FieldType::BagObject | FieldType::Gemeentecode | FieldType::CbsCode
    )
}
