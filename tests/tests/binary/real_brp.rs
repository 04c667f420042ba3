//! The official test persons of the BRP, served by three municipalities and the IND, asked about by the
//! built binary. Right to the row against the file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use convenant_demo::{
    DatasetSpec, Federation, FederationSpec, PartnerSpec, Ports, ProjectSpec, Source,
    documents::Grant,
};
use convenant_model::{
    DatasetId, FieldName, GoalId, Oin, ProjectId, ThemeId,
    covenant::{Covenant, Use},
    documents::{EarlierMeasure, Participant, Proposal, Quota, tag},
    parse::BoundedText,
    query::QueryKind::{Lookup, Select},
};
use convenant_signing::SystemRandom;
use convenant_testkit::PortBlock;

use crate::deployment::{Deployment, shown, today};

const PERSONS: &str = "gemeente/brp_persoon";
const TITLES: &str = "ind/verblijfsrecht";
/// Short name, municipality, OIN.
const MUNICIPALITIES: [(&str, &str, &str); 3] = [
    ("rotterdam", "0599", "00000099000000000599"),
    ("denhaag", "0518", "00000099000000000518"),
    ("amsterdam", "0363", "00000099000000000363"),
];
const IND: &str = "00000099000000005000";
const OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";

/// Field of the covenant, column of the file. What is not here the file does not have.
const PERSON_COLUMNS: &[(&str, &str)] = &[
    ("burgerservicenummer", "burgerservicenummer"),
    ("naam_geslachtsnaam", "geslachtsnaam"),
    ("geboorte_datum", "geboortedatum"),
    ("datum_inschrijving_in_gemeente", "datum_inschrijving_in_gemeente"),
    ("gemeente_van_inschrijving", "gemeente_van_inschrijving"),
    ("verblijfplaats_datum_van", "datum_aanvang_adreshouding"),
    (OBJECT, "adresseerbaar_object_identificatie"),
    ("verblijfplaats_nummeraanduiding_identificatie", "nummeraanduiding_identificatie"),
    ("verblijfplaats_functie_adres", "functie_adres"),
    ("verblijfadres_postcode", "postcode"),
    ("verblijfadres_huisnummer", "huisnummer"),
    ("verblijfadres_huisletter", "huisletter"),
    ("verblijfadres_huisnummertoevoeging", "huisnummertoevoeging"),
    ("verblijfadres_locatiebeschrijving", "locatiebeschrijving"),
    ("partners_burgerservicenummer", "partner_burgerservicenummer"),
    ("verblijfstitel_aanduiding", "verblijfstitel"),
    ("geheimhouding_persoonsgegevens", "indicatie_geheim"),
];
const TITLE_COLUMNS: &[(&str, &str)] = &[
    ("burgerservicenummer", "burgerservicenummer"),
    ("verblijfstitel_code", "verblijfstitel"),
    ("datum_ingang", "datum_ingang_verblijfstitel"),
    ("datum_einde", "datum_einde_verblijfstitel"),
];
/// What is asked for; the indication of secrecy goes with it unasked (clause L15).
const ASKED: &[&str] = &[
    "burgerservicenummer",
    "naam_geslachtsnaam",
    "geboorte_datum",
    "gemeente_van_inschrijving",
    "verblijfplaats_datum_van",
    OBJECT,
    "verblijfplaats_functie_adres",
    "verblijfadres_postcode",
    "verblijfadres_huisnummer",
];
const ACCOMPANYING: &str = "geheimhouding_persoonsgegevens";

type Row = BTreeMap<String, String>;

#[test]
fn residents_of_rotterdam_are_answered_right_to_the_row_and_nobody_else() {
    let Some(file) = persons_file() else {
        println!("skipped: `../shared/data/brp/personen.csv` is not beside this workspace");
        return;
    };
    let persons = Table::read(&file);
    let folder = tempfile::tempdir().unwrap();
    let ports = PortBlock::claim().unwrap();
    let federation =
        Federation::build(&folder.path().join("federation"), spec(&ports), &SystemRandom::new());
    let federation = federation.unwrap();
    write_holdings(&federation, &persons);
    let mut deployment = Deployment::start(federation, &[]);

    lookup_by_bsn(&deployment, &persons, folder.path());
    select_by_bag_object(&deployment, &persons, folder.path());
    ind_refuses(&deployment, &persons, folder.path());
    deployment.stop();
    let logs = deployment.logs();
    assert!(persons.rows.iter().all(|row| !logs.contains(&row["burgerservicenummer"])));
}

/// Sixty residents of Rotterdam and twenty of each other municipality, asked of all three.
fn lookup_by_bsn(deployment: &Deployment, persons: &Table, folder: &Path) {
    let some = |municipality: &str, count| persons.of(municipality).take(count).collect::<Vec<_>>();
    let people = [some("0599", 60), some("0518", 20), some("0363", 20)].concat();
    let lines = people
        .iter()
        .map(|row| format!("{},{}\n", row["burgerservicenummer"], row["geboortedatum"]));
    let subjects = folder.join("people.csv");
    fs::write(&subjects, lines.collect::<String>()).unwrap();
    let out = folder.join("lookup.csv");
    let output = deployment.query(&[
        "--project",
        "P-2026-001",
        "--target",
        "rotterdam/gemeente/brp_persoon",
        "--target",
        "haag/gemeente/brp_persoon",
        "--target",
        "amsterdam/gemeente/brp_persoon",
        "--fields",
        &ASKED.join(","),
        "--subjects",
        subjects.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", shown(&output));

    let answered = Table::read(&folder.join("lookup.rotterdam.csv"));
    let expected = people.iter().filter(|row| row["gemeente_van_inschrijving"] == "0599");
    let expected: BTreeSet<_> = expected.map(|row| as_answered(row)).collect();
    assert_eq!(expected.len(), 60);
    assert_eq!(answered.rows.len(), 60, "a row was given twice or not at all");
    assert_eq!(answered.rows.into_iter().collect::<BTreeSet<_>>(), expected);
    // These hold the people that were asked about, but the project is about Rotterdam.
    for other in ["lookup.haag.csv", "lookup.amsterdam.csv"] {
        assert!(Table::read(&folder.join(other)).rows.is_empty(), "{other}");
    }
}

/// Objects in Rotterdam and elsewhere, among which some where residents of two municipalities live.
fn select_by_bag_object(deployment: &Deployment, persons: &Table, folder: &Path) {
    let object = "adresseerbaar_object_identificatie";
    let objects_of = |municipality: &str| -> BTreeSet<&str> {
        let rows = persons.of(municipality).map(|row| row[object].as_str());
        rows.filter(|id| !id.is_empty()).collect()
    };
    let mut objects = objects_of("0599");
    objects.extend(objects_of("0518").into_iter().take(10));
    objects.extend(objects_of("0363").into_iter().take(10));
    let subjects = folder.join("objects.csv");
    fs::write(&subjects, objects.iter().map(|id| format!("{id}\n")).collect::<String>()).unwrap();
    let out = folder.join("select.csv");
    let output = deployment.query(&[
        "--project",
        "P-2026-001",
        "--kind",
        "select",
        "--key",
        OBJECT,
        "--target",
        "rotterdam/gemeente/brp_persoon",
        "--target",
        "amsterdam/gemeente/brp_persoon",
        "--fields",
        &ASKED.join(","),
        "--subjects",
        subjects.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", shown(&output));
    let answered = Table::read(&folder.join("select.rotterdam.csv"));
    let expected = persons.of("0599").filter(|row| objects.contains(row[object].as_str()));
    let expected: BTreeSet<_> = expected.map(as_answered).collect();
    assert!(expected.len() > 100, "{}", expected.len());
    assert_eq!(answered.rows.len(), expected.len());
    assert_eq!(answered.rows.into_iter().collect::<BTreeSet<_>>(), expected);
    assert!(Table::read(&folder.join("select.amsterdam.csv")).rows.is_empty());
}

/// The theme grants no field of the IND, which therefore takes no part.
fn ind_refuses(deployment: &Deployment, persons: &Table, folder: &Path) {
    let foreigner = persons.rows.iter().find(|row| !row["verblijfstitel"].is_empty()).unwrap();
    let subjects = folder.join("foreigners.csv");
    fs::write(&subjects, format!("{}\n", foreigner["burgerservicenummer"])).unwrap();
    let out = folder.join("ind.csv");
    let output = deployment.query(&[
        "--project",
        "P-2026-001",
        "--target",
        "00000099000000005000/ind/verblijfsrecht",
        "--fields",
        "verblijfstitel_code",
        "--subjects",
        subjects.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", shown(&output));
    let said = shown(&output);
    for clause in ["S2", "GEEN_DEELNEMER", "S7", "THEMA", "L1", "NIET_NOODZAKELIJK"] {
        assert!(said.contains(clause), "{clause} is missing:\n{said}");
    }
    assert!(!out.exists());
}

/// A row of the file under the names of the covenant, as far as it was asked for.
fn as_answered(row: &Row) -> Row {
    let columns: BTreeMap<_, _> = PERSON_COLUMNS.iter().copied().collect();
    let fields = ASKED.iter().chain([&ACCOMPANYING]);
    fields.map(|field| ((*field).to_owned(), row[columns[field]].clone())).collect()
}

fn persons_file() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    Some(workspace.join("../shared/data/brp/personen.csv")).filter(|path| path.exists())
}

/// A CSV file (RFC 4180) whose cells hold no line breaks.
struct Table {
    header: Vec<String>,
    rows: Vec<Row>,
}

impl Table {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut lines = text.lines().map(cells);
        let header = lines.next().unwrap();
        let row = |cells: Vec<String>| -> Row {
            assert_eq!(cells.len(), header.len());
            header.iter().cloned().zip(cells).collect()
        };
        Self { rows: lines.map(row).collect(), header }
    }

    fn of(&self, municipality: &str) -> impl Iterator<Item = &Row> {
        let municipality = municipality.to_owned();
        self.rows.iter().filter(move |row| row["gemeente_van_inschrijving"] == municipality)
    }

    fn write<'a>(&self, path: &Path, rows: impl Iterator<Item = &'a Row>) {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let mut text = self.header.join(",") + "\n";
        for row in rows {
            let cells: Vec<_> = self.header.iter().map(|name| quoted(&row[name])).collect();
            text += &(cells.join(",") + "\n");
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

fn write_holdings(federation: &Federation, persons: &Table) {
    let path = |name: &str, file: &str| federation.partner(name).unwrap().dir.join(file);
    for (name, municipality, _) in MUNICIPALITIES {
        persons.write(&path(name, "data/personen.csv"), persons.of(municipality));
    }
    let foreigners = persons.rows.iter().filter(|row| !row["verblijfstitel"].is_empty());
    persons.write(&path("ind", "data/verblijfsrecht.csv"), foreigners);
}

fn spec(ports: &PortBlock) -> FederationSpec {
    let mut spec = FederationSpec::new(today(), "rotterdam");
    spec.ports = Ports::Given(ports.ports());
    spec.poll_seconds = 1;
    let covenant = spec.covenant().unwrap();
    for (name, _, oin) in MUNICIPALITIES {
        let title = if name == "denhaag" { "Den Haag" } else { name };
        let dataset = dataset(&covenant, PERSONS, "data/personen.csv", PERSON_COLUMNS);
        spec.partners.push(partner(name, &format!("Gemeente {title}"), "gemeente", oin, dataset));
    }
    let titles = dataset(&covenant, TITLES, "data/verblijfsrecht.csv", TITLE_COLUMNS);
    spec.partners.push(partner("ind", "IND", "ind", IND, titles));
    spec.projects.push(ProjectSpec::approved(proposal(&covenant), 500));
    spec
}

fn partner(name: &str, title: &str, kind: &str, oin: &str, dataset: DatasetSpec) -> PartnerSpec {
    PartnerSpec {
        name: name.to_owned(),
        title: title.to_owned(),
        kind: kind.to_owned(),
        oin: Oin::new(oin).unwrap(),
        datasets: vec![dataset],
    }
}

fn dataset(covenant: &Covenant, id: &str, path: &str, columns: &[(&str, &str)]) -> DatasetSpec {
    let id = DatasetId::new(id).unwrap();
    let bound: BTreeMap<_, _> = columns
        .iter()
        .map(|(field, column)| (FieldName::new(*field).unwrap(), (*column).to_owned()))
        .collect();
    let fields = &covenant.dataset(&id).unwrap().field;
    let usable = fields.iter().filter(|field| field.usage != Use::Refused);
    let absent = usable.map(|field| field.name.clone()).filter(|name| !bound.contains_key(name));
    DatasetSpec {
        absent: absent.collect(),
        source: Source::Csv { path: path.to_owned() },
        columns: bound,
        id,
    }
}

/// Address fraud in Rotterdam; the three municipalities provide.
fn proposal(covenant: &Covenant) -> Proposal {
    let oins = MUNICIPALITIES.map(|(_, _, oin)| Oin::new(oin).unwrap());
    let responsible = oins[0].clone();
    let fields: Vec<_> =
        ASKED.iter().map(|name| (*name, "Nodig om adressen te controleren")).collect();
    let annex = oins.iter().map(|provider| {
        let grant = Grant {
            provider,
            dataset: PERSONS,
            kinds: &[Lookup, Select],
            basis_provider: "Wet basisregistratie personen",
            basis_receiver: "Publieke taak van de gemeente",
            fields: &fields,
        };
        grant.annex(covenant).unwrap()
    });
    let participants = oins.iter().map(|partner| Participant {
        partner: partner.clone(),
        role: BoundedText::new("verstrekt").unwrap(),
    });
    let start = today().plus_days(-30);
    Proposal {
        document: tag::Proposal::Proposal,
        project: ProjectId::new("P-2026-001").unwrap(),
        version: 1,
        title: BoundedText::new("Adresfraude Rotterdam").unwrap(),
        theme: ThemeId::new("adresfraude").unwrap(),
        goals: [GoalId::new("toeslagenfraude").unwrap()].into(),
        cause: BoundedText::new("Op een deel van de adressen wonen meer mensen dan bekend.")
            .unwrap(),
        earlier_measure: vec![EarlierMeasure {
            means: BoundedText::new("Huisbezoeken").unwrap(),
            result: BoundedText::new("Zonder gegevens was onbekend waar een bezoek zin heeft.")
                .unwrap(),
            date: start.plus_days(-90),
        }],
        added_value: BoundedText::new("Alleen samen is het verschil te zien.").unwrap(),
        area: ["GM0599".parse().unwrap()].into(),
        participant: participants.collect(),
        proposed_by: [responsible.clone()].into(),
        responsible,
        start,
        end: start.plus_months(11),
        quota: Quota { queries: 100, subjects: 10_000, cells: 50 },
        capacity: BoundedText::new("Een medewerker per deelnemer").unwrap(),
        municipal_reference: None,
        annex: annex.collect(),
        predicate: Vec::new(),
    }
}
