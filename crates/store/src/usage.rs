//! What each project used of its quota (clause S10), and which of its answers may still be kept (clause L6). In
//! memory; made again from the ledger at start.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use convenant_model::{
    Date, Oin, ProjectId, Timestamp,
    counted::CountedCells,
    entry::{Status, Usage},
    kept::KeptAnswers,
    query::{Query, QueryKind},
    register::Project,
};

/// Usage by project.
#[derive(Debug, Default)]
pub struct UsageBook {
    projects: Mutex<HashMap<ProjectId, Arc<Mutex<Page>>>>,
}

#[derive(Debug, Default)]
struct Page {
    used: Usage,
    kept: KeptAnswers,
    counted: CountedCells,
}

/// What a party counted of a project before a query.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Use of the quota, and what is overdue.
    pub used: Usage,
    /// For each target of a count, when the same was counted last; empty where none was.
    pub counted: Vec<Option<Date>>,
}

impl UsageBook {
    /// A book in which nothing was used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a project used; of what is overdue it says nothing.
    #[must_use]
    pub fn used(&self, project: &ProjectId) -> Usage {
        lock(&self.page(project)).used
    }

    /// Adds the permitted targets of one query, by their index. For building the book from a ledger.
    pub fn add(&self, query: &Query, permitted: &[u32], day: Date) {
        lock(&self.page(&query.project)).add(query, permitted, day);
    }

    /// Notes how one target of a permitted query ended.
    pub fn note(&self, query: &Query, provider: &Oin, status: &Status, at: Timestamp) {
        lock(&self.page(&query.project)).kept.note(query, provider, status, at);
    }

    /// Decides on a query with what its project used so far and what of it is overdue by the register, and
    /// adds what the decision permits: `decide` gives its result and the targets that it permits.
    /// Decisions on one project follow each other, so that two queries cannot both take the last of a
    /// quota, nor both count the same.
    pub fn decide<T>(
        &self,
        query: &Query,
        project: &Project,
        at: Timestamp,
        decide: impl FnOnce(&Before) -> (T, Vec<u32>),
    ) -> T {
        let page = self.page(&query.project);
        let mut page = lock(&page);
        let overdue = page.kept.overdue(project, at);
        let before =
            Before { used: Usage { overdue, ..page.used }, counted: page.counted_before(query) };
        let (result, permitted) = decide(&before);
        page.add(query, &permitted, at.date());
        result
    }

    /// Takes back the subjects and the number that [`Self::decide`] added for a target that was refused after
    /// all. That the same was counted today stays: it is the safe side.
    pub fn give_back(&self, query: &Query, target: u32) {
        let page = self.page(&query.project);
        let mut page = lock(&page);
        let (subjects, cells) = used_by(query, &[target]);
        let used = page.used;
        page.used = Usage {
            queries: used.queries.saturating_sub(1),
            subjects: used.subjects.saturating_sub(subjects),
            cells: used.cells.saturating_sub(cells),
            ..used
        };
    }

    fn page(&self, project: &ProjectId) -> Arc<Mutex<Page>> {
        let mut projects = lock(&self.projects);
        if let Some(page) = projects.get(project) {
            return Arc::clone(page);
        }
        Arc::clone(projects.entry(project.clone()).or_default())
    }
}

impl Page {
    fn add(&mut self, query: &Query, permitted: &[u32], day: Date) {
        if permitted.is_empty() {
            return;
        }
        let (subjects, cells) = used_by(query, permitted);
        self.used.queries = self.used.queries.saturating_add(1);
        self.used.subjects = self.used.subjects.saturating_add(subjects);
        self.used.cells = self.used.cells.saturating_add(cells);
        if query.kind == QueryKind::Count {
            for target in permitted.iter().filter_map(|one| query.targets.get(*one as usize)) {
                self.counted.note(target, day);
            }
        }
    }

    fn counted_before(&self, query: &Query) -> Vec<Option<Date>> {
        if query.kind != QueryKind::Count {
            return Vec::new();
        }
        let last: Vec<_> = query.targets.iter().map(|target| self.counted.last(target)).collect();
        if last.iter().any(Option::is_some) { last } else { Vec::new() }
    }
}

/// Subjects and numbers of some targets of a query.
fn used_by(query: &Query, targets: &[u32]) -> (u64, u64) {
    let targets = targets.iter().filter_map(|one| query.targets.get(*one as usize));
    let subjects = targets
        .clone()
        .map(|target| target.subjects.as_ref().map_or(0, |shape| u64::from(shape.count)));
    let numbers = if query.kind == QueryKind::Count { targets.count() as u64 } else { 0 };
    (subjects.fold(0, u64::saturating_add), numbers)
}

/// A panic elsewhere leaves whole values behind.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(kind: &str) -> Query {
        let text = format!(
            r#"{{"document":"query","id":"01890a5d-ac96-7b2a-9d1f-3c4e5f6a7b8c",
            "register":{{"size":1,"root":"{zero}"}},"project":"P-1","proposal":"{zero}",
            "goal":"g","theme":"t","kind":"{kind}","targets":[{{"partner":"00000099000000002000",
            "dataset":"uwv/x","fields":[],"subjects":{{"key":"k","count":2,"sealed":"{zero}"}}}}],
            "retention_days":1,"justification":"j","created":"2026-05-01T12:00:00.000Z",
            "expires":"2026-05-01T12:05:00.000Z","requester":{{"partner":"00000099000000000599",
            "key":{{"kty":"OKP","crv":"Ed25519","x":"{key}"}},
            "sealing_key":{{"kty":"OKP","crv":"X25519","x":"{key}"}}}}}}"#,
            zero = "0".repeat(64),
            key = "A".repeat(43),
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_last_of_a_quota_is_given_once() {
        let (book, query) = (UsageBook::new(), query("count"));
        let (project, today) = (Project::default(), Date::new(2026, 3, 2).unwrap());
        book.add(&query, &[0], today);
        let take = |before: &Before| {
            assert_eq!(before.counted, [Some(today)]);
            let permitted = before.used.queries < 10;
            (permitted, if permitted { vec![0] } else { Vec::new() })
        };
        let decide = || book.decide(&query, &project, today.start(), take);
        let ask = || (0..100).filter(|_| decide()).count();
        let permitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(permitted, 9);
        let all = Usage { queries: 10, subjects: 20, cells: 10, overdue: 0 };
        assert_eq!(book.used(&query.project), all);
        assert_eq!(book.used(&ProjectId::new("P-2").unwrap()), Usage::default());
        book.give_back(&query, 0);
        let less = Usage { queries: 9, subjects: 18, cells: 9, overdue: 0 };
        assert_eq!(book.used(&query.project), less);
    }

    #[test]
    fn only_numbers_are_cells() {
        let (book, query) = (UsageBook::new(), query("lookup"));
        let today = Date::new(2026, 3, 2).unwrap();
        book.add(&query, &[0], today);
        let project = Project::default();
        book.decide(&query, &project, today.start(), |before| {
            assert_eq!((before.used.cells, before.counted.len()), (0, 0));
            ((), Vec::new())
        });
    }
}
