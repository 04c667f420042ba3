//! What the partners hold, and what the project is about.

use super::super::{
    data::{Holder, POLICE, ROTTERDAM, Rows, SVB, TOESLAGEN, UWV, bsn, object},
    project::Outline,
};

pub(super) const BRP: &str = "gemeente/brp_persoon";
pub(super) const BAG: &str = "gemeente/bag_verblijfsobject";
pub(super) const DWELLING: &str = "gemeente/brp_bewoning";
pub(super) const PERMITS: &str = "gemeente/vergunning_en_melding";
pub(super) const BENEFITS: &str = "uwv/uitkering_ww_wia_zw";
pub(super) const PENSIONS: &str = "svb/aow_uitkering";
pub(super) const ALLOWANCES: &str = "toeslagen/toeslag_beschikking";
pub(super) const INCIDENTS: &str = "politie/wpg_verstrekking";
pub(super) const BSN: &str = "burgerservicenummer";
pub(super) const OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";
pub(super) const HOME: &str = "adresseerbaar_object_identificatie";

pub(super) const CROWDED: &str = "aantal_bewoners in (5, 6, 7, 8)";
pub(super) const SMALL: &str = "gebruiksdoel = 'woonfunctie' and oppervlakte < 60";
pub(super) const ROOMS: &str = "soort = 'kamerverhuur'";
pub(super) const RUNNING: &str = "datum_einde is null";
pub(super) const POSTAL: &str = "verblijfplaats_functie_adres = 'B'";
pub(super) const NINETEEN: &str = "leeftijd = 19";
pub(super) const EVERYBODY: &str = "buurtcode = 'BU05990101'";

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

pub(super) fn holders() -> Vec<Holder> {
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

pub(super) fn outline() -> Outline<'static> {
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
