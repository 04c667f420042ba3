//! What each project used of its quota (clause S10), and which of its answers may still be kept (clause L6). In
//! memory; made again from the ledger at start.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use convenant_model::{
    Oin, ProjectId, Timestamp,
    entry::{Status, Usage},
    kept::KeptAnswers,
    query::Query,
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

    /// Adds one permitted query with so many subjects. For building the book from a ledger.
    pub fn add(&self, project: &ProjectId, subjects: u64) {
        lock(&self.page(project)).count(subjects);
    }

    /// Notes how one target of a permitted query ended.
    pub fn note(&self, query: &Query, provider: &Oin, status: &Status, at: Timestamp) {
        lock(&self.page(&query.project)).kept.note(query, provider, status, at);
    }

    /// Decides on a query with what its project used so far and what of it is overdue by the register, and
    /// adds what the decision permits: `decide` gives its result and, when permitted, the number of subjects.
    /// Decisions on one project follow each other, so that two queries cannot both take the last of a
    /// quota.
    pub fn decide<T>(
        &self,
        (id, project): (&ProjectId, &Project),
        at: Timestamp,
        decide: impl FnOnce(Usage) -> (T, Option<u64>),
    ) -> T {
        let page = self.page(id);
        let mut page = lock(&page);
        let overdue = page.kept.overdue(project, at);
        let (result, permitted) = decide(Usage { overdue, ..page.used });
        if let Some(subjects) = permitted {
            page.count(subjects);
        }
        result
    }

    /// Takes back what [`Self::decide`] added for a query that was refused after all.
    pub fn give_back(&self, project: &ProjectId, subjects: u64) {
        let page = self.page(project);
        let mut page = lock(&page);
        let used = page.used;
        page.used = Usage {
            queries: used.queries.saturating_sub(1),
            subjects: used.subjects.saturating_sub(subjects),
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
    fn count(&mut self, subjects: u64) {
        self.used.queries = self.used.queries.saturating_add(1);
        self.used.subjects = self.used.subjects.saturating_add(subjects);
    }
}

/// A panic elsewhere leaves whole values behind.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_quota_is_given_once() {
        let (book, id) = (UsageBook::new(), ProjectId::new("P-1").unwrap());
        let (project, at) = (Project::default(), Timestamp::from_millis(0).unwrap());
        book.add(&id, 3);
        let take = |used: Usage| {
            let permitted = used.queries < 10;
            (permitted, permitted.then_some(2))
        };
        let decide = || book.decide((&id, &project), at, take);
        let ask = || (0..100).filter(|_| decide()).count();
        let permitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(permitted, 9);
        assert_eq!(book.used(&id), Usage { queries: 10, subjects: 21, overdue: 0 });
        assert_eq!(book.used(&ProjectId::new("P-2").unwrap()), Usage::default());
    }
}
