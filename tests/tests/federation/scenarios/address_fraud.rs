//! Address fraud: a municipality, Toeslagen, SVB and UWV about one neighbourhood. The national registers know no
//! neighbourhoods; they answer about whom the municipality found in this one.

use convenant_model::query::QueryKind::{Lookup, Select};

use self::given::{
    ACTIVE, ALLOWANCES, ALONE, ASSISTANCE, BRP, BSN, DWELLING, HALF_YEAR, JOBS, OBJECT, OLD,
    PENSION_ALONE, PENSIONS, POSTAL, RENT, SEVERAL, holders, outline,
};
use super::{
    asking::{Row, about, column, vouched, vouching, when},
    data::{bsn, object},
    stage::{Answer, Stage},
};
use crate::support::both;

mod given;

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
