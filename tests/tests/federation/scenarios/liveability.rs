//! Liveability: a municipality, UWV, SVB, Toeslagen and the police about the homes of one neighbourhood. Homes come
//! first, as numbers and objects; only who lives in those that stand out is asked about.

use convenant_audit::Code;
use convenant_demo::{Federation, ProjectSpec, SignedDocument, documents};
use convenant_model::{
    Oin,
    documents::{AttachmentKind, WrittenDecision},
    query::QueryKind::{Lookup, Select},
};
use convenant_signing::sha256;
use convenant_testkit::today;

use super::{
    data::{Holder, POLICE, ROTTERDAM, Rows, SVB, TOESLAGEN, UWV, bsn, object},
    project::{Outline, text},
    stage::{Answer, Row, Stage, about, column, vouched, vouching, when},
};
use crate::support::both;

const BRP: &str = "gemeente/brp_persoon";
const BAG: &str = "gemeente/bag_verblijfsobject";
const DWELLING: &str = "gemeente/brp_bewoning";
const PERMITS: &str = "gemeente/vergunning_en_melding";
const BENEFITS: &str = "uwv/uitkering_ww_wia_zw";
const PENSIONS: &str = "svb/aow_uitkering";
const ALLOWANCES: &str = "toeslagen/toeslag_beschikking";
const INCIDENTS: &str = "politie/wpg_verstrekking";
const BSN: &str = "burgerservicenummer";
const OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";
const HOME: &str = "adresseerbaar_object_identificatie";

const CROWDED: &str = "aantal_bewoners in (5, 6, 7, 8)";
const SMALL: &str = "gebruiksdoel = 'woonfunctie' and oppervlakte < 60";
const ROOMS: &str = "soort = 'kamerverhuur'";
const RUNNING: &str = "datum_einde is null";
const POSTAL: &str = "verblijfplaats_functie_adres = 'B'";
const NINETEEN: &str = "leeftijd = 19";
const EVERYBODY: &str = "buurtcode = 'BU05990101'";

/// Object, residents, square metres, whether rooms may be let, whether the police know it.
const HOMES: &[(usize, usize, u32, bool, bool)] = &[
    (1, 5, 45, false, true),
    // Large; with a permit; unknown to the police; and with few residents.
    (2, 5, 140, false, true),
    (3, 5, 50, true, true),
    (4, 5, 50, false, false),
    (5, 2, 40, false, true),
];

/// Residents of the neighbourhood: those of the homes above, and others who live alone.
const RESIDENTS: usize = 120;

fn holders() -> Vec<Holder> {
    let mut persons = Rows::of(
        BRP,
        "burgerservicenummer,leeftijd,verblijfplaats_adresseerbaar_object_identificatie,\
         verblijfplaats_functie_adres,gemeente_van_inschrijving,buurtcode",
    );
    let mut homes =
        Rows::of(DWELLING, "adresseerbaar_object_identificatie,aantal_bewoners,buurtcode");
    let mut objects =
        Rows::of(BAG, "identificatie,gebruiksdoel,oppervlakte,gemeentecode,wijkcode,buurtcode");
    let mut permits = Rows::of(PERMITS, "aoid,soort");
    let mut incidents = Rows::of(INCIDENTS, "aoid,peilperiode,incident_categorie");
    let mut person = |number: usize, at: usize, area: &str| {
        // Twelve postal addresses, and eleven of nineteen years old.
        let function = if (40..52).contains(&number) { 'B' } else { 'W' };
        let age = if (60..71).contains(&number) { 19 } else { 40 };
        let (bsn, at) = (bsn(number), object(at));
        persons.row(format!("{bsn},{age},{at},{function},0599,{area}"));
    };
    let mut next = 0;
    for &(at, residents, size, rooms, known) in HOMES {
        let object = object(at);
        (next..next + residents).for_each(|number| person(number, at, "BU05990101"));
        next += residents;
        homes.row(format!("{object},{residents},BU05990101"));
        objects.row(format!("{object},woonfunctie,{size},GM0599,WK059901,BU05990101"));
        if rooms {
            permits.row(format!("{object},kamerverhuur"));
        }
        if known {
            incidents.row(format!("{object},2025,overlast"));
        }
    }
    (next..RESIDENTS).for_each(|number| person(number, 100 + number, "BU05990101"));
    // The next neighbourhood, of which nobody counts as a resident of this one.
    (RESIDENTS..2 * RESIDENTS).for_each(|number| person(number, 1000 + number, "BU05990202"));
    let mut benefits = Rows::of(BENEFITS, "burgerservicenummer,datum_ingang,datum_einde");
    benefits.row(format!("{},2025-01-01,", bsn(0)));
    benefits.row(format!("{},2020-01-01,2021-01-01", bsn(1)));
    benefits.row(format!("{},2025-01-01,", bsn(100)));
    let mut pensions =
        Rows::of(PENSIONS, "burgerservicenummer,leefvorm_aow,gemeente_van_inschrijving");
    pensions.row(format!("{},alleenstaand,0599", bsn(1)));
    let mut allowances = Rows::of(
        ALLOWANCES,
        "burgerservicenummer,aantal_medebewoners_opgegeven,gemeente_van_inschrijving",
    );
    allowances.row(format!("{},0,0599", bsn(2)));
    vec![
        ROTTERDAM.holds(vec![persons, homes, objects, permits]),
        UWV.holds(vec![benefits]),
        SVB.holds(vec![pensions]),
        TOESLAGEN.holds(vec![allowances]),
        POLICE.holds(vec![incidents]),
    ]
}

fn outline() -> Outline<'static> {
    Outline {
        id: "P-2026-102",
        theme: "leefbaarheid",
        goal: "uitkeringsfraude",
        area: vec!["BU05990101".to_owned()],
        participants: &[ROTTERDAM, UWV, SVB, TOESLAGEN, POLICE],
        annex: &[
            (ROTTERDAM, BRP, "burgerservicenummer,leeftijd,verblijfplaats_functie_adres,buurtcode"),
            (ROTTERDAM, DWELLING, "adresseerbaar_object_identificatie,aantal_bewoners"),
            (ROTTERDAM, BAG, "identificatie,gebruiksdoel,oppervlakte"),
            (ROTTERDAM, PERMITS, "aoid,soort"),
            (UWV, BENEFITS, "burgerservicenummer,datum_einde"),
            (SVB, PENSIONS, "burgerservicenummer,leefvorm_aow"),
            (TOESLAGEN, ALLOWANCES, "burgerservicenummer,aantal_medebewoners_opgegeven"),
            (POLICE, INCIDENTS, "aoid,peilperiode"),
        ],
        predicates: &[
            ("P1a", DWELLING, CROWDED, "Waar vijf of meer mensen wonen"),
            ("P1b", BAG, SMALL, "Welke woningen klein zijn"),
            ("P1c", PERMITS, ROOMS, "Waar kamers mogen worden verhuurd"),
            ("P2", BENEFITS, RUNNING, "Wie nu een uitkering heeft"),
            ("P3", BRP, POSTAL, "Wie een briefadres heeft"),
            ("P4", BRP, NINETEEN, "Wie negentien is"),
            ("P5", BRP, EVERYBODY, "Wie er in de buurt wonen"),
        ],
    }
}

/// With the written decision of clause L11.
fn project(federation: &Federation) -> ProjectSpec {
    let mut spec = outline().project(&federation.covenant);
    let date = spec.proposal.start.plus_days(-40);
    let reference = text("Besluit ex artikel 20 Wpg over dit samenwerkingsverband");
    let decision = WrittenDecision { reference, date, hash: sha256(b"besluit") };
    let annexes = spec.proposal.annex.iter_mut();
    annexes.last().unwrap().wpg_decision = Some(decision);
    spec
}

#[tokio::test]
async fn liveability() {
    let stage = Stage::set(&holders(), project).await;
    let small = when(stage.ask("rotterdam", BAG, &["identificatie"]), SMALL);
    let small = stage.answered(Select, vouching(small, "identificatie")).await;
    let found = standing_out(&stage, &small).await;
    assert_eq!(found, [object(1)]);
    who_lives_there(&stage, &found).await;
    let alarming = out_of_proportion(&stage).await;
    refusals(&stage, &small).await;
    without_papers(&stage).await;
    in_month_25(&stage).await;

    let asked = stage.ask("rotterdam", BRP, &[BSN]);
    let report = stage.close(about(asked, OBJECT, &found)).await;
    let alarms = report.findings.iter().filter(|one| one.code == Code::Alarm);
    let alarms: Vec<_> = alarms.map(|one| (one.ledger.as_str(), one.query)).collect();
    assert_eq!(alarms, [("node/00000099000000000599", Some(alarming))]);
}

/// Small homes with many residents, where no rooms may be let and which the police know.
async fn standing_out(stage: &Stage, small: &Answer) -> Vec<String> {
    let asked = stage.ask("rotterdam", DWELLING, &[HOME, "aantal_bewoners"]);
    let crowded = stage.answered(Select, when(asked, CROWDED)).await.rows;
    let crowded = column(&crowded, HOME);
    assert_eq!(crowded, [1, 2, 3, 4].map(object));
    let mut found = column(&small.rows, "identificatie");
    found.retain(|object| crowded.contains(object));
    let kept = small.kept.as_ref().unwrap();
    let asked = when(stage.ask("rotterdam", PERMITS, &["aoid"]), ROOMS);
    let permits = stage.answered(Lookup, vouched(asked, "aoid", (kept, &found))).await.rows;
    found.retain(|object| !column(&permits, "aoid").contains(object));
    let asked = stage.ask("politie", INCIDENTS, &["aoid", "peilperiode"]);
    let known = stage.answered(Lookup, vouched(asked, "aoid", (kept, &found))).await.rows;
    column(&known, "aoid")
}

/// Whom the partners know of those who live in the homes that stand out.
async fn who_lives_there(stage: &Stage, found: &[String]) {
    let asked = vouching(stage.ask("rotterdam", BRP, &[BSN]), BSN);
    let residents = stage.answered(Lookup, about(asked, OBJECT, found)).await;
    let everybody = column(&residents.rows, BSN);
    assert_eq!(everybody, [0, 1, 2, 3, 4].map(bsn));
    assert!(!residents.alarm);
    let kept = residents.kept.as_ref().unwrap();
    let mut known = Vec::new();
    for (partner, dataset, condition) in
        [("uwv", BENEFITS, Some(RUNNING)), ("svb", PENSIONS, None), ("toeslagen", ALLOWANCES, None)]
    {
        let mut asked = stage.ask(partner, dataset, &[BSN]);
        asked.predicate = condition.map(|condition| condition.parse().unwrap());
        let answer = stage.answered(Lookup, vouched(asked, BSN, (kept, &everybody))).await;
        known.extend(answer.rows.into_iter().map(|row: Row| row[BSN].clone()));
    }
    assert_eq!(known, [0, 1, 2].map(bsn));
}

/// Twelve of 120 residents raise an alarm, eleven do not.
async fn out_of_proportion(stage: &Stage) -> convenant_model::QueryId {
    let select = |condition| when(stage.ask("rotterdam", BRP, &[BSN]), condition);
    let few = stage.answered(Select, select(NINETEEN)).await;
    assert_eq!((few.rows.len(), few.alarm), (11, false));
    let many = stage.answered(Select, select(POSTAL)).await;
    assert_eq!((many.rows.len(), many.alarm), (12, true));
    many.query
}

async fn refusals(stage: &Stage, small: &Answer) {
    let everybody = stage.ask("rotterdam", BRP, &[BSN]);
    let told = stage.refused(Select, everybody.clone()).await;
    assert_eq!(told, both(&["S12/BULK"]));
    let told = stage.refused(Lookup, everybody.clone()).await;
    assert_eq!(told, both(&["S12/BULK"]));
    // Published by the project itself, and bulk all the same.
    let told = stage.refused(Select, when(everybody, EVERYBODY)).await;
    assert_eq!(told, both(&["S12/BULK"]));
    let kept = (small.kept.as_ref().unwrap(), &[object(1)][..]);
    let crimes = vouched(stage.ask("politie", INCIDENTS, &["incident_categorie"]), "aoid", kept);
    let told = stage.refused(Lookup, crimes).await;
    assert_eq!(told, both(&["L1/NIET_NOODZAKELIJK", "L13/ART10", "S7/THEMA"]));
}

/// Police data without the decision of the Wpg, and a decision without a DPIA.
async fn without_papers(stage: &Stage) {
    let federation = &stage.world.federation;
    let other = Outline { id: "P-2026-112", ..outline() }.project(&federation.covenant);
    let signed = federation.sign_proposal(&other.proposal).unwrap();
    let refused = stage.world.submit(&signed).await.unwrap_err().to_string();
    assert!(refused.contains("wpg_decision") && refused.contains("clause L11"), "{refused}");

    let without = &outline().annex[..7];
    let other = Outline { id: "P-2026-112", annex: without, ..outline() };
    let other = other.project(&federation.covenant);
    let documents = federation.project_documents(&other).unwrap();
    stage.world.submit(&documents[0]).await.unwrap();
    let (hash, own) = (documents[0].hash(), Oin::new(ROTTERDAM.oin).unwrap());
    let mut bare = documents::attestation(&other.proposal, hash, &own).unwrap();
    bare.attachment.retain(|paper| paper.kind != AttachmentKind::Dpia);
    let key = &stage.world.partner("rotterdam").unwrap().keys.signing;
    let bare = SignedDocument::new("attestation", &bare, [key]).unwrap();
    let refused = stage.world.submit(&bare).await.unwrap_err().to_string();
    assert!(refused.contains("clause S14"), "{refused}");
    for document in &documents[1..] {
        stage.world.submit(document).await.unwrap();
    }
    stage.client.refresh().await.unwrap();
    let asked = about(stage.ask("politie", INCIDENTS, &["peilperiode"]), "aoid", &[object(1)]);
    let told = stage.refused_in("P-2026-112", Lookup, asked).await;
    assert_eq!(told, both(&["A3/GRONDSLAG", "L1/NIET_NOODZAKELIJK", "L11/WPG"]));
}

/// A project that the LSI let run for the longest term, two years and a month after it began.
async fn in_month_25(stage: &Stage) {
    let federation = &stage.world.federation;
    let start = today().unwrap().plus_days(-761);
    let old = Outline { id: "P-2024-102", annex: &outline().annex[..7], ..outline() };
    let old = old.project_from(&federation.covenant, start, 24);
    for document in federation.project_documents(&old).unwrap() {
        stage.world.submit(&document).await.unwrap();
    }
    stage.client.refresh().await.unwrap();
    let asked = about(stage.ask("rotterdam", BRP, &[BSN]), OBJECT, &[object(1)]);
    let told = stage.refused_in("P-2024-102", Lookup, asked).await;
    assert_eq!(told, both(&["L6/BEWAARTERMIJN", "S10/VERLOPEN", "S11/DUUR", "S6/MANDAAT"]));
}
