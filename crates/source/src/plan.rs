//! A recorded permit in the terms of a source: columns, values of their types, subjects.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use convenant_clauses::Permit;
use convenant_ledger::Recorded;
use convenant_model::{
    DatasetId, FieldName,
    predicate::{Expr, Literal, Operator, Predicate},
    subjects::Subject,
    value::FieldType,
    verdict::AreaFilter,
};

use crate::{
    binding::{Binding, Column},
    error::SourceError,
    value::{self, Value},
};

/// What to read. Every field has a column, every literal is of its field's type.
pub(crate) struct Plan {
    pub(crate) dataset: DatasetId,
    pub(crate) output: Vec<Arc<Column>>,
    /// That of the answer, which has the columns of `output`.
    pub(crate) schema: SchemaRef,
    /// What tells whom the rows are about. It is read beside the rows and is no part of them.
    pub(crate) persons: Vec<Arc<Column>>,
    /// `None` where somebody vouched for every subject instead; then there are `keys`.
    pub(crate) scope: Option<Vec<Scope>>,
    pub(crate) keys: Option<Keys>,
    pub(crate) test: Option<Test>,
    pub(crate) max_rows: u64,
}

/// A column that holds an area, and the codes that pass as the column writes them.
pub(crate) struct Scope {
    pub(crate) column: Arc<Column>,
    pub(crate) codes: Vec<String>,
}

/// The subjects: a row passes when it has the key of one of them and, where that subject has a
/// verifying value, also that value (clause L14).
pub(crate) struct Keys {
    pub(crate) column: Arc<Column>,
    pub(crate) verified_by: Option<Arc<Column>>,
    pub(crate) subjects: Vec<Subject>,
}

/// A predicate over columns.
pub(crate) enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Compare(Arc<Column>, Operator, Value),
    In(Arc<Column>, Vec<Value>),
    Between(Arc<Column>, Value, Value),
    IsNull(Arc<Column>),
}

/// What a permit and its query ask, in the covenant's terms.
pub(crate) struct Asked<'a> {
    pub(crate) columns: &'a [FieldName],
    pub(crate) scope: &'a [AreaFilter],
    /// The key for which vouchers came, where they take the place of the area.
    pub(crate) vouched: Option<&'a FieldName>,
    pub(crate) predicate: Option<&'a Predicate>,
    /// The key field, and the field that verifies a subject.
    pub(crate) key: Option<(&'a FieldName, Option<&'a FieldName>)>,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) max_rows: u64,
}

impl Plan {
    /// What a recorded permit lets out, for the subjects that its query announces. There is no other
    /// way to a plan, and no way to data without one.
    pub(crate) fn of(
        binding: &Binding,
        permit: &Recorded<Permit>,
        subjects: Vec<Subject>,
    ) -> Result<Self, SourceError> {
        let permit = permit.item();
        let obligations = permit.obligations();
        let misfit = |fault| Resolver(binding).misfit(fault);
        if obligations.dataset != *binding.dataset() {
            return Err(misfit("it is for another dataset"));
        }
        let target = permit.asked().ok_or_else(|| misfit("it is for no target"))?;
        if permit.subjects() != subjects.len() as u64 {
            return Err(misfit("its query announces another number of subjects"));
        }
        if obligations.vouched.is_some() && permit.vouched_by().is_empty() {
            return Err(misfit("nobody is on record as having vouched for its subjects"));
        }
        let shape = target.subjects.as_ref();
        let asked = Asked {
            columns: &obligations.columns,
            scope: &obligations.scope,
            vouched: obligations.vouched.as_ref(),
            predicate: target.predicate.as_ref(),
            key: shape.map(|shape| (&shape.key, shape.verified_by.as_ref())),
            subjects,
            max_rows: obligations.max_rows,
        };
        Self::new(binding, asked)
    }

    fn new(binding: &Binding, asked: Asked<'_>) -> Result<Self, SourceError> {
        let resolver = Resolver(binding);
        let output = resolver.output(asked.columns)?;
        Ok(Self {
            dataset: binding.dataset().clone(),
            persons: binding.persons(&output),
            schema: schema(&output),
            output,
            scope: match asked.vouched {
                Some(_) => resolver.vouched(&asked)?,
                None => Some(resolver.scope(asked.scope)?),
            },
            keys: resolver.keys(asked.key, asked.subjects)?,
            test: asked.predicate.map(|predicate| resolver.test(predicate.expr())).transpose()?,
            max_rows: asked.max_rows,
        })
    }

    /// All rows in the area that a recorded permit is held within, to be counted.
    pub(crate) fn of_area(
        binding: &Binding,
        permit: &Recorded<Permit>,
    ) -> Result<Self, SourceError> {
        let obligations = permit.item().obligations();
        if obligations.dataset != *binding.dataset() {
            return Err(Resolver(binding).misfit("it is for another dataset"));
        }
        let asked = Asked {
            columns: &[],
            scope: &obligations.scope,
            vouched: None,
            predicate: None,
            key: None,
            subjects: Vec::new(),
            max_rows: obligations.max_rows,
        };
        Self::new(binding, asked)
    }

    /// A plan without a permit, for the tests of the adapters.
    #[cfg(test)]
    pub(crate) fn unrecorded(binding: &Binding, asked: Asked<'_>) -> Result<Self, SourceError> {
        Self::new(binding, asked)
    }

    pub(crate) fn too_many(&self) -> SourceError {
        SourceError::TooManyRows { dataset: self.dataset.clone(), max_rows: self.max_rows }
    }

    pub(crate) fn nothing_asked(&self) -> SourceError {
        SourceError::Permit { dataset: self.dataset.clone(), fault: "it lets no field out" }
    }

    /// Every column that must be read, once each.
    pub(crate) fn needed(&self, with_output: bool) -> Vec<Arc<Column>> {
        let mut found: Vec<Arc<Column>> = Vec::new();
        let mut need = |column: &Arc<Column>| {
            if !found.contains(column) {
                found.push(Arc::clone(column));
            }
        };
        if with_output {
            self.output.iter().chain(&self.persons).for_each(&mut need);
        }
        self.scope.iter().flatten().for_each(|scope| need(&scope.column));
        if let Some(keys) = &self.keys {
            need(&keys.column);
            keys.verified_by.iter().for_each(&mut need);
        }
        if let Some(test) = &self.test {
            test.each_column(&mut need);
        }
        found
    }
}

impl Test {
    fn each_column(&self, see: &mut impl FnMut(&Arc<Column>)) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.each_column(see));
            }
            Self::Not(part) => part.each_column(see),
            Self::Compare(column, ..)
            | Self::In(column, _)
            | Self::Between(column, ..)
            | Self::IsNull(column) => see(column),
        }
    }
}

fn schema(output: &[Arc<Column>]) -> SchemaRef {
    let field = |column: &Arc<Column>| {
        Field::new(column.field.as_str(), value::data_type(column.kind), true)
    };
    Arc::new(Schema::new(output.iter().map(field).collect::<Vec<_>>()))
}

/// Turns the covenant's terms into the source's.
struct Resolver<'a>(&'a Binding);

impl Resolver<'_> {
    fn column(&self, field: &FieldName) -> Result<Arc<Column>, SourceError> {
        self.0.column(field).ok_or_else(|| SourceError::NotServed {
            dataset: self.0.dataset().clone(),
            field: field.clone(),
        })
    }

    /// Clause L15: what accompanies goes with an answer where the source has it.
    fn output(&self, fields: &[FieldName]) -> Result<Vec<Arc<Column>>, SourceError> {
        let binding = self.0;
        fields
            .iter()
            .filter(|field| binding.serves(field) || !binding.accompanies(field))
            .map(|field| self.column(field))
            .collect()
    }

    /// Clause S10. A field that the source lacks holds no code of the project, so leaving it out
    /// narrows; one field at least must be left.
    fn scope(&self, filters: &[AreaFilter]) -> Result<Vec<Scope>, SourceError> {
        let bound = |filter: &AreaFilter| {
            let column = self.0.column(&filter.field)?;
            let bare = column.kind == FieldType::Gemeentecode;
            let spell = |code: &convenant_model::area::AreaCode| {
                if bare { code.bare() } else { code.as_str() }.to_owned()
            };
            let codes = filter.codes.iter().map(spell).collect();
            Some(Scope { column, codes })
        };
        let scope: Vec<Scope> = filters.iter().filter_map(bound).collect();
        if scope.is_empty() {
            return Err(self.misfit("its area has no column"));
        }
        Ok(scope)
    }

    /// Clause S10, where no column holds the area: the rows of the subjects that somebody vouched for, and
    /// without subjects none.
    fn vouched(&self, asked: &Asked<'_>) -> Result<Option<Vec<Scope>>, SourceError> {
        let key = asked.key.map(|(key, _)| key);
        if asked.vouched.is_none() || asked.vouched != key || asked.subjects.is_empty() {
            return Err(self.misfit("it is bound by vouchers, and its subjects are not"));
        }
        if !asked.scope.is_empty() {
            return Err(self.misfit("it is bound by an area and by vouchers"));
        }
        Ok(None)
    }

    fn keys(
        &self,
        key: Option<(&FieldName, Option<&FieldName>)>,
        subjects: Vec<Subject>,
    ) -> Result<Option<Keys>, SourceError> {
        let Some((field, verified_by)) = key else {
            return match subjects.is_empty() {
                true => Ok(None),
                false => Err(self.misfit("it has subjects and names no key")),
            };
        };
        if verified_by.is_none() && subjects.iter().any(|subject| subject.verify.is_some()) {
            return Err(self.misfit("its subjects are verified by a field that it does not name"));
        }
        let verified_by = verified_by.map(|field| self.column(field)).transpose()?;
        Ok(Some(Keys { column: self.column(field)?, verified_by, subjects }))
    }

    fn test(&self, expr: &Expr) -> Result<Test, SourceError> {
        let all = |parts: &[Expr]| -> Result<Vec<_>, _> {
            parts.iter().map(|part| self.test(part)).collect()
        };
        Ok(match expr {
            Expr::And(parts) => Test::And(all(parts)?),
            Expr::Or(parts) => Test::Or(all(parts)?),
            Expr::Not(part) => Test::Not(Box::new(self.test(part)?)),
            Expr::Compare(field, operator, literal) => {
                let column = self.column(field)?;
                let value = self.value(&column, literal)?;
                Test::Compare(column, *operator, value)
            }
            Expr::In(field, list) => {
                let column = self.column(field)?;
                let values = list.iter().map(|literal| self.value(&column, literal));
                let values = values.collect::<Result<_, _>>()?;
                Test::In(column, values)
            }
            Expr::Between(field, low, high) => {
                let column = self.column(field)?;
                let (low, high) = (self.value(&column, low)?, self.value(&column, high)?);
                Test::Between(column, low, high)
            }
            Expr::IsNull(field) => Test::IsNull(self.column(field)?),
        })
    }

    fn value(&self, column: &Column, literal: &Literal) -> Result<Value, SourceError> {
        Value::of(column.kind, literal).ok_or_else(|| SourceError::Literal {
            dataset: self.0.dataset().clone(),
            field: column.field.clone(),
            expected: column.kind.as_str(),
        })
    }

    fn misfit(&self, fault: &'static str) -> SourceError {
        SourceError::Permit { dataset: self.0.dataset().clone(), fault }
    }
}
