//! A plan as an SQL statement. Its text consists of our own words, of identifiers from the binding,
//! quoted, and of numbered parameters. Every literal, code and key is a bound parameter: none can
//! become text, because [`Value`] is only ever pushed as a parameter.

use std::fmt::Write;

use convenant_model::{predicate::Operator, subjects::Subject, value::FieldType};
use tokio_postgres::{
    Error, Portal, Row, Transaction,
    types::{ToSql, Type},
};

use super::rows::Days;
use crate::{
    binding::Column,
    plan::{Keys, Plan, Scope, Test},
    value::Value,
};

/// A table or view in a schema.
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
}

impl Table {
    /// Reads `schema.table`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (schema, name) = text.split_once('.')?;
        let plain = |part: &str| !part.is_empty() && !part.contains(['.', '\0']);
        (plain(schema) && plain(name))
            .then(|| Self { schema: schema.to_owned(), name: name.to_owned() })
    }
}

/// A statement with its parameters.
pub(super) struct Statement<'a> {
    text: String,
    parameters: Vec<Parameter<'a>>,
}

/// What is bound to `$n`.
enum Parameter<'a> {
    Text(&'a str),
    Texts(Vec<&'a str>),
    Integer(i64),
    Date(Days),
    Boolean(bool),
}

impl Parameter<'_> {
    const fn cast(&self) -> (&'static str, Type) {
        match self {
            Self::Text(_) => ("text", Type::TEXT),
            Self::Texts(_) => ("text[]", Type::TEXT_ARRAY),
            Self::Integer(_) => ("int8", Type::INT8),
            Self::Date(_) => ("date", Type::DATE),
            Self::Boolean(_) => ("bool", Type::BOOL),
        }
    }

    fn bound(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(text) => text,
            Self::Texts(texts) => texts,
            Self::Integer(number) => number,
            Self::Date(days) => days,
            Self::Boolean(truth) => truth,
        }
    }
}

impl<'a> Statement<'a> {
    /// One row more than may leave, so that too many show. Behind the columns that leave, those that tell whom
    /// the rows are about.
    pub(super) fn rows(plan: &'a Plan, table: &Table) -> Self {
        let columns = plan.output.iter().chain(&plan.persons).map(|column| value_of(column));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let mut statement = Self::over(plan, table, &columns);
        let limit = i64::try_from(plan.max_rows.saturating_add(1)).unwrap_or(i64::MAX);
        statement.push(" LIMIT ");
        statement.bind(Parameter::Integer(limit));
        statement
    }

    pub(super) fn count(plan: &'a Plan, table: &Table) -> Self {
        Self::over(plan, table, "count(*)")
    }

    /// A portal from which the rows are fetched.
    pub(super) async fn open(&self, transaction: &Transaction<'_>) -> Result<Portal, Error> {
        let prepared = transaction.prepare_typed(&self.text, &self.types()).await?;
        transaction.bind(&prepared, &self.bound()).await
    }

    /// The only row.
    pub(super) async fn only(&self, transaction: &Transaction<'_>) -> Result<Row, Error> {
        let prepared = transaction.prepare_typed(&self.text, &self.types()).await?;
        transaction.query_one(&prepared, &self.bound()).await
    }

    fn types(&self) -> Vec<Type> {
        self.parameters.iter().map(|parameter| parameter.cast().1).collect()
    }

    fn bound(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.parameters.iter().map(Parameter::bound).collect()
    }

    fn over(plan: &'a Plan, table: &Table, what: &str) -> Self {
        let (schema, name) = (quoted(&table.schema), quoted(&table.name));
        let mut statement = Self {
            text: format!("SELECT {what} FROM {schema}.{name} WHERE "),
            parameters: Vec::new(),
        };
        match &plan.scope {
            Some(scope) => statement.separated(scope, " OR ", Self::scope),
            // Somebody vouched for the subjects, and nobody else passes.
            None => statement.push("true"),
        }
        if let Some(keys) = &plan.keys {
            statement.push(" AND ");
            statement.keys(keys);
        }
        if let Some(test) = &plan.test {
            statement.push(" AND ");
            statement.test(test);
        }
        statement
    }

    fn push(&mut self, own_words: &str) {
        self.text.push_str(own_words);
    }

    fn bind(&mut self, parameter: Parameter<'a>) {
        let cast = parameter.cast().0;
        self.parameters.push(parameter);
        // Writing to a `String` does not fail.
        let _ = write!(self.text, "${}::{cast}", self.parameters.len());
    }

    fn separated<T>(&mut self, parts: &'a [T], by: &str, each: fn(&mut Self, &'a T)) {
        self.push("(");
        for (i, part) in parts.iter().enumerate() {
            self.push(if i == 0 { "" } else { by });
            each(self, part);
        }
        self.push(")");
    }

    fn scope(&mut self, scope: &'a Scope) {
        self.push(&spelled(&scope.column));
        self.push(" = ANY(");
        self.bind(Parameter::Texts(scope.codes.iter().map(String::as_str).collect()));
        self.push(")");
    }

    /// The rows of subjects that need no verifying, and those of verified ones: each by its key, which
    /// an index may serve, and then by the pair.
    fn keys(&mut self, keys: &'a Keys) {
        let key = spelled(&keys.column);
        let possible = keys.subjects.iter().filter(|subject| storable(subject));
        let (verified, plain): (Vec<_>, Vec<_>) = possible.partition(|s| s.verify.is_some());
        let of = |subjects: &[&'a Subject]| {
            let keys = subjects.iter().map(|subject| subject.key.expose());
            Parameter::Texts(keys.collect())
        };
        let _ = write!(self.text, "({key} = ANY(");
        self.bind(of(&plain));
        self.push(")");
        if let Some(column) = keys.verified_by.as_ref().filter(|_| !verified.is_empty()) {
            let _ = write!(self.text, " OR {key} = ANY(");
            self.bind(of(&verified));
            let verify = spelled(column);
            let _ = write!(self.text, ") AND ({key}, {verify}) IN (SELECT s.k, s.v FROM unnest(");
            self.bind(of(&verified));
            self.push(", ");
            let values = verified.iter().filter_map(|subject| subject.verify.as_ref());
            self.bind(Parameter::Texts(values.map(|value| value.expose()).collect()));
            self.push(") AS s(k, v))");
        }
        self.push(")");
    }

    fn test(&mut self, test: &'a Test) {
        match test {
            Test::And(parts) => self.separated(parts, " AND ", Self::test),
            Test::Or(parts) => self.separated(parts, " OR ", Self::test),
            Test::Not(part) => {
                self.push("NOT (");
                self.test(part);
                self.push(")");
            }
            Test::Compare(column, operator, value) => {
                self.push(&compared(column, *operator));
                self.push(" ");
                self.push(sign(*operator));
                self.push(" ");
                self.value(value);
            }
            Test::In(column, values) => {
                self.push(&value_of(column));
                self.push(" IN ");
                self.separated(values, ", ", Self::value);
            }
            Test::Between(column, low, high) => {
                self.push(&compared(column, Operator::Less));
                self.push(" BETWEEN ");
                self.value(low);
                self.push(" AND ");
                self.value(high);
            }
            Test::IsNull(column) => {
                self.push(&quoted(&column.name));
                self.push(" IS NULL");
            }
        }
    }

    fn value(&mut self, value: &'a Value) {
        self.bind(match value {
            Value::Text(text) => Parameter::Text(text),
            Value::Integer(number) => Parameter::Integer(*number),
            Value::Date(days) => Parameter::Date(Days(*days)),
            Value::Boolean(truth) => Parameter::Boolean(*truth),
        });
    }
}

/// PostgreSQL stores no text with a zero byte, so such a subject has no row.
fn storable(subject: &Subject) -> bool {
    let verify = subject.verify.as_ref().map_or("", |value| value.expose());
    !subject.key.expose().contains('\0') && !verify.contains('\0')
}

const fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::NotEqual => "<>",
        other => other.as_str(),
    }
}

/// A column in the type in which its field leaves.
fn value_of(column: &Column) -> String {
    let cast = match column.kind {
        FieldType::Integer => "int8",
        FieldType::Date => "date",
        FieldType::Boolean => "bool",
        _ => "text",
    };
    format!("{}::{cast}", quoted(&column.name))
}

fn spelled(column: &Column) -> String {
    format!("{}::text", quoted(&column.name))
}

/// Order of text is the order of its bytes, as in the other adapters, whatever the database sorts by.
fn compared(column: &Column, operator: Operator) -> String {
    let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
    let text = !matches!(column.kind, FieldType::Integer | FieldType::Date | FieldType::Boolean);
    let value = value_of(column);
    if ordered && text { format!("{value} COLLATE \"C\"") } else { value }
}

/// An identifier, quoted (PostgreSQL 15 §4.1.1).
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_leave_its_quotes() {
        assert_eq!(quoted(r#"a" OR "1"#), r#""a"" OR ""1""#);
        assert!(Table::parse("brp.persoon").is_some());
        for text in ["persoon", "a.b.c", ".a", "a."] {
            assert!(Table::parse(text).is_none(), "{text}");
        }
    }
}
