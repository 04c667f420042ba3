//! `convenant ledger transactions`: a page of transaction-log records, as FSC's `GET /logs` answers.

use clap::{Args, ValueEnum};
use convenant_exports::{Cursor, MAX_PAGE, PageRequest, Picker, SortOrder, transaction_records};
use convenant_ledger::EntryBytes;
use convenant_model::QueryId;

use super::{Folder, folder, open, unreadable};
use crate::{args::number, exit::bad_evidence, output};

pub(super) const EXAMPLES: &str = "\
Example:
  convenant ledger transactions --dir state/ledger --limit 100 --service-name gemeente/brp_persoon

Prints one JSON object, `records` and `pagination`, with the parameters and the answer of
`GET /logs` in FSC logging. `--after` and `--before` are seconds since 1970. A list, separated by
commas, gives the records to which any of its values applies; of several options all must apply.
Pass the `next_cursor` of one page with `--cursor` and the same options for the next; after the
last page it is empty. What the ledger holds is not verified here: `convenant ledger verify` does
that.";

#[derive(Args, Debug)]
pub(crate) struct TransactionsArgs {
    #[command(flatten)]
    ledger: Folder,
    /// Where the page before ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<Cursor>,
    /// Most records, 1 to 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = 25, value_parser = number::<usize>(1..=MAX_PAGE as u64))]
    limit: usize,
    /// Oldest or newest first.
    #[arg(long, value_name = "ORDER", default_value = "SORT_ORDER_ASCENDING")]
    sort_order: Order,
    /// Only what was created later.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    after: Option<i64>,
    /// Only what was created earlier.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    before: Option<i64>,
    /// Only these grants.
    #[arg(long, value_name = "HASH,…", value_delimiter = ',')]
    grant_hash: Vec<String>,
    /// Only these datasets.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    service_name: Vec<String>,
    /// Only these queries.
    #[arg(long, value_name = "UUID,…", value_delimiter = ',')]
    transaction_id: Vec<QueryId>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    /// The oldest first.
    #[value(name = "SORT_ORDER_ASCENDING")]
    Ascending,
    /// The newest first.
    #[value(name = "SORT_ORDER_DESCENDING")]
    Descending,
}

fn seconds(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "whole seconds since 1970 are expected, such as 1767225600")
}

pub(super) fn transactions(args: &TransactionsArgs) -> anyhow::Result<()> {
    folder::has_exchanges(&args.ledger.dir)?;
    let mut picker = Picker::new(args.request());
    for entry in open(&args.ledger.dir)?.entries().map_err(unreadable)? {
        let (index, bytes) = entry.map_err(unreadable)?;
        let named = |error: anyhow::Error| bad_evidence(error.context(format!("entry {index}")));
        let entry = EntryBytes::parse(&bytes).map_err(|error| named(error.into()))?;
        let records = transaction_records(&entry).map_err(|error| named(error.into()))?;
        for (number, record) in records.into_iter().enumerate() {
            picker.show(Cursor { entry: index, record: number }, record);
        }
        if picker.is_done() {
            break;
        }
    }
    output::line(&serde_json::to_string(&picker.page())?)
}

impl TransactionsArgs {
    fn request(&self) -> PageRequest {
        PageRequest {
            cursor: self.cursor,
            limit: self.limit,
            order: match self.sort_order {
                Order::Ascending => SortOrder::Ascending,
                Order::Descending => SortOrder::Descending,
            },
            after: self.after,
            before: self.before,
            grant_hash: self.grant_hash.clone(),
            service_name: self.service_name.clone(),
            transaction_id: self.transaction_id.clone(),
        }
    }
}
