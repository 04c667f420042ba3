//! What can go wrong while an example is written.

use std::{io, path::PathBuf};

use convenant_model::{
    DatasetId, FieldName, Oin, area::AreaError, ids::IdError, parse::ParseError,
    predicate::PredicateError, time::TimeError,
};
use convenant_signing::{CanonicalError, JwsError, KeyError};
use thiserror::Error;

/// Why an example could not be written.
#[derive(Debug, Error)]
pub enum DemoError {
    /// A file or folder could not be made, read or changed.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The folder holds something already.
    #[error("`{}` is not empty; an example is written into a new or empty folder only", .0.display())]
    NotEmpty(PathBuf),
    /// Fewer ports were given than the federation has daemons.
    #[error("the federation has {needed} daemons, but {given} ports were given")]
    Ports {
        /// Daemons: the coordinator and each partner.
        needed: usize,
        /// Ports that could be used.
        given: usize,
    },
    /// A name in the specification is no name of a folder.
    #[error("`{0}` is not a name of lower-case letters, digits and `-`")]
    Name(String),
    /// A document names an organisation that the federation does not have.
    #[error("the federation has no partner `{0}`")]
    Partner(Oin),
    /// The covenant does not have a dataset.
    #[error("the covenant has no dataset `{0}`")]
    Dataset(DatasetId),
    /// The covenant does not have a field that may be granted.
    #[error("the covenant has no field `{field}` in `{dataset}` that a project can be granted")]
    Field {
        /// The dataset.
        dataset: DatasetId,
        /// The field.
        field: FieldName,
    },
    /// A text in a document is too long or holds control characters.
    #[error("{0}")]
    Text(String),
    /// A text is no condition.
    #[error(transparent)]
    Predicate(PredicateError),
    /// A text is not an identifier.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A text is not an area.
    #[error(transparent)]
    Area(#[from] AreaError),
    /// A text is not a time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The covenant is not one.
    #[error(transparent)]
    Covenant(#[from] ParseError),
    /// A certificate or a list of revoked ones could not be made.
    #[error("the example PKI failed")]
    Pki(#[from] rcgen::Error),
    /// A key could not be drawn.
    #[error("a key could not be drawn")]
    Key(#[from] KeyError),
    /// A document has no canonical form.
    #[error("a document has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// A document could not be signed.
    #[error("a document could not be signed")]
    Sign(#[from] JwsError),
    /// A document or configuration could not be written as TOML.
    #[error("a document or configuration could not be written as TOML")]
    Toml(#[from] toml::ser::Error),
    /// Rows could not be put in columns or in CSV.
    #[error("the example data could not be written")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Rows could not be put in Parquet.
    #[error("the example data could not be written as Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
}

/// A result whose error is a [`DemoError`].
pub type Result<T, E = DemoError> = std::result::Result<T, E>;
