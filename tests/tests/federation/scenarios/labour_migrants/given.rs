//! What the partners hold, and what the project is about.

use super::super::{
    data::{Holder, IND, INSPECTION, ROTTERDAM, Rows, TAX, UWV, bsn, object},
    project::Outline,
};

pub(super) const BRP: &str = "gemeente/brp_persoon";
pub(super) const BAG: &str = "gemeente/bag_verblijfsobject";
pub(super) const PERMITS: &str = "gemeente/vergunning_en_melding";
pub(super) const JOBS: &str = "uwv/polisadministratie_inkomstenverhouding";
pub(super) const WORK_PERMITS: &str = "uwv/tewerkstellingsvergunning";
pub(super) const TITLES: &str = "ind/verblijfsrecht";
pub(super) const EMPLOYERS: &str = "belastingdienst-mkb/inhoudingsplichtige";
pub(super) const BSN: &str = "burgerservicenummer";
pub(super) const OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";
pub(super) const NUMBER: &str = "vreemdelingennummer";
pub(super) const PAYROLL: &str = "loonheffingennummer";

pub(super) const LODGING: &str = "gebruiksdoel = 'logiesfunctie'";
pub(super) const HOUSING: &str = "soort = 'huisvesting_arbeidsmigranten'";
pub(super) const ACTIVE: &str = "datum_einde_inkomstenverhouding is null";

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

pub(super) fn holders() -> Vec<Holder> {
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

pub(super) fn foreigner(number: usize) -> String {
    format!("V{number:09}")
}

pub(super) fn payroll(number: usize) -> String {
    format!("{number:09}L01")
}

pub(super) fn outline() -> Outline<'static> {
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
