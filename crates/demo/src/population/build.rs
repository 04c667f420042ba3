//! How the people come about.

use convenant_model::Date;

use super::{
    Address, Allowance, Bsns, DEN_HAAG, Job, Municipality, Pension, Person, ROTTERDAM, Residence,
    names,
};
use crate::random::SplitMix64;

/// Age from which there is an AOW.
const PENSION_AGE: i32 = 67;

/// Who lives at an address.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
enum Household {
    #[default]
    Single,
    Couple,
    Family,
    SingleParent,
    Sharing,
    Elder,
    ElderCouple,
    /// A pensioner with another adult, who is no partner according to the BRP.
    ElderWithOther,
    /// Somebody with a postal address and a job.
    Postal,
}

use Household::{
    Couple, Elder, ElderCouple, ElderWithOther, Family, Postal, Sharing, Single, SingleParent,
};

/// Every kind, as often as it comes about in twenty addresses. The first addresses follow this list,
/// so that a small population has all of them.
const HOUSEHOLDS: [Household; 20] = [
    ElderWithOther,
    Sharing,
    Postal,
    Elder,
    Family,
    ElderCouple,
    SingleParent,
    Couple,
    Single,
    Single,
    Single,
    Single,
    Single,
    Couple,
    Couple,
    Couple,
    Family,
    Family,
    Family,
    Elder,
];

pub(super) struct Builder {
    random: SplitMix64,
    bsns: Bsns,
    today: Date,
}

impl Builder {
    pub(super) const fn new(seed: u64, today: Date) -> Self {
        Self { random: SplitMix64::new(seed), bsns: Bsns(900_000_000), today }
    }

    pub(super) fn addresses(&mut self, persons: usize) -> Vec<Address> {
        let mut addresses = Vec::new();
        let mut people = 0;
        while people < persons {
            let address = self.address(addresses.len());
            people += address.residents.len();
            addresses.push(address);
        }
        addresses
    }

    fn address(&mut self, index: usize) -> Address {
        // The first forty addresses are fixed in kind: each kind, in each municipality.
        let fixed = HOUSEHOLDS.get(index / 2).copied();
        let household = fixed.unwrap_or_else(|| self.random.pick(&HOUSEHOLDS));
        let rotterdam = match fixed {
            Some(_) => index.is_multiple_of(2),
            None => self.random.percent(60),
        };
        let municipality = if rotterdam { ROTTERDAM } else { DEN_HAAG };
        let mut address = self.place(index, municipality);
        address.residents = self.residents(household);
        if fixed == Some(Single) && index < 20 {
            self.make_birth_partial(&mut address.residents);
        }
        let title = fixed == Some(Sharing) || self.random.percent(6);
        if title {
            self.give_titles(&mut address.residents);
        }
        self.give_income(household, fixed.is_some(), &mut address);
        address
    }

    fn place(&mut self, index: usize, municipality: Municipality) -> Address {
        let code = municipality.code;
        let (street, letters) = self.random.pick(&names::STREETS);
        let area = street.len() % 100;
        Address {
            municipality,
            // BAG: municipality, `01` for a residential object or `20` for a number designation, and a
            // sequence number of ten digits.
            bag_object: format!("{code}01{:010}", 9_000_000_000_u64 + index as u64),
            designation: format!("{code}20{:010}", 9_000_000_000_u64 + index as u64),
            postcode: format!("{}{area:02}{letters}", municipality.postcode),
            number: self.random.between(1, 240),
            letter: self.random.pick(&["", "", "", "", "A", "B"]),
            residents: Vec::new(),
        }
    }

    fn residents(&mut self, household: Household) -> Vec<Person> {
        let family = self.random.pick(&names::SURNAMES);
        let mut residents = Vec::new();
        let others = self.random.between(2, 5);
        let children = self.random.between(1, 3);
        match household {
            Single | Postal => residents.push(self.person(18, 66)),
            Elder => residents.push(self.person(PENSION_AGE, 94)),
            Couple => residents.extend(self.couple(20, 66)),
            ElderCouple => residents.extend(self.couple(PENSION_AGE, 90)),
            ElderWithOther => {
                residents.push(self.person(PENSION_AGE, 90));
                residents.push(self.person(40, 66));
            }
            Sharing => residents.extend((0..=others).map(|_| self.person(19, 40))),
            Family => {
                residents.extend(self.couple(30, 50));
                residents.extend((0..children).map(|_| self.child(family)));
            }
            SingleParent => {
                residents.push(self.person(28, 50));
                residents.extend((0..children).map(|_| self.child(family)));
            }
        }
        self.move_in(household, &mut residents);
        residents
    }

    fn couple(&mut self, low: i32, high: i32) -> [Person; 2] {
        let (mut one, mut other) = (self.person(low, high), self.person(low, high));
        one.partner = Some(other.bsn.clone());
        other.partner = Some(one.bsn.clone());
        [one, other]
    }

    fn child(&mut self, surname: &'static str) -> Person {
        let mut child = self.person(0, 17);
        child.surname = surname;
        child
    }

    fn person(&mut self, low: i32, high: i32) -> Person {
        let born = self.born(low, high);
        let complete = digits(born);
        let mut person = Person {
            bsn: self.bsns.draw(&mut self.random),
            given_name: self.random.pick(&names::GIVEN_NAMES),
            surname: self.random.pick(&names::SURNAMES),
            sex: self.random.pick(&["V", "M"]),
            born,
            birth: format!("{complete:08}"),
            age: years(complete, digits(self.today)),
            at_address_since: born,
            in_municipality_since: born,
            postal_address: false,
            partner: None,
            secret: self.random.percent(2),
            under_investigation: self.random.percent(1),
            nationality: "0001",
            pension: None,
            jobs: Vec::new(),
            allowance: None,
            residence: None,
        };
        if self.random.percent(2) {
            self.make_birth_partial(std::slice::from_mut(&mut person));
        }
        person
    }

    /// A day of birth that makes the age lie between these, both included.
    fn born(&mut self, low: i32, high: i32) -> Date {
        // 1,461 days are four years; the margin keeps the age within bounds whatever the leap years.
        let days = |years: i32| years * 1461 / 4;
        let age = self.random.between(days(low) + 2, days(high + 1).max(days(low) + 370) - 2);
        self.today.plus_days(-age)
    }

    /// The BRP knows only the month or the year of some births.
    fn make_birth_partial(&mut self, people: &mut [Person]) {
        let unknown = self.random.pick(&[100, 10_000]);
        for person in people {
            let known = digits(person.born) / unknown.max(1) * unknown;
            person.birth = format!("{known:08}");
        }
    }

    fn move_in(&mut self, household: Household, residents: &mut [Person]) {
        let recent = if household == Postal { 500 } else { 200 };
        let moved = self.today.plus_days(-self.random.between(recent, 6000));
        let arrived = moved.plus_days(-self.random.between(0, 3000));
        for person in residents {
            person.postal_address = household == Postal;
            person.at_address_since = person.born.max(moved);
            person.in_municipality_since = person.born.max(arrived);
        }
    }

    fn give_titles(&mut self, residents: &mut [Person]) {
        let titles = [
            ("21", "arbeid vrij toegestaan"),
            ("24", "arbeid niet toegestaan"),
            ("25", "arbeid vrij toegestaan"),
            ("26", "arbeid vrij toegestaan"),
        ];
        let nationality = self.random.pick(&names::NATIONALITIES);
        for person in residents.iter_mut().filter(|one| one.age < 60) {
            let (title, note) = self.random.pick(&titles);
            person.nationality = nationality;
            person.residence = Some(Residence {
                number: self.random.digits(10),
                title,
                note,
                since: person.in_municipality_since,
                until: (title != "25").then(|| self.today.plus_days(self.random.between(30, 1500))),
            });
        }
    }

    fn give_income(&mut self, household: Household, fixed: bool, address: &mut Address) {
        let co_residents = address.residents.len().saturating_sub(1);
        for person in &mut address.residents {
            let alone = person.partner.is_none();
            if person.age >= PENSION_AGE {
                person.pension = Some(Pension {
                    alone,
                    since: person.born.plus_months(67 * 12),
                    supplement: self.random.percent(8),
                });
            } else if person.age >= 18 && (household == Postal || self.random.percent(70)) {
                person.jobs = self.jobs(person.born);
            }
        }
        if let Some(first) = address.residents.first_mut()
            && (fixed || self.random.percent(40))
        {
            first.allowance = Some(self.allowance(household, fixed, co_residents));
        }
    }

    fn jobs(&mut self, born: Date) -> Vec<Job> {
        let count = if self.random.percent(12) { 2 } else { 1 };
        let grown = born.plus_months(18 * 12);
        let job = |number| {
            let employer = self.random.pick(&names::EMPLOYERS);
            let start = self.today.plus_days(-self.random.between(100, 4000));
            let start = start.max(grown);
            // The first relation lasts; a second one has ended for some.
            let ended = number > 1 && self.random.percent(60);
            Job {
                number,
                employer,
                agency: self.random.percent(15),
                start,
                end: ended.then(|| start.max(self.today.plus_days(-self.random.between(10, 90)))),
                wage_cents: self.random.between(40_000, 520_000),
                hours: self.random.between(20, 173),
            }
        };
        (1..=count).map(job).collect()
    }

    fn allowance(&mut self, household: Household, fixed: bool, registered: usize) -> Allowance {
        let understated = household == Sharing && (fixed || self.random.percent(20));
        let declared = if understated { 0 } else { registered };
        Allowance {
            kind: self.random.pick(&["huurtoeslag", "huurtoeslag", "zorgtoeslag"]),
            declared,
            rent_cents: self.random.between(38_000, 87_000),
            income_cents: self.random.between(1_200_000, 3_900_000),
        }
    }
}

/// A day as the digits `YYYYMMDD`.
fn digits(day: Date) -> u32 {
    let text = day.to_string().replace('-', "");
    text.parse().unwrap_or_default()
}

/// Whole years from one `YYYYMMDD` to another.
fn years(from: u32, to: u32) -> i32 {
    i32::try_from(to.saturating_sub(from) / 10_000).unwrap_or_default()
}
