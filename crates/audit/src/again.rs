//! A decision made again: a function of its entry and the register.

use std::sync::Arc;

use convenant_clauses::{Request, decide, decide_all};
use convenant_exchange::{View, check_signed};
use convenant_ledger::register::Register;
use convenant_model::{Problem, entry::Decision};

use crate::{
    Code, LedgerKind,
    compare::{Difference, compare, subjects_refused, verdicts},
    reader::Reader,
    signed::SignedQuery,
};

/// What comes of a decision when it is made again.
pub(crate) struct Again {
    pub(crate) signed: SignedQuery,
    /// Why it cannot be: there is no such register as it names.
    pub(crate) remade: Result<Remade, Code>,
}

/// A decision with the register that it names.
pub(crate) struct Remade {
    pub(crate) register: Arc<Register>,
    /// Whether the query could be taken: signature, form, time, and the register that it was written against.
    pub(crate) fits: Result<(), Problem>,
    /// `None` where no covenant was in force, its rules do not compile, or nothing was decided on.
    pub(crate) verdicts: Option<Verdicts>,
}

/// The verdicts made again, beside those recorded.
pub(crate) struct Verdicts {
    pub(crate) differences: Vec<Difference>,
    /// The engine that made them.
    pub(crate) engine: String,
    /// Whether the ledger holds a refusal of subjects that were not valid once unsealed.
    pub(crate) subjects_refused: bool,
}

impl Reader<'_> {
    /// Makes a decision again; `None` where the entry holds no query that can be read.
    pub(crate) fn again(&self, decision: &Decision) -> Option<Again> {
        let signed = self.known.read(&decision.signed_query)?;
        let remade = self.register_of(decision).map(|register| Remade {
            fits: fits(decision, &signed, &register),
            verdicts: self.verdicts(decision, &signed, &register),
            register,
        });
        Some(Again { signed, remade })
    }

    /// The register that the decision names.
    fn register_of(&self, decision: &Decision) -> Result<Arc<Register>, Code> {
        let named = decision.register;
        if self.register.is_told_short_of(named.size) {
            return Err(Code::NotMadeAgain);
        }
        if named.size > self.register.position().size {
            return Err(Code::RegisterMissing);
        }
        let held = self.register.register().held(&named);
        held.then(|| self.at(named.size)).flatten().ok_or(Code::RegisterPosition)
    }

    fn verdicts(
        &self,
        decision: &Decision,
        signed: &SignedQuery,
        register: &Register,
    ) -> Option<Verdicts> {
        let state = register.state();
        // Rules that do not compile are a finding of the register's.
        let rules = self.register.rules(&state.covenant()?.hash)?;
        let request = Request {
            query: &signed.query,
            signed_query: &decision.signed_query,
            at: decision.at,
            party: &decision.party,
            peer: &decision.peer,
            used: decision.used,
            counted: &decision.counted,
            register: decision.register,
        };
        let (verdicts, subjects_refused) = if self.kind == LedgerKind::Coordinator {
            (verdicts(&decide_all(rules, state, &request)), false)
        } else {
            let recorded = decision.verdicts.first()?;
            let verdict = decide(rules, state, &request, recorded.target as usize);
            let refused = subjects_refused(recorded, &verdict);
            let subjects_refused = refused.is_some();
            (refused.unwrap_or_else(|| verdicts(&verdict)), subjects_refused)
        };
        let engine = rules.engine().to_owned();
        let differences = compare(&decision.verdicts, &verdicts, engine == decision.engine);
        Some(Verdicts { differences, engine, subjects_refused })
    }
}

/// Takes the query as the party did.
fn fits(decision: &Decision, signed: &SignedQuery, register: &Register) -> Result<(), Problem> {
    let view = View { party: &decision.party, peer: &decision.peer, register, at: decision.at };
    signed.signature?;
    check_signed(&signed.query, &decision.signed_query, &view)
}
