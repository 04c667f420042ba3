//! From a text to rules that something can be proven of.

use std::sync::Arc;

use convenant_clauses::Rules;
use convenant_model::{covenant::CovenantText, parse::from_toml, register::CovenantInForce};
use convenant_signing::{canonical, sha256};

use crate::ProofError;

/// Parses a covenant and compiles its rules, as every party does.
///
/// # Errors
/// Names the file and what is wrong in it.
pub fn load(name: &str, toml: &str) -> Result<Rules, ProofError> {
    let text: CovenantText = from_toml(name, toml)?;
    let canonical = canonical(&text).map_err(|_| ProofError::Canonical(name.to_owned()))?;
    let covenant = Arc::new(text.check(name)?);
    let in_force = CovenantInForce { covenant, hash: sha256(&canonical) };
    Rules::compile(&in_force, sha256)
        .map_err(|error| ProofError::Rules(name.to_owned(), Box::new(error)))
}
