//! A result file as a small table.

use std::{fs::File, io::Seek as _, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use arrow::{
    array::{Array as _, AsArray as _},
    csv::{ReaderBuilder, reader::Format},
    datatypes::{DataType, Field, Schema},
};

/// Rows that are shown.
const SHOWN: usize = 5;
/// Widest line of a column's heading, unless one word of it is longer.
const HEADING: usize = 16;

/// The rows of a result, as texts.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads a CSV file with a heading.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let mut file = File::open(path).context("a result file is missing")?;
        let (schema, _) = Format::default().with_header(true).infer_schema(&mut file, Some(0))?;
        file.rewind()?;
        // Codes and dates are shown as they came; nothing is taken for a number.
        let text = |field: &Arc<Field>| Field::new(field.name(), DataType::Utf8, true);
        let schema = Schema::new(schema.fields().iter().map(text).collect::<Vec<_>>());
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut rows = Vec::new();
        for batch in ReaderBuilder::new(Arc::new(schema)).with_header(true).build(file)? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let cell = |column: &Arc<dyn arrow::array::Array>| {
                    let column = column.as_string::<i32>();
                    if column.is_null(row) { String::new() } else { column.value(row).to_owned() }
                };
                rows.push(batch.columns().iter().map(cell).collect());
            }
        }
        Ok(Self { columns, rows })
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The values of one column.
    pub(super) fn column(&self, name: &str) -> Vec<&str> {
        let Some(at) = self.columns.iter().position(|column| column == name) else {
            return Vec::new();
        };
        self.rows.iter().filter_map(|row| row.get(at)).map(String::as_str).collect()
    }

    /// The heading and the first rows, as lines of text.
    pub(super) fn lines(&self) -> Vec<String> {
        let headings: Vec<_> = self.columns.iter().map(|name| broken(name)).collect();
        let shown = self.rows.get(..SHOWN.min(self.rows.len())).unwrap_or_default();
        let width = |(at, heading): (usize, &Vec<String>)| {
            let cells = shown.iter().filter_map(|row| row.get(at));
            cells.chain(heading).map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<_> = headings.iter().enumerate().map(width).collect();
        let height = headings.iter().map(Vec::len).max().unwrap_or_default();
        let mut lines = Vec::new();
        for line in 0..height {
            let cells = headings.iter().map(|heading| {
                // Headings stand on their last line.
                let above = height - heading.len();
                line.checked_sub(above)
                    .and_then(|line| heading.get(line))
                    .map_or("", String::as_str)
            });
            lines.push(joined(cells, &widths));
        }
        let rules: Vec<_> = widths.iter().map(|width| "─".repeat(*width)).collect();
        lines.push(joined(rules.iter().map(String::as_str), &widths));
        lines.extend(shown.iter().map(|row| joined(row.iter().map(String::as_str), &widths)));
        if self.rows.len() > SHOWN {
            lines.push(format!("   … and {} more", self.rows.len() - SHOWN));
        }
        lines
    }
}

fn joined<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let cells = cells.zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    format!("   {}", cells.collect::<Vec<_>>().join("  "))
}

/// Breaks the name of a field after its underscores.
fn broken(name: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in name.split_inclusive('_') {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.len() + part.len() <= HEADING => {
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    lines
}
