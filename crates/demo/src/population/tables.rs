//! What each partner of the example holds, under the covenant's official names.
//!
//! A real register holds more than the covenant lets leave. So do these files: given names, sex,
//! nationality, rents and incomes are columns here, and no configuration binds them.

use convenant_model::{
    DatasetId,
    covenant::{Covenant, Dataset},
};

use super::{Address, Job, Municipality, Person, Population};
use crate::{
    error::{DemoError, Result},
    table::{Cell, Table},
};

/// Ids of the datasets of which the example has rows.
pub mod id {
    /// Persons of a municipality.
    pub const PERSONS: &str = "gemeente/brp_persoon";
    /// Decisions on allowances.
    pub const ALLOWANCES: &str = "toeslagen/toeslag_beschikking";
    /// AOW pensions.
    pub const PENSIONS: &str = "svb/aow_uitkering";
    /// Income relations.
    pub const JOBS: &str = "uwv/polisadministratie_inkomstenverhouding";
    /// Residence titles.
    pub const TITLES: &str = "ind/verblijfsrecht";
}

impl Population {
    /// `gemeente/brp_persoon` of one municipality.
    ///
    /// # Errors
    /// When the covenant lacks the dataset or one of its fields.
    pub fn persons(&self, covenant: &Covenant, municipality: Municipality) -> Result<Table> {
        let rows: Vec<_> = self
            .residents_of(municipality)
            .map(|(address, person)| person_row(address, person))
            .collect();
        Table::new(dataset(covenant, id::PERSONS)?, PERSON_FIELDS, &rows)
    }

    /// `svb/aow_uitkering`.
    ///
    /// # Errors
    /// When the covenant lacks the dataset or one of its fields.
    pub fn pensions(&self, covenant: &Covenant) -> Result<Table> {
        let rows: Vec<_> = self.people().filter_map(pension_row).collect();
        Table::new(dataset(covenant, id::PENSIONS)?, PENSION_FIELDS, &rows)
    }

    /// `uwv/polisadministratie_inkomstenverhouding`.
    ///
    /// # Errors
    /// When the covenant lacks the dataset or one of its fields.
    pub fn jobs(&self, covenant: &Covenant) -> Result<Table> {
        let rows: Vec<_> = self.people().flat_map(job_rows).collect();
        Table::new(dataset(covenant, id::JOBS)?, JOB_FIELDS, &rows)
    }

    /// `toeslagen/toeslag_beschikking` of one year.
    ///
    /// # Errors
    /// When the covenant lacks the dataset or one of its fields.
    pub fn allowances(&self, covenant: &Covenant, year: i32) -> Result<Table> {
        let row = |(address, person)| allowance_row(address, person, year);
        let rows: Vec<_> = self.people().filter_map(row).collect();
        Table::new(dataset(covenant, id::ALLOWANCES)?, ALLOWANCE_FIELDS, &rows)
    }

    /// `ind/verblijfsrecht`.
    ///
    /// # Errors
    /// When the covenant lacks the dataset or one of its fields.
    pub fn titles(&self, covenant: &Covenant) -> Result<Table> {
        let rows: Vec<_> = self.people().filter_map(|(_, person)| title_row(person)).collect();
        Table::new(dataset(covenant, id::TITLES)?, TITLE_FIELDS, &rows)
    }
}

/// The covenant's dataset with this id.
fn dataset<'a>(covenant: &'a Covenant, id: &str) -> Result<&'a Dataset> {
    let id = DatasetId::new(id)?;
    covenant.dataset(&id).ok_or(DemoError::Dataset(id))
}

const PERSON_FIELDS: [&str; 22] = [
    "burgerservicenummer",
    "naam_voornamen",
    "naam_geslachtsnaam",
    "geslacht",
    "geboorte_datum",
    "leeftijd",
    "datum_inschrijving_in_gemeente",
    "gemeente_van_inschrijving",
    "verblijfplaats_datum_van",
    "verblijfplaats_adresseerbaar_object_identificatie",
    "verblijfplaats_nummeraanduiding_identificatie",
    "verblijfplaats_functie_adres",
    "verblijfadres_postcode",
    "verblijfadres_huisnummer",
    "verblijfadres_huisletter",
    "verblijfadres_huisnummertoevoeging",
    "immigratie_datum_vestiging_in_nederland",
    "partners_burgerservicenummer",
    "nationaliteiten",
    "verblijfstitel_aanduiding",
    "geheimhouding_persoonsgegevens",
    "in_onderzoek",
];

fn person_row(address: &Address, person: &Person) -> [Cell; 22] {
    let foreign = person.nationality != "0001";
    let title = person.residence.as_ref().map(|residence| residence.title);
    [
        (&person.bsn).into(),
        person.given_name.into(),
        person.surname.into(),
        person.sex.into(),
        (&person.birth).into(),
        person.age.into(),
        person.in_municipality_since.into(),
        address.municipality.code.into(),
        person.at_address_since.into(),
        (&address.bag_object).into(),
        (&address.designation).into(),
        if person.postal_address { "B" } else { "W" }.into(),
        (&address.postcode).into(),
        address.number.into(),
        address.letter.into(),
        Cell::Empty,
        foreign.then_some(person.in_municipality_since).into(),
        person.partner.as_ref().into(),
        person.nationality.into(),
        title.into(),
        // Codes of the BRP: 0 or 7 for secrecy, and the category that is under investigation.
        if person.secret { "7" } else { "0" }.into(),
        person.under_investigation.then_some("080000").into(),
    ]
}

const PENSION_FIELDS: [&str; 7] = [
    "burgerservicenummer",
    "leefvorm_aow",
    "datum_ingang_recht",
    "land_van_uitbetaling",
    "aio_aanvulling",
    "partner_burgerservicenummer",
    "gemeente_van_inschrijving",
];

fn pension_row((address, person): (&Address, &Person)) -> Option<[Cell; 7]> {
    let pension = person.pension.as_ref()?;
    let form = if pension.alone { "alleenstaand" } else { "gehuwd_of_samenwonend" };
    Some([
        (&person.bsn).into(),
        form.into(),
        pension.since.into(),
        "6030".into(),
        pension.supplement.into(),
        person.partner.as_ref().into(),
        address.municipality.code.into(),
    ])
}

const JOB_FIELDS: [&str; 17] = [
    "burgerservicenummer",
    "loonheffingennummer",
    "naam_werkgever",
    "nummer_inkomstenverhouding",
    "code_soort_inkomstenverhouding",
    "code_aard_arbeidsverhouding",
    "datum_aanvang_inkomstenverhouding",
    "datum_einde_inkomstenverhouding",
    "datum_aanvang_periode",
    "loon_sv",
    "aantal_verloonde_uren",
    "sector",
    "straatadres_postcode",
    "straatadres_huisnummer",
    "nationaliteit",
    "indicatie_geheim",
    "gemeente_van_inschrijving",
];

fn job_rows<'a>(
    (address, person): (&'a Address, &'a Person),
) -> impl Iterator<Item = [Cell; 17]> + 'a {
    person.jobs.iter().map(move |job| job_row(address, person, job))
}

fn job_row(address: &Address, person: &Person, job: &Job) -> [Cell; 17] {
    let (employer, number, sector) = job.employer;
    [
        (&person.bsn).into(),
        number.into(),
        employer.into(),
        job.number.into(),
        "15".into(),
        if job.agency { "11" } else { "1" }.into(),
        job.start.into(),
        job.end.into(),
        job.start.into(),
        job.wage_cents.into(),
        job.hours.into(),
        sector.into(),
        (&address.postcode).into(),
        address.number.into(),
        person.nationality.into(),
        person.secret.into(),
        address.municipality.code.into(),
    ]
}

const ALLOWANCE_FIELDS: [&str; 9] = [
    "burgerservicenummer",
    "soort_toeslag",
    "toeslagjaar",
    "toeslagpartner_bsn",
    "aantal_medebewoners_opgegeven",
    "huuradres_aoid",
    "rekenhuur_cent",
    "toetsingsinkomen_cent",
    "gemeente_van_inschrijving",
];

fn allowance_row(address: &Address, person: &Person, year: i32) -> Option<[Cell; 9]> {
    let allowance = person.allowance.as_ref()?;
    Some([
        (&person.bsn).into(),
        allowance.kind.into(),
        year.into(),
        person.partner.as_ref().into(),
        allowance.declared.into(),
        (&address.bag_object).into(),
        allowance.rent_cents.into(),
        allowance.income_cents.into(),
        address.municipality.code.into(),
    ])
}

const TITLE_FIELDS: [&str; 7] = [
    "vreemdelingennummer",
    "burgerservicenummer",
    "verblijfstitel_code",
    "datum_ingang",
    "datum_einde",
    "arbeidsmarktaantekening",
    "asielmotief",
];

fn title_row(person: &Person) -> Option<[Cell; 7]> {
    let residence = person.residence.as_ref()?;
    let asylum = residence.title == "26";
    Some([
        (&residence.number).into(),
        (&person.bsn).into(),
        residence.title.into(),
        residence.since.into(),
        residence.until.into(),
        residence.note.into(),
        asylum.then_some("voorbeeld").into(),
    ])
}
