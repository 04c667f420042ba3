//! The people and the address that the story asks about.

use anyhow::{Context as _, Result};
use convenant_demo::population::{Address, DEN_HAAG, Person, Population, ROTTERDAM};
use convenant_model::subjects::{Identifying, Subject};

/// More subjects than the example's mandate allows in one query.
const TOO_MANY: usize = 101;

/// Whom the municipality vouches for.
const FOREIGNERS: usize = 3;

/// Who the story is about.
pub(super) struct Cast {
    /// Three residents of Rotterdam with something to compare.
    pub(super) residents: Vec<Subject>,
    /// The BAG object where the first of them lives.
    pub(super) address: Subject,
    /// How many are registered there.
    pub(super) at_address: usize,
    /// Residents of Rotterdam whom the IND knows.
    pub(super) foreigners: Vec<Subject>,
    /// A resident of Den Haag.
    pub(super) elsewhere: Subject,
    /// More people than may be asked about at once.
    pub(super) crowd: Vec<Subject>,
    /// A key of nine digits that fails the eleven-test.
    pub(super) no_bsn: Subject,
    /// Residents of Rotterdam with a postal address, as only the demo knows.
    pub(super) postal: usize,
    /// Residents of Rotterdam without one.
    pub(super) housed: usize,
}

impl Cast {
    /// Chooses from the population.
    pub(super) fn choose(population: &Population) -> Result<Self> {
        let find = |what: &str, fits: fn(&Address, &Person) -> bool| {
            let mut residents = population.residents_of(ROTTERDAM);
            let found = residents.find(|(address, person)| fits(address, person));
            found.with_context(|| format!("nobody in this population {what}"))
        };
        let (address, pensioner) =
            find("has an AOW alone beside another adult", |address, one| {
                one.has_pension_alone() && address.other_adults(one).next().is_some()
            })?;
        let (_, tenant) = find("declared fewer co-residents than registered", |address, one| {
            let others = address.residents().len() - 1;
            !one.has_pension_alone() && one.declared_co_residents().is_some_and(|n| n < others)
        })?;
        let (_, commuter) = find("has a postal address and a job", |_, one| {
            one.has_postal_address() && one.has_job()
        })?;
        let elsewhere = population.residents_of(DEN_HAAG).next();
        let (_, elsewhere) = elsewhere.context("nobody lives in Den Haag")?;
        let in_rotterdam = || population.residents_of(ROTTERDAM);
        let foreigners = in_rotterdam().map(|(_, one)| one);
        let foreigners = foreigners.filter(|one| one.has_residence_title());
        let postal = in_rotterdam().filter(|(_, one)| one.has_postal_address()).count();
        Ok(Self {
            residents: [pensioner, tenant, commuter].map(Person::subject).into(),
            address: Subject { key: address.bag_object(), verify: None },
            at_address: address.residents().len(),
            foreigners: foreigners.map(Person::subject).take(FOREIGNERS).collect(),
            elsewhere: elsewhere.subject(),
            crowd: population.people().take(TOO_MANY).map(|(_, one)| one.subject()).collect(),
            no_bsn: Subject { key: spoiled(&pensioner.bsn()), verify: Some(pensioner.birth()) },
            postal,
            housed: in_rotterdam().count() - postal,
        })
    }
}

/// The same number with another last digit, so that it fails the eleven-test.
fn spoiled(bsn: &Identifying) -> Identifying {
    let (head, last) = bsn.expose().split_at(bsn.expose().len().saturating_sub(1));
    Identifying::new(format!("{head}{}", if last == "0" { "1" } else { "0" }))
}
