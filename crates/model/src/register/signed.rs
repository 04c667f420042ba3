//! Whose signatures a document carries.

use std::{collections::BTreeSet, sync::Arc};

use serde::de::DeserializeOwned;

use super::texts::may_hold_bsn;
use super::{
    AdmissionError, Envelope, RegisterState,
    breach::{Breach, Check},
};
use crate::{
    covenant::Covenant,
    documents::{Document, DocumentKind, Enrolment},
    ids::Oin,
    keys::VerifyingKey,
    parse::from_json,
};

pub(super) type Admission = Result<(), AdmissionError>;

/// Reads a document of the kind that its envelope says, and notes every text in it that names somebody.
pub(super) fn read<T: Document + DeserializeOwned>(
    check: &mut Check,
    envelope: &impl Envelope,
) -> Result<T, AdmissionError> {
    let document = from_json(T::KIND.as_str(), envelope.payload())?;
    if may_hold_bsn(envelope.payload()) {
        check.texts(&document);
    }
    Ok(document)
}

impl RegisterState {
    /// As many of the LSI's keys as make a quorum signed.
    pub(super) fn quorum(&self, kind: DocumentKind, envelope: &impl Envelope) -> Admission {
        let keys: BTreeSet<_> = self.root.lsi.iter().collect();
        let signed = keys.into_iter().filter(|key| envelope.signed_by(key)).count();
        // A quorum of nobody would admit anything.
        let quorum = self.root.quorum.max(1);
        if signed >= quorum { Ok(()) } else { Err(AdmissionError::Quorum { kind, signed, quorum }) }
    }

    /// An organisation signed, with the key of its latest enrolment.
    pub(super) fn signed(
        &self,
        kind: DocumentKind,
        envelope: &impl Envelope,
        oin: &Oin,
    ) -> Admission {
        let key = &self.enrolled(kind, oin)?.signing_key;
        self.signed_with(kind, envelope, oin, key)
    }

    /// An organisation signed with this key, which was never revoked: a document says not when it was
    /// signed, so a key that was taken could sign one for any day.
    pub(super) fn signed_with(
        &self,
        kind: DocumentKind,
        envelope: &impl Envelope,
        oin: &Oin,
        key: &VerifyingKey,
    ) -> Admission {
        if self.revoked_from(oin, key).is_some() {
            return Err(Check::of(kind).stop("signatures", Breach::RevokedKey));
        }
        if envelope.signed_by(key) {
            return Ok(());
        }
        Err(AdmissionError::Signature { kind, partner: oin.clone() })
    }

    /// An organisation signed, or the LSI's quorum did.
    pub(super) fn signed_or_quorum(
        &self,
        kind: DocumentKind,
        envelope: &impl Envelope,
        oin: &Oin,
    ) -> Admission {
        self.signed(kind, envelope, oin).or_else(|own| {
            // Of the two errors, the one that says whose signature was expected.
            self.quorum(kind, envelope).map_err(|_| own)
        })
    }

    pub(super) fn enrolled(
        &self,
        kind: DocumentKind,
        oin: &Oin,
    ) -> Result<&Enrolment, AdmissionError> {
        let enrolment = self.enrolments.get(oin).map(Arc::as_ref);
        enrolment.ok_or_else(|| {
            let mut check = Check::of(kind);
            check.that_of(false, "partner", Breach::NotEnrolled, oin);
            AdmissionError::Faults { kind, faults: check.faults() }
        })
    }

    pub(super) fn covenant_for(&self, kind: DocumentKind) -> Result<Arc<Covenant>, AdmissionError> {
        let covenant = self.covenant.as_ref().map(|last| Arc::clone(&last.covenant));
        covenant.ok_or_else(|| Check::of(kind).stop("document", Breach::NoCovenant))
    }
}
