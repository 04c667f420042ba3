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

use self::given::{
    ALLOWANCES, BAG, BENEFITS, BRP, BSN, CROWDED, DWELLING, EVERYBODY, HOME, INCIDENTS, NINETEEN,
    OBJECT, PENSIONS, PERMITS, POSTAL, ROOMS, RUNNING, SMALL, holders, outline,
};
use super::{
    asking::{Row, about, column, vouched, vouching, when},
    data::{ROTTERDAM, bsn, object},
    project::{Outline, text},
    stage::{Answer, Stage},
};
use crate::support::both;

mod given;

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
