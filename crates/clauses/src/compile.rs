//! From a covenant to rules that can be asked: parsed, strictly validated, and named by us.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt,
    sync::Arc,
};

use cedar_policy::{
    Authorizer, Effect, Entities, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator,
};
use convenant_model::{
    ClauseId, Digest,
    covenant::{Clause, Covenant, Rule, Stage},
    register::CovenantInForce,
};
use miette::Diagnostic;
use thiserror::Error;

use crate::{asking::Asking, entities, entities::Names, schema};

/// SHA-256, which this crate is given: it has no cryptography of its own.
pub type Sha256 = fn(&[u8]) -> Digest;

/// The one policy that permits. Nothing in a covenant can permit; its clauses only forbid.
const PERMIT: &str = "permit (principal, action, resource);";
/// The id of that policy. No rule has it, because theirs begin with a clause.
pub(crate) const PERMIT_ID: &str = "permit";

/// The rules of one covenant, ready to be asked. Compile them once for each version of the covenant.
pub struct Rules {
    pub(crate) covenant: Arc<Covenant>,
    pub(crate) covenant_hash: Digest,
    pub(crate) names: Names,
    pub(crate) schema: Schema,
    /// The hashes of covenant and schema, of which the entities are a function.
    pub(crate) basis: String,
    pub(crate) policies: PolicySet,
    pub(crate) asking: Asking,
    pub(crate) entities: Entities,
    pub(crate) authorizer: Authorizer,
    pub(crate) origins: HashMap<PolicyId, Origin>,
    pub(crate) sha256: Sha256,
    engine: String,
}

/// What a policy carries out.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) clause: ClauseId,
    pub(crate) code: String,
    pub(crate) text: String,
}

/// Why the rules of a covenant cannot be used.
#[derive(Debug, Error)]
pub enum CompileError {
    /// A parameter that no rule could name.
    #[error(
        "clause `{clause}`: parameter `{name}` is not a name of lower-case letters, digits and `_`"
    )]
    Parameter {
        /// The clause.
        clause: ClauseId,
        /// The parameter.
        name: String,
    },
    /// A clause has rules, but is not checked at queries, so that they would never be asked.
    #[error("clause `{clause}`: has rules, so `stage` must hold `query`")]
    Stage {
        /// The clause.
        clause: ClauseId,
    },
    /// A rule is at fault.
    #[error("clause `{clause}`, code `{code}`, rule {number}{place}: {fault}")]
    Rule {
        /// The clause.
        clause: ClauseId,
        /// The rule's code.
        code: String,
        /// Which rule of the clause, from 1.
        number: usize,
        /// Where in the rule.
        place: RulePlace,
        /// What is wrong there.
        fault: String,
    },
    /// The covenant would permit everything.
    #[error("no clause has a rule, so nothing would be refused")]
    NoRules,
    /// The clauses' parameters do not make a schema.
    #[error("the clauses and their parameters do not make a schema")]
    Schema(#[source] Box<cedar_policy::CedarSchemaError>),
    /// What this crate builds itself does not agree with its own schema: a fault of the program.
    #[error(transparent)]
    Internal(#[from] Internal),
}

/// A fault of this crate, not of a covenant.
#[derive(Debug, Error)]
#[error("the entities of the rules cannot be built")]
pub struct Internal(#[source] Box<dyn Error + Send + Sync>);

impl Internal {
    pub(crate) fn wrap(error: impl Error + Send + Sync + 'static) -> CompileError {
        CompileError::Internal(Self(Box::new(error)))
    }
}

/// Line and column within a rule, both from 1, where they are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RulePlace(pub Option<(usize, usize)>);

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |(line, column)| write!(f, ", line {line}, column {column}"))
    }
}

impl Rules {
    /// Compiles the rules of a covenant: each must parse as exactly one `forbid` and pass Cedar's strict
    /// validation without as much as a warning (a warning tells of a rule that can never apply).
    ///
    /// # Errors
    /// Names the clause, the code and the place of the first fault.
    pub fn compile(in_force: &CovenantInForce, sha256: Sha256) -> Result<Self, CompileError> {
        let covenant = &in_force.covenant;
        let built = schema::build(covenant)?;
        let names = Names::of(covenant)?;
        let entities = entities::build(covenant, &names, &built.schema)?;
        let validator = Validator::new(built.schema.clone());
        let permit = Policy::parse(Some(PolicyId::new(PERMIT_ID)), PERMIT);
        let mut policies = PolicySet::new();
        policies.add(permit.map_err(Internal::wrap)?).map_err(Internal::wrap)?;
        let mut origins = HashMap::new();
        for clause in &covenant.text().clause {
            for (policy, origin) in compile_clause(clause, &validator)? {
                origins.insert(policy.id().clone(), origin);
                policies.add(policy).map_err(Internal::wrap)?;
            }
        }
        if origins.is_empty() {
            return Err(CompileError::NoRules);
        }
        let schema_hash = sha256(built.text.as_bytes()).to_string();
        Ok(Self {
            covenant: Arc::clone(covenant),
            covenant_hash: in_force.hash,
            names,
            schema: built.schema,
            basis: format!("{} {schema_hash}", in_force.hash),
            asking: Asking::new(&policies).map_err(|error| Internal::wrap(*error))?,
            policies,
            entities,
            authorizer: Authorizer::new(),
            origins,
            sha256,
            engine: engine(&schema_hash),
        })
    }

    /// The covenant that the rules are of.
    #[must_use]
    pub const fn covenant(&self) -> &Arc<Covenant> {
        &self.covenant
    }

    /// Engine and language version of the rules, and the schema of the facts that they judge, for
    /// instance `cedar-policy 4.14.1, language 4.6, facts 0123456789abcdef`. A replay under another
    /// engine cannot be expected to see the same facts to the byte.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// The schema that the rules were validated under, for a proof about them.
    #[doc(hidden)]
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The rules as policies, our own `permit` among them, for a proof about them.
    #[doc(hidden)]
    #[must_use]
    pub const fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// Covenant and datasets as the rules see them, for a proof about them.
    #[doc(hidden)]
    #[must_use]
    pub const fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The number of rules, without our own `permit`.
    #[must_use]
    pub fn count(&self) -> usize {
        self.origins.len()
    }
}

/// To be raised with each change of code beside the rules by which a recorded decision would come out otherwise, or
/// be explained in other words: an audit then says that another engine decided, not that somebody decided wrongly.
/// 2: L4 compares conditions; end of a delay; details name unknown fields and count in better Dutch.
const EDITION: u32 = 2;

fn engine(schema_hash: &str) -> String {
    let language = cedar_policy::get_lang_version();
    format!(
        "cedar-policy {}, language {}.{}, facts {:.16}, edition {EDITION}",
        cedar_policy::get_sdk_version(),
        language.major,
        language.minor,
        schema_hash
    )
}

fn compile_clause(
    clause: &Clause,
    validator: &Validator,
) -> Result<Vec<(Policy, Origin)>, CompileError> {
    if !clause.rule.is_empty() && !clause.stage.contains(&Stage::Query) {
        return Err(CompileError::Stage { clause: clause.id.clone() });
    }
    let mut seen = BTreeMap::<&str, usize>::new();
    let mut compiled = Vec::with_capacity(clause.rule.len());
    for (i, rule) in clause.rule.iter().enumerate() {
        let nth = seen.entry(rule.code.as_str()).or_default();
        *nth += 1;
        let id = policy_id(clause, rule, *nth);
        let policy = compile_rule(id, rule, validator).map_err(|fault| CompileError::Rule {
            clause: clause.id.clone(),
            code: rule.code.to_string(),
            number: i + 1,
            place: fault.place,
            fault: fault.message,
        })?;
        let origin = Origin {
            clause: clause.id.clone(),
            code: rule.code.to_string(),
            text: clause.text.to_string(),
        };
        compiled.push((policy, origin));
    }
    Ok(compiled)
}

/// `S10/BUITEN_GEBIED`; a further rule with the same code gets its number, `S12/BULK/2`.
fn policy_id(clause: &Clause, rule: &Rule, nth: usize) -> PolicyId {
    let id = format!("{}/{}", clause.id, rule.code);
    PolicyId::new(if nth == 1 { id } else { format!("{id}/{nth}") })
}

struct RuleFault {
    place: RulePlace,
    message: String,
}

fn compile_rule(id: PolicyId, rule: &Rule, validator: &Validator) -> Result<Policy, RuleFault> {
    let source = rule.cedar.as_str();
    let fault = |error: &dyn Diagnostic| RuleFault {
        place: place(source, error),
        message: error.to_string(),
    };
    let policy = Policy::parse(Some(id), source).map_err(|errors| fault(&errors))?;
    if policy.effect() != Effect::Forbid {
        return Err(RuleFault {
            place: RulePlace(None),
            message: "permits, but a rule of a covenant is a `forbid`".to_owned(),
        });
    }
    let alone = PolicySet::from_policies([policy.clone()]).map_err(|error| fault(&error))?;
    let result = validator.validate(&alone, ValidationMode::Strict);
    if let Some(error) = result.validation_errors().next() {
        return Err(fault(error));
    }
    if let Some(warning) = result.validation_warnings().next() {
        return Err(fault(warning));
    }
    Ok(policy)
}

fn place(source: &str, error: &dyn Diagnostic) -> RulePlace {
    let label = error.labels().and_then(|mut labels| labels.next());
    let before = label.and_then(|label| source.get(..label.offset()));
    RulePlace(before.map(|before| {
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        (line, last_line.chars().count() + 1)
    }))
}
