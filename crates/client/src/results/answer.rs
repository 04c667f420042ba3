//! What is known of an answer that was received, and where it is: numbers and names of fields, never a
//! subject or a row, and no hash of a file that people can read, because a short one could be guessed.

use std::{collections::BTreeSet, fmt, path::PathBuf};

use convenant_exchange::OUTCOME_TYPE;
use convenant_model::{
    DatasetId, Date, Digest, Oin, ProjectId, QueryId, Timestamp,
    documents::Line,
    entry::SignedOutcome,
    kept::last_day,
    keys::Base64Bytes,
    query::{Query, QueryKind},
};
use convenant_signing::{
    CanonicalError, Direction, SealContext, canonical, key_id, parse_canonical, sha256,
    verify_compact,
};
use serde::{Deserialize, Serialize};

/// An answer, as the requester accounts for it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Version of this form.
    pub version: Version,
    /// The query.
    pub query: QueryId,
    /// Index of the target within the query.
    pub target: u32,
    /// SHA-256 over the signed query.
    pub signed_query: Digest,
    /// The project.
    pub project: ProjectId,
    /// The partner that answered.
    pub partner: Oin,
    /// The dataset.
    pub dataset: DatasetId,
    /// What kind of answer.
    pub kind: QueryKind,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When the partner signed the outcome.
    pub answered_at: Timestamp,
    /// When it was accepted here.
    pub received_at: Timestamp,
    /// The last day on which it may be kept (clause L6). A number is about nobody, and has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Date>,
    /// The hash in the signed outcome, by which a destruction record names it.
    pub manifest: Digest,
    /// Rows.
    pub rows: u64,
    /// Names of the columns.
    pub columns: Vec<String>,
}

/// The version of the form.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Version {
    /// The first.
    #[serde(rename = "1")]
    One,
}

/// How much of an answer there is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Extent {
    pub(crate) rows: u64,
    pub(crate) columns: Vec<String>,
}

impl Answer {
    /// Accounts for an answer; `None` where the query has no such target.
    pub(crate) fn new(
        query: &Query,
        outcome: &SignedOutcome,
        extent: Extent,
        received_at: Timestamp,
    ) -> Option<Self> {
        let target = query.targets.get(outcome.target as usize)?;
        let about_people = query.kind != QueryKind::Count;
        Some(Self {
            version: Version::One,
            query: query.id,
            target: outcome.target,
            signed_query: outcome.signed_query,
            project: query.project.clone(),
            partner: target.partner.clone(),
            dataset: target.dataset.clone(),
            kind: query.kind,
            asked_at: query.created,
            answered_at: outcome.at,
            received_at,
            deadline: about_people.then(|| last_day(outcome.at, query.retention_days)),
            manifest: outcome.hash,
            rows: extent.rows,
            columns: extent.columns,
        })
    }

    /// What stands at the end of the sealed file: whoever changes a day or a hash here cannot open it.
    pub(crate) fn seal(&self) -> Result<Digest, CanonicalError> {
        canonical(self).map(|bytes| sha256(&bytes))
    }

    /// What the sealed file is bound to from its first byte on.
    pub(crate) fn context(&self, keeper: &Oin) -> SealContext {
        context((self.query, self.target), (&self.partner, keeper), self.signed_query)
    }

    /// Whether it had to be destroyed before a day.
    #[must_use]
    pub fn overdue(&self, today: Date) -> bool {
        self.deadline.is_some_and(|deadline| deadline < today)
    }
}

/// What a sealed file is bound to: version, query, target, both parties and the signed query. The hash in the
/// outcome is known only at the end, and stands there.
pub(crate) fn context(
    (query, target): (QueryId, u32),
    (partner, keeper): (&Oin, &Oin),
    signed_query: Digest,
) -> SealContext {
    SealContext {
        direction: Direction::Kept,
        query,
        target,
        sender: partner.clone(),
        recipient: keeper.clone(),
        signed_query: Some(signed_query),
    }
}

/// An answer with where it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The answer.
    pub answer: Answer,
    /// Where it is.
    pub place: Place,
}

/// Where an answer is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Place {
    /// In these files. In none where the answer was not accepted or could not be kept; its partner counts it
    /// all the same.
    Kept {
        /// The key of the sealed file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed: Option<WrappedKey>,
        /// Files that people can read.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<PlainFile>,
    },
    /// There is a receipt of it, and nothing that tells where it went.
    Untracked,
    /// Its destruction was begun: the key is gone, the files may still be there.
    Erasing {
        /// Files that remain to be removed.
        files: Vec<PlainFile>,
        /// What is done.
        ways: BTreeSet<Way>,
    },
    /// Destroyed.
    Destroyed(Tombstone),
}

impl Note {
    /// Whether it is still to be destroyed.
    #[must_use]
    pub const fn is_left(&self) -> bool {
        !matches!(self.place, Place::Destroyed(_))
    }

    /// Whether something is still to be done about it: to destroy it, or to write the record of that.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.place, Place::Destroyed(Tombstone { recorded: true, .. }))
    }
}

/// A file that people can read, as it was written. A changed length or time tells that it is another.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlainFile {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// When it was last written.
    pub modified: Timestamp,
}

/// The key of one sealed file, wrapped for the leader's sealing key (the encapsulated key of RFC 9180). It
/// stands apart from the file: without it, nobody opens the file, not even the leader.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct WrappedKey(pub(crate) Base64Bytes<32>);

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappedKey(redacted)")
    }
}

/// What was done to destroy an answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The key of the sealed file was erased, and the file removed.
    Sealed,
    /// A file that people can read was removed.
    File,
    /// Somebody says that it was destroyed by other means.
    Stated,
    /// Nothing had been kept.
    Nothing,
}

/// What is left of a destroyed answer: enough to write its record again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub ways: BTreeSet<Way>,
    /// What somebody adds to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manner: Option<Line>,
    /// Where.
    pub place: Line,
    /// By whom: a function, not a name.
    pub operator: Line,
    /// Whether its record was written to a file, to be signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
}

/// The outcome that a partner signed of this target of this query, if it is one.
pub(crate) fn signed_of(
    signed: &str,
    key: &convenant_model::keys::VerifyingKey,
) -> Option<SignedOutcome> {
    let own = key_id(key);
    let verified = verify_compact(signed, OUTCOME_TYPE, |id| (*id == own).then(|| key.clone()));
    parse_canonical(verified.ok()?.payload(), "outcome").ok()
}
