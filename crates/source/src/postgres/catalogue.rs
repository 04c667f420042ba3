//! What the database's own catalogue says of the table: its columns, their types, the role's rights.

use std::collections::BTreeMap;

use convenant_model::value::FieldType;
use tokio_postgres::{Row, Transaction};

use super::{session::Server, sql::Table};
use crate::{Binding, binding::Column, error::SourceError};

/// The table, whether its schema may be used, and whether the role could change it.
const TABLE: &str = "
    SELECT c.oid, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
           pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::text AND c.relname = $2::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// Its columns: name, type (that of a domain's base), right to read, and whether equal texts are the
/// same texts, which a non-deterministic collation breaks.
const COLUMNS: &str = "
    SELECT a.attname::text, coalesce(b.typname, t.typname)::text,
           pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
           coalesce(k.collisdeterministic, true)
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON b.oid = nullif(t.typbasetype, 0)
    LEFT JOIN pg_catalog.pg_collation k ON k.oid = nullif(a.attcollation, 0)
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped";

struct Found {
    kind: String,
    readable: bool,
    deterministic: bool,
}

/// Checks every bound column before anything is served.
pub(super) async fn check(
    binding: &Binding,
    table: &Table,
    server: &Server,
) -> Result<(), SourceError> {
    let failed = |error| server.failed(&error);
    warn_of_plain_text(binding, server);
    let mut session = server.session().await?;
    let transaction = server.begin(&mut session).await?;
    let found = transaction.query_opt(TABLE, &[&table.schema, &table.name]).await;
    let found = found.map_err(failed)?;
    let check = Check { binding, table, role: &server.config().user };
    let oid = check.table(found.as_ref(), server)?;
    let columns = columns(&transaction, oid).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    server.give_back(session);
    let bound = binding.columns();
    bound.iter().try_for_each(|column| check.column(column, columns.get(&column.name)))
}

async fn columns(
    transaction: &Transaction<'_>,
    oid: u32,
) -> Result<BTreeMap<String, Found>, tokio_postgres::Error> {
    let read = |row: Row| {
        let found = Found {
            kind: row.try_get(1)?,
            readable: row.try_get(2)?,
            deterministic: row.try_get(3)?,
        };
        Ok((row.try_get(0)?, found))
    };
    let rows = transaction.query(COLUMNS, &[&oid]).await?;
    rows.into_iter().map(read).collect()
}

struct Check<'a> {
    binding: &'a Binding,
    table: &'a Table,
    role: &'a str,
}

impl Check<'_> {
    fn table(&self, row: Option<&Row>, server: &Server) -> Result<u32, SourceError> {
        let name = format!("{}.{}", self.table.schema, self.table.name);
        let dataset = self.binding.dataset();
        let Some(row) = row else {
            return Err(SourceError::Table { dataset: dataset.clone(), table: name });
        };
        let read = |error| server.failed(&error);
        if !row.try_get::<_, bool>(1).map_err(read)? {
            return Err(self.forbidden(format!("use schema `{}`", self.table.schema)));
        }
        if row.try_get::<_, bool>(2).map_err(read)? {
            let role = self.role;
            tracing::warn!(%dataset, table = name, role, "the role could change the table: give it SELECT only");
        }
        row.try_get(0).map_err(read)
    }

    fn column(&self, column: &Column, found: Option<&Found>) -> Result<(), SourceError> {
        let (dataset, field) = (self.binding.dataset().clone(), column.field.clone());
        let name = column.name.clone();
        let Some(found) = found else {
            return Err(SourceError::Column { dataset, field, column: name, found: 0 });
        };
        if !found.readable {
            return Err(self.forbidden(format!("read column `{name}` (field `{field}`)")));
        }
        let wrong = |found: String| SourceError::ColumnType {
            dataset,
            field,
            column: name,
            expected: column.kind.as_str(),
            found,
        };
        if !holds(column.kind, &found.kind) {
            return Err(wrong(found.kind.clone()));
        }
        if !found.deterministic {
            return Err(wrong("of a collation in which different texts are equal".to_owned()));
        }
        Ok(())
    }

    fn forbidden(&self, what: String) -> SourceError {
        SourceError::Privilege {
            dataset: self.binding.dataset().clone(),
            role: self.role.to_owned(),
            what,
        }
    }
}

fn holds(kind: FieldType, found: &str) -> bool {
    match kind {
        FieldType::Integer => matches!(found, "int2" | "int4" | "int8"),
        FieldType::Date => found == "date",
        FieldType::Boolean => found == "bool",
        _ => matches!(found, "text" | "varchar" | "bpchar"),
    }
}

fn warn_of_plain_text(binding: &Binding, server: &Server) {
    let config = server.config();
    let host = config.host.as_str();
    let near = host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if !near && config.tls_roots.is_none() {
        tracing::warn!(dataset = %binding.dataset(), host, "no TLS to the database: set `tls_roots`");
    }
}
