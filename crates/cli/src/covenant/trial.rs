//! Two versions of a covenant tried on made-up requests.

use std::collections::BTreeSet;

use convenant_clauses::{Rules, sample::Facts};
use serde::Serialize;

use super::{
    cases::{Case, cases},
    pool::Focus,
    wording,
};

/// The ids of the rules that refuse a request.
pub(crate) type Refusing = BTreeSet<String>;

/// The requests of which two versions make something else.
pub(crate) struct Comparison {
    /// How many requests were tried.
    pub(crate) tried: usize,
    /// Permitted by the one and refused by the other.
    changed: Vec<Changed>,
}

/// A request that one version permits and the other refuses.
pub(crate) struct Changed {
    pub(crate) case: Case,
    /// Whether it is the new version that permits it.
    pub(crate) widens: bool,
    /// The rules of the version that refuses it.
    pub(crate) refusing: Refusing,
}

/// An example as it is told.
#[derive(Clone, Serialize)]
pub(crate) struct Example {
    /// `toegestaan` or `geweigerd`: what the new version makes of it.
    now: &'static str,
    question: String,
    /// The rules of the version that refuses it.
    refused_by: Refusing,
}

impl Comparison {
    /// Tries both versions, with more requests about the rules in focus.
    pub(crate) fn of(old: &Rules, new: &Rules, focus: &Focus) -> anyhow::Result<Self> {
        let cases = cases(&Facts::new()?, &[old, new], focus);
        let tried = cases.len();
        let changed = cases.into_iter().filter_map(|case| {
            let (before, after) = (case.refusing.first()?, case.refusing.last()?);
            let widens = after.is_empty();
            let refusing = if widens { before } else { after }.clone();
            let differs = before.is_empty() != after.is_empty();
            differs.then_some(Changed { case, widens, refusing })
        });
        Ok(Self { tried, changed: changed.collect() })
    }

    /// The first example in each direction of what is chosen.
    pub(crate) fn examples(&self, choose: impl Fn(&Changed) -> bool) -> Vec<&Changed> {
        let first = |widens: bool| {
            let mut chosen = self.changed.iter().filter(|one| one.widens == widens && choose(one));
            chosen.next()
        };
        [first(true), first(false)].into_iter().flatten().collect()
    }

    /// How many requests are newly permitted, or newly refused.
    pub(crate) fn count(&self, widens: bool) -> usize {
        self.changed.iter().filter(|one| one.widens == widens).count()
    }
}

impl Changed {
    pub(crate) fn told(&self) -> Example {
        Example {
            now: if self.widens { "toegestaan" } else { "geweigerd" },
            question: wording::question(&self.case),
            refused_by: self.refusing.clone(),
        }
    }
}

impl Example {
    /// The example in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let (rules, question) = (wording::rules(&self.refused_by), &self.question);
        let version = if self.now == "toegestaan" { "oude" } else { "nieuwe" };
        format!("nieuw {}: {question}; de {version} versie weigert dit onder {rules}", self.now)
    }
}
