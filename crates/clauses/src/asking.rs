//! Rules are asked only where what they look at is new. Most say the same again and again: what a project is allowed
//! does not change from one question to the next, and an audit decides as often as all parties did together.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use cedar_policy::{
    Authorizer, Decision, Entities, PolicyId, PolicySet, PolicySetError, Request, Response,
};

use crate::{
    compile::PERMIT_ID,
    context::{FACTS, Fact, Value},
    facts::Facts,
    reads::Reads,
};

/// How much memory is given to what rules said, about; then all of it is forgotten.
const KEPT_BYTES: usize = 16 << 20;
/// What one answer takes besides the facts that it is about, where rules refuse.
const EACH: usize = 400;

/// The rules of a covenant, by what they look at.
pub(crate) struct Asking {
    groups: Vec<Group>,
    kept: Mutex<Kept>,
}

/// Rules that look at the same facts.
struct Group {
    /// Their places among [`FACTS`].
    facts: Vec<usize>,
    rules: PolicySet,
}

/// What each group of rules said of the values that it looks at.
#[derive(Default)]
struct Kept {
    said: BTreeMap<usize, HashMap<Box<[u8]>, Said>>,
    bytes: usize,
}

/// What rules say of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Whether our own policy permits and no rule refuses.
    pub(crate) permits: bool,
    /// The rules that refuse.
    pub(crate) refusing: BTreeSet<PolicyId>,
    /// Whether one could not be evaluated. Cedar skips such a rule, and a `forbid` that is skipped would allow.
    pub(crate) errs: bool,
}

impl Asking {
    pub(crate) fn new(policies: &PolicySet) -> Result<Self, Box<PolicySetError>> {
        let mut groups = BTreeMap::<_, PolicySet>::new();
        for policy in policies.policies() {
            let reads = Reads::of(policy);
            let read =
                |(at, (member, inner, _)): (usize, &Fact)| reads.fact(member, *inner).then_some(at);
            let facts: Vec<_> = FACTS.iter().enumerate().filter_map(read).collect();
            groups.entry(facts).or_default().add(policy.clone())?;
        }
        let groups = groups.into_iter().map(|(facts, rules)| Group { facts, rules });
        Ok(Self { groups: groups.collect(), kept: Mutex::default() })
    }

    /// What the rules say of facts. `asked` tells by whom, of which dataset and what for, which any rule may look at;
    /// `request` makes a request with no more in its context than the facts that it is told of. `None` where there is
    /// no such request.
    pub(crate) fn ask(
        &self,
        (authorizer, entities): (&Authorizer, &Entities),
        (asked, facts): (&[u8], &Facts<'_>),
        request: impl FnOnce(&dyn Fn(usize) -> bool) -> Option<Request>,
    ) -> Option<Said> {
        let values = Values::of(facts);
        let (mut said, mut new) = (Said::default(), Vec::new());
        let mut key = Vec::new();
        let kept = self.kept();
        for (number, group) in self.groups.iter().enumerate() {
            key.clear();
            key.extend(asked);
            group.facts.iter().for_each(|fact| key.extend(values.of_fact(*fact)));
            match kept.said.get(&number).and_then(|kept| kept.get(key.as_slice())) {
                Some(known) => said.add(known),
                None => new.push((number, group, key.clone().into_boxed_slice())),
            }
        }
        drop(kept);
        if !new.is_empty() {
            let read = |fact| new.iter().any(|(_, group, _)| group.facts.contains(&fact));
            let request = request(&read)?;
            for (number, group, key) in new {
                let answer = authorizer.is_authorized(&request, &group.rules, entities);
                let answer = Said::of(&answer);
                said.add(&answer);
                self.kept().keep(number, key, answer);
            }
        }
        said.permits &= said.refusing.is_empty();
        Some(said)
    }

    /// A panic elsewhere leaves whole values behind.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The values of all facts, one after the other.
struct Values {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Values {
    fn of(facts: &Facts<'_>) -> Self {
        let (mut bytes, mut ends) = (Vec::with_capacity(2048), vec![0]);
        for (_, _, value) in &FACTS {
            Value::write(&value(facts), &mut bytes);
            ends.push(bytes.len());
        }
        Self { bytes, ends }
    }

    fn of_fact(&self, fact: usize) -> &[u8] {
        let ends = self.ends.get(fact).zip(self.ends.get(fact + 1));
        ends.and_then(|(from, to)| self.bytes.get(*from..*to)).unwrap_or_default()
    }
}

impl Kept {
    fn keep(&mut self, group: usize, key: Box<[u8]>, said: Said) {
        let bytes = key.len() + EACH;
        if self.bytes + bytes > KEPT_BYTES {
            *self = Self::default();
        }
        self.bytes += bytes;
        self.said.entry(group).or_default().insert(key, said);
    }
}

impl Said {
    /// Where a rule refuses, the reasons are those that do; else our `permit` is the only one.
    fn of(response: &Response) -> Self {
        let diagnostics = response.diagnostics();
        let refusing = diagnostics.reason().filter(|id| AsRef::<str>::as_ref(*id) != PERMIT_ID);
        Self {
            permits: response.decision() == Decision::Allow,
            refusing: refusing.cloned().collect(),
            errs: diagnostics.errors().next().is_some(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.permits |= other.permits;
        self.refusing.extend(other.refusing.iter().cloned());
        self.errs |= other.errs;
    }
}
