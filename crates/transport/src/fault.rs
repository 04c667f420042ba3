//! What is wrong with a certificate, for people, without the TLS library's types.

use rustls::{CertificateError, Error};
use thiserror::Error as ThisError;

/// Why a certificate was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ThisError)]
pub enum CertificateFault {
    /// Its authority took it back.
    #[error("the certificate is revoked")]
    Revoked,
    /// Its time is over.
    #[error("the certificate has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// No chain to a configured root.
    #[error("the certificate was not issued by a trusted authority")]
    UnknownIssuer,
    /// The revocation list here is past its `nextUpdate`, so nobody can be told to be in order.
    #[error("the revocation list here is out of date: fetch a new one")]
    RevocationListExpired,
    /// No revocation list of the authority that issued it.
    #[error("there is no revocation list here of the authority that issued the certificate")]
    RevocationUnknown,
    /// Not for this host name.
    #[error("the certificate is for another host name")]
    OtherName,
    /// Its extended key usage does not allow this use (RFC 5280 §4.2.1.12).
    #[error("the certificate may not be used for this purpose")]
    OtherPurpose,
    /// Anything else: a broken encoding, a bad signature, an algorithm that is not allowed.
    #[error("the certificate is not well-formed, or its signature does not hold")]
    Invalid,
}

impl CertificateFault {
    /// The fault that a TLS error tells of, where it is about a certificate.
    pub(crate) fn of(error: &Error) -> Option<Self> {
        let Error::InvalidCertificate(error) = error else {
            return None;
        };
        Some(match error {
            CertificateError::Revoked => Self::Revoked,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::UnknownRevocationStatus => Self::RevocationUnknown,
            CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => Self::RevocationListExpired,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::OtherPurpose
            }
            _ => Self::Invalid,
        })
    }
}
