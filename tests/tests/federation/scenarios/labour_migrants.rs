//! Labour migrants: the Arbeidsinspectie asks a municipality, UWV, the IND and the Belastingdienst about where
//! workers are housed, and whether they may work.

use std::collections::BTreeMap;

use convenant_exchange::Kept;
use convenant_model::{
    Oin,
    query::QueryKind::{Lookup, Select},
};
use convenant_testkit::{Identity, wire};
use convenant_wire::{
    problem::{PeerProblem, read},
    v1::{QueryRequest, broker_client::BrokerClient},
};

use self::given::{
    ACTIVE, BAG, BRP, BSN, EMPLOYERS, HOUSING, JOBS, LODGING, NUMBER, OBJECT, PAYROLL, PERMITS,
    TITLES, WORK_PERMITS, holders, outline, payroll,
};
use super::{
    asking::{Row, about, column, vouched, vouching, when},
    data::{IND, TAX, UWV, bsn, object},
    project::Outline,
    stage::{Answer, Stage},
};
use crate::support::both;

mod given;

#[tokio::test]
async fn labour_migrants() {
    let stage = Stage::set(&holders(), |federation| outline().project(&federation.covenant)).await;
    let lodgings = lodgings(&stage).await;
    let objects = column(&lodgings.rows, "identificatie");
    let asked = vouching(stage.ask("rotterdam", BRP, &[BSN, OBJECT]), BSN);
    let residents = stage.answered(Lookup, about(asked, OBJECT, &objects)).await;
    let workers = workers(&stage, &residents).await;
    assert_eq!(crowded(&stage, &lodgings, &residents, &workers).await, [object(1)]);
    let found = not_allowed_to_work(&stage, &residents, &workers).await;
    assert_eq!(found, [bsn(2), bsn(5)]);
    employers(&stage, &workers).await;

    let kept = residents.kept.as_ref().unwrap();
    refusals(&stage, kept, &found).await;
    in_another_project(&stage, kept, &found).await;
    tax_data_for_the_ind(&stage).await;
    let asked = stage.ask("rotterdam", BRP, &[BSN]);
    stage.close(about(asked, OBJECT, &objects)).await;
}

async fn lodgings(stage: &Stage) -> Answer {
    let asked = vouching(stage.ask("rotterdam", BAG, &["identificatie"]), "identificatie");
    stage.answered(Select, when(asked, LODGING)).await
}

/// Who of the residents works now, and for whom. UWV knows the municipality itself, so nobody need vouch.
async fn workers(stage: &Stage, residents: &Answer) -> Answer {
    let asked = vouching(stage.ask("uwv", JOBS, &[BSN, PAYROLL]), PAYROLL);
    let asked = about(when(asked, ACTIVE), BSN, &column(&residents.rows, BSN));
    stage.answered(Lookup, asked).await
}

/// P1: more workers at an object than its permit allows.
async fn crowded(
    stage: &Stage,
    lodgings: &Answer,
    residents: &Answer,
    workers: &Answer,
) -> Vec<String> {
    let known = (lodgings.kept.as_ref().unwrap(), &column(&lodgings.rows, "identificatie")[..]);
    let asked = when(stage.ask("rotterdam", PERMITS, &["aoid", "max_personen"]), HOUSING);
    let permits = stage.answered(Lookup, vouched(asked, "aoid", known)).await.rows;
    assert_eq!(column(&permits, "aoid"), [object(1), object(2), object(3)]);
    let working = column(&workers.rows, BSN);
    let mut at = BTreeMap::<&String, u32>::new();
    for row in residents.rows.iter().filter(|row| working.contains(&row[BSN])) {
        *at.entry(&row[OBJECT]).or_default() += 1;
    }
    let over = |row: &Row| at[&row["aoid"]] > row["max_personen"].parse().unwrap();
    column(&permits.into_iter().filter(over).collect::<Vec<_>>(), "aoid")
}

/// P2: residence title 24 (no work), no work permit that holds, and an income relation.
async fn not_allowed_to_work(stage: &Stage, residents: &Answer, workers: &Answer) -> Vec<String> {
    let known = (residents.kept.as_ref().unwrap(), &column(&residents.rows, BSN)[..]);
    let asked = stage.ask("ind", TITLES, &[BSN, NUMBER, "verblijfstitel_code"]);
    let titles = stage.answered(Lookup, vouched(asked, BSN, known)).await.rows;
    let working = column(&workers.rows, BSN);
    let no_work = |row: &Row| row["verblijfstitel_code"] == "24" && working.contains(&row[BSN]);
    let suspect: Vec<_> = titles.into_iter().filter(no_work).collect();
    let asked = stage.ask("uwv", WORK_PERMITS, &[NUMBER, "datum_geldig_tot"]);
    let asked = about(asked, NUMBER, &column(&suspect, NUMBER));
    let permits = stage.answered(Lookup, asked).await.rows;
    let holds = |row: &&Row| row["datum_geldig_tot"].as_str() >= "2026-03-02";
    let allowed: Vec<_> = permits.iter().filter(holds).map(|row| &row[NUMBER]).collect();
    let found: Vec<_> =
        suspect.into_iter().filter(|row| !allowed.contains(&&row[NUMBER])).collect();
    column(&found, BSN)
}

/// The Belastingdienst knows no municipality; it answers about employers whom UWV found there.
async fn employers(stage: &Stage, workers: &Answer) {
    let known = (workers.kept.as_ref().unwrap(), &column(&workers.rows, PAYROLL)[..]);
    let asked = stage.ask("belastingdienst", EMPLOYERS, &[PAYROLL, "aantal_inkomstenverhoudingen"]);
    let rows = stage.answered(Lookup, vouched(asked, PAYROLL, known)).await.rows;
    assert_eq!(column(&rows, PAYROLL), [payroll(1), payroll(2), payroll(3)]);
    let asked = stage.ask("belastingdienst", EMPLOYERS, &[PAYROLL]);
    let told = stage.told(Lookup, about(asked, PAYROLL, &[payroll(9)])).await;
    assert_eq!(told, ["S10/GEEN_VOUCHER"]);
}

async fn refusals(stage: &Stage, kept: &Kept, found: &[String]) {
    let asylum = stage.ask("ind", TITLES, &[BSN, "asielmotief"]);
    let told = stage.refused(Lookup, vouched(asylum, BSN, (kept, found))).await;
    assert_eq!(told, both(&["L1/NIET_NOODZAKELIJK", "L13/ART9", "S7/THEMA"]));
    for (partner, dataset, condition) in [
        ("rotterdam", BRP, "nationaliteiten = '0064'"),
        ("uwv", JOBS, "nationaliteit = '0064' and datum_einde_inkomstenverhouding is null"),
    ] {
        let told =
            stage.refused(Select, when(stage.ask(partner, dataset, &[BSN]), condition)).await;
        assert_eq!(told.coordinator, told.node);
        for code in ["L13/ART9", "L1/NIET_NOODZAKELIJK", "S12/GEEN_PREDICAAT"] {
            assert!(told.node.iter().any(|one| one == code), "{condition}: {told:?}");
        }
    }
    // A residence title is given, and nobody is selected by it.
    let by_title = when(stage.ask("ind", TITLES, &[BSN]), "verblijfstitel_code = '24'");
    let told = stage.refused(Lookup, vouched(by_title, BSN, (kept, found))).await;
    assert_eq!(told, both(&["L13/ART9", "S12/GEEN_PREDICAAT"]));
}

/// The same partners, the same theme, the same leader: whom one project found, another cannot ask about.
async fn in_another_project(stage: &Stage, kept: &Kept, found: &[String]) {
    let other = Outline { id: "P-2026-114", ..outline() }.project(&stage.world.federation.covenant);
    for document in stage.world.federation.project_documents(&other).unwrap() {
        stage.world.submit(&document).await.unwrap();
    }
    stage.client.refresh().await.unwrap();
    let asked = || vouched(stage.ask("ind", TITLES, &[BSN]), BSN, (kept, found));
    let composed = stage.compose_in("P-2026-114", Lookup, asked());
    assert_eq!(stage.sent(&composed).await, ["S10/GEEN_VOUCHER"]);
    // Said to be of the project that found them.
    let mut composed = stage.compose_in("P-2026-114", Lookup, asked());
    composed.query.proposal = stage.compose(Lookup, asked()).query.proposal;
    wire::sign_again(&mut composed, &stage.world.federation.leader.key).unwrap();
    assert_eq!(stage.sent(&composed).await, ["S4/GEEN_LSI_BESLUIT"]);
}

/// In a project of its own, decided on and mandated, the IND asks what the Belastingdienst keeps secret.
async fn tax_data_for_the_ind(stage: &Stage) {
    let world = &stage.world;
    let own = Outline {
        id: "P-2026-124",
        participants: &[IND, TAX, UWV],
        annex: &[(TAX, EMPLOYERS, PAYROLL), (UWV, JOBS, PAYROLL)],
        predicates: &[],
        ..outline()
    };
    let own = own.project(&world.federation.covenant);
    for document in world.federation.project_documents(&own).unwrap() {
        world.submit(&document).await.unwrap();
    }
    stage.client.refresh().await.unwrap();
    let asked = about(stage.ask("belastingdienst", EMPLOYERS, &[PAYROLL]), PAYROLL, &[payroll(1)]);
    let mut composed = stage.compose_in("P-2026-124", Lookup, asked);
    composed.query.requester.partner = Oin::new(IND.oin).unwrap();
    wire::sign_again(&mut composed, &world.federation.leader.key).unwrap();
    let ind = Identity::of_party(world.partner("ind").unwrap(), &world.federation.pki);
    let channel = world.to_coordinator(&ind).unwrap();
    let request = QueryRequest { signed_query: composed.signed.clone(), subjects: Vec::new() };
    let refused = BrokerClient::new(channel).query(request).await.unwrap_err();
    let PeerProblem::Refused(refusal) = read(&refused) else { panic!("{refused:?}") };
    let [one] = refusal.violations() else { panic!("{refusal:?}") };
    assert_eq!((one.clause.as_str(), one.code.as_str()), ("L10", "FISCAAL_GEHEIM"));
    let node = world.partner("belastingdienst").unwrap();
    let channel = world.to(&world.coordinator(), node).unwrap();
    let key = node.keys.ledger.verifying_key();
    let answered = wire::ask(channel, wire::answer_request(&composed, 0), key).await;
    assert_eq!(wire::node_told(&answered), ["L10/FISCAAL_GEHEIM"]);
}
