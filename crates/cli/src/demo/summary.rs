//! What `--json` prints: one object that says what was seen.

use std::path::PathBuf;

use convenant_audit::Finding;
use serde::Serialize;

/// The whole run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    /// Whether every step ended as announced.
    pub(super) ok: bool,
    /// What went wrong, if something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// The federation's folder, where it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) folder: Option<PathBuf>,
    /// Permitted questions with the answer of each partner.
    pub(super) answers: Vec<AnswerSeen>,
    /// Attempts that were refused, as they had to be.
    pub(super) refusals: Vec<RefusalSeen>,
    /// The audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audit: Option<AuditSeen>,
}

/// An answer of one partner.
#[derive(Debug, Serialize)]
pub(super) struct AnswerSeen {
    pub(super) question: &'static str,
    pub(super) partner: String,
    pub(super) rows: usize,
}

/// A refusal.
#[derive(Debug, Serialize)]
pub(super) struct RefusalSeen {
    /// What was tried.
    pub(super) tried: &'static str,
    /// Who refused.
    pub(super) by: String,
    /// The clause that had to refuse; absent where it was no matter of the covenant.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) clause: &'static str,
    /// The code that went with it.
    pub(super) code: &'static str,
    /// Every clause and code that refused.
    pub(super) all: Vec<String>,
}

/// What the audit said.
#[derive(Debug, Serialize)]
pub(super) struct AuditSeen {
    /// The ledgers before anything was changed.
    pub(super) ledgers: Vec<LedgerSeen>,
    /// What it found then.
    pub(super) findings: Vec<Finding>,
    /// What it said of the changed byte.
    pub(super) tampered: TamperSeen,
    /// Code of what it said of a coordinator that asked a node behind everybody's back.
    pub(super) curious: &'static str,
}

/// A ledger that holds.
#[derive(Debug, Serialize)]
pub(super) struct LedgerSeen {
    pub(super) name: String,
    pub(super) entries: u64,
}

/// A changed byte and what the audit said of it.
#[derive(Debug, Serialize)]
pub(super) struct TamperSeen {
    pub(super) ledger: String,
    /// Index of the entry of which a byte was changed.
    pub(super) changed_entry: u64,
    /// Index of the entry that the audit named.
    pub(super) named_entry: u64,
    /// Code of the finding.
    pub(super) code: &'static str,
    /// The audit's own words.
    pub(super) finding: String,
}
