//! `convenant covenant check`: is this text a covenant, and what does each clause do.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use clap::Subcommand;
use convenant_clauses::Rules;
use convenant_model::{
    Digest,
    covenant::{Clause, Covenant, CovenantText, Parameter, Stage},
    parse::from_toml,
    register::CovenantInForce,
};
use convenant_signing::{canonical, sha256};
use serde::Serialize;

use crate::{exit::Exit, output};

const EXAMPLES: &str = "\
Example:
  convenant covenant check covenant.toml

Every clause has one line: its id and title, when it is checked, the codes under which it
refuses, and its parameters. A fault in the text names line and member; a fault in a rule names
clause, code, line and column.";

#[derive(Debug, Subcommand)]
pub(crate) enum CovenantCommand {
    /// Check a covenant: its text, its datasets and its rules; tell what each clause does.
    #[command(after_help = EXAMPLES)]
    Check {
        /// The covenant (TOML).
        file: PathBuf,
    },
}

pub(crate) fn run(command: &CovenantCommand, json: bool) -> anyhow::Result<ExitCode> {
    let CovenantCommand::Check { file } = command;
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("`{}` cannot be read", file.display()))?;
    let (covenant, hash) = checked(file, &text)?;
    let report = Report::of(&covenant, hash);
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

/// Parses a covenant and compiles its rules, as every party will.
pub(crate) fn checked(file: &Path, text: &str) -> anyhow::Result<(Arc<Covenant>, Digest)> {
    let name = file.display().to_string();
    let text: CovenantText = from_toml(&name, text)?;
    let hash = sha256(&canonical(&text)?);
    let covenant = Arc::new(text.check(&name)?);
    let in_force = CovenantInForce { covenant: Arc::clone(&covenant), hash };
    Rules::compile(&in_force, sha256).with_context(|| format!("the rules of `{name}`"))?;
    Ok((covenant, hash))
}

#[derive(Serialize)]
struct Report<'a> {
    id: &'a str,
    version: u32,
    title: &'a str,
    hash: Digest,
    datasets: usize,
    clauses: Vec<ClauseReport<'a>>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ClauseReport<'a> {
    id: &'a str,
    title: &'a str,
    stages: Vec<Stage>,
    codes: Vec<&'a str>,
    params: &'a std::collections::BTreeMap<String, Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisational: Option<&'a str>,
}

impl<'a> Report<'a> {
    fn of(covenant: &'a Covenant, hash: Digest) -> Self {
        let text = covenant.text();
        let unserved = text.dataset.iter().filter(|dataset| !dataset.is_bound());
        let warning = |dataset: &convenant_model::covenant::Dataset| {
            let id = &dataset.id;
            format!(
                "dataset `{id}` heeft geen gebied, neemt geen vouchers aan en kan dus niet worden bevraagd (S10)"
            )
        };
        Self {
            id: text.covenant.id.as_str(),
            version: text.covenant.version,
            title: text.covenant.title.as_str(),
            hash,
            datasets: text.dataset.len(),
            clauses: text.clause.iter().map(ClauseReport::of).collect(),
            warnings: unserved.map(warning).collect(),
        }
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
        let params: Vec<_> = self.params.iter().map(|(name, value)| setting(name, value)).collect();
        let params =
            if params.is_empty() { String::new() } else { format!("; {}", params.join(", ")) };
        vec![
            self.id.to_owned(),
            self.title.to_owned(),
            stages.join(", "),
            format!("{effect}{params}"),
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

fn setting(name: &str, value: &Parameter) -> String {
    match value {
        Parameter::Number(number) => format!("{name} = {number}"),
        Parameter::List(list) => {
            let items: Vec<_> = list.iter().map(String::as_str).collect();
            format!("{name} = [{}]", items.join(", "))
        }
    }
}
