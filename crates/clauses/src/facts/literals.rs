//! What a predicate compares with, as names of fields only: a literal never leaves this file.

use convenant_model::{
    covenant::{Dataset, Field},
    predicate::{Literal, Predicate},
    subjects::{holds_bsn, is_bsn},
    value::FieldType,
};
use serde::Serialize;

use super::Set;

/// Fields by what is wrong, or may be wrong, with the literals that they are compared with.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LiteralFacts<'a> {
    /// Compared with any literal.
    pub(crate) literals: Set<'a>,
    /// Compared with something that is no value of the field.
    pub(crate) ill_typed: Set<'a>,
    /// Compared with something that holds a BSN.
    pub(crate) holding_bsn: Set<'a>,
}

impl<'a> LiteralFacts<'a> {
    pub(super) fn of(predicate: Option<&'a Predicate>, dataset: Option<&Dataset>) -> Self {
        let mut facts = Self::default();
        let pairs = predicate.map(Predicate::literals).unwrap_or_default();
        for (name, literal) in pairs {
            facts.literals.insert(name.as_str());
            let field = dataset.and_then(|dataset| dataset.field(name));
            if field.is_some_and(|field| !is_value_of(field, literal)) {
                facts.ill_typed.insert(name.as_str());
            }
            if names_a_person(literal) {
                facts.holding_bsn.insert(name.as_str());
            }
        }
        facts
    }
}

fn is_value_of(field: &Field, literal: &Literal) -> bool {
    match literal {
        Literal::Integer(_) => field.kind == FieldType::Integer,
        Literal::Boolean(_) => field.kind == FieldType::Boolean,
        // A number or a yes or no is not written as a text.
        Literal::Text(_) if matches!(field.kind, FieldType::Integer | FieldType::Boolean) => false,
        Literal::Text(text) => {
            let listed = field.values.iter().any(|value| value.as_str() == text);
            field.kind.admits(text) && (listed || field.values.is_empty())
        }
    }
}

fn names_a_person(literal: &Literal) -> bool {
    match literal {
        Literal::Text(text) => holds_bsn(text),
        Literal::Integer(number) => is_bsn(&number.to_string()),
        Literal::Boolean(_) => false,
    }
}
