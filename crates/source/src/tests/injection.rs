//! What a requester writes is only ever a value, in every adapter.

use super::fixture::{Everywhere, Question, Row, count, rows, subject};

/// The first one turned a filter of an SQL writer that we declined into *all rows*.
const HOSTILE: [&str; 14] = [
    r"\') OR (1=1) -- ",
    "' OR '1'='1",
    "' OR 1=1; --",
    "'; DROP TABLE proef.rijen; --",
    r"\",
    r"\\' OR true --",
    "\"; SELECT 1; --",
    "$1",
    "%",
    "0599'::text OR true OR 'a'='",
    "{a,b}",
    "\u{2019} OR 1=1 --",
    "\u{ff07} OR 1=1 --",
    "e\u{301}' OR 1=1 --",
];

fn row(bsn: &str, naam: &str) -> Row {
    Row {
        bsn: Some(bsn.to_owned()),
        geboorte: Some("19850000".to_owned()),
        gemeente: Some("0599".to_owned()),
        naam: Some(naam.to_owned()),
        ..Row::default()
    }
}

#[tokio::test]
async fn a_hostile_literal_is_a_value() {
    let quiet = Everywhere::new(&[row("900000004", "Moulin"), row("999993653", "Burck")]);
    for text in HOSTILE {
        let literal = text.replace('\'', "''");
        for predicate in [
            format!("naam = '{literal}'"),
            format!("naam in ('{literal}', 'x')"),
            format!("naam between '{literal}' and '{literal}'"),
            format!("gemeente = '{literal}'"),
        ] {
            let question = Question::rotterdam().with(&predicate);
            for (name, source) in quiet.all() {
                assert!(rows(source, &question).await.unwrap().is_empty(), "{name}: {predicate}");
                assert_eq!(count(source, &question).await.unwrap(), 0, "{name}: {predicate}");
            }
        }
    }
    for (name, source) in quiet.all() {
        assert_eq!(rows(source, &Question::rotterdam()).await.unwrap().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_hostile_subject_is_a_value() {
    let everywhere = Everywhere::new(&[row("900000004", "Moulin"), row("999993653", "Burck")]);
    let zero = "900000004\0' OR 1=1 --";
    for text in HOSTILE.into_iter().chain([zero, ""]) {
        for person in
            [subject(text, None), subject(text, Some("19850000")), subject("900000004", Some(text))]
        {
            let question = Question::rotterdam().of("bsn", vec![person]);
            for (name, source) in everywhere.all() {
                assert!(rows(source, &question).await.unwrap().is_empty(), "{name}: {text:?}");
            }
        }
    }
    let real = Question::rotterdam().of("bsn", vec![subject("900000004", Some("19850000"))]);
    for (name, source) in everywhere.all() {
        assert_eq!(rows(source, &real).await.unwrap().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_row_that_holds_a_hostile_text_is_found_by_it_alone() {
    let people: Vec<_> = HOSTILE.iter().map(|text| row("900000004", text)).collect();
    let everywhere = Everywhere::new(&people);
    for text in HOSTILE {
        let predicate = format!("naam = '{}'", text.replace('\'', "''"));
        let question = Question::rotterdam().with(&predicate);
        for (name, source) in everywhere.all() {
            let found = rows(source, &question).await.unwrap();
            assert_eq!(found.len(), 1, "{name}: {text}");
            assert_eq!(found[0][8].as_deref(), Some(text), "{name}");
        }
    }
}
