//! A population that does not exist: people in households at addresses in two municipalities, with
//! what SVB, UWV, Toeslagen and IND would hold on them. The same seed gives the same people.
//!
//! Some live otherwise than they told a partner: an AOW for somebody who lives alone while another
//! adult is registered at the address, fewer co-residents declared than registered, a postal address
//! for years beside a job. And some only look as if they do. That is what the example asks about.

use convenant_model::{
    Date,
    subjects::{Identifying, Subject, is_bsn},
};

use crate::random::SplitMix64;

mod build;
mod names;
pub mod tables;

/// A municipality of the example.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Municipality {
    /// Code of table 33 of the BRP, for instance `0599`.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// First two digits of its made-up postal codes.
    postcode: &'static str,
}

/// Rotterdam.
pub const ROTTERDAM: Municipality =
    Municipality { code: "0599", name: "Rotterdam", postcode: "30" };

/// Den Haag.
pub const DEN_HAAG: Municipality =
    Municipality { code: "0518", name: "'s-Gravenhage", postcode: "25" };

/// Everybody, by address. It has no `Debug`, like all that holds people.
pub struct Population {
    addresses: Vec<Address>,
}

/// An address with those who are registered there.
pub struct Address {
    municipality: Municipality,
    bag_object: String,
    designation: String,
    postcode: String,
    number: i32,
    letter: &'static str,
    residents: Vec<Person>,
}

/// A person, with what the partners hold on them.
pub struct Person {
    bsn: String,
    given_name: &'static str,
    surname: &'static str,
    sex: &'static str,
    born: Date,
    /// Eight digits, in which unknown parts are zeroes.
    birth: String,
    age: i32,
    at_address_since: Date,
    in_municipality_since: Date,
    postal_address: bool,
    partner: Option<String>,
    secret: bool,
    under_investigation: bool,
    nationality: &'static str,
    pension: Option<Pension>,
    jobs: Vec<Job>,
    allowance: Option<Allowance>,
    residence: Option<Residence>,
}

/// An AOW pension of the SVB.
struct Pension {
    alone: bool,
    since: Date,
    supplement: bool,
}

/// An income relation in the UWV's polisadministratie.
struct Job {
    number: i32,
    employer: (&'static str, &'static str, &'static str),
    agency: bool,
    start: Date,
    end: Option<Date>,
    wage_cents: i32,
    hours: i32,
}

/// An allowance of Toeslagen.
struct Allowance {
    kind: &'static str,
    declared: usize,
    rent_cents: i32,
    income_cents: i32,
}

/// A residence title of the IND.
struct Residence {
    number: String,
    title: &'static str,
    note: &'static str,
    since: Date,
    until: Option<Date>,
}

impl Population {
    /// Makes at least `persons` people as of a day.
    #[must_use]
    pub fn generate(seed: u64, persons: usize, today: Date) -> Self {
        Self { addresses: build::Builder::new(seed, today).addresses(persons) }
    }

    /// Every address.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Everybody, with the address.
    pub fn people(&self) -> impl Iterator<Item = (&Address, &Person)> {
        let residents = |address| Address::residents(address).iter().map(move |p| (address, p));
        self.addresses.iter().flat_map(residents)
    }

    /// The residents of a municipality, with the address.
    pub fn residents_of(
        &self,
        municipality: Municipality,
    ) -> impl Iterator<Item = (&Address, &Person)> {
        self.people().filter(move |(address, _)| address.municipality == municipality)
    }
}

impl Address {
    /// The municipality.
    #[must_use]
    pub const fn municipality(&self) -> Municipality {
        self.municipality
    }

    /// The id of the BAG object: sixteen digits.
    #[must_use]
    pub fn bag_object(&self) -> Identifying {
        Identifying::new(self.bag_object.clone())
    }

    /// Who is registered there.
    #[must_use]
    pub fn residents(&self) -> &[Person] {
        &self.residents
    }

    /// Adults at the address other than this person.
    pub fn other_adults<'a>(&'a self, person: &'a Person) -> impl Iterator<Item = &'a Person> {
        let others = self.residents.iter().filter(|one| one.bsn != person.bsn);
        others.filter(|one| one.age >= 18)
    }
}

impl Person {
    /// The citizen service number.
    #[must_use]
    pub fn bsn(&self) -> Identifying {
        Identifying::new(self.bsn.clone())
    }

    /// The date of birth as the BRP has it: eight digits, in which unknown parts are zeroes.
    #[must_use]
    pub fn birth(&self) -> Identifying {
        Identifying::new(self.birth.clone())
    }

    /// Age in whole years.
    #[must_use]
    pub const fn age(&self) -> i32 {
        self.age
    }

    /// The person as a subject where the dataset has nothing to verify the BSN with.
    #[must_use]
    pub fn unverified_subject(&self) -> Subject {
        Subject { key: self.bsn(), verify: None }
    }

    /// The person as a subject of `gemeente/brp_persoon`: BSN, verified by the date of birth
    /// (clause L14).
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject { key: self.bsn(), verify: Some(self.birth()) }
    }

    /// Whether the person has an AOW as somebody who lives alone.
    #[must_use]
    pub fn has_pension_alone(&self) -> bool {
        self.pension.as_ref().is_some_and(|pension| pension.alone)
    }

    /// The number of co-residents that was declared to Toeslagen, where there is an allowance.
    #[must_use]
    pub fn declared_co_residents(&self) -> Option<usize> {
        self.allowance.as_ref().map(|allowance| allowance.declared)
    }

    /// Whether the address is a postal address (*briefadres*).
    #[must_use]
    pub const fn has_postal_address(&self) -> bool {
        self.postal_address
    }

    /// Whether the person has an income relation that has not ended.
    #[must_use]
    pub fn has_job(&self) -> bool {
        self.jobs.iter().any(|job| job.end.is_none())
    }

    /// Whether the IND holds a residence title.
    #[must_use]
    pub const fn has_residence_title(&self) -> bool {
        self.residence.is_some()
    }
}

/// Numbers that pass the eleven-test, upwards from 900000000, with gaps. Numbers in use do not start
/// with a 9.
struct Bsns(u32);

impl Bsns {
    fn draw(&mut self, random: &mut SplitMix64) -> String {
        self.0 += random.between(1, 11).unsigned_abs();
        while !is_bsn(&self.0.to_string()) {
            self.0 += 1;
        }
        self.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn population(seed: u64) -> Population {
        Population::generate(seed, 2000, Date::new(2026, 3, 1).unwrap())
    }

    #[test]
    fn every_bsn_passes_the_eleven_test_and_is_given_once() {
        let population = population(1);
        let bsns: BTreeSet<_> = population.people().map(|(_, p)| p.bsn.clone()).collect();
        assert!(bsns.len() >= 2000);
        assert_eq!(bsns.len(), population.people().count());
        assert!(bsns.iter().all(|bsn| is_bsn(bsn) && bsn.starts_with('9')));
    }

    #[test]
    fn the_same_seed_gives_the_same_people() {
        let people = |seed| -> Vec<_> {
            let population = population(seed);
            let people = population.people();
            people
                .map(|(a, p)| (a.bag_object.clone(), p.bsn.clone(), p.birth.clone(), p.jobs.len()))
                .collect()
        };
        assert!(people(7) == people(7));
        assert!(people(7) != people(8));
    }

    #[test]
    fn households_are_consistent() {
        for address in population(3).addresses() {
            assert!(address.bag_object.starts_with(address.municipality.code));
            assert_eq!(address.bag_object.len(), 16);
            assert!(!address.residents.is_empty());
            for person in &address.residents {
                let partner = person.partner.as_ref().map(|bsn| {
                    let partner = address.residents.iter().find(|one| one.bsn == *bsn);
                    partner.expect("partners live together")
                });
                assert!(partner.is_none_or(|p| p.partner.as_ref() == Some(&person.bsn)));
                assert!(partner.is_none_or(|p| p.age >= 18 && person.age >= 18));
                assert!(person.born <= person.in_municipality_since);
                assert!(person.in_municipality_since <= person.at_address_since);
                assert!(person.pension.is_none() || person.age >= 67);
                assert!(person.jobs.is_empty() || person.age >= 18);
                let year = person.born.to_string()[..4].to_owned();
                assert!(person.birth.starts_with(&year));
                assert!(person.birth.parse::<convenant_model::PartialDate>().is_ok());
            }
        }
    }

    #[test]
    fn what_the_example_asks_about_is_there_even_in_a_small_population() {
        let population = Population::generate(5, 200, Date::new(2026, 3, 1).unwrap());
        for municipality in [ROTTERDAM, DEN_HAAG] {
            let residents: Vec<_> = population.residents_of(municipality).collect();
            let some = |test: fn(&Address, &Person) -> bool| {
                assert!(residents.iter().any(|(address, person)| test(address, person)));
            };
            some(|a, p| p.has_pension_alone() && a.other_adults(p).next().is_some());
            some(|a, p| p.has_pension_alone() && a.other_adults(p).next().is_none());
            some(|a, p| p.declared_co_residents().is_some_and(|n| n + 1 < a.residents.len()));
            some(|a, p| p.declared_co_residents().is_some_and(|n| n + 1 == a.residents.len()));
            some(|_, p| p.postal_address && p.has_job());
            some(|_, p| p.birth.ends_with("00"));
            some(|_, p| p.has_residence_title());
        }
    }
}
