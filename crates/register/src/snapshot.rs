//! The register at one moment, ready to decide with.

use std::sync::Arc;

use convenant_clauses::{CompileError, Rules};
use convenant_ledger::register::Register;
use convenant_model::{Problem, Timestamp, query::RegisterPosition, register::CovenantInForce};
use convenant_signing::sha256;
use thiserror::Error;

/// The register at one moment with the compiled rules of its covenant.
#[derive(Clone)]
pub struct Snapshot {
    register: Register,
    rules: Option<Arc<Rules>>,
    // When the coordinator last vouched, under its signature, that this is the whole register.
    vouched: Option<Timestamp>,
    forked: bool,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({} documents)", self.position().size)
    }
}

/// Why nothing may be decided with a snapshot.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Distrust {
    /// There is no covenant yet.
    #[error("the register holds no covenant")]
    NoCovenant,
    /// Nobody vouched for it lately.
    #[error(
        "the register was last vouched for longer ago than the covenant allows, or in the future"
    )]
    Stale,
    /// The coordinator showed another history.
    #[error("the coordinator showed a register that contradicts what it showed before")]
    Forked,
}

impl Distrust {
    /// The problem that a peer is told.
    #[must_use]
    pub const fn problem(self) -> Problem {
        match self {
            Self::NoCovenant | Self::Stale => Problem::RegisterStale,
            Self::Forked => Problem::RegisterForked,
        }
    }
}

impl Snapshot {
    /// A snapshot of a register. The rules are taken from the snapshot before it, where the covenant
    /// is the same. `vouched` is when its keeper last signed that this is all of it.
    ///
    /// # Errors
    /// When the covenant's rules do not compile.
    pub fn new(
        register: Register,
        before: Option<&Self>,
        vouched: Option<Timestamp>,
    ) -> Result<Self, CompileError> {
        let rules = match register.state().covenant() {
            Some(covenant) => Some(rules(covenant, before)?),
            None => None,
        };
        Ok(Self { register, rules, vouched, forked: before.is_some_and(|before| before.forked) })
    }

    /// The same register, known not to be the only one that the coordinator shows.
    #[must_use]
    pub fn forked(mut self) -> Self {
        self.forked = true;
        self
    }

    /// The register.
    #[must_use]
    pub const fn register(&self) -> &Register {
        &self.register
    }

    /// Number of documents and the root over them.
    #[must_use]
    pub fn position(&self) -> RegisterPosition {
        self.register.position()
    }

    /// The covenant's rules.
    #[must_use]
    pub const fn rules(&self) -> Option<&Arc<Rules>> {
        self.rules.as_ref()
    }

    /// The rules, if this snapshot may be decided with at an instant.
    ///
    /// # Errors
    /// When it is stale or forked, or holds no covenant.
    pub fn trusted(&self, at: Timestamp) -> Result<&Arc<Rules>, Distrust> {
        if self.forked {
            return Err(Distrust::Forked);
        }
        let covenant = self.register.state().covenant().ok_or(Distrust::NoCovenant)?;
        let limit = i64::from(covenant.covenant.head().register_minutes) * 60;
        match self.vouched {
            // Nor far ahead: that would keep a copy fresh long after the coordinator went away.
            Some(vouched) if (-limit..=limit).contains(&at.seconds_since(vouched)) => {}
            _ => return Err(Distrust::Stale),
        }
        self.rules.as_ref().ok_or(Distrust::NoCovenant)
    }
}

fn rules(
    covenant: &CovenantInForce,
    before: Option<&Snapshot>,
) -> Result<Arc<Rules>, CompileError> {
    let same = before.filter(|before| {
        before.register.state().covenant().is_some_and(|old| old.hash == covenant.hash)
    });
    match same.and_then(Snapshot::rules) {
        Some(rules) => Ok(Arc::clone(rules)),
        None => Ok(Arc::new(Rules::compile(covenant, sha256)?)),
    }
}
