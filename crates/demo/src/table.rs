//! Rows of a dataset, written as a partner would hold them: CSV, or Parquet with typed columns.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, BooleanArray, Date32Array, Int64Array, StringArray},
    csv,
    datatypes::{DataType, Field as ArrowField, Schema},
    record_batch::RecordBatch,
};
use convenant_model::{
    Date, FieldName,
    covenant::{Dataset, Use},
    value::FieldType,
};
use parquet::arrow::ArrowWriter;

use crate::{
    error::{DemoError, Result},
    files,
};

/// A value before the covenant's type of its field decides how it is written.
#[derive(Clone, PartialEq)]
pub(crate) enum Cell {
    Empty,
    Text(String),
    Number(i64),
    Flag(bool),
    Day(Date),
}

/// Rows of one dataset under its official names.
pub struct Table {
    columns: Vec<Column>,
}

struct Column {
    name: FieldName,
    kind: FieldType,
    cells: Vec<Cell>,
}

/// How the fields of a covenant are bound to the columns of a source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Binding {
    /// Column of the source for each field of the covenant that may leave.
    pub columns: BTreeMap<FieldName, String>,
    /// Fields of the covenant that the source does not have.
    pub absent: BTreeSet<FieldName>,
}

impl Table {
    /// Puts rows under the names of their fields.
    pub(crate) fn new<const N: usize>(
        dataset: &Dataset,
        names: [&str; N],
        rows: &[[Cell; N]],
    ) -> Result<Self> {
        let column = |(i, name): (usize, &&str)| {
            let name = FieldName::new(*name)?;
            let field = dataset.field(&name).ok_or_else(|| DemoError::Field {
                dataset: dataset.id.clone(),
                field: name.clone(),
            })?;
            let cells = rows.iter().map(|row| row.get(i).cloned().unwrap_or(Cell::Empty));
            Ok(Column { name, kind: field.kind, cells: cells.collect() })
        };
        let columns = names.iter().enumerate().map(column);
        Ok(Self { columns: columns.collect::<Result<_>>()? })
    }

    /// Binds each field that the covenant lets leave to the column of the same name. A field that the
    /// covenant refuses stays unbound, whether the partner has it or not.
    #[must_use]
    pub fn binding(&self, dataset: &Dataset) -> Binding {
        let usable = dataset.field.iter().filter(|field| field.usage != Use::Refused);
        let mut binding = Binding::default();
        for field in usable {
            if self.columns.iter().any(|column| column.name == field.name) {
                let column = field.name.to_string();
                binding.columns.insert(field.name.clone(), column);
            } else {
                binding.absent.insert(field.name.clone());
            }
        }
        binding
    }

    /// Writes a CSV file with a header; an unknown value is an empty cell.
    ///
    /// # Errors
    /// When the file exists already or cannot be written.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let file = files::new_file(path)?;
        csv::Writer::new(file).write(&self.batch(Column::text)?)?;
        Ok(())
    }

    /// Writes a Parquet file whose columns have the types of their fields.
    ///
    /// # Errors
    /// When the file exists already or cannot be written.
    pub fn write_parquet(&self, path: &Path) -> Result<()> {
        let batch = self.batch(Column::typed)?;
        let mut writer = ArrowWriter::try_new(files::new_file(path)?, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(())
    }

    fn batch(&self, array: fn(&Column) -> ArrayRef) -> Result<RecordBatch> {
        let arrays: Vec<_> = self.columns.iter().map(array).collect();
        let fields = self.columns.iter().zip(&arrays).map(|(column, array)| {
            ArrowField::new(column.name.as_str(), array.data_type().clone(), true)
        });
        let schema = Schema::new(fields.collect::<Vec<_>>());
        Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
    }
}

impl Column {
    fn text(&self) -> ArrayRef {
        let texts = self.cells.iter().map(|cell| cell.text(self.kind));
        Arc::new(texts.collect::<StringArray>())
    }

    /// Parquet's own types for numbers, days and flags; everything else is text, also a date of which
    /// parts are unknown.
    fn typed(&self) -> ArrayRef {
        let cells = self.cells.iter();
        match data_type(self.kind) {
            DataType::Int64 => Arc::new(cells.map(Cell::number).collect::<Int64Array>()),
            DataType::Date32 => Arc::new(cells.map(Cell::day).collect::<Date32Array>()),
            DataType::Boolean => Arc::new(cells.map(Cell::flag).collect::<BooleanArray>()),
            _ => self.text(),
        }
    }
}

const fn data_type(kind: FieldType) -> DataType {
    match kind {
        FieldType::Integer => DataType::Int64,
        FieldType::Date => DataType::Date32,
        FieldType::Boolean => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

impl Cell {
    fn text(&self, kind: FieldType) -> Option<String> {
        match self {
            Self::Empty => None,
            Self::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Self::Number(number) => Some(number.to_string()),
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Day(day) if kind == FieldType::PartialDate => {
                Some(day.to_string().replace('-', ""))
            }
            Self::Day(day) => Some(day.to_string()),
        }
    }

    const fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn day(&self) -> Option<i32> {
        match self {
            Self::Day(day) => Some(day.days_since_epoch()),
            _ => None,
        }
    }

    const fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        i64::try_from(number).map_or(Self::Empty, Self::Number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Date> for Cell {
    fn from(day: Date) -> Self {
        Self::Day(day)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}
