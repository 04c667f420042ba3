//! The recursive-descent parser of predicates. Its depth and its lists are bounded, so no text makes
//! it run long or deep.

use super::{Expr, Literal, MAX_BYTES, MAX_DEPTH, MAX_LIST, Operator, PredicateError};
use crate::ids::FieldName;

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Expr, PredicateError> {
    if text.len() > MAX_BYTES {
        let fault = format!("{} bytes are more than the {MAX_BYTES} allowed", text.len());
        return Err(PredicateError { at: 1, fault });
    }
    let mut parser = Parser { text, at: 0 };
    let expr = parser.disjunction(0)?;
    parser.space();
    if parser.rest().is_empty() { Ok(expr) } else { parser.fail("expected `and`, `or` or the end") }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, PredicateError>;

impl Parser<'_> {
    fn disjunction(&mut self, depth: usize) -> Parsed<Expr> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.word("or") {
            parts.push(self.conjunction(depth)?);
        }
        Ok(single_or(parts, Expr::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Parsed<Expr> {
        let mut parts = vec![self.factor(depth)?];
        while self.word("and") {
            parts.push(self.factor(depth)?);
        }
        Ok(single_or(parts, Expr::And))
    }

    fn factor(&mut self, depth: usize) -> Parsed<Expr> {
        if depth >= MAX_DEPTH {
            return self.fail(format!("nested deeper than {MAX_DEPTH}"));
        }
        if self.word("not") {
            return Ok(Expr::Not(Box::new(self.factor(depth + 1)?)));
        }
        if !self.symbol("(") {
            return self.test();
        }
        let inner = self.disjunction(depth + 1)?;
        self.expect(")")?;
        Ok(inner)
    }

    fn test(&mut self) -> Parsed<Expr> {
        let field = self.field()?;
        if self.word("in") {
            return Ok(Expr::In(field, self.list()?));
        }
        if self.word("between") {
            let low = self.literal()?;
            if !self.word("and") {
                return self.fail("expected `and`");
            }
            return Ok(Expr::Between(field, low, self.literal()?));
        }
        if self.word("is") {
            let negated = self.word("not");
            if !self.word("null") {
                return self.fail("expected `null`");
            }
            let test = Expr::IsNull(field);
            return Ok(if negated { Expr::Not(Box::new(test)) } else { test });
        }
        let operator = self.operator()?;
        Ok(Expr::Compare(field, operator, self.literal()?))
    }

    fn operator(&mut self) -> Parsed<Operator> {
        // The longer spelling first: `<=` begins with `<`.
        let known = [
            Operator::NotEqual,
            Operator::LessOrEqual,
            Operator::GreaterOrEqual,
            Operator::Equal,
            Operator::Less,
            Operator::Greater,
        ];
        match known.into_iter().find(|operator| self.symbol(operator.as_str())) {
            Some(operator) => Ok(operator),
            None => self.fail("expected `=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `between` or `is`"),
        }
    }

    fn field(&mut self) -> Parsed<FieldName> {
        self.space();
        let name = self.run(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let Ok(field) = FieldName::new(name) else {
            return self.fail("expected the name of a field");
        };
        self.at += field.as_str().len();
        Ok(field)
    }

    fn list(&mut self) -> Parsed<Vec<Literal>> {
        self.expect("(")?;
        let mut list = vec![self.literal()?];
        while self.symbol(",") {
            if list.len() == MAX_LIST {
                return self.fail(format!("a list of more than {MAX_LIST} values"));
            }
            list.push(self.literal()?);
        }
        self.expect(")")?;
        Ok(list)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        self.space();
        if self.rest().starts_with('\'') {
            return self.quoted();
        }
        for truth in [true, false] {
            if self.word(&truth.to_string()) {
                return Ok(Literal::Boolean(truth));
            }
        }
        let digits = self.run(|c| c.is_ascii_digit() || c == '-');
        let length = digits.len();
        let Ok(number) = digits.parse() else {
            return self.fail("expected 'text', a whole number, `true` or `false`");
        };
        self.at += length;
        Ok(Literal::Integer(number))
    }

    fn quoted(&mut self) -> Parsed<Literal> {
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, c)) = characters.next() {
            match c {
                '\'' if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                    characters.next();
                    value.push('\'');
                }
                '\'' => {
                    self.at += offset + 1;
                    return Ok(Literal::Text(value));
                }
                c if c.is_control() => break,
                c => value.push(c),
            }
        }
        self.fail("a text that does not end")
    }

    /// Takes a keyword, in any case, when it stands here as a whole word.
    fn word(&mut self, keyword: &str) -> bool {
        self.space();
        let found =
            self.run(|c| c.is_ascii_alphanumeric() || c == '_').eq_ignore_ascii_case(keyword);
        if found {
            self.at += keyword.len();
        }
        found
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.symbol(symbol) { Ok(()) } else { self.fail(format!("expected `{symbol}`")) }
    }

    fn run(&self, belongs: impl Fn(char) -> bool) -> &str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\n', '\t']).len();
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fail<T>(&self, fault: impl Into<String>) -> Parsed<T> {
        let at = self.text.get(..self.at).map_or(0, |before| before.chars().count()) + 1;
        Err(PredicateError { at, fault: fault.into() })
    }
}

fn single_or(mut parts: Vec<Expr>, join: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
