//! Which rows of a block pass: area, subjects and predicate as Arrow masks, a column at a time.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Datum, Int64Array, StringArray},
    buffer::BooleanBuffer,
    compute::{
        and_kleene, filter, is_null,
        kernels::cmp::{eq, gt, gt_eq, lt, lt_eq, neq},
        not, or_kleene, prep_null_mask_filter,
    },
    error::ArrowError,
    record_batch::RecordBatch,
};
use convenant_model::{DatasetId, predicate::Operator};

use crate::{
    batch::{Batch, Persons, nobody},
    binding::Column,
    error::SourceError,
    plan::{Keys, Plan, Scope, Test},
    value::{Unfit, Value, spelled, typed},
};

/// Some rows of a file, under the covenant's names and in the file's types.
pub(crate) struct Block {
    pub(crate) dataset: DatasetId,
    pub(crate) batch: RecordBatch,
    /// Rows of the file before this block.
    pub(crate) before: u64,
}

impl Block {
    /// A column in the type in which its field leaves.
    pub(crate) fn typed(&self, column: &Column) -> Result<ArrayRef, SourceError> {
        let array = self.array(column)?;
        typed(column.kind, array).map_err(|unfit| self.unfit(column, unfit, Some))
    }

    /// The same of the rows that pass only.
    fn passing(&self, column: &Column, mask: &BooleanArray) -> Result<ArrayRef, SourceError> {
        let array = filter(self.array(column)?, mask).map_err(|_| self.broken())?;
        let place = |index| mask.values().set_indices().nth(index);
        typed(column.kind, &array).map_err(|unfit| self.unfit(column, unfit, place))
    }

    /// A column as text, as keys are compared.
    pub(crate) fn spelled(&self, column: &Column) -> Result<StringArray, SourceError> {
        let array = self.array(column)?;
        spelled(column.kind, array)
            .map(|texts| texts.as_string().clone())
            .map_err(|unfit| self.unfit(column, unfit, Some))
    }

    fn array(&self, column: &Column) -> Result<&ArrayRef, SourceError> {
        let found = self.batch.column_by_name(column.field.as_str());
        found.ok_or_else(|| self.broken())
    }

    fn unfit(
        &self,
        column: &Column,
        unfit: Unfit,
        place: impl Fn(usize) -> Option<usize>,
    ) -> SourceError {
        let (dataset, field) = (self.dataset.clone(), column.field.clone());
        let expected = column.kind.as_str();
        match unfit {
            Unfit::Value(index) => SourceError::Value {
                dataset,
                field,
                row: self.before + place(index).unwrap_or(index) as u64 + 1,
                expected,
            },
            Unfit::Column(found) => SourceError::ColumnType {
                dataset,
                field,
                column: column.name.clone(),
                expected,
                found: found.to_string(),
            },
        }
    }

    fn broken(&self) -> SourceError {
        SourceError::Interrupted { dataset: self.dataset.clone() }
    }
}

/// A plan's conditions, with the subjects indexed.
pub(crate) struct Filter<'a> {
    plan: &'a Plan,
    subjects: Option<Subjects<'a>>,
}

/// Key to what verifies it; `None` where the key alone suffices.
struct Subjects<'a> {
    keys: &'a Keys,
    accepted: HashMap<&'a str, Vec<Option<&'a str>>>,
}

impl<'a> Filter<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Self {
        Self { plan, subjects: plan.keys.as_ref().map(Subjects::of) }
    }

    /// How many rows pass.
    pub(crate) fn count(&self, block: &Block) -> Result<u64, SourceError> {
        Ok(self.mask(block)?.true_count() as u64)
    }

    /// The permitted columns of the rows that pass, and whom they are about.
    pub(crate) fn apply(&self, block: &Block) -> Result<Batch, SourceError> {
        let mask = self.mask(block)?;
        let columns = self.plan.output.iter();
        let columns =
            columns.map(|column| block.passing(column, &mask)).collect::<Result<Vec<_>, _>>()?;
        let rows = RecordBatch::try_new(Arc::clone(&self.plan.schema), columns)
            .map_err(|_| block.broken())?;
        Ok(Batch { rows, persons: self.persons(block, &mask)? })
    }

    fn persons(&self, block: &Block, mask: &BooleanArray) -> Result<Vec<Persons>, SourceError> {
        let mut persons = nobody(self.plan);
        for (found, column) in persons.iter_mut().zip(&self.plan.persons) {
            let texts = block.passing(column, mask)?;
            found.extend(texts.as_string_opt::<i32>().ok_or_else(|| block.broken())?.iter());
        }
        Ok(persons)
    }

    fn mask(&self, block: &Block) -> Result<BooleanArray, SourceError> {
        let mut mask = match &self.plan.scope {
            Some(scope) => in_area(scope, block)?,
            // Somebody vouched for the subjects, and nobody else passes.
            None => BooleanArray::new(BooleanBuffer::new_set(block.batch.num_rows()), None),
        };
        let mut also = |condition: BooleanArray| {
            mask = and_kleene(&mask, &condition).map_err(|_| block.broken())?;
            Ok(())
        };
        if let Some(subjects) = &self.subjects {
            also(subjects.mask(block)?)?;
        }
        if let Some(test) = &self.plan.test {
            also(test.mask(block)?)?;
        }
        // As in SQL, a row of which it is not known whether it passes does not.
        Ok(match mask.null_count() {
            0 => mask,
            _ => prep_null_mask_filter(&mask),
        })
    }
}

/// Clause S10: a row passes when one of the columns holds one of its codes.
fn in_area(scope: &[Scope], block: &Block) -> Result<BooleanArray, SourceError> {
    let mut mask = BooleanArray::new(BooleanBuffer::new_unset(block.batch.num_rows()), None);
    for Scope { column, codes } in scope {
        let holds = one_of(&block.spelled(column)?, codes.iter().map(String::as_str).collect());
        mask = or_kleene(&mask, &holds).map_err(|_| block.broken())?;
    }
    Ok(mask)
}

/// A few texts are compared faster than hashed.
const FEW: usize = 8;

fn one_of(texts: &StringArray, list: Vec<&str>) -> BooleanArray {
    if list.len() <= FEW {
        return BooleanArray::from_unary(texts, |text| list.contains(&text));
    }
    let list: HashSet<&str> = list.into_iter().collect();
    BooleanArray::from_unary(texts, |text| list.contains(text))
}

impl<'a> Subjects<'a> {
    fn of(keys: &'a Keys) -> Self {
        let mut accepted: HashMap<_, Vec<_>> = HashMap::with_capacity(keys.subjects.len());
        for subject in &keys.subjects {
            let verify = subject.verify.as_ref().map(|value| value.expose());
            accepted.entry(subject.key.expose()).or_default().push(verify);
        }
        Self { keys, accepted }
    }

    fn mask(&self, block: &Block) -> Result<BooleanArray, SourceError> {
        let keys = block.spelled(&self.keys.column)?;
        let verifying = self.keys.verified_by.as_ref();
        let verifying = verifying.map(|column| block.spelled(column)).transpose()?;
        let passes = |row: usize| {
            let key = keys.is_valid(row).then(|| keys.value(row));
            let accepted = key.and_then(|key| self.accepted.get(key));
            accepted.is_some_and(|accepted| verified(accepted, verifying.as_ref(), row))
        };
        let mask = BooleanBuffer::collect_bool(keys.len(), passes);
        Ok(BooleanArray::new(mask, None))
    }
}

/// Clause L14: the second attribute shows that the key belongs to the person.
fn verified(accepted: &[Option<&str>], verifying: Option<&StringArray>, row: usize) -> bool {
    let held = verifying.and_then(|texts| texts.is_valid(row).then(|| texts.value(row)));
    accepted.iter().any(|wanted| wanted.is_none_or(|wanted| held == Some(wanted)))
}

impl Test {
    /// Three-valued, as in SQL: a comparison with an absent value is neither true nor false.
    fn mask(&self, block: &Block) -> Result<BooleanArray, SourceError> {
        let computed = match self {
            Self::And(parts) => return fold(parts, block, and_kleene),
            Self::Or(parts) => return fold(parts, block, or_kleene),
            Self::Not(part) => not(&part.mask(block)?),
            Self::IsNull(column) => is_null(block.array(column)?),
            Self::Compare(column, operator, value) => {
                compare(&*comparable(block, column)?, *operator, value)
            }
            Self::Between(column, low, high) => between(&*comparable(block, column)?, low, high),
            Self::In(column, values) => among(&*comparable(block, column)?, values),
        };
        computed.map_err(|_| block.broken())
    }
}

fn fold(
    parts: &[Test],
    block: &Block,
    join: fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>,
) -> Result<BooleanArray, SourceError> {
    let mut masks = parts.iter().map(|part| part.mask(block));
    let first = masks.next().ok_or_else(|| block.broken())??;
    masks.try_fold(first, |joined, mask| join(&joined, &mask?).map_err(|_| block.broken()))
}

/// A column as predicates compare it. A partial date is not checked here: a wrong one in a row that
/// does not leave is nobody's answer.
fn comparable(block: &Block, column: &Column) -> Result<ArrayRef, SourceError> {
    match crate::value::data_type(column.kind) {
        arrow::datatypes::DataType::Utf8 => Ok(Arc::new(block.spelled(column)?)),
        _ => block.typed(column),
    }
}

fn compare(
    array: &dyn Array,
    operator: Operator,
    value: &Value,
) -> Result<BooleanArray, ArrowError> {
    let kernel = match operator {
        Operator::Equal => eq,
        Operator::NotEqual => neq,
        Operator::Less => lt,
        Operator::LessOrEqual => lt_eq,
        Operator::Greater => gt,
        Operator::GreaterOrEqual => gt_eq,
    };
    kernel(&array, &*scalar(value))
}

fn between(array: &dyn Array, low: &Value, high: &Value) -> Result<BooleanArray, ArrowError> {
    let from = compare(array, Operator::GreaterOrEqual, low)?;
    let to = compare(array, Operator::LessOrEqual, high)?;
    and_kleene(&from, &to)
}

fn among(array: &dyn Array, values: &[Value]) -> Result<BooleanArray, ArrowError> {
    if let Some(texts) = array.as_string_opt::<i32>() {
        return Ok(one_of(texts, values.iter().filter_map(Value::text).collect()));
    }
    let mut mask = BooleanArray::new(BooleanBuffer::new_unset(array.len()), None);
    for value in values {
        mask = or_kleene(&mask, &compare(array, Operator::Equal, value)?)?;
    }
    Ok(mask)
}

fn scalar(value: &Value) -> Box<dyn Datum> {
    match value {
        Value::Text(text) => Box::new(StringArray::new_scalar(text)),
        Value::Integer(number) => Box::new(Int64Array::new_scalar(*number)),
        Value::Date(days) => Box::new(Date32Array::new_scalar(*days)),
        Value::Boolean(truth) => Box::new(BooleanArray::new_scalar(*truth)),
    }
}
