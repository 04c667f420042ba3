//! What the partners hold, and what the project is about.

use super::super::{
    data::{Holder, ROTTERDAM, Rows, SVB, TOESLAGEN, UWV, bsn, object},
    project::Outline,
};

pub(super) const BRP: &str = "gemeente/brp_persoon";
pub(super) const DWELLING: &str = "gemeente/brp_bewoning";
pub(super) const ASSISTANCE: &str = "gemeente/participatiewet_uitkering";
pub(super) const PENSIONS: &str = "svb/aow_uitkering";
pub(super) const ALLOWANCES: &str = "toeslagen/toeslag_beschikking";
pub(super) const JOBS: &str = "uwv/polisadministratie_inkomstenverhouding";
pub(super) const BSN: &str = "burgerservicenummer";
pub(super) const OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";

pub(super) const ALONE: &str = "leefvorm_bijstand = 'alleenstaand'";
pub(super) const OLD: &str = "leeftijd >= 67 and verblijfplaats_functie_adres = 'W'";
pub(super) const PENSION_ALONE: &str = "leefvorm_aow = 'alleenstaand'";
pub(super) const HALF_YEAR: &str = "leeftijd >= 18 and verblijfplaats_datum_van <= '20250902'";
pub(super) const SEVERAL: &str = "aantal_bewoners in (2, 3, 4, 5, 6)";
pub(super) const RENT: &str = "soort_toeslag = 'huurtoeslag'";
pub(super) const POSTAL: &str =
    "verblijfplaats_functie_adres = 'B' and verblijfplaats_datum_van < '20250302'";
pub(super) const ACTIVE: &str = "datum_einde_inkomstenverhouding is null";

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

pub(super) fn holders() -> Vec<Holder> {
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

pub(super) fn outline() -> Outline<'static> {
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
