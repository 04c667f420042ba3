//! Who a certificate belongs to: an OIN and the pin of a public key.

use std::collections::BTreeSet;

use convenant_model::{Digest, Oin};
use thiserror::Error;
use x509_parser::{
    certificate::X509Certificate, oid_registry::OID_X509_SERIALNUMBER, prelude::FromDer as _,
};

/// The organisation in every example certificate. Their keys are public, so nothing may trust them
/// unless it was told to.
pub const EXAMPLE_ORGANISATION: &str = "convenant example (do not use)";

/// The party on the other side of a connection, from its certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The OIN in `subject.serialNumber`.
    pub oin: Oin,
    /// SHA-256 over the DER of SubjectPublicKeyInfo (as in RFC 7469 §2.4).
    pub pin: Digest,
}

/// Why a certificate names no party.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PeerError {
    /// Not one X.509 certificate in DER.
    #[error("not an X.509 certificate")]
    NotX509,
    /// The subject has no `serialNumber`.
    #[error("the certificate's subject has no serialNumber, where the OIN should be")]
    NoSerialNumber,
    /// The subject has several, and no way to tell which is meant.
    #[error("the certificate's subject has {0} serialNumbers, one is expected")]
    SeveralSerialNumbers(usize),
    /// The `serialNumber` is not an OIN.
    #[error("the serialNumber in the certificate's subject is not an OIN of twenty digits")]
    NotAnOin,
}

impl Peer {
    /// Reads the party from its end-entity certificate in DER.
    ///
    /// # Errors
    /// When the subject does not hold exactly one `serialNumber` of twenty digits (X.520 §6.2.9).
    pub fn of(certificate: &[u8]) -> Result<Self, PeerError> {
        let certificate = parse(certificate)?;
        let attributes: Vec<_> =
            certificate.subject().iter_by_oid(&OID_X509_SERIALNUMBER).collect();
        let serial_number = match attributes.as_slice() {
            [] => return Err(PeerError::NoSerialNumber),
            [one] => one.as_str().map_err(|_| PeerError::NotAnOin)?,
            several => return Err(PeerError::SeveralSerialNumbers(several.len())),
        };
        let oin = Oin::new(serial_number).map_err(|_| PeerError::NotAnOin)?;
        Ok(Self { oin, pin: sha256(certificate.public_key().raw) })
    }
}

/// Whether a certificate in DER is one of the published examples: its subject's organisation is
/// [`EXAMPLE_ORGANISATION`]. What is no certificate is no example either.
#[must_use]
pub fn is_example(certificate: &[u8]) -> bool {
    parse(certificate).is_ok_and(|certificate| {
        certificate
            .subject()
            .iter_organization()
            .any(|name| name.as_str().is_ok_and(|name| name == EXAMPLE_ORGANISATION))
    })
}

/// The party that should be on the other side: its OIN and the pins of its enrolment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expected {
    /// The party.
    pub oin: Oin,
    /// The public keys that its enrolment lists. Without any, nobody matches.
    pub pins: BTreeSet<Digest>,
}

/// A certificate of the right authority, but of the wrong party or key.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Mismatch {
    /// The certificate belongs to another party.
    #[error("the certificate is of party {found}, not of {expected}")]
    Oin {
        /// The party that should be there.
        expected: Oin,
        /// The party that is.
        found: Oin,
    },
    /// The right party, with a public key that its enrolment does not list.
    #[error("the certificate of party {oin} has a public key that is not enrolled (pin {found})")]
    Pin {
        /// The party.
        oin: Oin,
        /// The pin of the key that it showed.
        found: Digest,
    },
}

impl Expected {
    /// Compares the party that is there with the one that should be.
    ///
    /// # Errors
    /// When the OIN differs, or the key is not one of the pins.
    pub fn matches(&self, peer: &Peer) -> Result<(), Mismatch> {
        if peer.oin != self.oin {
            return Err(Mismatch::Oin { expected: self.oin.clone(), found: peer.oin.clone() });
        }
        if !self.pins.contains(&peer.pin) {
            return Err(Mismatch::Pin { oin: peer.oin.clone(), found: peer.pin });
        }
        Ok(())
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.as_ref());
    Digest::from_bytes(digest)
}

fn parse(certificate: &[u8]) -> Result<X509Certificate<'_>, PeerError> {
    match X509Certificate::from_der(certificate) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(PeerError::NotX509),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _};

    const OIN: &str = "00000099000000001000";
    const SERIAL_NUMBER: &[u64] = &[2, 5, 4, 5];

    fn certificate(serial_numbers: &[&str], organisation: &str) -> (Vec<u8>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, organisation);
        for text in serial_numbers {
            params.distinguished_name.push(DnType::CustomDnType(SERIAL_NUMBER.to_vec()), *text);
        }
        (params.self_signed(&key).unwrap().der().to_vec(), key)
    }

    #[test]
    fn a_party_is_its_serial_number_and_its_key() {
        let (der, key) = certificate(&[OIN], "a party");
        let peer = Peer::of(&der).unwrap();
        assert_eq!(peer.oin.as_str(), OIN);
        assert_eq!(peer.pin, sha256(&key.subject_public_key_info()));
    }

    #[test]
    fn a_certificate_without_one_oin_names_nobody() {
        let error = |numbers: &[&str]| Peer::of(&certificate(numbers, "x").0).unwrap_err();
        assert_eq!(error(&[]), PeerError::NoSerialNumber);
        assert_eq!(error(&["123"]), PeerError::NotAnOin);
        assert_eq!(Peer::of(b"nonsense"), Err(PeerError::NotX509));
        let (mut der, _) = certificate(&[OIN], "x");
        der.push(0);
        assert_eq!(Peer::of(&der), Err(PeerError::NotX509));
    }

    #[test]
    fn an_example_is_told_by_its_organisation() {
        assert!(is_example(&certificate(&[OIN], EXAMPLE_ORGANISATION).0));
        assert!(!is_example(&certificate(&[OIN], "convenant").0));
    }

    #[test]
    fn a_party_without_pins_matches_nobody() {
        let peer = Peer::of(&certificate(&[OIN], "x").0).unwrap();
        let nobody = Expected { oin: peer.oin.clone(), pins: BTreeSet::new() };
        assert!(matches!(nobody.matches(&peer), Err(Mismatch::Pin { .. })));
    }
}
