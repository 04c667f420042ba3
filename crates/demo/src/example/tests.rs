use std::{collections::BTreeSet, fs, fs::File};

use arrow::datatypes::DataType;
use convenant_model::{
    FieldName, ProjectId,
    covenant::Use,
    documents::{Document, Visit},
    parse::{from_json, from_toml},
    register::{AdmissionError, RegisterState},
    value::FieldType,
};
use convenant_signing::{Jws, OpeningKey, SigningKey, canonical, key_id};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::SignedDocument;

fn example(dir: &Path, seed: u64) -> Federation {
    let options = Options {
        seed,
        persons: 300,
        ports: Ports::From(7600),
        today: Date::new(2026, 3, 1).unwrap(),
        published: Vec::new(),
    };
    Federation::write(dir, &options, &SystemRandom::new()).unwrap()
}

fn sorted(dir: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<_> = files.collect();
    files.into_iter().collect()
}

#[test]
fn the_documents_on_disk_are_admitted_in_the_order_of_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let federation = example(dir.path(), 1);
    let mut state = RegisterState::new(federation.root_of_trust());
    let documents = dir.path().join("documents");
    for path in sorted(&documents.join("founding")).into_iter().chain(sorted(&documents)) {
        if path.extension().is_some_and(|ending| ending == "jws") {
            let jws = Jws::parse(&fs::read(&path).unwrap()).unwrap();
            let admitted = state.admit(&jws);
            admitted.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
    assert_eq!(state.documents(), 31);
    // Shown again, an old decision or enrolment would undo a later one.
    for document in &federation.documents {
        let again = state.admit(&document.jws);
        assert!(matches!(again, Err(AdmissionError::Repeated { .. })), "{again:?}");
    }

    let project = |id| state.project(&ProjectId::new(id).unwrap()).unwrap();
    let running = project("P-2026-001");
    let decided = running.decided().unwrap();
    assert!(decided.decision.valid_from < federation.spec.today);
    assert!(decided.decision.valid_until > federation.spec.today);
    let leader = federation.leader.key.verifying_key();
    assert_eq!(running.mandates_of(leader, federation.spec.today).count(), 1);
    assert!(project("P-2026-002").decided().is_none());
    let ended = project("P-2025-004").decided().unwrap();
    assert!(ended.decision.valid_until < federation.spec.today);
    for party in &federation.partners {
        assert!(state.enrolment(&party.oin).unwrap().node.is_some());
    }
}

#[test]
fn the_text_for_people_says_what_was_signed() {
    struct Same<'a>(&'a SignedDocument);
    impl Visit for Same<'_> {
        type Output = ();
        fn visit<T: Document>(self) {
            let written: T = from_toml(&self.0.name, &self.0.toml).unwrap();
            assert_eq!(canonical(&written).unwrap(), self.0.jws.payload(), "{}", self.0.name);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    for document in example(dir.path(), 1).documents {
        document.kind.visit(Same(&document));
    }
}

#[test]
fn the_files_have_the_covenants_names_types_and_values() {
    let dir = tempfile::tempdir().unwrap();
    let federation = example(dir.path(), 1);
    for party in &federation.partners {
        for path in sorted(&party.dir.join("data")) {
            if path.extension().is_some_and(|ending| ending == "csv") {
                check_csv(&federation, party, &fs::read_to_string(&path).unwrap());
            }
        }
    }
}

fn check_csv(federation: &Federation, party: &crate::Party, text: &str) {
    let id = party.datasets.first().unwrap();
    let dataset = federation.covenant.dataset(id).unwrap();
    let mut lines = text.lines();
    let header = lines.next().unwrap().split(',');
    let header = header.map(|name| dataset.field(&FieldName::new(name).unwrap()).unwrap());
    let header: Vec<_> = header.collect();
    assert!(header.iter().any(|field| field.usage == Use::Refused));
    let mut rows = 0;
    for line in lines {
        rows += 1;
        let cells: Vec<_> = line.split(',').collect();
        assert_eq!(cells.len(), header.len());
        for (field, cell) in header.iter().zip(cells) {
            let listed = field.values.is_empty() || field.values.iter().any(|v| v.as_str() == cell);
            assert!(cell.is_empty() || (field.kind.admits(cell) && listed), "{}", field.name);
        }
    }
    assert!(rows > 10, "{id}: {rows} rows");
}

#[test]
fn a_configuration_binds_or_calls_absent_every_field_that_may_leave_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let federation = example(dir.path(), 1);
    for party in &federation.partners {
        let text = fs::read_to_string(&party.config).unwrap();
        let config: toml::Table = toml::from_str(&text).unwrap();
        let served = &config["dataset"][0];
        let id = DatasetId::new(served["id"].as_str().unwrap()).unwrap();
        let mut named: BTreeSet<_> = served["columns"].as_table().unwrap().keys().collect();
        let absent = served.get("absent").and_then(|absent| absent.as_array());
        let absent: Vec<_> = absent.into_iter().flatten().map(|a| a.as_str().unwrap()).collect();
        let absent: Vec<_> = absent.into_iter().map(String::from).collect();
        named.extend(&absent);
        let fields = &federation.covenant.dataset(&id).unwrap().field;
        let usable = fields.iter().filter(|field| field.usage != Use::Refused);
        let usable: BTreeSet<_> = usable.map(|field| field.name.to_string()).collect();
        assert!(named.into_iter().eq(&usable), "{id}");
        let file = served["source"]["path"].as_str().unwrap();
        assert!(party.dir.join(file).is_file());
        let key = config["register"]["key"].as_str().unwrap();
        assert!(party.dir.join(key).is_file());
        let roots = config["tls"]["roots"].as_str().unwrap();
        assert!(party.dir.join(roots).is_file());
    }
}

#[test]
fn the_parquet_file_has_typed_columns() {
    let dir = tempfile::tempdir().unwrap();
    let federation = example(dir.path(), 1);
    let party = federation.partner("svb").unwrap();
    let file = File::open(party.dir.join("data/aow_uitkering.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let dataset = federation.covenant.dataset(party.datasets.first().unwrap()).unwrap();
    for field in reader.schema().fields() {
        let kind = dataset.field(&FieldName::new(field.name()).unwrap()).unwrap().kind;
        let expected = match kind {
            FieldType::Integer => DataType::Int64,
            FieldType::Date => DataType::Date32,
            FieldType::Boolean => DataType::Boolean,
            _ => DataType::Utf8,
        };
        assert_eq!(*field.data_type(), expected, "{}", field.name());
    }
    let rows: usize = reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert!(rows > 10);
}

#[test]
fn keys_on_disk_belong_together_and_the_same_seed_gives_the_same_data() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (example(one.path(), 9), example(other.path(), 9));
    for (party, same) in first.partners.iter().zip(&second.partners) {
        let text = fs::read_to_string(party.dir.join("ledger.jwk")).unwrap();
        let key = SigningKey::from_jwk(&text, &SystemRandom::new()).unwrap();
        let public = fs::read(party.dir.join("ledger.pub.jwk")).unwrap();
        assert_eq!(key_id(&from_json("ledger.pub.jwk", &public).unwrap()), *key.id());
        let text = fs::read_to_string(party.dir.join("sealing.jwk")).unwrap();
        let sealing = OpeningKey::from_jwk(&text).unwrap();
        assert_eq!(sealing.sealing_key(), party.keys.sealing.sealing_key());
        assert_ne!(key.id(), same.keys.ledger.id());
        for path in sorted(&party.dir.join("data")) {
            let twin = same.dir.join("data").join(path.file_name().unwrap());
            assert_eq!(fs::read(&path).unwrap(), fs::read(twin).unwrap());
        }
    }
}
