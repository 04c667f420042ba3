//! Made-up requests to try a covenant's rules on: a bounded list, the same for the same covenants. Each
//! begins as one that is permitted and differs from that in little, so that a rule that refuses it
//! does so for a reason that can be told.

use std::collections::{BTreeMap, BTreeSet};

use convenant_clauses::{
    Rules,
    sample::{Fact, Facts, Sample},
};
use convenant_model::{
    DatasetId,
    covenant::{Dataset, Field},
};

use super::{
    pool::{Focus, Pool},
    shape,
};

const KINDS: [&str; 3] = ["lookup", "select", "count"];
/// Most facts that are set to make a first request permitted.
const REPAIRS: usize = 12;

/// A made-up request, and what the rules make of it.
pub(crate) struct Case {
    pub(crate) sample: Sample,
    /// The facts of it that are out of the ordinary.
    pub(crate) odd: Vec<String>,
    /// For each version, the rules that refuse it.
    pub(crate) refusing: Vec<BTreeSet<String>>,
}

/// Makes requests for one version of a covenant, or for two that are compared.
pub(crate) struct Maker<'a> {
    versions: Vec<&'a Rules>,
    facts: &'a Facts,
    pool: Pool,
    made: Vec<Case>,
    seen: BTreeSet<Sample>,
}

/// The requests to try.
pub(crate) fn cases(facts: &Facts, versions: &[&Rules], focus: &Focus) -> Vec<Case> {
    let (versions, pool) = (versions.to_vec(), Pool::of(versions));
    let mut maker = Maker { versions, facts, pool, made: Vec::new(), seen: BTreeSet::new() };
    for kind in KINDS {
        maker.of_kind(kind, focus);
    }
    maker.made
}

impl Maker<'_> {
    fn of_kind(&mut self, kind: &'static str, focus: &Focus) {
        let mut best: Option<(usize, Sample)> = None;
        for rules in self.versions.clone() {
            for dataset in &rules.covenant().text().dataset {
                let Some((refusals, base)) = self.of_dataset(kind, rules, dataset) else {
                    continue;
                };
                if best.as_ref().is_none_or(|(least, _)| refusals < *least) {
                    best = Some((refusals, base));
                }
            }
        }
        if let Some((_, base)) = best {
            self.oddities(&base);
            focus.rules.iter().for_each(|read| self.pairs(&base, read, &focus.pool));
        }
    }

    /// The requests about one dataset; gives the first, and how many rules refuse it.
    fn of_dataset(
        &mut self,
        kind: &'static str,
        rules: &Rules,
        dataset: &Dataset,
    ) -> Option<(usize, Sample)> {
        let mut first = None;
        for (theme, field) in shape::themes(dataset, rules.covenant()) {
            let base = shape::Base { kind, dataset, theme, covenant: rules.covenant() };
            let base = self.known(base.with_output(field));
            // As it is, and as it must be to be permitted: what is set in between was refused.
            self.add(base.clone(), &[]);
            let (refusals, base) = self.repaired(rules, base);
            self.add(base.clone(), &[]);
            dataset.field.iter().for_each(|field| self.about(&base, dataset, field));
            if first.is_none() {
                self.asked_by_others(&base);
            }
            first.get_or_insert((refusals, base));
            if refusals > 0 {
                // Other themes would be refused as well.
                break;
            }
        }
        first
    }

    fn asked_by_others(&mut self, base: &Sample) {
        for kind in self.pool.kinds.clone() {
            let sample = self.known(with(base, "requesterKind", Fact::Text(kind)));
            self.add(sample, &[]);
        }
    }

    fn about(&mut self, base: &Sample, dataset: &Dataset, field: &Field) {
        for sample in shape::about(base, dataset, field) {
            let sample = self.known(sample);
            self.add(sample, &[]);
        }
    }

    /// Requests that differ from a permitted one in one fact, or in a truth that is permitted too and one
    /// number.
    fn oddities(&mut self, base: &Sample) {
        for (path, fact) in self.choices(base, &self.pool) {
            self.add(with(base, &path, fact), &[&path]);
        }
        for goal in self.pool.goals.clone() {
            let goals = Fact::Texts(BTreeSet::from([goal.clone()]));
            let sample = with(base, "query.goal", Fact::Text(goal));
            let sample = self.known(with(&sample, "project.goals", goals));
            self.add(sample, &[]);
        }
        for (truth, fact) in self.choices(base, &self.pool) {
            let other = with(base, &truth, fact.clone());
            if !matches!(fact, Fact::Truth(_)) || !self.is_permitted(&other) {
                continue;
            }
            for (path, fact) in self.choices(&other, &self.pool) {
                if matches!(fact, Fact::Number(_)) {
                    self.add(with(&other, &path, fact), &[&truth, &path]);
                }
            }
        }
    }

    /// Requests that differ from a permitted one in two facts that a rule reads.
    fn pairs(&mut self, base: &Sample, read: &BTreeSet<String>, pool: &Pool) {
        let mut choices = self.choices(base, pool);
        choices.retain(|(path, _)| read.contains(path));
        for (one, fact) in &choices {
            let first = with(base, one, fact.clone());
            for (other, fact) in choices.iter().filter(|(other, _)| one < other) {
                self.add(with(&first, other, fact.clone()), &[one, other]);
            }
        }
    }

    /// Every fact with every value of the pool that it does not have.
    fn choices(&self, base: &Sample, pool: &Pool) -> Vec<(String, Fact)> {
        let facts = self.facts.blank.iter();
        let values = facts.flat_map(|(path, blank)| {
            let own = base.facts.get(path).unwrap_or(blank);
            let others = pool.values(blank).into_iter().filter(|value| value != own);
            others.map(|value| (path.clone(), value)).collect::<Vec<_>>()
        });
        values.collect()
    }

    /// Sets facts that refusing rules read, one by one, as long as fewer rules refuse for it.
    fn repaired(&self, rules: &Rules, mut sample: Sample) -> (usize, Sample) {
        for _ in 0..REPAIRS {
            let Some(refusing) = rules.try_on(self.facts, &sample) else { break };
            if refusing.is_empty() {
                break;
            }
            let better = self.choices_of(rules, &refusing, &sample).find(|other| {
                let left = rules.try_on(self.facts, other);
                left.is_some_and(|left| left.len() < refusing.len())
            });
            let Some(better) = better else { return (refusing.len(), sample) };
            sample = better;
        }
        let refusing = rules.try_on(self.facts, &sample);
        (refusing.map_or(usize::MAX, |refusing| refusing.len()), sample)
    }

    fn choices_of<'a>(
        &'a self,
        rules: &Rules,
        refusing: &BTreeSet<String>,
        sample: &'a Sample,
    ) -> impl Iterator<Item = Sample> + use<'a> {
        let read: BTreeSet<_> = refusing.iter().flat_map(|rule| rules.reads(rule)).collect();
        let choices = self.choices(sample, &self.pool).into_iter();
        let choices = choices.filter(move |(path, _)| read.contains(path));
        choices.map(|(path, fact)| with(sample, &path, fact))
    }

    fn is_permitted(&self, sample: &Sample) -> bool {
        let answers = self.versions.iter().map(|rules| rules.try_on(self.facts, sample));
        answers.flatten().any(|refusing| refusing.is_empty())
    }

    /// Without facts that the rules do not know.
    fn known(&self, mut sample: Sample) -> Sample {
        sample.facts.retain(|path, _| self.facts.blank.contains_key(path));
        sample
    }

    fn add(&mut self, sample: Sample, odd: &[&str]) {
        if !self.seen.insert(sample.clone()) {
            return;
        }
        let refusing = self.versions.iter().map(|rules| rules.try_on(self.facts, &sample));
        // A request that cannot be is no example of anything.
        if let Some(refusing) = refusing.collect() {
            let odd = odd.iter().map(|path| (*path).to_owned()).collect();
            self.made.push(Case { sample, odd, refusing });
        }
    }
}

/// The same request with another fact.
pub(crate) fn with(sample: &Sample, path: &str, fact: Fact) -> Sample {
    let mut facts: BTreeMap<_, _> = sample.facts.clone();
    facts.insert(path.to_owned(), fact);
    Sample { kind: sample.kind, dataset: DatasetId::clone(&sample.dataset), facts }
}
