//! The values that facts are tried with: what covenants and rules speak of, and what lies beside it.

use std::collections::BTreeSet;

use convenant_clauses::{
    Rules,
    sample::{Fact, Party},
};
use convenant_model::covenant::{CovenantText, Parameter};

/// What no covenant knows.
const UNKNOWN: &str = "onbekend";

/// Values, sorted.
#[derive(Default)]
pub(crate) struct Pool {
    numbers: BTreeSet<i64>,
    /// What a fact that is a text is tried with.
    texts: BTreeSet<String>,
    /// What a set is tried with. Sets are compared with texts, so what stands in no rule and no list is as
    /// good as what is unknown.
    members: BTreeSet<String>,
    /// The goals of the covenants.
    pub(crate) goals: BTreeSet<String>,
    /// The kinds of partners.
    pub(crate) kinds: BTreeSet<String>,
}

impl Pool {
    /// What these versions of a covenant speak of.
    pub(crate) fn of(versions: &[&Rules]) -> Self {
        let mut pool = Self::small(versions.iter().flat_map(|rules| {
            rules.ids().into_iter().map(|id| rules.constants(&id)).collect::<Vec<_>>()
        }));
        for rules in versions {
            let text = rules.covenant().text();
            pool.texts.extend(names(text));
            pool.goals.extend(text.goal.iter().map(|goal| goal.id.as_str().to_owned()));
            pool.kinds.extend(text.partner.iter().map(|one| one.kind.as_str().to_owned()));
            for parameter in text.clause.iter().flat_map(|clause| clause.params.values()) {
                pool.add(parameter);
            }
        }
        pool
    }

    /// What some rules speak of.
    fn small(constants: impl Iterator<Item = (BTreeSet<i64>, BTreeSet<String>)>) -> Self {
        let unknown = BTreeSet::from([UNKNOWN.to_owned()]);
        let (texts, members) = (unknown.clone(), unknown);
        let numbers = BTreeSet::from([0, 1, 1000]);
        let mut pool = Self { numbers, texts, members, ..Self::default() };
        for (numbers, words) in constants {
            pool.numbers.extend(numbers.iter().flat_map(beside));
            pool.members.extend(words.iter().cloned());
            pool.texts.extend(words);
        }
        pool
    }

    fn add(&mut self, parameter: &Parameter) {
        match parameter {
            Parameter::Number(number) => self.numbers.extend(beside(number)),
            Parameter::List(list) => {
                self.texts.extend(list.iter().cloned());
                self.members.extend(list.iter().cloned());
            }
        }
    }

    /// The values that a fact of the same kind as this can be tried with.
    pub(crate) fn values(&self, kind: &Fact) -> Vec<Fact> {
        let parties = [Party::Requester, Party::Provider];
        match kind {
            Fact::Truth(_) => vec![Fact::Truth(true), Fact::Truth(false)],
            Fact::Served(_) => vec![Fact::Served(true), Fact::Served(false)],
            Fact::Number(_) => self.numbers.iter().copied().map(Fact::Number).collect(),
            Fact::Text(_) => self.texts.iter().cloned().map(Fact::Text).collect(),
            Fact::Texts(_) => {
                let one = |text: &String| Fact::Texts(BTreeSet::from([text.clone()]));
                let none = Fact::Texts(BTreeSet::new());
                std::iter::once(none).chain(self.members.iter().map(one)).collect()
            }
            Fact::Party(_) => parties.map(Fact::Party).to_vec(),
            Fact::Parties(_) => {
                let one = parties.map(|party| Fact::Parties(BTreeSet::from([party])));
                let (none, all) = (BTreeSet::new(), BTreeSet::from(parties));
                one.into_iter().chain([Fact::Parties(none), Fact::Parties(all)]).collect()
            }
        }
    }
}

/// Rules that changed: facts that they read are tried two at a time.
#[derive(Default)]
pub(crate) struct Focus {
    /// The facts that one of them reads, for each.
    pub(crate) rules: Vec<BTreeSet<String>>,
    pub(crate) pool: Pool,
}

impl Focus {
    /// Rules of one or two versions, and the parameters that changed.
    pub(crate) fn on<'a>(
        rules: &[(&Rules, &BTreeSet<String>)],
        parameters: impl IntoIterator<Item = &'a Parameter>,
    ) -> Self {
        let all = || rules.iter().flat_map(|(rules, ids)| ids.iter().map(|id| (*rules, id)));
        let mut pool = Pool::small(all().map(|(rules, id)| rules.constants(id)));
        parameters.into_iter().for_each(|parameter| pool.add(parameter));
        Self { rules: all().map(|(rules, id)| rules.reads(id)).collect(), pool }
    }
}

fn beside(number: &i64) -> [i64; 3] {
    [number.saturating_sub(1), *number, number.saturating_add(1)]
}

fn names(text: &CovenantText) -> impl Iterator<Item = String> {
    let goals = text.goal.iter().map(|goal| goal.id.as_str());
    let themes = text.theme.iter().map(|theme| theme.id.as_str());
    let kinds = text.partner.iter().map(|partner| partner.kind.as_str());
    let areas = text.dataset.iter().flat_map(|dataset| &dataset.area);
    let areas: BTreeSet<_> = areas.map(|area| format!("{:?}", area.kind)).collect();
    let names = goals.chain(themes).chain(kinds).map(str::to_owned);
    names.chain(areas).collect::<Vec<_>>().into_iter()
}
