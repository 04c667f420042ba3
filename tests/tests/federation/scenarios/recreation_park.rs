//! A recreation park: a municipality, the Belastingdienst, UWV and the Arbeidsinspectie about who lives where one
//! may only stay. The area is the park's own objects. Places without an address of their own are registered at the
//! main address: who lives there is marked, and is no hit.

use convenant_demo::{Federation, ProjectSpec};
use convenant_model::query::QueryKind::{Lookup, Select};

use super::{
    asking::{Row, about, column, vouched, vouching, when},
    data::{Holder, INSPECTION, ROTTERDAM, Rows, SVB, TAX, UWV, bsn, object},
    project::Outline,
    stage::{Answer, Stage},
};
use crate::support::both;

const BRP: &str = "gemeente/brp_persoon";
const BAG: &str = "gemeente/bag_verblijfsobject";
const PARK: &str = "gemeente/recreatie_object";
const JOBS: &str = "uwv/polisadministratie_inkomstenverhouding";
const OWNERS: &str = "belastingdienst-mkb/inhoudingsplichtige";
const CHILD_BENEFIT: &str = "svb/akw_kinderbijslag";
const BSN: &str = "burgerservicenummer";
const OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";
const MARK: &str = "adresmarkering";
const OWNER: &str = "eigenaar_rsin_of_kvk";

const LODGING: &str = "gebruiksdoel = 'logiesfunctie'";
const HALF_YEAR: &str = "verblijfplaats_datum_van < '20250902'";
const ACTIVE: &str = "datum_einde_inkomstenverhouding is null";

/// The park's main address, at which places without one of their own are registered.
const MAIN: usize = 9;

/// Number, object, first day.
const PEOPLE: &[(usize, usize, &str)] = &[
    // For long, since last month, and exactly half a year.
    (1, 1, "20230101"),
    (2, 2, "20260201"),
    (3, 3, "20250902"),
    // In the manager's house, which is a home.
    (4, 4, "20100101"),
    // Three at the main address for long.
    (5, MAIN, "20230101"),
    (6, MAIN, "20230101"),
    (7, MAIN, "20230101"),
    // In a lodging outside the park.
    (8, 50, "20230101"),
];

fn holders() -> Vec<Holder> {
    let mut persons = Rows::of(
        BRP,
        "burgerservicenummer,verblijfplaats_adresseerbaar_object_identificatie,\
         verblijfplaats_datum_van,gemeente_van_inschrijving,adresmarkering,kinderen_burgerservicenummer",
    );
    for &(number, at, since) in PEOPLE {
        let mark = if at == MAIN { "ADRES_NIET_ONDERSCHEIDEND" } else { "" };
        persons.row(format!("{},{},{since},0599,{mark},{}", bsn(number), object(at), bsn(80)));
    }
    let mut objects = Rows::of(BAG, "identificatie,gebruiksdoel,gemeentecode");
    let mut park = Rows::of(PARK, "park_id,aoid,eigenaar_rsin_of_kvk,toeristenbelasting_nachten");
    for at in [1, 2, 3, 4, MAIN, 50] {
        let purpose = if at == 4 { "woonfunctie" } else { "logiesfunctie" };
        objects.row(format!("{},{purpose},GM0599", object(at)));
        park.row(format!("park,{},{},0", object(at), owner(at)));
    }
    let mut jobs = Rows::of(
        JOBS,
        "burgerservicenummer,datum_einde_inkomstenverhouding,gemeente_van_inschrijving",
    );
    for number in [1, 5, 8] {
        jobs.row(format!("{},,0599", bsn(number)));
    }
    let mut owners = Rows::of(OWNERS, "rsin,openstaande_schuld_cent");
    for at in [1, 50] {
        owners.row(format!("{},100", owner(at)));
    }
    let mut children = Rows::of(
        CHILD_BENEFIT,
        "burgerservicenummer_aanvrager,aantal_kinderen,gemeente_van_inschrijving",
    );
    children.row(format!("{},2,0599", bsn(1)));
    vec![
        ROTTERDAM.holds(vec![objects, persons, park]),
        UWV.holds(vec![jobs]),
        TAX.holds(vec![owners]),
        SVB.holds(vec![children]),
        INSPECTION.holds(Vec::new()),
    ]
}

/// A number of a legal person that is no BSN.
fn owner(number: usize) -> String {
    format!("80000{number:04}")
}

fn outline() -> Outline<'static> {
    Outline {
        id: "P-2026-103",
        theme: "recreatieterrein",
        goal: "uitkeringsfraude",
        area: [1, 2, 3, 4, MAIN].map(object).to_vec(),
        participants: &[ROTTERDAM, UWV, TAX, INSPECTION],
        annex: &[
            (ROTTERDAM, BAG, "identificatie,gebruiksdoel"),
            (
                ROTTERDAM,
                BRP,
                "burgerservicenummer,verblijfplaats_datum_van,\
                 verblijfplaats_adresseerbaar_object_identificatie",
            ),
            (ROTTERDAM, PARK, "aoid,eigenaar_rsin_of_kvk"),
            (UWV, JOBS, "burgerservicenummer,datum_einde_inkomstenverhouding"),
            (TAX, OWNERS, "rsin"),
        ],
        predicates: &[
            ("P1a", BAG, LODGING, "Wat alleen voor logies is"),
            ("P1b", BRP, HALF_YEAR, "Wie er langer dan een half jaar is ingeschreven"),
            ("P1c", JOBS, ACTIVE, "Wie nu inkomsten uit werk heeft"),
        ],
    }
}

#[tokio::test]
async fn recreation_park() {
    let stage = Stage::set(&holders(), project).await;
    let asked = when(stage.ask("rotterdam", BAG, &["identificatie"]), LODGING);
    let lodgings = stage.answered(Select, asked).await.rows;
    let lodgings = column(&lodgings, "identificatie");
    // Of the lodging outside the park nothing comes.
    assert_eq!(lodgings, [1, 2, 3, MAIN].map(object));
    let residents = residents(&stage, &lodgings).await;
    let marked = |row: &Row| row[MARK] == "ADRES_NIET_ONDERSCHEIDEND";
    let (unclear, hits): (Vec<_>, Vec<_>) = residents.rows.iter().cloned().partition(marked);
    assert_eq!(column(&hits, BSN), [bsn(1)]);
    assert_eq!(column(&unclear, BSN), [bsn(5), bsn(6), bsn(7)]);

    // Only of hits does the leader ask more.
    let asked = when(stage.ask("uwv", JOBS, &[BSN]), ACTIVE);
    let known = (residents.kept.as_ref().unwrap(), &column(&hits, BSN)[..]);
    let working = stage.answered(Lookup, vouched(asked, BSN, known)).await.rows;
    assert_eq!(column(&working, BSN), [bsn(1)]);
    let owners = owners(&stage, &column(&hits, OBJECT)).await;
    let asked = stage.ask("belastingdienst", OWNERS, &["rsin"]);
    let known = (owners.kept.as_ref().unwrap(), &[owner(1)][..]);
    let rows = stage.answered(Lookup, vouched(asked, "rsin", known)).await.rows;
    assert_eq!(column(&rows, "rsin"), [owner(1)]);

    refusals(&stage, &owners).await;
    not_even_proposed(&stage).await;
    let asked = stage.ask("rotterdam", BRP, &[BSN]);
    stage.close(about(asked, OBJECT, &lodgings)).await;
}

fn project(federation: &Federation) -> ProjectSpec {
    outline().project(&federation.covenant)
}

/// Who is registered at some objects for more than half a year.
async fn residents(stage: &Stage, objects: &[String]) -> Answer {
    let asked = vouching(stage.ask("rotterdam", BRP, &[BSN, OBJECT]), BSN);
    stage.answered(Lookup, about(when(asked, HALF_YEAR), OBJECT, objects)).await
}

async fn owners(stage: &Stage, objects: &[String]) -> Answer {
    let asked = vouching(stage.ask("rotterdam", PARK, &["aoid", OWNER]), OWNER);
    stage.answered(Lookup, about(asked, "aoid", objects)).await
}

async fn refusals(stage: &Stage, owners: &Answer) {
    let debts = stage.ask("belastingdienst", OWNERS, &["rsin", "openstaande_schuld_cent"]);
    let debts = vouched(debts, "rsin", (owners.kept.as_ref().unwrap(), &[owner(1)]));
    let told = stage.refused(Lookup, debts).await;
    assert_eq!(told, both(&["L1/NIET_NOODZAKELIJK", "S7/THEMA"]));
    let children = stage.ask("rotterdam", BRP, &[BSN, "kinderen_burgerservicenummer"]);
    let told = stage.refused(Lookup, about(children, OBJECT, &[object(1)])).await;
    assert_eq!(told, both(&["L1/NIET_NOODZAKELIJK", "S7/THEMA"]));
    // The SVB takes no part, and what it knows of children is for no recreation park.
    let children = stage.ask("svb", CHILD_BENEFIT, &["aantal_kinderen"]);
    let children = about(children, "burgerservicenummer_aanvrager", &[bsn(1)]);
    let told = stage.refused(Lookup, children).await;
    assert_eq!(told.coordinator, told.node);
    for code in ["L1/NIET_NOODZAKELIJK", "S2/GEEN_DEELNEMER", "S7/THEMA"] {
        assert!(told.node.iter().any(|one| one == code), "{code}: {told:?}");
    }
    // A mark cannot be asked away.
    let unmarked = "adresmarkering is null";
    let told = stage.refused(Select, when(stage.ask("rotterdam", BRP, &[BSN]), unmarked)).await;
    assert_eq!(told.coordinator, told.node);
    assert!(told.node.iter().any(|one| one == "S12/GEEN_PREDICAAT"), "{told:?}");
}

/// Debts and children are refused before the LSI sees them: the register does not take such a proposal.
async fn not_even_proposed(stage: &Stage) {
    for (party, dataset, field) in
        [(TAX, OWNERS, "openstaande_schuld_cent"), (ROTTERDAM, BRP, "kinderen_burgerservicenummer")]
    {
        let own = Outline { id: "P-2026-113", ..outline() };
        let mut spec = own.project(&stage.world.federation.covenant);
        let annexes = &mut spec.proposal.annex;
        let annex = annexes
            .iter_mut()
            .find(|one| one.dataset.as_str() == dataset && one.provider.as_str() == party.oin);
        let annex = annex.unwrap();
        annex.field[0].name = field.parse().unwrap();
        let signed = stage.world.federation.sign_proposal(&spec.proposal).unwrap();
        let refused = stage.world.submit(&signed).await.unwrap_err().to_string();
        assert!(refused.contains(field) && refused.contains("clause L1"), "{refused}");
    }
}
