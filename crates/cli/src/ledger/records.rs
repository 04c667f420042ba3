//! `convenant ledger records`: entries as records that other Dutch systems read.

use clap::{Args, ValueEnum};
use convenant_exports::{Producer, decision_record, transaction_records};
use convenant_ledger::{EntryBytes, merkle::leaf_hash};
use convenant_model::entry::Entry;
use serde::Serialize;

use super::{Folder, each, folder, note};
use crate::{args::number, exit::bad_evidence, output};

pub(super) const EXAMPLES: &str = "\
Example:
  convenant ledger records --as adl --dir state/ledger > decisions.jsonl

One JSON object a line. `fsc`: transaction-log records of Federatieve Service Connectiviteit, one
for each target that was passed on and direction; what was refused was never a transaction.
`adl`: one record of the Authorization Decision Log for each decision, at level of detail 4, with
the ledger's entry as its source. Exported again, a record is the same to the byte. What the
ledger holds is not verified here: `convenant ledger verify` does that.";

#[derive(Args, Debug)]
pub(crate) struct RecordsArgs {
    #[command(flatten)]
    ledger: Folder,
    /// Form of the records.
    #[arg(long = "as", value_name = "FORM")]
    form: Form,
    /// Index of the first entry.
    #[arg(long, value_name = "INDEX", default_value_t = 0, value_parser = number::<u64>(0..=u64::MAX))]
    from: u64,
    /// Most entries.
    #[arg(long, value_name = "NUMBER", value_parser = number::<usize>(0..=u64::MAX))]
    limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// Transaction-log records (FSC).
    Fsc,
    /// Decision records (ADL).
    Adl,
}

pub(super) fn records(args: &RecordsArgs) -> anyhow::Result<()> {
    let dir = &args.ledger.dir;
    folder::has_exchanges(dir)?;
    let origin = note(dir)?.lines().next().unwrap_or_default().to_owned();
    let (mut read, mut told) = (0, 0);
    each(dir, args.from, args.limit, |index, bytes| {
        let records = args.form.records(&origin, index, &bytes);
        let named = |error: anyhow::Error| bad_evidence(error.context(format!("entry {index}")));
        let records = records.map_err(named)?;
        read += 1;
        told += records.len();
        records.iter().try_for_each(|record| output::line(record))
    })?;
    if read > 0 && told == 0 {
        let entries = output::number(read, "entry that was read", "entries that were read");
        output::note(&format!("no record of the {entries}: {}", args.form.has_none_of()));
        if args.limit.is_some() {
            output::note("`--limit` counts entries, not records");
        }
    }
    Ok(())
}

impl Form {
    /// The records of one entry, each in one line.
    fn records(self, origin: &str, index: u64, bytes: &[u8]) -> anyhow::Result<Vec<String>> {
        match (self, EntryBytes::parse(bytes)?) {
            (Self::Fsc, entry) => transaction_records(&entry)?.iter().map(json).collect(),
            (Self::Adl, Entry::Decision(decision)) => {
                let (party, ledger) = (decision.party.clone(), origin.to_owned());
                let producer = Producer { party, ledger, entry: index, leaf: leaf_hash(bytes) };
                Ok(vec![json(&decision_record(&decision, producer)?)?])
            }
            (Self::Adl, _) => Ok(Vec::new()),
        }
    }

    const fn has_none_of(self) -> &'static str {
        match self {
            Self::Fsc => "FSC has them of what was passed on or asked for, and of nothing refused",
            Self::Adl => "ADL has them of decisions, of which a ledger of receipts holds none",
        }
    }
}

fn json(record: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string(record)?)
}
