//! One dataset with a field of every type, and its rows in a file or a database.

use std::{collections::BTreeSet, fmt::Write as _, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray, Date32Array, Int64Array, StringArray},
    compute::cast,
    datatypes::DataType,
    record_batch::RecordBatch,
};
use convenant_model::{
    FieldName, area::AreaCode, covenant::Dataset, predicate::Predicate, subjects::Identifying,
    subjects::Subject, verdict::AreaFilter,
};
use futures::TryStreamExt;
use tempfile::TempDir;

use super::postgres::Postgres;
use crate::{
    Binding, DatasetConfig, Persons, SourceError,
    adapter::Adapter,
    file::FileSource,
    plan::{Asked, Plan},
    postgres::PostgresSource,
};

/// A dataset with a field of every type.
pub(super) const DATASET: &str = r#"
id = "gemeente/proef"
title = "Proefbestand"
area = [{ field = "gemeente", kind = "GM" }, { field = "buurt", kind = "BU" }, { field = "adres", kind = "BAG" }]
verified_by = "geboorte"
field = [
  { name = "bsn", type = "bsn", class = "bsn", category = "a", use = "key" },
  { name = "geboorte", type = "partial-date", class = "ordinary", category = "a", use = "allowed" },
  { name = "gemeente", type = "gemeentecode", class = "ordinary", category = "a", use = "scope" },
  { name = "buurt", type = "cbs-code", class = "ordinary", category = "a", use = "scope" },
  { name = "adres", type = "bag-object", class = "ordinary", category = "a", use = "scope" },
  { name = "bedrag", type = "integer", class = "ordinary", category = "a", use = "allowed" },
  { name = "sinds", type = "date", class = "ordinary", category = "a", use = "allowed" },
  { name = "actief", type = "boolean", class = "ordinary", category = "a", use = "allowed" },
  { name = "naam", type = "text", class = "ordinary", category = "a", use = "hit-only" },
  { name = "in_onderzoek", type = "boolean", class = "ordinary", category = "a", use = "accompany" },
  { name = "nationaliteit", type = "code", class = "special", use = "refused" },
]
"#;

/// Every field that has a column, in the order of [`Row::cells`].
pub(super) const FIELDS: [&str; 9] =
    ["bsn", "geboorte", "gemeente", "buurt", "adres", "bedrag", "sinds", "actief", "naam"];

/// One row.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) bsn: Option<String>,
    pub(super) geboorte: Option<String>,
    pub(super) gemeente: Option<String>,
    pub(super) buurt: Option<String>,
    pub(super) adres: Option<String>,
    pub(super) bedrag: Option<i64>,
    pub(super) sinds: Option<String>,
    pub(super) actief: Option<bool>,
    pub(super) naam: Option<String>,
}

impl Row {
    /// The cells in the order of [`FIELDS`], each in its type's one spelling.
    pub(super) fn cells(&self) -> [Option<String>; 9] {
        [
            self.bsn.clone(),
            self.geboorte.clone(),
            self.gemeente.clone(),
            self.buurt.clone(),
            self.adres.clone(),
            self.bedrag.map(|number| number.to_string()),
            self.sinds.clone(),
            self.actief.map(|truth| truth.to_string()),
            self.naam.clone(),
        ]
    }

    pub(super) fn cell(&self, field: &str) -> Option<String> {
        let position = FIELDS.iter().position(|name| *name == field).unwrap();
        self.cells()[position].clone()
    }
}

pub(super) fn dataset() -> Dataset {
    toml::from_str(DATASET).unwrap()
}

/// The configuration, with `source` as its last table.
pub(super) fn config(source: &str) -> DatasetConfig {
    let mut text =
        String::from("id = \"gemeente/proef\"\nabsent = [\"in_onderzoek\"]\n[columns]\n");
    for field in FIELDS {
        writeln!(text, "{field} = \"k_{field}\"").unwrap();
    }
    toml::from_str(&format!("{text}[source]\n{source}")).unwrap()
}

pub(super) fn binding() -> Binding {
    Binding::new(&dataset(), &config("kind = \"csv\"\npath = \"-\"")).unwrap()
}

pub(super) fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub(super) fn area(field_name: &str, codes: &[&str]) -> AreaFilter {
    let code = |code: &&str| code.parse::<AreaCode>().unwrap();
    AreaFilter { field: field(field_name), codes: codes.iter().map(code).collect() }
}

pub(super) fn subject(key: &str, verify: Option<&str>) -> Subject {
    Subject {
        key: Identifying::new(key.to_owned()),
        verify: verify.map(|text| Identifying::new(text.to_owned())),
    }
}

/// A question, in the terms of a permit.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) columns: Vec<FieldName>,
    pub(super) scope: Vec<AreaFilter>,
    /// The key for which vouchers came, in the place of an area.
    pub(super) vouched: Option<FieldName>,
    pub(super) predicate: Option<Predicate>,
    pub(super) key: Option<(FieldName, Option<FieldName>)>,
    pub(super) subjects: Vec<Subject>,
    pub(super) max_rows: u64,
}

impl Question {
    /// Every field of Rotterdam.
    pub(super) fn rotterdam() -> Self {
        Self {
            columns: FIELDS.map(field).to_vec(),
            scope: vec![area("gemeente", &["GM0599"])],
            vouched: None,
            predicate: None,
            key: None,
            subjects: Vec::new(),
            max_rows: 1_000_000,
        }
    }

    pub(super) fn with(mut self, predicate: &str) -> Self {
        self.predicate = Some(predicate.parse().unwrap());
        self
    }

    pub(super) fn of(mut self, key: &str, subjects: Vec<Subject>) -> Self {
        self.key = Some((field(key), Some(field("geboorte"))));
        self.subjects = subjects;
        self
    }

    /// The same without an area, of subjects that somebody vouched for.
    pub(super) fn vouched(mut self) -> Self {
        self.scope.clear();
        self.vouched = Some(field("bsn"));
        self
    }

    pub(super) fn plan(&self, binding: &Binding) -> Result<Plan, SourceError> {
        let asked = Asked {
            columns: &self.columns,
            scope: &self.scope,
            vouched: self.vouched.as_ref(),
            predicate: self.predicate.as_ref(),
            key: self.key.as_ref().map(|(key, verify)| (key, verify.as_ref())),
            subjects: self.subjects.clone(),
            max_rows: self.max_rows,
        };
        Plan::unrecorded(binding, asked)
    }
}

/// The batches of an answer.
pub(super) async fn batches(
    source: &dyn Adapter,
    question: &Question,
) -> Result<Vec<RecordBatch>, SourceError> {
    let plan = question.plan(source.binding())?;
    source.rows(plan).map_ok(|batch| batch.rows).try_collect().await
}

/// Whom the rows of an answer are about, by field, sorted and once each.
pub(super) async fn persons(
    source: &dyn Adapter,
    question: &Question,
) -> Result<BTreeSet<(String, String)>, SourceError> {
    let mut all = BTreeSet::new();
    let mut batches = source.rows(question.plan(source.binding())?);
    while let Some(batch) = batches.try_next().await? {
        for Persons { field, values, .. } in &batch.persons {
            all.extend(values.iter().map(|v| (field.to_string(), v.expose().to_owned())));
        }
    }
    Ok(all)
}

/// The rows of an answer as texts, sorted.
pub(super) async fn rows(
    source: &dyn Adapter,
    question: &Question,
) -> Result<Vec<Vec<Option<String>>>, SourceError> {
    let mut all = Vec::new();
    for batch in batches(source, question).await? {
        let texts = |array: &ArrayRef| {
            let texts = cast(array, &DataType::Utf8).unwrap();
            let texts = texts.as_any().downcast_ref::<StringArray>().unwrap().clone();
            texts.iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
        };
        let columns: Vec<_> = batch.columns().iter().map(texts).collect();
        let row = |i: usize| columns.iter().map(|column| column[i].clone()).collect();
        all.extend((0..batch.num_rows()).map(row));
    }
    all.sort();
    Ok(all)
}

pub(super) async fn count(source: &dyn Adapter, question: &Question) -> Result<u64, SourceError> {
    source.total(question.plan(source.binding())?).await
}

/// The same rows behind each adapter.
pub(super) struct Everywhere {
    pub(super) csv: FileSource,
    pub(super) parquet: FileSource,
    pub(super) postgres: PostgresSource,
    _server: Postgres,
    _folder: TempDir,
}

impl Everywhere {
    pub(super) fn new(rows: &[Row]) -> Self {
        let folder = TempDir::new().unwrap();
        let (csv, parquet) = (folder.path().join("a.csv"), folder.path().join("a.parquet"));
        std::fs::write(&csv, csv_text(rows)).unwrap();
        write_parquet(&parquet, rows);
        let server = Postgres::start(None);
        server.run(&format!("{TABLE}{}", insert(rows)));
        Self {
            csv: FileSource::csv(binding(), &csv),
            parquet: FileSource::parquet(binding(), &parquet),
            postgres: database(&server, "proef.rijen", ""),
            _server: server,
            _folder: folder,
        }
    }

    pub(super) fn all(&self) -> [(&'static str, &dyn Adapter); 3] {
        [("csv", &self.csv), ("parquet", &self.parquet), ("postgres", &self.postgres)]
    }
}

/// A table with a role that may read it.
pub(super) const TABLE: &str = "
    CREATE SCHEMA proef;
    CREATE TABLE proef.rijen (
        k_bsn varchar(9), k_geboorte text, k_gemeente char(4), k_buurt text, k_adres text,
        k_bedrag integer, k_sinds date, k_actief boolean, k_naam text, k_nationaliteit text);
    CREATE ROLE lezer LOGIN PASSWORD 'geheim-woord';
    GRANT USAGE ON SCHEMA proef TO lezer;
    GRANT SELECT ON proef.rijen TO lezer;
";

/// The adapter for a table of a running server.
pub(super) fn database(server: &Postgres, table: &str, more: &str) -> PostgresSource {
    let source = format!(
        "kind = \"postgres\"\nhost = \"127.0.0.1\"\nport = {}\ndatabase = \"postgres\"\n\
         user = \"lezer\"\ntable = \"{table}\"\n{more}",
        server.port
    );
    let config = config(&source);
    let crate::SourceConfig::Postgres(database) = &config.source else {
        panic!("not a database");
    };
    PostgresSource::new(binding(), database).unwrap()
}

pub(super) fn insert(rows: &[Row]) -> String {
    let mut sql = String::new();
    for row in rows {
        let quoted = |cell: Option<String>| {
            cell.map_or("NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
        };
        let cells = row.cells().map(quoted).join(", ");
        writeln!(sql, "INSERT INTO proef.rijen VALUES ({cells}, 'NL');").unwrap();
    }
    sql
}

pub(super) fn csv_text(rows: &[Row]) -> String {
    // The columns stand in another order than the fields, beside one that nobody asked for.
    let mut text = String::from("k_nationaliteit");
    FIELDS.iter().rev().for_each(|field| write!(text, ",k_{field}").unwrap());
    for row in rows {
        text += "\nNL";
        for cell in row.cells().into_iter().rev() {
            let cell = cell.unwrap_or_default();
            write!(text, ",\"{}\"", cell.replace('"', "\"\"")).unwrap();
        }
    }
    text + "\n"
}

pub(super) fn write_parquet(path: &Path, rows: &[Row]) {
    let texts = |field: &str| -> ArrayRef {
        Arc::new(rows.iter().map(|row| row.cell(field)).collect::<StringArray>())
    };
    let column = |field: &'static str| -> ArrayRef {
        match field {
            "bedrag" => Arc::new(rows.iter().map(|row| row.bedrag).collect::<Int64Array>()),
            "actief" => Arc::new(rows.iter().map(|row| row.actief).collect::<BooleanArray>()),
            "sinds" => {
                let day =
                    |row: &Row| Some(row.sinds.as_ref()?.parse::<convenant_model::Date>().unwrap());
                let days = rows.iter().map(|row| day(row).map(|day| day.days_since_epoch()));
                Arc::new(days.collect::<Date32Array>())
            }
            field => texts(field),
        }
    };
    let extra = ("k_nationaliteit".to_owned(), texts("naam"));
    let columns = FIELDS.iter().map(|field| (format!("k_{field}"), column(field)));
    let batch = RecordBatch::try_from_iter(std::iter::once(extra).chain(columns)).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
