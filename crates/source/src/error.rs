//! What can be wrong with a source. No error holds a value of a row, a subject or a literal.

use std::{io, path::PathBuf};

use convenant_model::{DatasetId, FieldName};
use thiserror::Error;

/// Why the fields of a covenant cannot be bound to the columns of a source.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum BindingError {
    /// The covenant's dataset has no such field.
    #[error("dataset `{dataset}`: the covenant lists no field `{field}`")]
    Unknown {
        /// The dataset.
        dataset: DatasetId,
        /// The field that the configuration names.
        field: FieldName,
    },
    /// The covenant refuses the field: it never leaves, so it is not bound.
    #[error("dataset `{dataset}`: field `{field}` is refused by the covenant and cannot be bound")]
    Refused {
        /// The dataset.
        dataset: DatasetId,
        /// The refused field.
        field: FieldName,
    },
    /// The covenant lists the field, and the configuration says nothing about it.
    #[error("dataset `{dataset}`: field `{field}` has no column, and is not listed under `absent`")]
    Unbound {
        /// The dataset.
        dataset: DatasetId,
        /// The field without a column.
        field: FieldName,
    },
    /// The configuration gives the field a column and calls it absent.
    #[error("dataset `{dataset}`: field `{field}` has a column and is listed under `absent`")]
    BoundAndAbsent {
        /// The dataset.
        dataset: DatasetId,
        /// The field.
        field: FieldName,
    },
    /// No column holds the area, so the rows of a project cannot be told from the others (clause S10).
    #[error(
        "dataset `{dataset}`: no field that holds its area has a column, so it cannot be served"
    )]
    NoArea {
        /// The dataset.
        dataset: DatasetId,
    },
}

/// Why a source cannot be opened or read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// A file cannot be opened or read.
    #[error("dataset `{dataset}`: cannot read `{}`", path.display())]
    File {
        /// The dataset.
        dataset: DatasetId,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not of its format; for CSV the fault names the line.
    #[error("dataset `{dataset}`: `{}`: {fault}", path.display())]
    Malformed {
        /// The dataset.
        dataset: DatasetId,
        /// The file.
        path: PathBuf,
        /// The fault, without any value of the file.
        fault: String,
    },
    /// The source has no such column, or a CSV header names it more than once.
    #[error(
        "dataset `{dataset}`: field `{field}`: the source has {found} columns named `{column}`"
    )]
    Column {
        /// The dataset.
        dataset: DatasetId,
        /// The field that is bound to it.
        field: FieldName,
        /// The column.
        column: String,
        /// How many there are.
        found: usize,
    },
    /// The column holds values of another type than the covenant says.
    #[error(
        "dataset `{dataset}`: field `{field}`: column `{column}` is {found}, expected {expected}"
    )]
    ColumnType {
        /// The dataset.
        dataset: DatasetId,
        /// The field that is bound to it.
        field: FieldName,
        /// The column.
        column: String,
        /// The covenant's type.
        expected: &'static str,
        /// What the column is.
        found: String,
    },
    /// A value is not of the field's type.
    #[error(
        "dataset `{dataset}`: field `{field}`: row {row} does not hold a value of type {expected}"
    )]
    Value {
        /// The dataset.
        dataset: DatasetId,
        /// The field.
        field: FieldName,
        /// The row, from 1: of the data in a file (without its header), of the answer in a database.
        row: u64,
        /// The covenant's type.
        expected: &'static str,
    },
    /// The source has no such table.
    #[error("dataset `{dataset}`: the database has no table `{table}`")]
    Table {
        /// The dataset.
        dataset: DatasetId,
        /// The table.
        table: String,
    },
    /// The role may not read what is bound.
    #[error("dataset `{dataset}`: role `{role}` has no right to {what}")]
    Privilege {
        /// The dataset.
        dataset: DatasetId,
        /// The database role.
        role: String,
        /// What the role cannot do, for instance `read column …`.
        what: String,
    },
    /// The database cannot be reached, or refuses the role.
    #[error("dataset `{dataset}`: cannot connect to the database at `{host}:{port}`: {fault}")]
    Connect {
        /// The dataset.
        dataset: DatasetId,
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The fault.
        fault: String,
    },
    /// The database failed; its message is left out because it may quote a row.
    #[error("dataset `{dataset}`: the database failed: {fault}")]
    Database {
        /// The dataset.
        dataset: DatasetId,
        /// SQLSTATE, or the fault of the connection.
        fault: String,
    },
    /// The statement ran longer than configured.
    #[error("dataset `{dataset}`: the statement ran longer than {seconds} s")]
    Timeout {
        /// The dataset.
        dataset: DatasetId,
        /// The time-out.
        seconds: u32,
    },
    /// A file of the configuration (password, TLS roots) cannot be used.
    #[error("dataset `{dataset}`: cannot use `{}`: {fault}", path.display())]
    Setting {
        /// The dataset.
        dataset: DatasetId,
        /// The file.
        path: PathBuf,
        /// The fault.
        fault: String,
    },
    /// The configured table is not `schema.table`.
    #[error("dataset `{dataset}`: `{table}` is not of the form `schema.table`")]
    TableName {
        /// The dataset.
        dataset: DatasetId,
        /// The table as configured.
        table: String,
    },
    /// The permit names a field that the source does not have.
    #[error("dataset `{dataset}`: the source does not have field `{field}`")]
    NotServed {
        /// The dataset.
        dataset: DatasetId,
        /// The field.
        field: FieldName,
    },
    /// A literal of the predicate is not of the field's type.
    #[error(
        "dataset `{dataset}`: field `{field}` is compared with a literal that is not of type {expected}"
    )]
    Literal {
        /// The dataset.
        dataset: DatasetId,
        /// The field.
        field: FieldName,
        /// The covenant's type.
        expected: &'static str,
    },
    /// The permit is for another dataset, or asks for no field at all, or its subjects are not those
    /// that its query announces.
    #[error("dataset `{dataset}`: the permit does not fit: {fault}")]
    Permit {
        /// The dataset.
        dataset: DatasetId,
        /// What does not fit.
        fault: &'static str,
    },
    /// More rows match than the permit lets out (clause S12).
    #[error("dataset `{dataset}`: more than {max_rows} rows match")]
    TooManyRows {
        /// The dataset.
        dataset: DatasetId,
        /// Most rows that may leave.
        max_rows: u64,
    },
    /// The reader stopped without saying why; what came before is not the whole answer.
    #[error("dataset `{dataset}`: the reader stopped before the end")]
    Interrupted {
        /// The dataset.
        dataset: DatasetId,
    },
}
