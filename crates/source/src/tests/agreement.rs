//! CSV, Parquet and PostgreSQL answer every question alike, and as the simple model does.

use convenant_model::predicate::{Expr, Literal, Operator};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use super::{
    fixture::{
        Everywhere, FIELDS, Question, Row, area, batches, count, field, persons, rows, subject,
    },
    model,
};
use crate::{SourceError, adapter::BATCH_ROWS};

const BSN: [&str; 5] = ["900000004", "900000019", "999993653", "999990639", "900000020"];
const GEBOORTE: [&str; 4] = ["19850000", "00000000", "19850731", "20010100"];
const GEMEENTE: [&str; 3] = ["0599", "0363", "0518"];
const BUURT: [&str; 2] = ["BU05990101", "BU03630001"];
const ADRES: [&str; 3] = ["0599010000208579", "0363010000000001", "0518010000000002"];
const SINDS: [&str; 4] = ["1969-12-31", "2000-01-01", "2024-02-29", "2026-01-31"];
const NAAM: [&str; 7] =
    ["Moulin", "moulin", "du, \"Burck\"", "O'Neill \\ Ångström", "\u{1d11e}", "\u{ffee}", "a"];
const BEDRAG: [i64; 5] = [-7, 0, 1, 10, 2_000_000_000];

fn row() -> impl Strategy<Value = Row> {
    let some = |list: &'static [&'static str]| proptest::option::weighted(0.8, select(list));
    let texts = (some(&BSN), some(&GEBOORTE), some(&GEMEENTE), some(&BUURT), some(&ADRES));
    let others = (
        proptest::option::weighted(0.8, select(&BEDRAG[..])),
        some(&SINDS),
        proptest::option::weighted(0.8, any::<bool>()),
        some(&NAAM),
    );
    (texts, others).prop_map(|((bsn, geboorte, gemeente, buurt, adres), others)| Row {
        bsn: bsn.map(str::to_owned),
        geboorte: geboorte.map(str::to_owned),
        gemeente: gemeente.map(str::to_owned),
        buurt: buurt.map(str::to_owned),
        adres: adres.map(str::to_owned),
        bedrag: others.0,
        sinds: others.1.map(str::to_owned),
        actief: others.2,
        naam: others.3.map(str::to_owned),
    })
}

/// A field that a predicate may name, with a literal of its type.
fn literal() -> impl Strategy<Value = (&'static str, Literal)> {
    let text = |name: &'static str, list: &'static [&'static str]| {
        select(list).prop_map(move |text| (name, Literal::Text(text.to_owned())))
    };
    prop_oneof![
        text("geboorte", &GEBOORTE),
        Just(("geboorte", Literal::Integer(19_850_000))),
        text("gemeente", &GEMEENTE),
        text("sinds", &SINDS),
        text("naam", &NAAM),
        select(&BEDRAG[..]).prop_map(|number| ("bedrag", Literal::Integer(number))),
        any::<bool>().prop_map(|truth| ("actief", Literal::Boolean(truth))),
    ]
}

fn test() -> impl Strategy<Value = Expr> {
    let operators = [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
    ];
    prop_oneof![
        4 => (literal(), select(operators.to_vec()))
            .prop_map(|((name, literal), operator)| Expr::Compare(field(name), operator, literal)),
        1 => (literal(), literal()).prop_filter_map("of one field", |(low, high)| {
            (low.0 == high.0).then(|| Expr::Between(field(low.0), low.1, high.1))
        }),
        1 => proptest::collection::vec(literal(), 1..8).prop_map(|list| {
            let name = list[0].0;
            let of_one = list.into_iter().filter(|(other, _)| *other == name);
            Expr::In(field(name), of_one.map(|(_, literal)| literal).collect())
        }),
        1 => select(&FIELDS[..]).prop_map(|name| Expr::IsNull(field(name))),
    ]
}

fn predicate() -> impl Strategy<Value = Expr> {
    test().prop_recursive(3, 12, 3, |inner| {
        let parts = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts().prop_map(Expr::And),
            parts().prop_map(Expr::Or),
            inner.clone().prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

fn question() -> impl Strategy<Value = Question> {
    let scopes = vec![
        area("gemeente", &["GM0599", "GM0363"]),
        area("buurt", &["BU03630001"]),
        area("adres", &["0599010000208579", "0518010000000002"]),
    ];
    let verify = proptest::option::of(select(&GEBOORTE[..]));
    let subjects = proptest::collection::vec((select(&BSN[..]), verify), 0..6);
    (
        subsequence(FIELDS.to_vec(), 1..FIELDS.len()).prop_shuffle(),
        subsequence(scopes, 1..=3),
        proptest::option::of(predicate()),
        proptest::option::of(subjects),
        any::<bool>(),
    )
        .prop_map(|(columns, scope, predicate, subjects, vouched)| {
            let people = subjects.iter().flatten();
            let question = Question {
                columns: columns.into_iter().map(field).collect(),
                scope,
                vouched: None,
                predicate: predicate.map(|expr| expr.to_string().parse().unwrap()),
                key: subjects.as_ref().map(|_| (field("bsn"), Some(field("geboorte")))),
                subjects: people.map(|(key, verify)| subject(key, *verify)).collect(),
                max_rows: 1_000_000,
            };
            let vouched = vouched && !question.subjects.is_empty();
            if vouched { question.vouched() } else { question }
        })
}

#[test]
fn every_adapter_answers_as_the_model_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let people = proptest::collection::vec(row(), 300);
    let people = people.new_tree(&mut runner).unwrap().current();
    let everywhere = Everywhere::new(&people);
    let mut answered = 0;
    let ran = runner.run(&question(), |question| {
        let expected = model::answer(&people, &question);
        for (name, source) in everywhere.all() {
            let found = runtime.block_on(rows(source, &question));
            prop_assert_eq!(&found.unwrap(), &expected, "{}", name);
            let total = runtime.block_on(count(source, &question));
            prop_assert_eq!(total.unwrap(), expected.len() as u64, "{}", name);
            let about = runtime.block_on(persons(source, &question)).unwrap();
            prop_assert_eq!(about, model::persons(&people, &question), "{}", name);
        }
        Ok(())
    });
    ran.unwrap();
    // One question that is known to have an answer, lest all of the above compared nothing.
    for (_, source) in everywhere.all() {
        answered += runtime.block_on(rows(source, &Question::rotterdam())).unwrap().len();
    }
    assert!(answered > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_come_in_bounded_batches_and_end_at_the_permitted_number() {
    let one =
        Row { bsn: Some(BSN[0].to_owned()), gemeente: Some("0599".to_owned()), ..Row::default() };
    let everywhere = Everywhere::new(&vec![one; 20_000]);
    let mut question = Question::rotterdam();
    for (name, source) in everywhere.all() {
        let sizes: Vec<_> = batches(source, &question).await.unwrap();
        let sizes: Vec<_> = sizes.iter().map(|batch| batch.num_rows()).collect();
        assert!(sizes.iter().all(|size| *size <= BATCH_ROWS), "{name}: {sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), 20_000, "{name}");
    }
    question.max_rows = 20_000;
    for (name, source) in everywhere.all() {
        assert!(batches(source, &question).await.is_ok(), "{name}");
    }
    question.max_rows = 19_999;
    for (name, source) in everywhere.all() {
        let refused = batches(source, &question).await.unwrap_err();
        assert!(matches!(refused, SourceError::TooManyRows { max_rows: 19_999, .. }), "{name}");
        assert_eq!(count(source, &question).await.unwrap(), 20_000, "{name}");
    }
}

#[tokio::test]
async fn an_answer_without_rows_still_says_its_columns() {
    let everywhere = Everywhere::new(&[]);
    for (name, source) in everywhere.all() {
        let found = batches(source, &Question::rotterdam()).await.unwrap();
        let names: Vec<_> = found[0].schema().fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!((found.len(), found[0].num_rows()), (1, 0), "{name}");
        assert_eq!(names, FIELDS, "{name}");
    }
}
