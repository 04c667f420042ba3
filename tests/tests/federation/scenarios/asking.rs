//! Questions put together, and answers taken apart.

use std::{collections::BTreeMap, fs, path::Path};

use convenant_client::compose::{Subjects, TargetQuestion};
use convenant_exchange::{Kept, pass_on};
use convenant_model::{
    FieldName,
    subjects::{Identifying, Subject},
    vouching::Vouchers,
};

/// A row of an answer, by field.
pub(super) type Row = BTreeMap<String, String>;

/// About these values of a key field.
pub(super) fn about(mut asked: TargetQuestion, key: &str, values: &[String]) -> TargetQuestion {
    asked.subjects = Some(subjects(key, named(values), Vec::new()));
    asked
}

/// About these values, for whom an answer vouched.
pub(super) fn vouched(asked: TargetQuestion, key: &str, by: (&Kept, &[String])) -> TargetQuestion {
    let (kept, values) = by;
    let (list, vouchers) = pass_on(&[kept], named(values)).unwrap();
    TargetQuestion { subjects: Some(subjects(key, list, vouchers)), ..asked }
}

/// Under a condition.
pub(super) fn when(asked: TargetQuestion, condition: &str) -> TargetQuestion {
    TargetQuestion { predicate: Some(condition.parse().unwrap()), ..asked }
}

/// With the partner vouching for a field.
pub(super) fn vouching(asked: TargetQuestion, field: &str) -> TargetQuestion {
    TargetQuestion { vouch: Some(FieldName::new(field).unwrap()), ..asked }
}

/// The values of one field, each once.
pub(super) fn column(rows: &[Row], field: &str) -> Vec<String> {
    let mut values: Vec<_> = rows.iter().map(|row| row[field].clone()).collect();
    values.sort();
    values.dedup();
    values
}

fn named(values: &[String]) -> Vec<Subject> {
    let subject = |value: &String| Subject { key: Identifying::new(value.clone()), verify: None };
    values.iter().map(subject).collect()
}

fn subjects(key: &str, list: Vec<Subject>, vouchers: Vec<Vouchers>) -> Subjects {
    Subjects { key: FieldName::new(key).unwrap(), verified_by: None, list, vouchers }
}

pub(super) fn by_field(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    let row = |line: &str| names.iter().cloned().zip(line.split(',').map(str::to_owned)).collect();
    lines.map(row).collect()
}
