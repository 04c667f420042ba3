//! Unusual use: the published rules and their thresholds, which `docs/audit.md` explains. A rule says that
//! people should look, never that the evidence does not hold.

use std::collections::{BTreeMap, VecDeque};

use convenant_model::{
    Digest, Oin, Timestamp,
    documents::PublishedPredicate,
    keys::VerifyingKey,
    query::{Query, QueryKind, Target},
};
use convenant_signing::{key_id, sha256};
use serde::Serialize;

use crate::{Code, Entries, Finding, LedgerName, place::Place, table::Table};

/// The thresholds of the rules on unusual use.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Thresholds {
    /// Working hours begin at this hour, in the Netherlands, Monday to Friday.
    pub from_hour: u8,
    /// And end at this hour.
    pub until_hour: u8,
    /// So many questions of one person that are nearly the same …
    pub alike: usize,
    /// … within so many minutes are repeated probing.
    pub alike_minutes: i64,
    /// So many questions of one person in a row that are refused as a whole.
    pub refused_in_a_row: u64,
}

/// The thresholds in force.
pub const THRESHOLDS: Thresholds =
    Thresholds { from_hour: 7, until_hour: 19, alike: 20, alike_minutes: 60, refused_in_a_row: 10 };

/// How many shapes of questions of one person are followed at a time.
const SHAPES: usize = 1000;

/// What one ledger tells of how its requesters ask.
#[derive(Default)]
pub(crate) struct Watch {
    seen: Table<(Oin, VerifyingKey), Seen>,
    /// The first question that no rule could follow, and how many there are.
    unwatched: Option<(u64, u64)>,
}

#[derive(Default)]
struct Seen {
    odd: Entries,
    probing: Entries,
    recent: BTreeMap<Digest, VecDeque<Timestamp>>,
    /// The entry with which the refusals under way began, and how many there are.
    run: Option<(u64, u64)>,
    /// The longest run.
    longest: Option<(u64, u64)>,
}

impl Watch {
    /// Takes a decision: `refused` where nothing of it was permitted.
    pub(crate) fn decision(&mut self, place: &Place, at: Timestamp, query: &Query, refused: bool) {
        let who = (query.requester.partner.clone(), query.requester.key.clone());
        let Some(seen) = self.seen.row(who) else { return self.leave_out(place.entry) };
        if is_odd(at) {
            seen.odd.note(&place.ledger, place.entry);
        }
        seen.refused(place.entry, refused);
        match seen.is_probing(shape(query), at) {
            Some(true) => seen.probing.note(&place.ledger, place.entry),
            Some(false) => {}
            None => self.leave_out(place.entry),
        }
    }

    fn leave_out(&mut self, entry: u64) {
        self.unwatched.get_or_insert((entry, 0)).1 += 1;
    }

    pub(crate) fn findings(&self, ledger: &LedgerName) -> Vec<Finding> {
        let of = |((partner, key), seen): (&(Oin, VerifyingKey), &Seen)| {
            let who = format!("partner={partner} key={}", key_id(key));
            let say = |code, entries: &Entries| {
                let first = entries.first.first()?.entry;
                let text = format!("queries={} {who}", entries.number);
                Some(Finding::new(code, ledger).entry(first).found(text))
            };
            let long = seen.longest.filter(|(_, times)| *times >= THRESHOLDS.refused_in_a_row);
            let in_a_row = long.map(|(first, times)| {
                let text = format!("in_a_row={times} {who}");
                Finding::new(Code::RefusedInARow, ledger).entry(first).found(text)
            });
            let found =
                [say(Code::OddHours, &seen.odd), say(Code::Probing, &seen.probing), in_a_row];
            found.into_iter().flatten()
        };
        let unwatched = self.unwatched.map(|(first, number)| {
            let text = format!("queries={number}");
            Finding::new(Code::Unwatched, ledger).entry(first).found(text)
        });
        self.seen.iter().flat_map(of).chain(unwatched).collect()
    }
}

impl Seen {
    /// Whether this is one of too many questions that are alike; `None` where there is no room to follow it.
    fn is_probing(&mut self, shape: Digest, at: Timestamp) -> Option<bool> {
        let recent = |times: &VecDeque<Timestamp>| {
            times.back().is_some_and(|last| is_within(*last, at, THRESHOLDS.alike_minutes))
        };
        if self.recent.len() >= SHAPES && !self.recent.contains_key(&shape) {
            self.recent.retain(|_, times| recent(times));
            if self.recent.len() >= SHAPES {
                return None;
            }
        }
        let times = self.recent.entry(shape).or_default();
        times.push_back(at);
        if times.len() > THRESHOLDS.alike {
            times.pop_front();
        }
        let first = times.front().filter(|_| times.len() == THRESHOLDS.alike);
        Some(first.is_some_and(|first| is_within(*first, at, THRESHOLDS.alike_minutes)))
    }

    fn refused(&mut self, entry: u64, refused: bool) {
        if !refused {
            self.run = None;
            return;
        }
        let (first, times) = self.run.unwrap_or((entry, 0));
        self.run = Some((first, times + 1));
        if self.longest.is_none_or(|(_, longest)| times + 1 > longest) {
            self.longest = self.run;
        }
    }
}

/// Whether an instant lies outside working hours.
fn is_odd(at: Timestamp) -> bool {
    at.date().is_weekend() || is_odd_hour(at.hour())
}

/// Whether an hour of the day lies outside working hours.
pub(crate) fn is_odd_hour(hour: u8) -> bool {
    !(THRESHOLDS.from_hour..THRESHOLDS.until_hour).contains(&hour)
}

fn is_within(first: Timestamp, last: Timestamp, minutes: i64) -> bool {
    last.seconds_since(first) < minutes * 60
}

/// The hash of what two questions have in common that are nearly the same: project, kind, and for each target whom,
/// which dataset, which fields, and which fields its condition tests. Subjects and values may differ.
fn shape(query: &Query) -> Digest {
    let mut shape = format!("{} {}", query.project, query.kind.as_str());
    for target in &query.targets {
        shape.push_str(&format!("|{} {}", target.partner, target.dataset));
        let tested = target.predicate.as_ref().map(|one| one.fields()).unwrap_or_default();
        for fields in [target.fields.iter().collect(), tested] {
            shape.push(':');
            fields.into_iter().for_each(|field| {
                shape.push_str(field.as_str());
                shape.push(',');
            });
        }
    }
    sha256(shape.as_bytes())
}

/// The range of hits that an approved proposal expects, and an answer's rows lie outside: too many, or too
/// few where nobody in particular was asked about.
pub(crate) fn outside(
    published: &[PublishedPredicate],
    kind: QueryKind,
    target: &Target,
    rows: u64,
) -> Option<(u64, u64)> {
    let condition = target.predicate.as_ref().filter(|_| kind != QueryKind::Count)?;
    let same =
        |one: &&PublishedPredicate| one.dataset == target.dataset && one.expression == *condition;
    let expected = published.iter().find(same)?.expected_hits;
    let too_few = target.subjects.is_none() && rows < expected.least;
    (too_few || rows > expected.most).then_some((expected.least, expected.most))
}
