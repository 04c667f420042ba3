//! The configuration files of the daemons and of a client, as their readers expect them. Paths are
//! relative to the file's folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use convenant_model::{DatasetId, Digest, FieldName, Oin};
use serde::Serialize;

use crate::error::Result;

/// Where the rows of a dataset are.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// A CSV file with a header.
    Csv {
        /// The file.
        path: String,
    },
    /// A Parquet file.
    Parquet {
        /// The file.
        path: String,
    },
    /// A table or view in PostgreSQL.
    Postgres {
        /// Host name, address or folder of the socket.
        host: String,
        /// Port.
        port: u16,
        /// Database.
        database: String,
        /// Role.
        user: String,
        /// File with the role's password.
        #[serde(skip_serializing_if = "Option::is_none")]
        password_file: Option<String>,
        /// `schema.table`.
        table: String,
        /// File with the certificate authorities of the server; without it there is no TLS.
        #[serde(skip_serializing_if = "Option::is_none")]
        tls_roots: Option<String>,
        /// Most seconds that one statement may take.
        statement_seconds: u32,
    },
}

/// A file for one party. Sections that its reader does not know are left out.
#[derive(Serialize)]
pub(crate) struct Config<'a> {
    pub(crate) party: Party<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<Listen>,
    pub(crate) tls: Tls,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) coordinator: Option<Coordinator<'a>>,
    pub(crate) register: Register,
    pub(crate) keys: BTreeMap<&'static str, String>,
    pub(crate) data: Data,
    pub(crate) telemetry: Telemetry<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subjects: Option<Subjects>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dataset: Vec<Dataset<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) founding: Option<Founding>,
}

#[derive(Serialize)]
pub(crate) struct Party<'a> {
    pub(crate) oin: &'a Oin,
}

#[derive(Serialize)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
}

#[derive(Serialize)]
pub(crate) struct Tls {
    certificate: &'static str,
    key: &'static str,
    roots: String,
    revocation_lists: Vec<String>,
    allow_example: bool,
}

impl Tls {
    /// The party's own certificate, and the example PKI at `up`, the way to the federation's folder.
    pub(crate) fn new(up: &str) -> Self {
        Self {
            certificate: "tls.pem",
            key: "tls.key",
            roots: format!("{up}/pki/ca.pem"),
            revocation_lists: vec![format!("{up}/pki/crl.pem")],
            allow_example: true,
        }
    }
}

#[derive(Clone, Copy, Serialize)]
pub(crate) struct Coordinator<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) oin: &'a Oin,
    pub(crate) pins: &'a [Digest],
}

#[derive(Serialize)]
pub(crate) struct Register {
    pub(crate) lsi_keys: Vec<String>,
    pub(crate) quorum: usize,
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) poll_seconds: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct Data {
    pub(crate) dir: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Telemetry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) otlp: Option<&'a str>,
    pub(crate) log: &'static str,
}

/// The keys of a node's account of whom its answers are about.
#[derive(Serialize)]
pub(crate) struct Subjects {
    pseudonym_key: &'static str,
    seal_to: &'static str,
}

impl Subjects {
    pub(crate) const EXAMPLE: Self =
        Self { pseudonym_key: "pseudonym.jwk", seal_to: "subjects.pub.jwk" };
}

/// The documents with which an empty register begins.
#[derive(Serialize)]
pub(crate) struct Founding {
    pub(crate) documents: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Dataset<'a> {
    pub(crate) id: &'a DatasetId,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) absent: &'a BTreeSet<FieldName>,
    pub(crate) source: &'a Source,
    pub(crate) columns: &'a BTreeMap<FieldName, String>,
}

impl Config<'_> {
    /// The file's text under a line that says what it is for.
    pub(crate) fn text(&self, purpose: &str) -> Result<String> {
        Ok(format!(
            "# {purpose}\n# Example keys: `allow_example` says that they are meant.\n\n{}",
            toml::to_string_pretty(self)?
        ))
    }
}
