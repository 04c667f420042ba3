//! The simple model: one row at a time, one test at a time.

use std::{cmp::Ordering, collections::BTreeSet};

use convenant_model::predicate::{Expr, Literal, Operator};

use super::fixture::{Question, Row};

/// The rows that a question is answered with, as texts, sorted.
pub(super) fn answer(rows: &[Row], question: &Question) -> Vec<Vec<Option<String>>> {
    let shown = |row: &Row| question.columns.iter().map(|f| row.cell(f.as_str())).collect();
    let mut all: Vec<_> = rows.iter().filter(|row| passes(row, question)).map(shown).collect();
    all.sort();
    all
}

/// Whom the rows are about, whether or not the question asks for their numbers.
pub(super) fn persons(rows: &[Row], question: &Question) -> BTreeSet<(String, String)> {
    let about = rows.iter().filter(|row| passes(row, question)).filter_map(|row| row.bsn.clone());
    about.map(|bsn| ("bsn".to_owned(), bsn)).collect()
}

fn passes(row: &Row, question: &Question) -> bool {
    let in_area = question.vouched.is_some()
        || question.scope.iter().any(|filter| {
            let held = row.cell(filter.field.as_str());
            let bare = filter.field.as_str() == "gemeente";
            let spelled = |code: &convenant_model::area::AreaCode| {
                if bare { code.bare().to_owned() } else { code.as_str().to_owned() }
            };
            filter.codes.iter().any(|code| held == Some(spelled(code)))
        });
    let is_subject = question.key.as_ref().is_none_or(|(key, verify)| {
        question.subjects.iter().any(|subject| {
            let key = row.cell(key.as_str()).as_deref() == Some(subject.key.expose());
            let verified = subject.verify.as_ref().is_none_or(|wanted| {
                let held = verify.as_ref().and_then(|field| row.cell(field.as_str()));
                held.as_deref() == Some(wanted.expose())
            });
            key && verified
        })
    });
    let test = question.predicate.as_ref();
    in_area && is_subject && test.is_none_or(|p| holds(p.expr(), row) == Some(true))
}

/// SQL's three values: true, false and unknown.
fn holds(expr: &Expr, row: &Row) -> Option<bool> {
    match expr {
        Expr::And(parts) => all(parts.iter().map(|part| holds(part, row)).collect()),
        Expr::Or(parts) => {
            let not = |part| holds(part, row).map(|truth| !truth);
            all(parts.iter().map(not).collect()).map(|none| !none)
        }
        Expr::Not(part) => holds(part, row).map(|truth| !truth),
        Expr::Compare(field, operator, literal) => {
            let ordering = order(row, field.as_str(), literal)?;
            Some(match operator {
                Operator::Equal => ordering.is_eq(),
                Operator::NotEqual => ordering.is_ne(),
                Operator::Less => ordering.is_lt(),
                Operator::LessOrEqual => ordering.is_le(),
                Operator::Greater => ordering.is_gt(),
                Operator::GreaterOrEqual => ordering.is_ge(),
            })
        }
        Expr::In(field, list) => {
            let equal = |literal| order(row, field.as_str(), literal).map(Ordering::is_eq);
            list.iter().map(equal).try_fold(false, |any, one| Some(any || one?))
        }
        Expr::Between(field, low, high) => {
            let (low, high) = (order(row, field.as_str(), low)?, order(row, field.as_str(), high)?);
            Some(low.is_ge() && high.is_le())
        }
        Expr::IsNull(field) => Some(row.cell(field.as_str()).is_none()),
    }
}

/// One that is false makes all false, even beside an unknown one.
fn all(parts: Vec<Option<bool>>) -> Option<bool> {
    match (parts.contains(&Some(false)), parts.contains(&None)) {
        (true, _) => Some(false),
        (false, true) => None,
        (false, false) => Some(true),
    }
}

fn order(row: &Row, field: &str, literal: &Literal) -> Option<Ordering> {
    Some(match literal {
        Literal::Integer(number) if field == "bedrag" => row.bedrag?.cmp(number),
        Literal::Integer(number) => row.cell(field)?.parse::<i64>().unwrap().cmp(number),
        Literal::Boolean(truth) => row.actief?.cmp(truth),
        Literal::Text(text) => row.cell(field)?.as_bytes().cmp(text.as_bytes()),
    })
}
