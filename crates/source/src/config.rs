//! How a node's configuration names its data.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use convenant_model::{DatasetId, FieldName};
use serde::Deserialize;

/// One `[[dataset]]` of a node's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetConfig {
    /// The covenant's dataset.
    pub id: DatasetId,
    /// Where its rows are.
    pub source: SourceConfig,
    /// Covenant field to column of the source.
    pub columns: BTreeMap<FieldName, String>,
    /// Fields that the covenant lists and this source does not have; a query for one is refused.
    #[serde(default)]
    pub absent: BTreeSet<FieldName>,
}

/// Where the rows of a dataset are.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SourceConfig {
    /// A CSV file in UTF-8 with a header, comma-separated (RFC 4180). An empty cell is an absent
    /// value; a boolean is written `true` or `false`, a date as a full-date of RFC 3339.
    Csv(FileConfig),
    /// A Parquet file.
    Parquet(FileConfig),
    /// A table or view in PostgreSQL.
    Postgres(PostgresConfig),
}

/// A file with rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The file.
    pub path: PathBuf,
}

/// A table or view in PostgreSQL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresConfig {
    /// Host name, IP address, or the folder of a Unix socket.
    pub host: String,
    /// Port.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Database.
    pub database: String,
    /// Role; it needs `SELECT` on the bound columns and nothing more.
    pub user: String,
    /// File with the role's password, read at each connection.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Table or view, `schema.table`.
    pub table: String,
    /// PEM file with the certificates that the server's certificate must chain to. Where it is given,
    /// the connection is TLS 1.3 or there is none.
    #[serde(default)]
    pub tls_roots: Option<PathBuf>,
    /// Most seconds that a statement may run.
    #[serde(default = "default_seconds")]
    pub statement_seconds: u32,
}

const fn default_port() -> u16 {
    5432
}

const fn default_seconds() -> u32 {
    30
}

impl SourceConfig {
    /// The same with every relative path taken from `folder`, the folder of the configuration file.
    #[must_use]
    pub fn relative_to(mut self, folder: &Path) -> Self {
        let place = |path: &mut PathBuf| *path = folder.join(&*path);
        match &mut self {
            Self::Csv(file) | Self::Parquet(file) => place(&mut file.path),
            Self::Postgres(database) => {
                database.password_file.as_mut().map(place);
                database.tls_roots.as_mut().map(place);
            }
        }
        self
    }
}
