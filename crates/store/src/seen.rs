//! The queries that were seen and have not expired, so that none is answered twice.
//!
//! The answer is given from memory. sled only spares a start the reading of recent decisions, and is
//! not trusted: it carries a watermark that stands for one state of the ledger and for what is in the index, and
//! that is removed while the index is in use. At the slightest doubt the folder is deleted and made again.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use convenant_model::{Digest, QueryId, Timestamp};
use convenant_signing::sha256;

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

/// Why an index is not used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Doubt {
    /// As at a first start.
    Absent,
    /// As a crash leaves it; a file that was cut short looks like that too.
    Unsettled,
    /// As after a backup was put back.
    OtherState,
    /// sled cannot read it, or it holds something else than it was left with.
    Damaged,
}

impl SeenQueries {
    /// Opens the index in a folder. Where it does not stand for the ledger as it is, deletes it and
    /// takes the queries from `rebuild`, which reads them from the ledger. Blocks.
    pub fn open<I>(folder: &Path, ledger: Watermark, rebuild: impl FnOnce() -> I) -> Self
    where
        I: IntoIterator<Item = (QueryId, Timestamp)>,
    {
        let loaded = guarded(|| load(folder, ledger)).unwrap_or(Err(Doubt::Damaged));
        let (index, expiries) = match loaded {
            Ok((index, expiries)) => (Some(index), expiries),
            Err(doubt) => {
                let expiries: HashMap<_, _> = rebuild().into_iter().collect();
                let queries = expiries.len();
                if doubt == Doubt::Damaged {
                    tracing::warn!(queries, why = %doubt, "index of queries made from the ledger");
                } else {
                    tracing::info!(queries, why = %doubt, "index of queries made from the ledger");
                }
                (anew(folder, &expiries), expiries)
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
        let watermark = watermark_bytes(ledger, &seen.expiries);
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
fn latest(folder: &Path) -> io::Result<Option<u64>> {
    let names = fs::read_dir(folder)?.filter_map(|item| item.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).max())
}

/// The index and what it holds, if it stands for the ledger as it is.
fn load(
    folder: &Path,
    ledger: Watermark,
) -> Result<(sled::Db, HashMap<QueryId, Timestamp>), Doubt> {
    let latest = match latest(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Doubt::Absent),
        Err(_) => Err(Doubt::Damaged),
        Ok(latest) => latest.ok_or(Doubt::Absent),
    }?;
    let index = open(&folder.join(latest.to_string()))?;
    let mut expiries = HashMap::new();
    for item in &index.open_tree(QUERIES)? {
        let (key, value) = item?;
        let (query, expires) = parse(&key, &value).ok_or(Doubt::Damaged)?;
        expiries.insert(query, expires);
    }
    let marked = index.open_tree(WATERMARK)?.remove(WATERMARK)?.ok_or(Doubt::Unsettled)?;
    index.flush()?;
    // What it holds is part of it because sled opens a file cut in half without a word.
    if marked == watermark_bytes(ledger, &expiries) {
        return Ok((index, expiries));
    }
    let same = marked.get(..STATE_BYTES) == Some(state_bytes(ledger).as_slice());
    Err(if same { Doubt::Damaged } else { Doubt::OtherState })
}

/// An index of these queries in place of whatever is there; `None` where none can be made.
fn anew(folder: &Path, expiries: &HashMap<QueryId, Timestamp>) -> Option<sled::Db> {
    let made = guarded(|| fresh(folder, expiries));
    let made = made.unwrap_or_else(|| Err(io::Error::other("sled panicked")));
    made.inspect_err(|error| {
        let folder = folder.display();
        tracing::warn!(%error, %folder, "no index of queries can be made: each start reads the ledger");
    })
    .ok()
}

fn fresh(folder: &Path, expiries: &HashMap<QueryId, Timestamp>) -> io::Result<sled::Db> {
    let generation = latest(folder).ok().flatten().map_or(0, |last| last.wrapping_add(1));
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(folder)?,
        Ok(_) => fs::remove_file(folder)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let index = open(&folder.join(generation.to_string()))?;
    let queries = index.open_tree(QUERIES)?;
    for (query, expires) in expiries {
        queries.insert(query.as_bytes(), &expires.millis().to_be_bytes())?;
    }
    Ok(index)
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

/// Bytes of a watermark that stand for the ledger.
const STATE_BYTES: usize = 8 + 32;

fn state_bytes(ledger: Watermark) -> Vec<u8> {
    [ledger.size.to_be_bytes().as_slice(), ledger.root.as_bytes()].concat()
}

/// The state of the ledger, and the hash over what the index holds.
fn watermark_bytes(ledger: Watermark, expiries: &HashMap<QueryId, Timestamp>) -> Vec<u8> {
    let sorted: BTreeMap<_, _> = expiries.iter().collect();
    let each = sorted.iter().flat_map(|(query, expires)| {
        [query.as_bytes().as_slice(), &expires.millis().to_be_bytes()].concat()
    });
    let held: Vec<_> = each.collect();
    [state_bytes(ledger).as_slice(), sha256(&held).as_bytes()].concat()
}

impl From<sled::Error> for Doubt {
    fn from(_: sled::Error) -> Self {
        Self::Damaged
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "there was none",
            Self::Unsettled => "it was in use when its daemon ended, or is cut short",
            Self::OtherState => "it stands for another state of the ledger",
            Self::Damaged => "it is damaged",
        })
    }
}
