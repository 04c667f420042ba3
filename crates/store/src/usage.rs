//! What each project used of its quota (clause S10). In memory; made again from the ledger's
//! decisions at start.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use convenant_model::{ProjectId, entry::Usage};

/// Usage by project.
#[derive(Debug, Default)]
pub struct UsageBook {
    projects: Mutex<HashMap<ProjectId, Arc<Mutex<Usage>>>>,
}

impl UsageBook {
    /// A book in which nothing was used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a project used.
    #[must_use]
    pub fn used(&self, project: &ProjectId) -> Usage {
        *lock(&self.page(project))
    }

    /// Adds one permitted query with so many subjects. For building the book from a ledger.
    pub fn add(&self, project: &ProjectId, subjects: u64) {
        let page = self.page(project);
        let mut used = lock(&page);
        *used = Usage {
            queries: used.queries.saturating_add(1),
            subjects: used.subjects.saturating_add(subjects),
        };
    }

    /// Decides on a query with what its project used so far, and adds what the decision permits:
    /// `decide` gives its result and, when permitted, the number of subjects. Decisions on one project
    /// follow each other, so that two queries cannot both take the last of a quota.
    pub fn decide<T>(
        &self,
        project: &ProjectId,
        decide: impl FnOnce(Usage) -> (T, Option<u64>),
    ) -> T {
        let page = self.page(project);
        let mut used = lock(&page);
        let (result, permitted) = decide(*used);
        if let Some(subjects) = permitted {
            used.queries = used.queries.saturating_add(1);
            used.subjects = used.subjects.saturating_add(subjects);
        }
        result
    }

    /// Takes back what [`Self::decide`] added for a query that was refused after all.
    pub fn give_back(&self, project: &ProjectId, subjects: u64) {
        let page = self.page(project);
        let mut used = lock(&page);
        *used = Usage {
            queries: used.queries.saturating_sub(1),
            subjects: used.subjects.saturating_sub(subjects),
        };
    }

    fn page(&self, project: &ProjectId) -> Arc<Mutex<Usage>> {
        let mut projects = lock(&self.projects);
        if let Some(page) = projects.get(project) {
            return Arc::clone(page);
        }
        Arc::clone(projects.entry(project.clone()).or_default())
    }
}

/// A panic elsewhere leaves whole values behind: each is replaced in one assignment at a time.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_quota_is_given_once() {
        let (book, project) = (UsageBook::new(), ProjectId::new("P-1").unwrap());
        book.add(&project, 3);
        let take = |used: Usage| {
            let permitted = used.queries < 10;
            (permitted, permitted.then_some(2))
        };
        let ask = || (0..100).filter(|_| book.decide(&project, take)).count();
        let permitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(permitted, 9);
        assert_eq!(book.used(&project), Usage { queries: 10, subjects: 21 });
        assert_eq!(book.used(&ProjectId::new("P-2").unwrap()), Usage::default());
    }
}
