//! The schema that rules are validated under: our part, and the covenant's parameters.

use std::fmt::Write as _;

use cedar_policy::Schema;
use convenant_model::covenant::{Clause, Covenant, Parameter};

use crate::compile::CompileError;

/// Our part: datasets, facts and actions.
pub(crate) const BASE: &str = include_str!("schema.cedarschema");

/// The schema's text and its parsed form.
pub(crate) struct RuleSchema {
    /// What was parsed; hashed with every decision.
    pub(crate) text: String,
    /// The parsed schema.
    pub(crate) schema: Schema,
}

/// Builds the schema of one covenant: the entity `Covenant` has the clauses that have parameters as
/// attributes, so that a rule reads `context.covenant.S11.months`.
pub(crate) fn build(covenant: &Covenant) -> Result<RuleSchema, CompileError> {
    let mut text = format!("{BASE}\nentity Covenant = {{\n    goals: Set<String>,\n");
    for clause in &covenant.text().clause {
        add_clause(&mut text, clause)?;
    }
    text.push_str("};\n");
    let (schema, _) = Schema::from_cedarschema_str(&text)
        .map_err(|error| CompileError::Schema(Box::new(error)))?;
    Ok(RuleSchema { text, schema })
}

fn add_clause(text: &mut String, clause: &Clause) -> Result<(), CompileError> {
    if clause.params.is_empty() {
        return Ok(());
    }
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "    {}: {{", clause.id);
    for (name, parameter) in &clause.params {
        if !is_name(name) {
            return Err(CompileError::Parameter { clause: clause.id.clone(), name: name.clone() });
        }
        let kind = match parameter {
            Parameter::Number(_) => "Long",
            Parameter::List(_) => "Set<String>",
        };
        let _ = writeln!(text, "        \"{name}\": {kind},");
    }
    text.push_str("    },\n");
    Ok(())
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
