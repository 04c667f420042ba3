//! What one node tells of a person: the exchanges that its journal names, as its ledger has them and the register
//! explains them. Signed with the node's ledger key, so that whoever joins reports knows whose each is.

use convenant_model::{
    DatasetId, Date, FieldName, Oin, ProjectId, QueryId, Timestamp,
    keys::VerifyingKey,
    parse::BoundedText,
    query::{Query, QueryKind},
    register::RegisterState,
};
use convenant_signing::{CanonicalError, Jws, JwsError, SigningKey, canonical, parse_canonical};
use convenant_store::{EntriesError, FileLedger};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Found, explain::Reporting, held::held, search::settled};

/// JWS header `typ` of a report.
pub const REPORT_TYPE: &str = "convenant-subject-report+json";

/// What one node tells of a person. It does not say who that is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this form.
    pub version: Version,
    /// The partner whose node it is.
    pub party: Oin,
    /// Its name.
    pub name: String,
    /// When the report was made.
    pub at: Timestamp,
    /// What the office calls the request, so that reports on different people are not joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<BoundedText<100>>,
    /// Since when the node keeps account of whom its answers are about; absent where it has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The exchanges that the person may be told of today, the oldest first.
    pub exchanges: Vec<Exchanged>,
}

/// The version of the form.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Version {
    /// The first.
    #[serde(rename = "1")]
    One,
}

/// One exchange that was about the person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exchanged {
    /// When it was decided on.
    pub at: Timestamp,
    /// The query.
    pub query: QueryId,
    /// The project.
    pub project: ProjectId,
    /// What the project is called.
    pub title: String,
    /// The goal for which was asked, in the covenant's words (clause S3).
    pub goal: String,
    /// The project's theme, in the covenant's words (clause S7).
    pub theme: String,
    /// On which ground the node's partner provides the data (clause A3).
    pub basis_provider: String,
    /// On which ground the recipient may have them (clause A3).
    pub basis_receiver: String,
    /// What kind of answer was asked.
    pub kind: QueryKind,
    /// The source.
    pub dataset: DatasetId,
    /// What the source is, in one line of Dutch.
    pub dataset_title: String,
    /// The fields that were asked for.
    pub fields: Vec<FieldName>,
    /// The partner that asked.
    pub recipient: Oin,
    /// Its name.
    pub recipient_name: String,
    /// How it ended.
    pub ended: Ended,
    /// The last day on which the recipient may keep the answer (clause L6); absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Date>,
    /// When the recipient destroyed it, by its own record (clause L8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroyed_on: Option<Date>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// An answer was given.
    Answered,
    /// It broke off after some of it had left, which may not be used.
    InPart,
    /// None was given.
    Unanswered,
    /// A crash left no end: an answer may have been given.
    Unknown,
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The node's ledger cannot be read.
    #[error("the ledger cannot be read")]
    Ledger(#[from] EntriesError),
    /// The journal names an exchange that the ledger does not have.
    #[error(
        "the journal of subjects names entry {0} of the ledger, which is not the decision on that query"
    )]
    NoDecision(u64),
    /// The journal names a target that its query does not have.
    #[error("the journal of subjects names a target that the query does not have")]
    NoTarget,
    /// The report has no canonical form.
    #[error("the report has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// The report cannot be signed, or its signature does not hold.
    #[error("the report's signature")]
    Signature(#[from] JwsError),
    /// The report is not signed by the node of the partner that it names.
    #[error("the report is not signed with a ledger key of partner `{0}`")]
    Stranger(Oin),
}

impl ReportError {
    /// Whether a writer beside the reader can cause this.
    const fn is_passing(&self) -> bool {
        matches!(self, Self::Ledger(error) if error.is_passing())
    }
}

impl Report {
    /// Reports what was found of a person, from the ledger of the same node. An exchange about which people
    /// are not to be told yet is left out, and nothing says so.
    ///
    /// # Errors
    /// When the ledger cannot be read, or is not the one that the journal names.
    pub fn of(found: &Found, ledger: &FileLedger, by: Reporting<'_>) -> Result<Self, ReportError> {
        let held = settled(|| held(found, ledger), ReportError::is_passing)?;
        let may_be_told = |query: &Query| {
            let delay = query.delayed_disclosure.as_ref();
            delay.is_none_or(|delay| !delay.holds_on(by.at.date()))
        };
        let told = held.iter().filter(|held| may_be_told(&held.query));
        let exchanges = told.map(|held| by.exchanged(held)).collect::<Option<_>>();
        let exchanges = exchanges.ok_or(ReportError::NoTarget)?;
        Ok(Self {
            version: Version::One,
            party: by.party.clone(),
            name: by.name_of(by.party),
            at: by.at,
            reference: by.reference,
            since: found.since,
            exchanges,
        })
    }

    /// The report as a signed document.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, ReportError> {
        let mut jws = Jws::new(REPORT_TYPE, canonical(self)?);
        jws.sign(key)?;
        Ok(jws.to_json())
    }

    /// Reads a signed report at an instant. A key that was revoked by then is none of the partner's, whenever the
    /// report says that it was made: a thief can name any day, and a partner can sign again.
    ///
    /// # Errors
    /// When it is no report, or no ledger key of the partner that it names signed it.
    pub fn verify(bytes: &[u8], state: &RegisterState, at: Timestamp) -> Result<Self, ReportError> {
        let jws = Jws::parse(bytes)?;
        let report: Self = parse_canonical(jws.payload(), "report")?;
        let signed = |key: &VerifyingKey| jws.typ() == REPORT_TYPE && jws.verify(key).is_ok();
        let known = state.ledger_keys_at(&report.party, at).any(signed);
        match known {
            true => Ok(report),
            false => Err(ReportError::Stranger(report.party)),
        }
    }
}
