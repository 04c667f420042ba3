//! `convenant covenant diff`: two versions of a covenant side by side, in Dutch.

use std::{collections::BTreeMap, process::ExitCode};

use serde::Serialize;

use super::{Checked, trial::Comparison};
use crate::{
    exit::{Exit, usage},
    output,
};

mod clauses;
mod datasets;
mod difference;
mod head;
mod rules;

use difference::{Difference, Effect};

pub(super) fn run(old: &Checked, new: &Checked, json: bool) -> anyhow::Result<ExitCode> {
    let (before, after) = (old.covenant.head(), new.covenant.head());
    if before.id != after.id {
        return Err(usage(format!(
            "`{}` and `{}` are different covenants; only versions of one can be compared",
            before.id, after.id
        )));
    }
    let report = Report::of(old, new)?;
    if json {
        output::json(&report)?;
    } else {
        report.print()?;
    }
    Ok(Exit::Done.into())
}

#[derive(Serialize)]
struct Report<'a> {
    id: &'a str,
    old: Version,
    new: Version,
    differences: Vec<Difference>,
    samples: Samples,
}

#[derive(Serialize)]
struct Version {
    version: u32,
    hash: String,
}

/// The requests on which both versions were tried.
#[derive(Serialize)]
struct Samples {
    tried: usize,
    newly_permitted: usize,
    newly_refused: usize,
}

impl<'a> Report<'a> {
    fn of(old: &'a Checked, new: &'a Checked) -> anyhow::Result<Self> {
        let (before, after) = (old.covenant.text(), new.covenant.text());
        let clauses = clauses::Clauses::new(old, new);
        let comparison = Comparison::of(&old.rules, &new.rules, &clauses.focus())?;
        let mut differences = head::differences(before, after, &comparison);
        differences.extend(datasets::differences(before, after, &clauses, &comparison));
        differences.extend(clauses.differences(&comparison));
        let version = |one: &Checked| Version {
            version: one.covenant.head().version,
            hash: one.hash.to_string(),
        };
        Ok(Self {
            id: before.covenant.id.as_str(),
            old: version(old),
            new: version(new),
            differences,
            samples: Samples {
                tried: comparison.tried,
                newly_permitted: comparison.count(true),
                newly_refused: comparison.count(false),
            },
        })
    }

    fn print(&self) -> anyhow::Result<()> {
        let (old, new) = (self.old.version, self.new.version);
        output::line(&format!("{}: versie {old} → versie {new}", self.id))?;
        output::line("")?;
        self.differences.iter().try_for_each(Difference::print)?;
        if !self.differences.is_empty() {
            output::line("")?;
        }
        output::line(&self.summary())?;
        let Samples { tried, newly_permitted, newly_refused } = &self.samples;
        output::line(&format!(
            "{tried} voorbeeldvragen: {newly_permitted} nieuw toegestaan, {newly_refused} nieuw geweigerd"
        ))?;
        output::line(
            "Dat is een steekproef; `just prove --old OUD --new NIEUW` bewijst het voor alle vragen.",
        )
    }

    fn summary(&self) -> String {
        let of =
            |effect: Effect| self.differences.iter().filter(|one| one.effect == effect).count();
        let counted = Effect::ALL.into_iter().map(|effect| (of(effect), effect.as_str()));
        let counted = counted.filter(|(count, _)| *count > 0);
        let counted: Vec<_> = counted.map(|(count, name)| format!("{count} {name}")).collect();
        match self.differences.len() {
            0 => "geen verschillen".to_owned(),
            1 => format!("1 verschil: {}", counted.join(", ")),
            n => format!("{n} verschillen: {}", counted.join(", ")),
        }
    }
}

/// What both versions have, or one of them, by key and in order.
fn paired<'a, K: Ord, T>(
    old: &'a [T],
    new: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    let mut pairs = BTreeMap::<K, (Option<&T>, Option<&T>)>::new();
    for one in old {
        pairs.entry(key(one)).or_default().0 = Some(one);
    }
    for one in new {
        pairs.entry(key(one)).or_default().1 = Some(one);
    }
    pairs.into_values()
}
