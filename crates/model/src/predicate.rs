//! The closed language of predicates: comparisons of a field with literals, joined by `and`, `or` and
//! `not`. It has no functions, no joins and no way to name anything but a field.
//!
//! ```text
//! expr    = term { "or" term }            term = factor { "and" factor }
//! factor  = "not" factor | "(" expr ")" | test
//! test    = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) literal
//!         | field "in" "(" literal { "," literal } ")"
//!         | field "between" literal "and" literal
//!         | field "is" [ "not" ] "null"
//! literal = 'text' (a quote is doubled) | integer | true | false
//! ```

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::FieldName;

mod parser;

/// Most bytes of a predicate.
pub const MAX_BYTES: usize = 4096;
/// Deepest nesting of a predicate.
pub const MAX_DEPTH: usize = 16;
/// Most literals of one `in`.
pub const MAX_LIST: usize = 256;

/// A parsed predicate. Its text form is normalised: the same tree is always written the same way.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Predicate(Expr);

/// A node of a predicate.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Expr {
    /// Every part holds.
    And(Vec<Expr>),
    /// At least one part holds.
    Or(Vec<Expr>),
    /// The part does not hold. As in SQL, a test on an absent value is neither true nor false.
    Not(Box<Expr>),
    /// A comparison of a field with one literal.
    Compare(FieldName, Operator, Literal),
    /// The field has one of these values.
    In(FieldName, Vec<Literal>),
    /// The field lies between two values, both included.
    Between(FieldName, Literal, Literal),
    /// The field has no value.
    IsNull(FieldName),
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// The operator as predicates write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A literal value.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Literal {
    /// A text, also for dates and codes.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
}

/// Why a text is not a predicate.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("predicate, at character {at}: {fault}")]
pub struct PredicateError {
    /// Position in characters, from 1.
    pub at: usize,
    /// What is wrong there.
    pub fault: String,
}

impl Predicate {
    /// The root of the tree.
    #[must_use]
    pub const fn expr(&self) -> &Expr {
        &self.0
    }

    /// Every field that the predicate names.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<&FieldName> {
        let mut found = BTreeSet::new();
        self.0.visit(&mut |test| {
            if let Some(field) = test.field() {
                found.insert(field);
            }
        });
        found
    }

    /// Every literal, with the field that it is compared with.
    #[must_use]
    pub fn literals(&self) -> Vec<(&FieldName, &Literal)> {
        let mut found = Vec::new();
        self.0.visit(&mut |test| match test {
            Expr::Compare(field, _, literal) => found.push((field, literal)),
            Expr::In(field, list) => found.extend(list.iter().map(|literal| (field, literal))),
            Expr::Between(field, low, high) => found.extend([(field, low), (field, high)]),
            _ => {}
        });
        found
    }

    /// The fields that every matching row must have one of a closed list of values in: those tested
    /// with `=` or `in` on the outermost conjunction.
    #[must_use]
    pub fn anchors(&self) -> BTreeSet<&FieldName> {
        self.anchored().map(|(field, _)| field).collect()
    }

    /// Whether no row can satisfy both, because they anchor a field to other values. Where this is not seen, the
    /// answer is no.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        self.anchored().any(|(field, values)| {
            let mut same = other.anchored().filter(|(anchored, _)| *anchored == field);
            same.any(|(_, others)| values.iter().all(|value| !others.contains(value)))
        })
    }

    fn anchored(&self) -> impl Iterator<Item = (&FieldName, &[Literal])> {
        let parts = match &self.0 {
            Expr::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        parts.iter().filter_map(|part| match part {
            Expr::Compare(field, Operator::Equal, literal) => {
                Some((field, std::slice::from_ref(literal)))
            }
            Expr::In(field, list) => Some((field, list.as_slice())),
            _ => None,
        })
    }
}

impl Expr {
    fn field(&self) -> Option<&FieldName> {
        match self {
            Self::Compare(field, ..)
            | Self::In(field, _)
            | Self::Between(field, ..)
            | Self::IsNull(field) => Some(field),
            _ => None,
        }
    }

    fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.visit(see)),
            Self::Not(part) => part.visit(see),
            _ => {}
        }
    }
}

impl FromStr for Predicate {
    type Err = PredicateError;
    fn from_str(text: &str) -> Result<Self, PredicateError> {
        parser::parse(text).map(Self)
    }
}

impl TryFrom<String> for Predicate {
    type Error = PredicateError;
    fn try_from(text: String) -> Result<Self, PredicateError> {
        text.parse()
    }
}

impl From<Predicate> for String {
    fn from(predicate: Predicate) -> Self {
        predicate.to_string()
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => join(f, parts, " and "),
            Self::Or(parts) => join(f, parts, " or "),
            Self::Not(part) if matches!(**part, Self::And(_) | Self::Or(_)) => {
                write!(f, "not ({part})")
            }
            Self::Not(part) => write!(f, "not {part}"),
            Self::Compare(field, operator, literal) => {
                write!(f, "{field} {} {literal}", operator.as_str())
            }
            Self::In(field, list) => {
                write!(f, "{field} in (")?;
                for (i, literal) in list.iter().enumerate() {
                    write!(f, "{}{literal}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Self::Between(field, low, high) => write!(f, "{field} between {low} and {high}"),
            Self::IsNull(field) => write!(f, "{field} is null"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Expr], with: &str) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        let separator = if i == 0 { "" } else { with };
        match part {
            Expr::And(_) | Expr::Or(_) => write!(f, "{separator}({part})")?,
            _ => write!(f, "{separator}{part}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_normal() {
        for (text, normal) in [
            ("a=1", "a = 1"),
            ("a = 1 AND b='x' or c is not null", "(a = 1 and b = 'x') or not c is null"),
            ("((a in('it''s',2)))", "a in ('it''s', 2)"),
            ("not (a between 1 and 2 and b != true)", "not (a between 1 and 2 and b != true)"),
        ] {
            let parsed: Predicate = text.parse().unwrap();
            assert_eq!(parsed.to_string(), normal);
            assert_eq!(normal.parse::<Predicate>().unwrap(), parsed);
        }
    }

    #[test]
    fn anchors_bind_every_row() {
        let anchors = |text: &str| text.parse::<Predicate>().unwrap().anchors().len();
        assert_eq!(anchors("a = 1 and b in (1, 2) and c > 2"), 2);
        assert_eq!(anchors("a = 1 or b = 2"), 0);
        assert_eq!(anchors("not a = 1"), 0);
    }

    #[test]
    fn faults_name_their_place() {
        for (text, at) in
            [("", 1), ("a", 2), ("a = ", 5), ("a = 1 )", 7), ("a = 'x", 5), ("A = 1", 1)]
        {
            let error = text.parse::<Predicate>().unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
        }
        let deep = format!("{}a = 1{}", "(".repeat(40), ")".repeat(40));
        assert!(deep.parse::<Predicate>().unwrap_err().fault.contains("nested"));
        let many = format!("a in ({}1)", "1,".repeat(300));
        assert!(many.parse::<Predicate>().is_err());
        assert!("a = 99999999999999999999".parse::<Predicate>().is_err());
    }
}
