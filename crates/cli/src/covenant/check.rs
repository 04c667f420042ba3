//! `convenant covenant check`: what each clause does, and rules that do nothing or too much.

use std::{collections::BTreeSet, process::ExitCode};

use convenant_clauses::{Rules, sample::Facts};
use convenant_model::{
    Digest,
    covenant::{Clause, Dataset, Parameter, Stage},
};
use serde::Serialize;

use super::{
    Checked,
    cases::{Case, cases},
    pool::Focus,
    setting, wording,
};
use crate::{exit::Exit, output};

pub(super) fn run(checked: &Checked, json: bool) -> anyhow::Result<ExitCode> {
    let report = Report::of(checked)?;
    for warning in &report.warnings {
        output::note(&format!("waarschuwing: {warning}"));
    }
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
    version: u32,
    title: &'a str,
    hash: Digest,
    datasets: usize,
    clauses: Vec<ClauseReport<'a>>,
    /// Each strictly typed, because the covenant compiled.
    rules: usize,
    /// The made-up requests on which they were tried.
    samples: usize,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ClauseReport<'a> {
    id: &'a str,
    title: &'a str,
    text: &'a str,
    stages: Vec<Stage>,
    codes: Vec<&'a str>,
    params: &'a std::collections::BTreeMap<String, Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisational: Option<&'a str>,
}

impl<'a> Report<'a> {
    fn of(checked: &'a Checked) -> anyhow::Result<Self> {
        let text = checked.covenant.text();
        let unserved = text.dataset.iter().filter(|dataset| !dataset.is_bound());
        let warning = |dataset: &Dataset| {
            let id = &dataset.id;
            format!(
                "dataset `{id}` heeft geen gebied, neemt geen vouchers aan en kan dus niet worden bevraagd (S10)"
            )
        };
        let tried = cases(&Facts::new()?, &[&checked.rules], &Focus::default());
        let warnings = unserved.map(warning).chain(effects(&checked.rules, &tried));
        Ok(Self {
            id: text.covenant.id.as_str(),
            version: text.covenant.version,
            title: text.covenant.title.as_str(),
            hash: checked.hash,
            datasets: text.dataset.len(),
            clauses: text.clause.iter().map(ClauseReport::of).collect(),
            rules: checked.rules.count(),
            samples: tried.len(),
            warnings: warnings.collect(),
        })
    }

    fn print(&self) -> anyhow::Result<()> {
        output::line(&format!("{} ({}, versie {})", self.title, self.id, self.version))?;
        output::line(&format!("hash {}", self.hash))?;
        output::line("")?;
        let rows: Vec<_> = self.clauses.iter().map(ClauseReport::row).collect();
        for line in output::columns(&rows) {
            output::line(&line)?;
        }
        output::line("")?;
        let rules = self.clauses.iter().filter(|clause| !clause.codes.is_empty()).count();
        output::line(&format!(
            "{} clausules, waarvan {rules} met regels; {} datasets",
            self.clauses.len(),
            self.datasets
        ))?;
        output::line(&format!(
            "{} regels, elk strikt getypeerd, geprobeerd op {} voorbeeldvragen (een steekproef)",
            self.rules, self.samples
        ))
    }
}

impl<'a> ClauseReport<'a> {
    fn of(clause: &'a Clause) -> Self {
        let mut codes: Vec<_> = clause.rule.iter().map(|rule| rule.code.as_str()).collect();
        codes.dedup();
        Self {
            id: clause.id.as_str(),
            title: clause.title.as_str(),
            text: clause.text.as_str(),
            stages: clause.stage.iter().copied().collect(),
            codes,
            params: &clause.params,
            organisational: clause.organisational.as_ref().map(|text| text.as_str()),
        }
    }

    fn row(&self) -> Vec<String> {
        let stages: Vec<_> = self.stages.iter().map(|stage| moment(*stage)).collect();
        let effect = match self.organisational {
            Some(text) => format!("organisatorisch: {}", output::shown(text)),
            None => format!("weigert met {}", self.codes.join(", ")),
        };
        let params = self.params.iter().map(|(name, value)| format!("{name} = {}", setting(value)));
        let params: Vec<_> = params.collect();
        let params =
            if params.is_empty() { String::new() } else { format!("; {}", params.join(", ")) };
        vec![
            self.id.to_owned(),
            self.title.to_owned(),
            stages.join(", "),
            format!("{} — {effect}{params}", beginning(self.text)),
        ]
    }
}

const fn moment(stage: Stage) -> &'static str {
    match stage {
        Stage::Approval => "bij besluit",
        Stage::Query => "bij vraag",
        Stage::Afterwards => "achteraf",
    }
}

/// The first sentence of a text.
fn beginning(text: &str) -> String {
    let text = output::shown(text);
    text.split_once(". ").map_or_else(|| text.clone(), |(first, _)| format!("{first}."))
}

/// What is remarkable about the effect of the rules on the requests that were tried.
fn effects(rules: &Rules, tried: &[Case]) -> Vec<String> {
    rules.ids().iter().flat_map(|id| effect(id, tried)).collect()
}

fn effect(id: &String, tried: &[Case]) -> Vec<String> {
    let refused = |case: &Case| case.refusing.iter().any(|refusing| refusing.contains(id));
    let kinds: BTreeSet<_> = tried.iter().map(|case| case.sample.kind).collect();
    let name = wording::rules([id]);
    if !tried.iter().any(refused) {
        return vec![format!(
            "regel {name} weigert geen van de {} voorbeeldvragen; of hij nooit iets weigert, bewijst \
             alleen `just prove`",
            tried.len()
        )];
    }
    let all = |kind: &&str| {
        let mut of_kind = tried.iter().filter(|case| case.sample.kind == *kind);
        of_kind.all(refused)
    };
    let told = |kind: &str| {
        let kind = wording::kind(kind);
        format!(
            "regel {name} weigert elke voorbeeldvraag om te {kind}; of hij altijd weigert, bewijst \
             alleen `just prove`"
        )
    };
    kinds.into_iter().filter(all).map(told).collect()
}
