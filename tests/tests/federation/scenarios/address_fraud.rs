//! Address fraud: a municipality, Toeslagen, SVB and UWV about one neighbourhood. The national registers know no
//! neighbourhoods; they answer about whom the municipality found in this one.

use convenant_model::query::QueryKind::{Lookup, Select};

use super::{
    data::{Holder, ROTTERDAM, Rows, SVB, TOESLAGEN, UWV, bsn, object},
    project::Outline,
    stage::{Answer, Row, Stage, about, column, vouched, vouching, when},
};
use crate::support::both;

const BRP: &str = "gemeente/brp_persoon";
const DWELLING: &str = "gemeente/brp_bewoning";
const ASSISTANCE: &str = "gemeente/participatiewet_uitkering";
const PENSIONS: &str = "svb/aow_uitkering";
const ALLOWANCES: &str = "toeslagen/toeslag_beschikking";
const JOBS: &str = "uwv/polisadministratie_inkomstenverhouding";
const BSN: &str = "burgerservicenummer";
const OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";

const ALONE: &str = "leefvorm_bijstand = 'alleenstaand'";
const OLD: &str = "leeftijd >= 67 and verblijfplaats_functie_adres = 'W'";
const PENSION_ALONE: &str = "leefvorm_aow = 'alleenstaand'";
const HALF_YEAR: &str = "leeftijd >= 18 and verblijfplaats_datum_van <= '20250902'";
const SEVERAL: &str = "aantal_bewoners in (2, 3, 4, 5, 6)";
const RENT: &str = "soort_toeslag = 'huurtoeslag'";
const POSTAL: &str = "verblijfplaats_functie_adres = 'B' and verblijfplaats_datum_van < '20250302'";
const ACTIVE: &str = "datum_einde_inkomstenverhouding is null";

/// Number, age, object, function and first day of everybody at an address, within the neighbourhood or outside it.
const PEOPLE: &[(usize, u32, usize, char, &str)] = &[
    // Assistance for somebody alone: with another adult for long, since December, and with a child.
    (1, 40, 1, 'W', "20200101"),
    (2, 41, 1, 'W', "20240101"),
    (3, 40, 2, 'W', "20200101"),
    (4, 40, 2, 'W', "20251201"),
    (5, 40, 3, 'W', "20200101"),
    (6, 12, 3, 'W', "20200101"),
    // Assistance for a couple.
    (7, 40, 4, 'W', "20200101"),
    (8, 40, 4, 'W', "20200101"),
    // A pension for somebody alone: with another adult, and alone indeed.
    (9, 70, 5, 'W', "20100101"),
    (10, 45, 5, 'W', "20200101"),
    (11, 80, 6, 'W', "20100101"),
    // Rent allowance: none of two others declared, and the one other declared.
    (14, 30, 8, 'W', "20220101"),
    (15, 31, 8, 'W', "20220101"),
    (16, 32, 8, 'W', "20220101"),
    (17, 30, 9, 'W', "20220101"),
    (18, 30, 9, 'W', "20220101"),
    // Postal addresses: for long, since August, with a job that ended, and without a job.
    (20, 30, 20, 'B', "20240601"),
    (21, 30, 21, 'B', "20250801"),
    (22, 30, 22, 'B', "20230101"),
    (23, 30, 23, 'B', "20230101"),
    // As 1 and 2, and as 20, in the next neighbourhood.
    (30, 40, 1000, 'W', "20200101"),
    (31, 41, 1000, 'W', "20200101"),
    (32, 30, 1001, 'B', "20200101"),
];

fn neighbourhood(object: usize) -> &'static str {
    if object >= 1000 { "BU05990202" } else { "BU05990101" }
}

fn holders() -> Vec<Holder> {
    let mut persons = Rows::of(
        BRP,
        "burgerservicenummer,leeftijd,verblijfplaats_adresseerbaar_object_identificatie,\
         verblijfplaats_functie_adres,verblijfplaats_datum_van,gemeente_van_inschrijving,buurtcode,\
         nationaliteiten",
    );
    let singles = (200..400).map(|number| (number, 35, number, 'W', "20190101"));
    let mut dwellings =
        Rows::of(DWELLING, "adresseerbaar_object_identificatie,aantal_bewoners,buurtcode");
    let mut registered = std::collections::BTreeMap::<usize, u32>::new();
    for (number, age, at, function, since) in PEOPLE.iter().copied().chain(singles) {
        let (bsn, area, at_object) = (bsn(number), neighbourhood(at), object(at));
        persons.row(format!("{bsn},{age},{at_object},{function},{since},0599,{area},0001"));
        *registered.entry(at).or_default() += 1;
    }
    for (at, residents) in registered {
        dwellings.row(format!("{},{residents},{}", object(at), neighbourhood(at)));
    }
    let mut assistance = Rows::of(
        ASSISTANCE,
        "burgerservicenummer,leefvorm_bijstand,uitkeringsadres_aoid,gemeente_van_inschrijving,buurtcode",
    );
    for (number, form, at) in [
        (1, "alleenstaand", 1),
        (3, "alleenstaand", 2),
        (5, "alleenstaand", 3),
        (7, "gehuwd_samenwonend", 4),
        (30, "alleenstaand", 1000),
    ] {
        let (bsn, area) = (bsn(number), neighbourhood(at));
        assistance.row(format!("{bsn},{form},{},0599,{area}", object(at)));
    }
    let mut pensions =
        Rows::of(PENSIONS, "burgerservicenummer,leefvorm_aow,gemeente_van_inschrijving");
    for number in [9, 11] {
        pensions.row(format!("{},alleenstaand,0599", bsn(number)));
    }
    let mut allowances = Rows::of(
        ALLOWANCES,
        "burgerservicenummer,soort_toeslag,aantal_medebewoners_opgegeven,gemeente_van_inschrijving",
    );
    for (number, others) in [(14, 0), (17, 1), (31, 0)] {
        allowances.row(format!("{},huurtoeslag,{others},0599", bsn(number)));
    }
    let mut jobs = Rows::of(
        JOBS,
        "burgerservicenummer,datum_aanvang_inkomstenverhouding,datum_einde_inkomstenverhouding,\
         loon_sv,gemeente_van_inschrijving",
    );
    for (number, end) in [(20, ""), (21, ""), (22, "2025-01-31"), (32, "")] {
        jobs.row(format!("{},2022-01-01,{end},250000,0599", bsn(number)));
    }
    let municipality = ROTTERDAM.holds(vec![persons, dwellings, assistance]);
    let (svb, uwv) = (SVB.holds(vec![pensions]), UWV.holds(vec![jobs]));
    vec![municipality, svb, TOESLAGEN.holds(vec![allowances]), uwv]
}

fn outline() -> Outline<'static> {
    Outline {
        id: "P-2026-101",
        theme: "adresfraude",
        goal: "uitkeringsfraude",
        area: vec!["BU05990101".to_owned()],
        participants: &[ROTTERDAM, SVB, TOESLAGEN, UWV],
        annex: &[
            (
                ROTTERDAM,
                BRP,
                "burgerservicenummer,leeftijd,verblijfplaats_functie_adres,verblijfplaats_datum_van,\
                 verblijfplaats_adresseerbaar_object_identificatie",
            ),
            (ROTTERDAM, DWELLING, "adresseerbaar_object_identificatie,aantal_bewoners"),
            (ROTTERDAM, ASSISTANCE, "burgerservicenummer,leefvorm_bijstand,uitkeringsadres_aoid"),
            (SVB, PENSIONS, "burgerservicenummer,leefvorm_aow"),
            (
                TOESLAGEN,
                ALLOWANCES,
                "burgerservicenummer,soort_toeslag,aantal_medebewoners_opgegeven",
            ),
            (UWV, JOBS, "burgerservicenummer,datum_einde_inkomstenverhouding"),
        ],
        predicates: &[
            ("P1a", ASSISTANCE, ALONE, "Wie bijstand heeft als alleenstaande"),
            ("P1b", BRP, OLD, "Wie AOW kan hebben"),
            ("P1c", PENSIONS, PENSION_ALONE, "Wie AOW heeft als alleenstaande"),
            ("P1d", BRP, HALF_YEAR, "Welke volwassenen er al een half jaar wonen"),
            ("P2a", DWELLING, SEVERAL, "Waar er meer dan één woont"),
            ("P2b", ALLOWANCES, RENT, "Wat voor huurtoeslag is opgegeven"),
            ("P3a", BRP, POSTAL, "Wie langer dan een jaar een briefadres heeft"),
            ("P3b", JOBS, ACTIVE, "Wie nu inkomsten uit werk heeft"),
        ],
    }
}

#[tokio::test]
async fn address_fraud() {
    let stage = Stage::set(&holders(), |federation| outline().project(&federation.covenant)).await;
    assert_eq!(alone_on_paper(&stage).await, people(&[1, 9]));
    assert_eq!(more_than_declared(&stage).await, people(&[14]));
    let postal = postal_addresses(&stage).await;
    let working = with_a_job(&stage, &postal).await;
    assert_eq!(working, people(&[20]));
    refusals(&stage, &postal).await;
    let asked = stage.ask("rotterdam", BRP, &[BSN]);
    stage.close(about(asked, OBJECT, &[object(1)])).await;
}

/// P1: a benefit for somebody alone, and another adult at the same object for half a year.
async fn alone_on_paper(stage: &Stage) -> Vec<String> {
    let asked = stage.ask("rotterdam", ASSISTANCE, &[BSN, "uitkeringsadres_aoid"]);
    let assistance = stage.answered(Select, when(asked, ALONE)).await.rows;
    assert_eq!(column(&assistance, BSN), people(&[1, 3, 5]));
    let asked = vouching(stage.ask("rotterdam", BRP, &[BSN, OBJECT]), BSN);
    let old = stage.answered(Select, when(asked, OLD)).await;
    let asked = when(stage.ask("svb", PENSIONS, &[BSN]), PENSION_ALONE);
    let known = (old.kept.as_ref().unwrap(), &column(&old.rows, BSN)[..]);
    let pensions = stage.answered(Lookup, vouched(asked, BSN, known)).await.rows;
    let pensions = column(&pensions, BSN);
    let mut homes: Vec<_> = old.rows.iter().filter(|row| pensions.contains(&row[BSN])).collect();
    let mut alone: Vec<(String, String)> =
        homes.drain(..).map(|row| (row[BSN].clone(), row[OBJECT].clone())).collect();
    alone.extend(
        assistance.iter().map(|row| (row[BSN].clone(), row["uitkeringsadres_aoid"].clone())),
    );
    let objects: Vec<_> = alone.iter().map(|(_, object)| object.clone()).collect();
    let adults = at(stage, &objects, Some(HALF_YEAR)).await.rows;
    let other = |(bsn, object): &&(String, String)| {
        adults.iter().any(|row| row[OBJECT] == *object && row[BSN] != *bsn)
    };
    let mut found: Vec<_> = alone.iter().filter(other).map(|(bsn, _)| bsn.clone()).collect();
    found.sort();
    found
}

/// P2: fewer co-residents declared than registered.
async fn more_than_declared(stage: &Stage) -> Vec<String> {
    let fields = ["adresseerbaar_object_identificatie", "aantal_bewoners"];
    let asked = when(stage.ask("rotterdam", DWELLING, &fields), SEVERAL);
    let several = stage.answered(Select, asked).await.rows;
    let residents = at(stage, &column(&several, fields[0]), None).await;
    let asked = stage.ask("toeslagen", ALLOWANCES, &[BSN, "aantal_medebewoners_opgegeven"]);
    let known = (residents.kept.as_ref().unwrap(), &column(&residents.rows, BSN)[..]);
    let asked = vouched(when(asked, RENT), BSN, known);
    let allowances = stage.answered(Lookup, asked).await.rows;
    let registered = |bsn: &String| {
        let home = residents.rows.iter().find(|row| row[BSN] == *bsn).unwrap();
        let dwelling = several.iter().find(|row| row[fields[0]] == home[OBJECT]).unwrap();
        dwelling["aantal_bewoners"].parse::<u32>().unwrap() - 1
    };
    let declared = |row: &Row| row["aantal_medebewoners_opgegeven"].parse::<u32>().unwrap();
    let found: Vec<_> =
        allowances.into_iter().filter(|row| declared(row) < registered(&row[BSN])).collect();
    column(&found, BSN)
}

/// P3, the municipality's part: a postal address for more than a year.
async fn postal_addresses(stage: &Stage) -> Answer {
    let asked = vouching(stage.ask("rotterdam", BRP, &[BSN]), BSN);
    let postal = stage.answered(Select, when(asked, POSTAL)).await;
    assert_eq!(column(&postal.rows, BSN), people(&[20, 22, 23]));
    postal
}

/// P3, the part of UWV.
async fn with_a_job(stage: &Stage, postal: &Answer) -> Vec<String> {
    let asked = when(stage.ask("uwv", JOBS, &[BSN]), ACTIVE);
    let known = (postal.kept.as_ref().unwrap(), &column(&postal.rows, BSN)[..]);
    column(&stage.answered(Lookup, vouched(asked, BSN, known)).await.rows, BSN)
}

/// Everybody at some objects whom the condition lets through. Nothing of this is out of proportion.
async fn at(stage: &Stage, objects: &[String], condition: Option<&str>) -> Answer {
    let asked = vouching(stage.ask("rotterdam", BRP, &[BSN, OBJECT]), BSN);
    let asked = about(asked, OBJECT, objects);
    let asked = match condition {
        Some(condition) => when(asked, condition),
        None => asked,
    };
    let answer = stage.answered(Lookup, asked).await;
    assert!(!answer.alarm, "{} residents", answer.rows.len());
    answer
}

async fn refusals(stage: &Stage, postal: &Answer) {
    let (kept, found) = (postal.kept.as_ref().unwrap(), column(&postal.rows, BSN));
    let jobs = |fields: &[&str]| stage.ask("uwv", JOBS, fields);
    let wages = vouched(jobs(&[BSN, "loon_sv"]), BSN, (kept, &found));
    let told = stage.refused(Lookup, wages).await;
    assert_eq!(told, both(&["L1/NIET_NOODZAKELIJK", "S7/THEMA"]));
    let nationality = when(stage.ask("rotterdam", BRP, &[BSN]), "nationaliteiten != '0001'");
    let told = stage.refused(Select, nationality).await;
    assert_eq!(
        told,
        both(&["L1/NIET_NOODZAKELIJK", "L13/ART9", "S12/BULK", "S12/GEEN_PREDICAAT", "S7/THEMA",])
    );

    // Of the next neighbourhood nothing comes, whoever is asked about; and nobody vouches for it.
    assert!(at(stage, &[object(1000), object(1001)], None).await.rows.is_empty());
    let elsewhere = when(stage.ask("rotterdam", BRP, &[BSN]), "buurtcode = 'BU05990202'");
    let told = stage.refused(Select, elsewhere).await;
    assert_eq!(told, both(&["L1/NIET_NOODZAKELIJK", "S12/BULK", "S12/GEEN_PREDICAAT"]));
    let told = stage.told(Lookup, about(jobs(&[BSN]), BSN, &[bsn(32)])).await;
    assert_eq!(told, ["S10/GEEN_VOUCHER"]);
    let mut swapped = vouched(jobs(&[BSN]), BSN, (kept, &found[..1]));
    let other = about(jobs(&[BSN]), BSN, &[bsn(32)]).subjects.unwrap().list;
    swapped.subjects.as_mut().unwrap().list = other;
    assert_eq!(stage.told(Lookup, swapped).await, ["S10/GEEN_VOUCHER"]);
    // Nor is anything selected where nobody knows the neighbourhood.
    let told = stage.refused(Select, when(jobs(&[BSN]), ACTIVE)).await;
    assert_eq!(told, both(&["S10/BUITEN_GEBIED", "S12/BULK"]));
}

fn people(numbers: &[usize]) -> Vec<String> {
    numbers.iter().copied().map(bsn).collect()
}
