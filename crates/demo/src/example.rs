//! The example: six partners, a population, and four projects under the example covenant.

use std::path::Path;

use convenant_model::{DatasetId, Date, Oin, covenant::Covenant, documents::PublishedPredicate};
use convenant_signing::SystemRandom;

use crate::{
    config::Source,
    error::{DemoError, Result},
    federation::Federation,
    files,
    population::{DEN_HAAG, Population, ROTTERDAM, tables::id},
    spec::{DatasetSpec, FederationSpec, PartnerSpec, Ports},
    table::Table,
};

mod projects;

/// How the example is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of the population.
    pub seed: u64,
    /// People, at least.
    pub persons: usize,
    /// Where the daemons listen.
    pub ports: Ports,
    /// The day as of which everything is made.
    pub today: Date,
    /// Conditions that the running project publishes besides its own.
    pub published: Vec<PublishedPredicate>,
}

/// A party of the example.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExampleParty {
    /// Short name.
    pub name: &'static str,
    /// Kind in the covenant, or `coordinator` or `auditor`.
    pub kind: &'static str,
    /// Name in full.
    pub title: &'static str,
    /// OIN of the test prefix.
    pub oin: &'static str,
}

const fn party(
    name: &'static str,
    kind: &'static str,
    title: &'static str,
    oin: &'static str,
) -> ExampleParty {
    ExampleParty { name, kind, title, oin }
}

/// Every party of the example: the coordinator, the auditor, and the partners.
pub const EXAMPLE_PARTIES: [ExampleParty; 8] = [
    party("coordinator", "coordinator", "Coördinator", "00000099000000001000"),
    party("auditor", "auditor", "Auditor", "00000099000000009000"),
    TOESLAGEN_PARTY,
    UWV_PARTY,
    SVB_PARTY,
    ROTTERDAM_PARTY,
    DEN_HAAG_PARTY,
    IND_PARTY,
];

const TOESLAGEN_PARTY: ExampleParty =
    party("toeslagen", "toeslagen", "Dienst Toeslagen", "00000099000000004000");
const UWV_PARTY: ExampleParty = party("uwv", "uwv", "UWV", "00000099000000002000");
const SVB_PARTY: ExampleParty =
    party("svb", "svb", "Sociale verzekeringsbank (SVB)", "00000099000000003000");
const ROTTERDAM_PARTY: ExampleParty =
    party("rotterdam", "gemeente", "Gemeente Rotterdam", "00000099000000000599");
const DEN_HAAG_PARTY: ExampleParty =
    party("denhaag", "gemeente", "Gemeente Den Haag", "00000099000000000518");
const IND_PARTY: ExampleParty =
    party("ind", "ind", "Immigratie- en Naturalisatiedienst (IND)", "00000099000000005000");

impl Federation {
    /// Writes the example federation into a new or empty folder: Rotterdam, Den Haag, Toeslagen, UWV,
    /// SVB and IND with a population made from the seed; the project `P-2026-001` that may ask, one
    /// that was never decided on, one that has ended, and `P-2026-010`, which may ask the IND about whom
    /// Rotterdam vouches for. Seven ports are needed.
    ///
    /// # Errors
    /// When the folder holds something, or a file cannot be written.
    pub fn write(dir: &Path, options: &Options, random: &SystemRandom) -> Result<Self> {
        let mut spec = FederationSpec::new(options.today, ROTTERDAM_PARTY.name);
        spec.ports = options.ports.clone();
        let covenant = spec.covenant()?;
        let population = Population::generate(options.seed, options.persons, options.today);
        let holdings = holdings(&population, &covenant, options.today)?;
        for holding in &holdings {
            spec.partners.push(holding.partner(&covenant)?);
        }
        spec.projects = projects::all(&covenant, options.today, &options.published)?;
        let mut federation = Self::build(dir, spec, random)?;
        for holding in &holdings {
            holding.write(&federation)?;
        }
        federation.population = Some(population);
        Ok(federation)
    }
}

/// What a partner holds.
struct Holding {
    party: ExampleParty,
    dataset: &'static str,
    /// Path in the folder of the partner's node. One is Parquet, to show that it can be.
    file: &'static str,
    table: Table,
}

fn holdings(population: &Population, covenant: &Covenant, today: Date) -> Result<[Holding; 6]> {
    let year = today.to_string().get(..4).and_then(|y| y.parse().ok());
    let holding = |party, dataset, file, table| Holding { party, dataset, file, table };
    let persons = |municipality| population.persons(covenant, municipality);
    let allowances = population.allowances(covenant, year.unwrap_or_default())?;
    Ok([
        holding(ROTTERDAM_PARTY, id::PERSONS, "data/brp_persoon.csv", persons(ROTTERDAM)?),
        holding(DEN_HAAG_PARTY, id::PERSONS, "data/brp_persoon.csv", persons(DEN_HAAG)?),
        holding(TOESLAGEN_PARTY, id::ALLOWANCES, "data/toeslag_beschikking.csv", allowances),
        holding(UWV_PARTY, id::JOBS, "data/inkomstenverhouding.csv", population.jobs(covenant)?),
        holding(
            SVB_PARTY,
            id::PENSIONS,
            "data/aow_uitkering.parquet",
            population.pensions(covenant)?,
        ),
        holding(IND_PARTY, id::TITLES, "data/verblijfsrecht.csv", population.titles(covenant)?),
    ])
}

impl Holding {
    fn partner(&self, covenant: &Covenant) -> Result<PartnerSpec> {
        let id = DatasetId::new(self.dataset)?;
        let dataset = covenant.dataset(&id);
        let binding = dataset.ok_or_else(|| DemoError::Dataset(id.clone()))?;
        let binding = self.table.binding(binding);
        let path = self.file.to_owned();
        Ok(PartnerSpec {
            name: self.party.name.to_owned(),
            title: self.party.title.to_owned(),
            kind: self.party.kind.to_owned(),
            oin: Oin::new(self.party.oin)?,
            datasets: vec![DatasetSpec {
                id,
                source: if self.is_parquet() {
                    Source::Parquet { path }
                } else {
                    Source::Csv { path }
                },
                columns: binding.columns,
                absent: binding.absent,
            }],
        })
    }

    fn write(&self, federation: &Federation) -> Result<()> {
        let Some(party) = federation.partner(self.party.name) else {
            return Ok(());
        };
        files::folder(&party.dir.join("data"))?;
        let path = party.dir.join(self.file);
        if self.is_parquet() {
            self.table.write_parquet(&path)
        } else {
            self.table.write_csv(&path)
        }
    }

    fn is_parquet(&self) -> bool {
        self.file.ends_with(".parquet")
    }
}

#[cfg(test)]
mod tests;
