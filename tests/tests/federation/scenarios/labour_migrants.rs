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

use super::{
    data::{Holder, IND, INSPECTION, ROTTERDAM, Rows, TAX, UWV, bsn, object},
    project::Outline,
    stage::{Answer, Row, Stage, about, column, vouched, vouching, when},
};
use crate::support::both;

const BRP: &str = "gemeente/brp_persoon";
const BAG: &str = "gemeente/bag_verblijfsobject";
const PERMITS: &str = "gemeente/vergunning_en_melding";
const JOBS: &str = "uwv/polisadministratie_inkomstenverhouding";
const WORK_PERMITS: &str = "uwv/tewerkstellingsvergunning";
const TITLES: &str = "ind/verblijfsrecht";
const EMPLOYERS: &str = "belastingdienst-mkb/inhoudingsplichtige";
const BSN: &str = "burgerservicenummer";
const OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";
const NUMBER: &str = "vreemdelingennummer";
const PAYROLL: &str = "loonheffingennummer";

const LODGING: &str = "gebruiksdoel = 'logiesfunctie'";
const HOUSING: &str = "soort = 'huisvesting_arbeidsmigranten'";
const ACTIVE: &str = "datum_einde_inkomstenverhouding is null";

/// Number, object, end of the income relation (none: `-`), residence title, end of the work permit.
const PEOPLE: &[(usize, usize, &str, &str, &str)] = &[
    // Two may live here, three work.
    (1, 1, "", "21", ""),
    (2, 1, "", "24", ""),
    (3, 1, "", "24", "2026-12-31"),
    // Three may live here, and three work.
    (4, 2, "", "21", ""),
    (5, 2, "", "24", "2025-12-31"),
    (6, 2, "", "", ""),
    // Two may live here; of three, one no longer works.
    (7, 3, "", "21", ""),
    (8, 3, "", "21", ""),
    (9, 3, "2025-06-30", "24", ""),
    // Nobody was ever to house workers here; and a home.
    (10, 4, "-", "24", ""),
    (11, 5, "", "24", ""),
];

fn holders() -> Vec<Holder> {
    let mut persons = Rows::of(
        BRP,
        "burgerservicenummer,verblijfplaats_adresseerbaar_object_identificatie,\
         gemeente_van_inschrijving,nationaliteiten",
    );
    let mut jobs = Rows::of(
        JOBS,
        "burgerservicenummer,loonheffingennummer,datum_einde_inkomstenverhouding,\
         gemeente_van_inschrijving,nationaliteit",
    );
    let mut titles =
        Rows::of(TITLES, "burgerservicenummer,vreemdelingennummer,verblijfstitel_code,asielmotief");
    let mut work =
        Rows::of(WORK_PERMITS, "vreemdelingennummer,datum_geldig_tot,gemeente_van_inschrijving");
    for &(number, at, end, title, permit) in PEOPLE {
        let (bsn, foreigner) = (bsn(number), foreigner(number));
        persons.row(format!("{bsn},{},0599,0064", object(at)));
        if end != "-" {
            jobs.row(format!("{bsn},{},{end},0599,0064", payroll(at)));
        }
        if !title.is_empty() {
            titles.row(format!("{bsn},{foreigner},{title},geheim"));
        }
        if !permit.is_empty() {
            work.row(format!("{foreigner},{permit},0599"));
        }
    }
    // Somebody of another municipality at the same employer.
    jobs.row(format!("{},{},,0518,0064", bsn(90), payroll(1)));
    let mut objects = Rows::of(BAG, "identificatie,gebruiksdoel,gemeentecode");
    for at in 1..=5 {
        let purpose = if at == 5 { "woonfunctie" } else { "logiesfunctie" };
        objects.row(format!("{},{purpose},GM0599", object(at)));
    }
    let mut permits = Rows::of(PERMITS, "aoid,soort,max_personen");
    for (at, most) in [(1, 2), (2, 3), (3, 2)] {
        permits.row(format!("{},huisvesting_arbeidsmigranten,{most}", object(at)));
    }
    permits.row(format!("{},exploitatie,0", object(4)));
    let mut employers = Rows::of(
        EMPLOYERS,
        "loonheffingennummer,aantal_inkomstenverhoudingen,aangifte_lh_tijdig,openstaande_schuld_cent",
    );
    for at in 1..=9 {
        employers.row(format!("{},{at},true,100", payroll(at)));
    }
    vec![
        INSPECTION.holds(Vec::new()),
        ROTTERDAM.holds(vec![objects, persons, permits]),
        UWV.holds(vec![jobs, work]),
        IND.holds(vec![titles]),
        TAX.holds(vec![employers]),
    ]
}

fn foreigner(number: usize) -> String {
    format!("V{number:09}")
}

fn payroll(number: usize) -> String {
    format!("{number:09}L01")
}

fn outline() -> Outline<'static> {
    Outline {
        id: "P-2026-104",
        theme: "arbeidsmigranten",
        goal: "overtreding-arbeidswetgeving",
        area: vec!["GM0599".to_owned()],
        participants: &[INSPECTION, ROTTERDAM, UWV, IND, TAX],
        annex: &[
            (ROTTERDAM, BAG, "identificatie,gebruiksdoel"),
            (
                ROTTERDAM,
                BRP,
                "burgerservicenummer,verblijfplaats_adresseerbaar_object_identificatie",
            ),
            (ROTTERDAM, PERMITS, "aoid,soort,max_personen"),
            (UWV, JOBS, "burgerservicenummer,loonheffingennummer,datum_einde_inkomstenverhouding"),
            (UWV, WORK_PERMITS, "vreemdelingennummer,datum_geldig_tot"),
            (IND, TITLES, "burgerservicenummer,vreemdelingennummer,verblijfstitel_code"),
            (TAX, EMPLOYERS, "loonheffingennummer,aantal_inkomstenverhoudingen"),
        ],
        predicates: &[
            ("P1a", BAG, LODGING, "Waar logies is"),
            ("P1b", PERMITS, HOUSING, "Hoeveel werknemers er mogen wonen"),
            ("P1c", JOBS, ACTIVE, "Wie nu werkt"),
        ],
    }
}

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
