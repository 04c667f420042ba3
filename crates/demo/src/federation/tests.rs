use std::{fs, os::unix::fs::PermissionsExt as _};

use convenant_model::{Date, register::RegisterState};

use super::*;
use crate::{
    config::Source,
    spec::{DatasetSpec, Ports},
    table::Binding,
};

fn spec() -> FederationSpec {
    let today = Date::new(2026, 3, 1).unwrap();
    let mut spec = FederationSpec::new(today, "amsterdam");
    let covenant = spec.covenant().unwrap();
    let id = DatasetId::new("gemeente/brp_persoon").unwrap();
    let mut binding = Binding::default();
    for field in &covenant.dataset(&id).unwrap().field {
        binding.absent.insert(field.name.clone());
    }
    spec.partners.push(PartnerSpec {
        name: "amsterdam".to_owned(),
        title: "Gemeente Amsterdam".to_owned(),
        kind: "gemeente".to_owned(),
        oin: Oin::new("00000099000000000363").unwrap(),
        datasets: vec![DatasetSpec {
            id,
            source: Source::Postgres {
                host: "127.0.0.1".to_owned(),
                port: 5432,
                database: "brp".to_owned(),
                user: "convenant".to_owned(),
                password_file: None,
                table: "public.personen".to_owned(),
                tls_roots: None,
                statement_seconds: 30,
            },
            columns: binding.columns,
            absent: binding.absent,
        }],
    });
    spec
}

fn every_file(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", path.display());
            every_file(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn a_federation_of_ones_own_is_admitted_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let random = SystemRandom::new();
    let federation = Federation::build(dir.path(), spec(), &random).unwrap();

    let mut state = RegisterState::new(federation.root_of_trust());
    for document in &federation.documents {
        state.admit(&document.jws).unwrap();
    }
    let amsterdam = federation.partner("amsterdam").unwrap();
    let enrolment = state.enrolment(&amsterdam.oin).unwrap();
    assert!(enrolment.holds_on(federation.spec.today));
    let pins = [amsterdam.certificate.pin, federation.leader.certificate.pin];
    assert_eq!(enrolment.tls_pins, pins);
    assert_eq!(enrolment.node.as_ref().unwrap().address.as_str(), "127.0.0.1:7601");

    let coordinator = fs::read_to_string(&federation.coordinator.config).unwrap();
    let coordinator: toml::Table = toml::from_str(&coordinator).unwrap();
    for path in coordinator["founding"]["documents"].as_array().unwrap() {
        assert!(dir.path().join("coordinator").join(path.as_str().unwrap()).exists(), "{path}");
    }

    let mut files = Vec::new();
    every_file(dir.path(), &mut files);
    for file in &files {
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let again = Federation::build(dir.path(), spec(), &random);
    assert!(matches!(again, Err(DemoError::NotEmpty(_))));
}

#[test]
fn too_few_ports_and_an_unknown_leader_are_named() {
    let random = SystemRandom::new();
    let build = |spec| {
        let dir = tempfile::tempdir().unwrap();
        Federation::build(dir.path(), spec, &random).map(|_| ())
    };
    let mut few = spec();
    few.ports = Ports::Given(vec![7600]);
    assert!(matches!(build(few), Err(DemoError::Ports { needed: 2, given: 1 })));
    let mut nobody = spec();
    nobody.leader = "nobody".to_owned();
    assert!(matches!(build(nobody), Err(DemoError::Name(name)) if name == "nobody"));
    let mut outside = spec();
    outside.partners[0].name = "../elsewhere".to_owned();
    assert!(matches!(build(outside), Err(DemoError::Name(_))));
}
