//! `convenant covenant`: is this text a covenant, what does each clause do, and what does another version
//! permit or refuse that this one does not.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Subcommand;
use convenant_clauses::Rules;
use convenant_model::{
    Digest,
    covenant::{Covenant, CovenantText, Parameter},
    parse::from_toml,
    register::CovenantInForce,
};
use convenant_signing::{canonical, sha256};

use crate::exit::{Named as _, faulty};

mod cases;
mod check;
mod diff;
mod pool;
mod shape;
mod trial;
mod wording;

const CHECK: &str = "\
Example:
  convenant covenant check covenant.toml

Every clause has one line: its id and title, when it is checked, the codes under which it
refuses, its parameters, and how its text begins. A fault in the text names line and member; a
fault in a rule names clause, code, line and column. Every rule is strictly typed, or the
covenant is none.

The rules are tried on a bounded list of made-up requests, the same for the same covenant. It is
warned of a rule that refuses none of them, or all of one kind. That is a sample: the proof for
all requests is `just prove`, a tool of development.";

const DIFF: &str = "\
Examples:
  convenant covenant diff covenant-1.toml covenant-2.toml
  convenant covenant diff covenant-1.toml covenant-2.toml --json

Every difference has a line in Dutch: `ruimer` where the new version permits more, `strenger`
where it refuses more, `beide`, or `anders` where that cannot be told. For rules, numbers and
fields it adds an example of what is newly permitted or refused, found by trying both versions
on a bounded list of made-up requests: `(volgens voorbeelden)` says that more than that is not
known. That two versions differ nowhere else is proven by `just prove --old FILE --new FILE`.";

#[derive(Debug, Subcommand)]
pub(crate) enum CovenantCommand {
    /// Check a covenant: its text, its datasets and its rules; tell what each clause does.
    #[command(after_help = CHECK)]
    Check {
        /// The covenant (TOML).
        file: PathBuf,
    },
    /// Tell in Dutch what a new version of a covenant newly permits or refuses, with examples.
    #[command(after_help = DIFF)]
    Diff {
        /// The old version (TOML).
        old: PathBuf,
        /// The new version (TOML).
        new: PathBuf,
    },
}

pub(crate) fn run(command: &CovenantCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        CovenantCommand::Check { file } => check::run(&read(file)?, json),
        CovenantCommand::Diff { old, new } => diff::run(&read(old)?, &read(new)?, json),
    }
}

/// A covenant with its compiled rules.
pub(crate) struct Checked {
    pub(crate) covenant: Arc<Covenant>,
    pub(crate) hash: Digest,
    pub(crate) rules: Rules,
}

fn read(file: &Path) -> anyhow::Result<Checked> {
    let text =
        std::fs::read_to_string(file).named(|| format!("`{}` cannot be read", file.display()))?;
    checked(file, &text)
}

/// Parses a covenant and compiles its rules, as every party will.
pub(crate) fn checked(file: &Path, text: &str) -> anyhow::Result<Checked> {
    let name = file.display().to_string();
    let text: CovenantText = from_toml(&name, text)?;
    let hash = sha256(&canonical(&text)?);
    let covenant = Arc::new(text.check(&name)?);
    let in_force = CovenantInForce { covenant: Arc::clone(&covenant), hash };
    let rules = Rules::compile(&in_force, sha256)
        .map_err(|error| faulty(error, format!("the rules of `{name}`")))?;
    Ok(Checked { covenant, hash, rules })
}

/// A parameter's value as a lawyer writes it.
fn setting(value: &Parameter) -> String {
    match value {
        Parameter::Number(number) => number.to_string(),
        Parameter::List(list) => {
            format!("[{}]", list.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
    }
}
