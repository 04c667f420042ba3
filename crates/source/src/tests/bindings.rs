//! Faults of a binding and of a configuration are named before anything is opened.

use super::fixture::{Question, area, binding, config, dataset, field, subject};
use crate::{Binding, BindingError, DatasetConfig, SourceError};

fn bound(change: impl FnOnce(&mut DatasetConfig)) -> Result<Binding, BindingError> {
    let mut config = config("kind = \"csv\"\npath = \"-\"");
    change(&mut config);
    Binding::new(&dataset(), &config)
}

#[test]
fn each_fault_names_dataset_and_field() {
    let fault = |change: fn(&mut DatasetConfig)| bound(change).unwrap_err().to_string();
    let column = |name: &str| (field(name), "kolom".to_owned());
    assert_eq!(
        fault(|config| config.columns.retain(|name, _| name.as_str() != "naam")),
        "dataset `gemeente/proef`: field `naam` has no column, and is not listed under `absent`"
    );
    assert_eq!(
        bound(|config| config.columns.extend([column("nationaliteit")])).unwrap_err().to_string(),
        "dataset `gemeente/proef`: field `nationaliteit` is refused by the covenant and cannot be bound"
    );
    assert_eq!(
        bound(|config| config.columns.extend([column("inkomen")])).unwrap_err().to_string(),
        "dataset `gemeente/proef`: the covenant lists no field `inkomen`"
    );
    assert_eq!(
        fault(|config| config.absent.extend([field("naam")])),
        "dataset `gemeente/proef`: field `naam` has a column and is listed under `absent`"
    );
    let no_area = bound(|config| {
        for name in ["gemeente", "buurt", "adres"].map(field) {
            config.columns.remove(&name);
            config.absent.insert(name);
        }
    });
    assert!(matches!(no_area, Err(BindingError::NoArea { .. })));
}

#[test]
fn only_what_has_a_column_is_served() {
    let binding = bound(|_| {}).unwrap();
    assert!(binding.serves(&field("naam")));
    assert!(!binding.serves(&field("in_onderzoek")));
    assert!(!binding.serves(&field("nationaliteit")));
}

#[test]
fn an_unknown_key_of_the_configuration_is_an_error() {
    for source in [
        "kind = \"csv\"\npath = \"a\"\ndelimiter = \";\"",
        "kind = \"postgres\"\nhost = \"h\"\ndatabase = \"d\"\nuser = \"u\"\ntable = \"a.b\"\npassword = \"p\"",
        "kind = \"excel\"\npath = \"a\"",
    ] {
        let text = format!("id = \"gemeente/proef\"\n[columns]\n[source]\n{source}");
        assert!(toml::from_str::<DatasetConfig>(&text).is_err(), "{source}");
    }
}

#[test]
fn a_permit_that_does_not_fit_the_source_opens_nothing() {
    let refused = |question: &Question| match question.plan(&binding()) {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    };
    let mut question = Question::rotterdam();
    question.columns.push(field("nationaliteit"));
    assert!(
        matches!(refused(&question), SourceError::NotServed { field, .. } if field.as_str() == "nationaliteit")
    );

    let question = Question::rotterdam().with("bedrag = 'tien'");
    let message = refused(&question).to_string();
    assert!(message.contains("`bedrag`") && !message.contains("tien"), "{message}");
    for predicate in ["sinds = '2023-02-30'", "geboorte = 1985", "actief = 1", "naam = 1"] {
        let question = Question::rotterdam().with(predicate);
        assert!(matches!(refused(&question), SourceError::Literal { .. }), "{predicate}");
    }

    let mut question = Question::rotterdam();
    question.scope = vec![area("elders", &["GM0599"])];
    assert!(matches!(refused(&question), SourceError::Permit { .. }));

    let mut question = Question::rotterdam();
    question.subjects = vec![subject("900000004", None)];
    assert!(matches!(refused(&question), SourceError::Permit { .. }));
    let mut question =
        Question::rotterdam().of("bsn", vec![subject("900000004", Some("19850000"))]);
    question.key = Some((field("bsn"), None));
    assert!(matches!(refused(&question), SourceError::Permit { .. }));
}

#[test]
fn without_an_area_only_vouched_subjects_are_read() {
    let of = |subjects: &[&str]| {
        let subjects = subjects.iter().map(|key| subject(key, None)).collect();
        Question::rotterdam().of("bsn", subjects).vouched()
    };
    assert!(of(&["900000004"]).plan(&binding()).is_ok());
    let refused =
        |question: &Question| matches!(question.plan(&binding()), Err(SourceError::Permit { .. }));
    assert!(refused(&of(&[])), "nobody was vouched for");
    assert!(refused(&Question { key: None, ..of(&[]) }), "no key");
    let other = Question { vouched: Some(field("naam")), ..of(&["900000004"]) };
    assert!(refused(&other), "vouched for as something else");
    let both = Question { scope: Question::rotterdam().scope, ..of(&["900000004"]) };
    assert!(refused(&both), "an area besides");
    assert!(refused(&Question { vouched: None, ..of(&["900000004"]) }), "neither");
}

#[test]
fn what_accompanies_goes_along_only_where_the_source_has_it() {
    let mut question = Question::rotterdam();
    question.columns = vec![field("naam"), field("in_onderzoek")];
    let without = question.plan(&binding()).unwrap();
    assert_eq!(without.schema.fields().len(), 1);
    let with = bound(|config| {
        config.absent.clear();
        config.columns.insert(field("in_onderzoek"), "k_onderzoek".to_owned());
    });
    assert_eq!(question.plan(&with.unwrap()).unwrap().schema.fields().len(), 2);
}

#[test]
fn what_nobody_keeps_account_of_is_not_read() {
    let names = |binding: &Binding, question: &Question| {
        let plan = question.plan(binding).unwrap();
        let read = plan.needed(true).iter().any(|column| column.field.as_str() == "bsn");
        (read, plan.persons.len())
    };
    let mut question = Question::rotterdam();
    question.columns = vec![field("naam")];
    assert_eq!(names(&binding(), &question), (true, 1));
    assert_eq!(names(&binding().telling_nobody(), &question), (false, 0));
    // Who is asked for or asked about is read all the same.
    question.columns.push(field("bsn"));
    assert_eq!(names(&binding().telling_nobody(), &question), (true, 0));
    question.columns.pop();
    let question = question.of("bsn", vec![subject("900000004", None)]);
    assert_eq!(names(&binding().telling_nobody(), &question), (true, 0));
}
