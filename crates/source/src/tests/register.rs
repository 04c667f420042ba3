//! The official BRP test set, where it is at hand.

use std::path::Path;

use super::fixture::{Question, area, field, rows, subject};
use crate::{Binding, DatasetConfig, adapter::Adapter, file::FileSource};

const DATASET: &str = r#"
id = "gemeente/brp_persoon"
title = "Basisregistratie personen"
area = [
  { field = "gemeente_van_inschrijving", kind = "GM" },
  { field = "verblijfplaats_adresseerbaar_object_identificatie", kind = "BAG" },
]
verified_by = "geboorte_datum"
field = [
  { name = "burgerservicenummer", type = "bsn", class = "bsn", category = "a", use = "key" },
  { name = "naam_geslachtsnaam", type = "text", class = "ordinary", category = "a", use = "hit-only" },
  { name = "naam_voornamen", type = "text", class = "ordinary", use = "refused" },
  { name = "geboorte_datum", type = "partial-date", class = "ordinary", category = "a", use = "hit-only" },
  { name = "leeftijd", type = "integer", class = "ordinary", category = "a", use = "allowed" },
  { name = "datum_inschrijving_in_gemeente", type = "partial-date", class = "ordinary", category = "a", use = "allowed" },
  { name = "gemeente_van_inschrijving", type = "gemeentecode", class = "ordinary", category = "a", use = "scope" },
  { name = "verblijfplaats_datum_van", type = "partial-date", class = "ordinary", category = "a", use = "allowed" },
  { name = "verblijfplaats_adresseerbaar_object_identificatie", type = "bag-object", class = "ordinary", category = "a", use = "scope" },
  { name = "verblijfplaats_functie_adres", type = "code", class = "ordinary", category = "a", use = "allowed" },
  { name = "verblijfadres_huisnummer", type = "integer", class = "ordinary", category = "a", use = "allowed" },
  { name = "partners_burgerservicenummer", type = "bsn", class = "bsn", category = "a", use = "hit-only" },
  { name = "geheimhouding_persoonsgegevens", type = "boolean", class = "ordinary", category = "a", use = "accompany" },
  { name = "in_onderzoek", type = "boolean", class = "ordinary", category = "a", use = "accompany" },
]
"#;

/// `indicatie_geheim` of the file is a digit from 0 to 7 and no boolean, so the field is absent.
const CONFIG: &str = r#"
id = "gemeente/brp_persoon"
absent = ["leeftijd", "geheimhouding_persoonsgegevens", "in_onderzoek"]
[columns]
burgerservicenummer = "burgerservicenummer"
naam_geslachtsnaam = "geslachtsnaam"
geboorte_datum = "geboortedatum"
datum_inschrijving_in_gemeente = "datum_inschrijving_in_gemeente"
gemeente_van_inschrijving = "gemeente_van_inschrijving"
verblijfplaats_datum_van = "datum_aanvang_adreshouding"
verblijfplaats_adresseerbaar_object_identificatie = "adresseerbaar_object_identificatie"
verblijfplaats_functie_adres = "functie_adres"
verblijfadres_huisnummer = "huisnummer"
partners_burgerservicenummer = "partner_burgerservicenummer"
[source]
kind = "csv"
path = "-"
"#;

fn source(path: &Path) -> FileSource {
    let config: DatasetConfig = toml::from_str(CONFIG).unwrap();
    let binding = Binding::new(&toml::from_str(DATASET).unwrap(), &config).unwrap();
    FileSource::csv(binding, path)
}

fn question(columns: &[&str]) -> Question {
    Question {
        columns: columns.iter().map(|name| field(name)).collect(),
        scope: vec![area("gemeente_van_inschrijving", &["GM0599"])],
        ..Question::rotterdam()
    }
}

#[tokio::test]
async fn the_official_test_set_is_served_to_the_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("../shared/data/brp/personen.csv");
    if !path.exists() {
        println!("SKIPPED: no file `{}`", path.display());
        return;
    }
    let source = source(&path);
    source.check().await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    // No cell of the file holds a comma, so its lines can be cut without a CSV reader.
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let position = |name: &str| lines[0].iter().position(|column| *column == name).unwrap();
    let (bsn, born) = (position("burgerservicenummer"), position("geboortedatum"));
    let (city, address) =
        (position("gemeente_van_inschrijving"), position("adresseerbaar_object_identificatie"));
    let cut = |keep: &dyn Fn(&&Vec<&str>) -> bool| {
        let shown = |line: &Vec<&str>| {
            let cell = |i: usize| (!line[i].is_empty()).then(|| line[i].to_owned());
            vec![cell(bsn), cell(born)]
        };
        let mut all: Vec<_> = lines[1..].iter().filter(keep).map(shown).collect();
        all.sort();
        all
    };

    let people = question(&["burgerservicenummer", "geboorte_datum"]);
    let residents = rows(&source, &people).await.unwrap();
    assert!(!residents.is_empty());
    assert_eq!(residents, cut(&|line| line[city] == "0599"));

    // A partial date of birth is a value like any other.
    let mut partly = people.clone().with("geboorte_datum in ('00000000', 19680000)");
    partly.scope = vec![area("gemeente_van_inschrijving", &["GM0518"])];
    let expected =
        cut(&|line| line[city] == "0518" && ["00000000", "19680000"].contains(&line[born]));
    assert_eq!(expected.len(), 3);
    assert_eq!(rows(&source, &partly).await.unwrap(), expected);

    let home = "verblijfplaats_adresseerbaar_object_identificatie";
    let at_home = people.clone().with(&format!("{home} = '0599010000208579'"));
    let expected = cut(&|line| line[city] == "0599" && line[address] == "0599010000208579");
    assert_eq!(rows(&source, &at_home).await.unwrap(), expected);

    let mut lookup = people.clone();
    lookup.key = Some((field("burgerservicenummer"), Some(field("geboorte_datum"))));
    lookup.subjects = vec![
        subject("999993653", Some("19851201")),
        // Of The Hague, and of Rotterdam with another date of birth.
        subject("999990639", Some("19220925")),
    ];
    let found = rows(&source, &lookup).await.unwrap();
    assert_eq!(found, [[Some("999993653".to_owned()), Some("19851201".to_owned())]]);
    lookup.subjects = vec![subject("999993653", Some("19851202"))];
    assert!(rows(&source, &lookup).await.unwrap().is_empty());
}
