//! The example's projects: one that may ask, one that was never decided on, one that has ended, and one that
//! may ask the IND about whom the municipality vouches for.

use convenant_model::{
    Date, GoalId, Oin, ProjectId, ThemeId,
    covenant::Covenant,
    documents::{Annex, EarlierMeasure, Participant, Proposal, PublishedPredicate, Quota, tag},
    query::QueryKind::{Count, Lookup, Select},
};

use super::{
    DEN_HAAG_PARTY, ExampleParty, IND_PARTY, ROTTERDAM_PARTY, SVB_PARTY, TOESLAGEN_PARTY,
    UWV_PARTY, id,
};
use crate::{
    documents::{Grant, predicate, text},
    error::Result,
    spec::ProjectSpec,
};

/// Most subjects in one query of the example's leader.
const MAX_SUBJECTS: u32 = 100;

const BRP_BASIS: &str = "Wet basisregistratie personen";
const RECEIVER_BASIS: &str = "Publieke taak van de gemeente (AVG artikel 6 lid 1 onder e)";

/// In the order of submission; the first is the one that may ask.
pub(super) fn all(
    covenant: &Covenant,
    today: Date,
    more: &[PublishedPredicate],
) -> Result<Vec<ProjectSpec>> {
    let (start, last_year) = (today.plus_days(-30), today.plus_days(-400));
    let running = Outline {
        id: "P-2026-001",
        title: "Adresfraude Rotterdam",
        theme: "adresfraude",
        goals: &["toeslagenfraude", "uitkeringsfraude"],
        start,
        end: start.plus_months(11),
        annex: address_fraud(covenant)?,
        predicate: [predicates()?, more.to_vec()].concat(),
    };
    let undecided = Outline {
        id: "P-2026-002",
        title: "Leefbaarheid Rotterdam",
        theme: "leefbaarheid",
        goals: &["uitkeringsfraude"],
        start,
        end: start.plus_months(6),
        annex: vec![persons(covenant, &ROTTERDAM_PARTY)?, pensions(covenant)?],
        predicate: Vec::new(),
    };
    let ended = Outline {
        id: "P-2025-004",
        title: "Adresfraude Rotterdam, eerste ronde",
        theme: "adresfraude",
        goals: &["toeslagenfraude"],
        start: last_year,
        end: last_year.plus_months(10),
        annex: vec![persons(covenant, &ROTTERDAM_PARTY)?, allowances(covenant)?],
        predicate: Vec::new(),
    };
    let vouched = Outline {
        id: "P-2026-010",
        title: "Huisvesting arbeidsmigranten Rotterdam",
        theme: "arbeidsmigranten",
        goals: &["overtreding-arbeidswetgeving"],
        start,
        end: start.plus_months(11),
        annex: vec![
            persons(covenant, &ROTTERDAM_PARTY)?,
            persons(covenant, &DEN_HAAG_PARTY)?,
            titles(covenant)?,
        ],
        predicate: Vec::new(),
    };
    Ok(vec![
        ProjectSpec::approved(running.proposal()?, MAX_SUBJECTS),
        ProjectSpec::undecided(undecided.proposal()?),
        ProjectSpec::approved(ended.proposal()?, MAX_SUBJECTS),
        ProjectSpec::approved(vouched.proposal()?, MAX_SUBJECTS),
    ])
}

/// What differs between the example's proposals.
struct Outline {
    id: &'static str,
    title: &'static str,
    theme: &'static str,
    goals: &'static [&'static str],
    start: Date,
    end: Date,
    annex: Vec<Annex>,
    predicate: Vec<PublishedPredicate>,
}

impl Outline {
    fn proposal(self) -> Result<Proposal> {
        let responsible = Oin::new(ROTTERDAM_PARTY.oin)?;
        let goals = self.goals.iter().map(|goal| GoalId::new(*goal));
        let role = |annex: &Annex| {
            let role = if annex.provider == responsible {
                "verantwoordelijke, ontvangt de antwoorden en verstrekt"
            } else {
                "verstrekt"
            };
            Ok(Participant { partner: annex.provider.clone(), role: text(role)? })
        };
        Ok(Proposal {
            document: tag::Proposal::Proposal,
            project: ProjectId::new(self.id)?,
            version: 1,
            title: text(self.title)?,
            theme: ThemeId::new(self.theme)?,
            goals: goals.collect::<Result<_, _>>()?,
            cause: text(
                "Bij huisbezoeken in de gemeente bleek op een deel van de adressen dat er meer \
                 volwassenen wonen dan bij een uitkering of toeslag was opgegeven.",
            )?,
            earlier_measure: vec![EarlierMeasure {
                means: text("Huisbezoeken na meldingen van bewoners")?,
                result: text(
                    "Bij 12 van de 80 bezochte adressen klopte de opgave niet. Zonder gegevens van \
                     de partners bleef onbekend waar een bezoek zin heeft; de meeste bezoeken waren \
                     voor niets.",
                )?,
                date: self.start.plus_days(-90),
            }],
            added_value: text(
                "De gemeente kent de inschrijving, de andere partners kennen de opgave. Alleen \
                 samen is te zien of die twee verschillen.",
            )?,
            area: ["GM0599".parse()?].into(),
            participant: self.annex.iter().map(role).collect::<Result<_>>()?,
            proposed_by: [responsible.clone()].into(),
            responsible: responsible.clone(),
            start: self.start,
            end: self.end,
            quota: Quota { queries: 500, subjects: 20_000, cells: 50 },
            capacity: text("Twee medewerkers van de gemeente, één van elke andere deelnemer")?,
            municipal_reference: Some(text("Besluit van het college over dit project")?),
            annex: self.annex,
            predicate: self.predicate,
        })
    }
}

/// What the running project selects and counts by, published with its proposal (clause J1).
fn predicates() -> Result<Vec<PublishedPredicate>> {
    Ok(vec![
        predicate(
            "P1",
            id::PERSONS,
            "verblijfplaats_functie_adres = 'B'",
            "Wie een briefadres heeft en dus nergens woont: daar past geen huurtoeslag bij.",
        )?,
        predicate(
            "P2",
            id::PERSONS,
            "verblijfplaats_functie_adres = 'W'",
            "Wie op een woonadres is ingeschreven, om met de opgave te vergelijken.",
        )?,
        predicate(
            "P4",
            id::PERSONS,
            "verblijfplaats_functie_adres = 'B' and verblijfplaats_datum_van < '19900101'",
            "Wie al tientallen jaren een briefadres heeft: waarschijnlijk een fout in de inschrijving.",
        )?,
        predicate(
            "P3",
            id::PENSIONS,
            "leefvorm_aow = 'alleenstaand'",
            "Wie opgaf alleen te wonen, om met de inschrijving te vergelijken.",
        )?,
    ])
}

/// Den Haag takes part with its persons although the area is Rotterdam's: whoever lives in Den Haag
/// is still never answered, because the area is (clause S10).
fn address_fraud(covenant: &Covenant) -> Result<Vec<Annex>> {
    Ok(vec![
        persons(covenant, &ROTTERDAM_PARTY)?,
        persons(covenant, &DEN_HAAG_PARTY)?,
        allowances(covenant)?,
        pensions(covenant)?,
        jobs(covenant)?,
    ])
}

fn persons(covenant: &Covenant, party: &ExampleParty) -> Result<Annex> {
    let address = "Wie op hetzelfde adres is ingeschreven, is te vergelijken met de opgave";
    let since = "Alleen wie er langer samen woont, telt mee";
    Grant {
        provider: &Oin::new(party.oin)?,
        dataset: id::PERSONS,
        kinds: &[Lookup, Select, Count],
        basis_provider: BRP_BASIS,
        basis_receiver: RECEIVER_BASIS,
        fields: &[
            ("burgerservicenummer", "De sleutel waarmee de partners dezelfde persoon bedoelen"),
            ("geboorte_datum", "Controle dat het BSN bij de persoon hoort (L14)"),
            ("naam_geslachtsnaam", "Een medewerker moet de bewoner kunnen aanspreken"),
            ("gemeente_van_inschrijving", "Controle van het gebied (S10)"),
            ("datum_inschrijving_in_gemeente", since),
            ("verblijfplaats_datum_van", since),
            ("verblijfplaats_adresseerbaar_object_identificatie", address),
            ("verblijfplaats_functie_adres", "Een briefadres is geen woonadres"),
            ("verblijfadres_postcode", "Nodig voor een huisbezoek"),
            ("verblijfadres_huisnummer", "Nodig voor een huisbezoek"),
            ("verblijfadres_huisletter", "Nodig voor een huisbezoek"),
        ],
    }
    .annex(covenant)
}

fn allowances(covenant: &Covenant) -> Result<Annex> {
    let declared = "De opgave die met de inschrijving wordt vergeleken";
    Grant {
        provider: &Oin::new(TOESLAGEN_PARTY.oin)?,
        dataset: id::ALLOWANCES,
        kinds: &[Lookup, Select, Count],
        basis_provider: "Algemene wet inkomensafhankelijke regelingen",
        basis_receiver: RECEIVER_BASIS,
        fields: &[
            ("burgerservicenummer", "De sleutel waarmee de partners dezelfde persoon bedoelen"),
            ("soort_toeslag", "Alleen bij huurtoeslag tellen medebewoners mee"),
            ("toeslagjaar", "De opgave geldt voor een jaar"),
            ("aantal_medebewoners_opgegeven", declared),
            ("huuradres_aoid", "Het adres waarvoor de toeslag is aangevraagd"),
        ],
    }
    .annex(covenant)
}

fn pensions(covenant: &Covenant) -> Result<Annex> {
    Grant {
        provider: &Oin::new(SVB_PARTY.oin)?,
        dataset: id::PENSIONS,
        kinds: &[Lookup, Select, Count],
        basis_provider: "Wet structuur uitvoeringsorganisatie werk en inkomen",
        basis_receiver: RECEIVER_BASIS,
        fields: &[
            ("burgerservicenummer", "De sleutel waarmee de partners dezelfde persoon bedoelen"),
            ("leefvorm_aow", "De opgave die met de inschrijving wordt vergeleken"),
            ("datum_ingang_recht", "De opgave geldt vanaf de ingang van het recht"),
        ],
    }
    .annex(covenant)
}

/// The IND knows no area: it answers about whom the municipality found in it (clause S10).
fn titles(covenant: &Covenant) -> Result<Annex> {
    let may_work = "Of iemand mag werken, bepaalt of een werkgever de wet overtreedt";
    Grant {
        provider: &Oin::new(IND_PARTY.oin)?,
        dataset: id::TITLES,
        kinds: &[Lookup],
        basis_provider: "Vreemdelingenwet 2000",
        basis_receiver: RECEIVER_BASIS,
        fields: &[
            ("burgerservicenummer", "De sleutel waarmee de partners dezelfde persoon bedoelen"),
            ("arbeidsmarktaantekening", may_work),
            ("datum_ingang", may_work),
            ("datum_einde", may_work),
        ],
    }
    .annex(covenant)
}

fn jobs(covenant: &Covenant) -> Result<Annex> {
    let active = "Een lopende inkomstenverhouding naast een briefadres is een signaal";
    Grant {
        provider: &Oin::new(UWV_PARTY.oin)?,
        dataset: id::JOBS,
        kinds: &[Lookup, Count],
        basis_provider: "Wet structuur uitvoeringsorganisatie werk en inkomen",
        basis_receiver: RECEIVER_BASIS,
        fields: &[
            ("burgerservicenummer", "De sleutel waarmee de partners dezelfde persoon bedoelen"),
            ("datum_aanvang_inkomstenverhouding", active),
            ("datum_einde_inkomstenverhouding", active),
        ],
    }
    .annex(covenant)
}
