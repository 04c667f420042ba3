//! Pages of transaction-log records, as FSC's `GET /logs` gives them (`fsc-logging`, `logging.yaml`).

use std::{collections::VecDeque, fmt, str::FromStr};

use convenant_model::QueryId;
use serde::Serialize;
use thiserror::Error;

use crate::fsc::TransactionRecord;

/// Most records of a page.
pub const MAX_PAGE: usize = 1000;

/// Which records are wanted. Of one list either value will do; of the parameters all must hold.
#[derive(Clone, Debug, Default)]
pub struct PageRequest {
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// Most records, up to [`MAX_PAGE`].
    pub limit: usize,
    /// The order.
    pub order: SortOrder,
    /// Only what was created later than this, in seconds since 1970.
    pub after: Option<i64>,
    /// Only what was created earlier.
    pub before: Option<i64>,
    /// Only these grants, where there are any.
    pub grant_hash: Vec<String>,
    /// Only these services, where there are any.
    pub service_name: Vec<String>,
    /// Only these transactions, where there are any.
    pub transaction_id: Vec<QueryId>,
}

/// The order of the records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SortOrder {
    /// The oldest first.
    #[default]
    Ascending,
    /// The newest first.
    Descending,
}

/// A record by its place: the index of the ledger's entry, and the number of the record among the entry's.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Cursor {
    /// Index of the entry.
    pub entry: u64,
    /// Number of the record.
    pub record: usize,
}

/// A text that is no cursor of ours.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{0}` is no cursor that a page ended with")]
pub struct NotACursor(String);

/// One page.
#[derive(Debug, Serialize)]
pub struct Page {
    /// The records.
    pub records: Vec<TransactionRecord>,
    /// How to go on.
    pub pagination: Pagination,
}

/// How to go on.
#[derive(Debug, Serialize)]
pub struct Pagination {
    /// The cursor for the next page; empty when there is none.
    pub next_cursor: String,
}

/// Picks a page out of a ledger's records, which are shown to it in the ledger's order.
#[derive(Debug)]
pub struct Picker {
    request: PageRequest,
    /// One more than fit on the page, so that it shows whether there is another.
    picked: VecDeque<(Cursor, TransactionRecord)>,
}

impl Picker {
    /// Begins a page.
    #[must_use]
    pub const fn new(request: PageRequest) -> Self {
        Self { request, picked: VecDeque::new() }
    }

    /// Whether more records would change nothing.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.request.order == SortOrder::Ascending && self.picked.len() > self.request.limit
    }

    /// Shows it the next record.
    pub fn show(&mut self, place: Cursor, record: TransactionRecord) {
        if self.is_done() || !self.request.wants(place, &record) {
            return;
        }
        self.picked.push_back((place, record));
        if self.request.order == SortOrder::Descending && self.picked.len() > self.request.limit + 1
        {
            self.picked.pop_front();
        }
    }

    /// The page.
    #[must_use]
    pub fn page(self) -> Page {
        let Self { request, picked } = self;
        let mut picked: Vec<_> = picked.into();
        if request.order == SortOrder::Descending {
            picked.reverse();
        }
        let more = picked.len() > request.limit;
        picked.truncate(request.limit);
        let last = picked.last().filter(|_| more);
        let next_cursor = last.map(|(place, _)| place.to_string()).unwrap_or_default();
        let records = picked.into_iter().map(|(_, record)| record).collect();
        Page { records, pagination: Pagination { next_cursor } }
    }
}

impl PageRequest {
    fn wants(&self, place: Cursor, record: &TransactionRecord) -> bool {
        let beyond = self.cursor.is_none_or(|cursor| match self.order {
            SortOrder::Ascending => place > cursor,
            SortOrder::Descending => place < cursor,
        });
        let service = record.service_name.to_string();
        beyond
            && self.after.is_none_or(|after| record.created_at > after)
            && self.before.is_none_or(|before| record.created_at < before)
            && one_of(&self.grant_hash, &record.grant_hash)
            && one_of(&self.service_name, &service)
            && one_of(&self.transaction_id, &record.transaction_id)
    }
}

fn one_of<T: PartialEq>(wanted: &[T], found: &T) -> bool {
    wanted.is_empty() || wanted.contains(found)
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.entry, self.record)
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let parsed = text.split_once('.').and_then(|(entry, record)| {
            Some(Self { entry: entry.parse().ok()?, record: record.parse().ok()? })
        });
        parsed.ok_or_else(|| NotACursor(text.to_owned()))
    }
}
