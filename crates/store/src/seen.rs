//! The queries that were seen and have not expired, so that none is answered twice.
//!
//! The answer is given from memory. sled only spares a start the reading of recent decisions, and is
//! not trusted: it carries a watermark that stands for one state of the ledger and is removed while the
//! index is in use. At the slightest doubt the folder is deleted and made again.

use std::{
    collections::HashMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use convenant_model::{Digest, QueryId, Timestamp};

/// Seconds for which a query is remembered beyond its expiry, for clocks that differ.
const MARGIN_SECONDS: i64 = 300;
/// Admissions between two cleanings.
const CLEAN_EVERY: usize = 4096;

const QUERIES: &str = "queries";
const WATERMARK: &str = "watermark";

/// Whether a query was seen before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Admission {
    /// It was not; from now on it was.
    Fresh,
    /// It was.
    Replayed,
}

/// A state of the ledger that an index stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Watermark {
    /// Number of entries.
    pub size: u64,
    /// Merkle tree hash of those entries.
    pub root: Digest,
}

/// The queries seen.
#[derive(Debug)]
pub struct SeenQueries {
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    expiries: HashMap<QueryId, Timestamp>,
    since_clean: usize,
    index: Option<sled::Db>,
}

impl SeenQueries {
    /// Opens the index in a folder. Where it does not stand for the ledger as it is, deletes it and
    /// takes the queries from `rebuild`, which reads them from the ledger. Blocks.
    pub fn open<I>(folder: &Path, ledger: Watermark, rebuild: impl FnOnce() -> I) -> Self
    where
        I: IntoIterator<Item = (QueryId, Timestamp)>,
    {
        let (index, expiries) = match guarded(|| load(folder, ledger)).flatten() {
            Some((index, expiries)) => (Some(index), expiries),
            None => {
                let expiries: HashMap<_, _> = rebuild().into_iter().collect();
                tracing::info!(queries = expiries.len(), "index of queries made from the ledger");
                (guarded(|| fresh(folder, &expiries)).flatten(), expiries)
            }
        };
        Self { seen: Mutex::new(Seen { expiries, since_clean: 0, index }) }
    }

    /// Admits a query once. The caller refuses expired queries before.
    pub fn admit(&self, query: QueryId, expires: Timestamp, now: Timestamp) -> Admission {
        let mut seen = self.lock();
        if seen.expiries.contains_key(&query) {
            return Admission::Replayed;
        }
        seen.expiries.insert(query, expires);
        seen.write(|index| {
            let queries = index.open_tree(QUERIES)?;
            queries.insert(query.as_bytes(), &expires.millis().to_be_bytes()).map(drop)
        });
        seen.since_clean += 1;
        if seen.since_clean >= CLEAN_EVERY {
            seen.clean(now);
        }
        Admission::Fresh
    }

    /// Marks the index as standing for this state of the ledger: at an orderly end, when nothing is
    /// admitted any more. Blocks.
    pub fn settle(&self, ledger: Watermark) {
        let mut seen = self.lock();
        let watermark = watermark_bytes(ledger, seen.expiries.len());
        seen.write(|index| {
            index.open_tree(WATERMARK)?.insert(WATERMARK, watermark)?;
            index.flush().map(drop)
        });
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn clean(&mut self, now: Timestamp) {
        self.since_clean = 0;
        let limit = now.plus_seconds(-MARGIN_SECONDS);
        let expired: Vec<_> = self.expiries.extract_if(|_, expires| *expires < limit).collect();
        self.write(|index| {
            let queries = index.open_tree(QUERIES)?;
            expired.iter().try_for_each(|(query, _)| queries.remove(query.as_bytes()).map(drop))
        });
    }

    /// Writes to sled; after a fault goes on without it, and the next start makes it again.
    fn write(&mut self, action: impl FnOnce(&sled::Db) -> sled::Result<()>) {
        let Some(index) = self.index.take() else {
            return;
        };
        if guarded(|| action(&index)).is_some_and(|done| done.is_ok()) {
            self.index = Some(index);
        } else {
            tracing::warn!("the index of queries failed; it is made again at the next start");
        }
    }
}

/// sled panics on damaged files.
fn guarded<T>(action: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(action)).ok()
}

fn open(generation: &Path) -> sled::Result<sled::Db> {
    sled::Config::new().path(generation).cache_capacity(8 * 1024 * 1024).open()
}

/// The number of the latest index in the folder. Each index has a folder of its own, because sled's
/// threads outlive it for a moment and must not write into the one that replaces it.
fn latest(folder: &Path) -> Option<u64> {
    let names =
        fs::read_dir(folder).ok()?.filter_map(|item| item.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).max()
}

/// The index and what it holds, if it stands for the ledger as it is.
fn load(folder: &Path, ledger: Watermark) -> Option<(sled::Db, HashMap<QueryId, Timestamp>)> {
    let index = open(&folder.join(latest(folder)?.to_string())).ok()?;
    let queries = index.open_tree(QUERIES).ok()?;
    let mut expiries = HashMap::new();
    for item in &queries {
        let (key, value) = item.ok()?;
        let (query, expires) = parse(&key, &value)?;
        expiries.insert(query, expires);
    }
    let marks = index.open_tree(WATERMARK).ok()?;
    // The count is part of it because sled opens a file cut in half without a word.
    let expected = watermark_bytes(ledger, expiries.len());
    let found = marks.remove(WATERMARK).ok()??;
    index.flush().ok()?;
    (found == expected).then_some((index, expiries))
}

fn fresh(folder: &Path, expiries: &HashMap<QueryId, Timestamp>) -> Option<sled::Db> {
    let generation = latest(folder).map_or(0, |last| last.wrapping_add(1));
    if folder.exists() {
        fs::remove_dir_all(folder).ok()?;
    }
    let index = open(&folder.join(generation.to_string())).ok()?;
    let queries = index.open_tree(QUERIES).ok()?;
    for (query, expires) in expiries {
        queries.insert(query.as_bytes(), &expires.millis().to_be_bytes()).ok()?;
    }
    Some(index)
}

fn parse(key: &[u8], value: &[u8]) -> Option<(QueryId, Timestamp)> {
    // RFC 9562 §5.7: 48 bits of time, then ten bytes of which six bits are fixed.
    let (time, random) = key.split_first_chunk::<6>()?;
    let [a, b, c, d, e, f] = *time;
    let time = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let query = QueryId::from_parts(time, random.try_into().ok()?);
    if query.as_bytes() != key {
        return None;
    }
    let millis = i64::from_be_bytes(value.try_into().ok()?);
    Some((query, Timestamp::from_millis(millis).ok()?))
}

fn watermark_bytes(ledger: Watermark, queries: usize) -> Vec<u8> {
    let count = (queries as u64).to_be_bytes();
    [ledger.size.to_be_bytes().as_slice(), ledger.root.as_bytes(), &count].concat()
}
