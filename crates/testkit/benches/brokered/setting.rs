//! A federation for measuring: one node with few rows for lookups, one with many for selects.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    csv,
};
use convenant_demo::documents::Grant;
use convenant_demo::{
    DatasetSpec, Federation, FederationSpec, PartnerSpec, Ports, ProjectSpec, Source,
};
use convenant_model::{
    Clock as _, DatasetId, FieldName, GoalId, Oin, ProjectId, ThemeId,
    documents::{EarlierMeasure, Participant, Proposal, Quota, tag},
    parse::BoundedText,
    query::QueryKind,
};
use convenant_signing::SystemRandom;
use convenant_testkit::{Fallible, PortBlock};
use convenant_transport::SystemClock;
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
use tempfile::TempDir;

pub(crate) const PROJECT: &str = "P-MEET-1";
/// The field that verifies a BSN (clause L14), and everybody's value of it.
pub(crate) const VERIFIED_BY: &str = "geboorte_datum";
pub(crate) const BORN: &str = "19800101";
pub(crate) const FIELDS: [&str; 4] = [
    "verblijfplaats_datum_van",
    "verblijfplaats_adresseerbaar_object_identificatie",
    "verblijfadres_postcode",
    "verblijfplaats_functie_adres",
];
const COLUMNS: [&str; 7] = [
    "burgerservicenummer",
    VERIFIED_BY,
    "gemeente_van_inschrijving",
    FIELDS[0],
    FIELDS[1],
    FIELDS[2],
    FIELDS[3],
];
/// Bytes of one row of [`FIELDS`] as Arrow: 8 + 16 + 6 + 1 of text and 4 offsets of four bytes.
const ROW: u64 = 47;
const SMALL: usize = 100;

/// A federation on disk with its ports.
pub(crate) struct Setting {
    pub(crate) federation: Federation,
    pub(crate) dir: TempDir,
    pub(crate) ports: PortBlock,
}

/// Short name of the node that holds so many MiB.
pub(crate) fn holder(mib: u64) -> String {
    format!("groot{mib}")
}

/// Short names of nodes that keep an account of whom answers are about (ADR 0024), as nodes do unless told
/// otherwise: one with few rows and one with more. The others keep none, so that what a brokered query costs by
/// itself can be told from that.
pub(crate) const KEEPING: [&str; 2] = ["boek", "boek10"];
/// MiB that the latter holds.
const KEPT: u64 = 10;

impl Setting {
    pub(crate) fn write(sizes: &[u64]) -> Fallible<Self> {
        let (dir, ports) = (tempfile::tempdir()?, PortBlock::claim()?);
        let mut spec = FederationSpec::new(SystemClock.now().date(), "klein");
        // Large results are what is measured here.
        spec.covenant = spec.covenant.replace("max_rows = 10000 ", "max_rows = 4000000000 ");
        spec.ports = Ports::Given(ports.ports());
        let covenant = spec.covenant()?;
        let brp = covenant.dataset(&DatasetId::new("gemeente/brp_persoon")?);
        let fields = brp.map(|dataset| dataset.field.as_slice()).unwrap_or_default();
        let usable = fields.iter().filter(|f| f.usage != convenant_model::covenant::Use::Refused);
        let names: Vec<_> = usable.map(|field| field.name.clone()).collect();
        let parquet = || Source::Parquet { path: "data/brp_persoon.parquet".to_owned() };
        let [few, more] = KEEPING.map(str::to_owned);
        let holders = sizes.iter().map(|mib| (holder(*mib), parquet()));
        let nodes = [("klein".to_owned(), csv_source()), (few, csv_source()), (more, parquet())];
        for (i, (name, source)) in (1_u64..).zip(nodes.into_iter().chain(holders)) {
            let oin = format!("{:020}", 99_000_000_000_000 + i);
            spec.partners.push(partner(&name, &oin, source, &names)?);
        }
        let proposal = proposal(&spec, &covenant)?;
        spec.projects.push(ProjectSpec::approved(proposal, 100));
        let federation = Federation::build(&dir.path().join("f"), spec, &SystemRandom::new())?;
        for party in &federation.partners {
            std::fs::create_dir_all(party.dir.join("data"))?;
            if !KEEPING.contains(&party.name.as_str()) {
                keep_no_account(&party.config)?;
            }
        }
        let data = |name: &str, file: &str| -> Fallible<PathBuf> {
            let party = federation.partner(name).ok_or("no such partner")?;
            Ok(party.dir.join("data").join(file))
        };
        let [few, more] = KEEPING;
        for name in ["klein", few] {
            let mut small = csv::Writer::new(File::create(data(name, "brp_persoon.csv")?)?);
            small.write(&rows(SMALL)?)?;
        }
        write_parquet(&data(more, "brp_persoon.parquet")?, (KEPT << 20) / ROW)?;
        for mib in sizes {
            write_parquet(&data(&holder(*mib), "brp_persoon.parquet")?, (mib << 20) / ROW)?;
        }
        Ok(Self { federation, dir, ports })
    }

    /// Median time of an append of an entry's size and one `fdatasync`, on the disk of the ledgers, at the pace at which
    /// a ledger is asked for them: what is done again at once costs less.
    pub(crate) fn sync_median(&self, pace: Duration) -> Fallible<Duration> {
        let mut file = File::create(self.dir.path().join("sync"))?;
        file.write_all(&vec![0; 4 << 20])?;
        file.sync_all()?;
        let mut file = File::options().write(true).open(self.dir.path().join("sync"))?;
        let mut times = Vec::new();
        for _ in 0..200 {
            std::thread::sleep(pace);
            let started = Instant::now();
            file.write_all(&[1; 3000])?;
            file.sync_data()?;
            times.push(started.elapsed());
        }
        times.sort();
        Ok(times.get(times.len() / 2).copied().unwrap_or_default())
    }
}

/// Takes `[subjects]` out of a node's configuration.
fn keep_no_account(config: &Path) -> Fallible<()> {
    let text = std::fs::read_to_string(config)?;
    let (before, from) = text.split_once("[subjects]\n").ok_or("no `[subjects]`")?;
    let after = from.find("\n[").map_or("", |end| &from[end..]);
    Ok(std::fs::write(config, format!("{before}{after}"))?)
}

fn csv_source() -> Source {
    Source::Csv { path: "data/brp_persoon.csv".to_owned() }
}

fn partner(name: &str, oin: &str, source: Source, names: &[FieldName]) -> Fallible<PartnerSpec> {
    let bound = |name: &&FieldName| COLUMNS.contains(&name.as_str());
    let columns = names.iter().filter(bound).map(|name| (name.clone(), name.to_string()));
    let absent: BTreeSet<_> = names.iter().filter(|name| !bound(name)).cloned().collect();
    let id = DatasetId::new("gemeente/brp_persoon")?;
    Ok(PartnerSpec {
        name: name.to_owned(),
        title: format!("Gemeente {name}"),
        kind: "gemeente".to_owned(),
        oin: Oin::new(oin)?,
        datasets: vec![DatasetSpec { id, source, columns: columns.collect(), absent }],
    })
}

fn proposal(
    spec: &FederationSpec,
    covenant: &convenant_model::covenant::Covenant,
) -> Fallible<Proposal> {
    let text = |text: &str| BoundedText::new(text);
    let grants = FIELDS.map(|field| (field, "om te meten"));
    let annex = spec.partners.iter().map(|partner| {
        let grant = Grant {
            provider: &partner.oin,
            dataset: "gemeente/brp_persoon",
            kinds: &[QueryKind::Lookup, QueryKind::Select],
            basis_provider: "meting door de leverancier",
            basis_receiver: "meting door de ontvanger",
            fields: &grants,
        };
        grant.annex(covenant)
    });
    let participants = spec.partners.iter().map(|partner| {
        Ok(Participant { partner: partner.oin.clone(), role: BoundedText::new("meting")? })
    });
    let first = spec.partners.first().ok_or("no partner")?.oin.clone();
    Ok(Proposal {
        document: tag::Proposal::Proposal,
        project: ProjectId::new(PROJECT)?,
        version: 1,
        title: BoundedText::new("Meting")?,
        theme: ThemeId::new("adresfraude")?,
        goals: BTreeSet::from([GoalId::new("toeslagenfraude")?]),
        cause: text("meting")?,
        earlier_measure: vec![EarlierMeasure {
            means: BoundedText::new("meting")?,
            result: text("meting")?,
            date: spec.today.plus_days(-20),
        }],
        added_value: text("meting")?,
        area: BTreeSet::from(["GM0599".parse()?]),
        participant: participants.collect::<Result<_, String>>()?,
        proposed_by: BTreeSet::from([first.clone()]),
        responsible: first,
        start: spec.today.plus_days(-10),
        end: spec.today.plus_days(200),
        quota: Quota { queries: 100_000_000, subjects: 100_000_000, cells: 50 },
        capacity: BoundedText::new("meting")?,
        municipal_reference: None,
        annex: annex.collect::<Result<_, _>>()?,
        predicate: vec![convenant_demo::documents::predicate(
            "P1",
            "gemeente/brp_persoon",
            "verblijfplaats_functie_adres = 'W'",
            "meting",
        )?],
    })
}

fn write_parquet(path: &Path, rows_wanted: u64) -> Fallible<()> {
    let batch = rows(65_536)?;
    let properties = WriterProperties::builder().set_dictionary_enabled(true).build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?;
    for _ in 0..rows_wanted.div_ceil(65_536) {
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(())
}

/// BSNs that pass the eleven-test, from 900000000 up.
pub(crate) fn bsns() -> impl Iterator<Item = String> {
    let all = (900_000_000_u32..).map(|number| number.to_string());
    all.filter(|text| convenant_model::subjects::is_bsn(text))
}

fn rows(count: usize) -> Fallible<RecordBatch> {
    let texts = |text: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..count).map(text)))
    };
    let numbers = Arc::new(StringArray::from_iter_values(bsns().take(count))) as ArrayRef;
    let columns: [ArrayRef; 7] = [
        numbers,
        texts(&|_| BORN.to_owned()),
        texts(&|_| "0599".to_owned()),
        texts(&|i| format!("20{:02}0{}{:02}", i % 20, 1 + i % 9, 1 + i % 28)),
        texts(&|i| format!("0599010000{:06}", i % 1_000_000)),
        texts(&|i| format!("{}AB", 3000 + i % 100)),
        texts(&|_| "W".to_owned()),
    ];
    Ok(RecordBatch::try_from_iter(COLUMNS.into_iter().zip(columns))?)
}
