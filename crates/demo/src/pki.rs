//! The example PKI: a certificate authority, its list of revoked certificates, and certificates with
//! the OIN in `subject.serialNumber`, as PKIoverheid has them.
//!
//! The authority's key lives in memory only and goes with [`Pki`]: nobody can issue more afterwards.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use convenant_model::{Date, Digest, Oin};
use convenant_signing::sha256;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, RevocationReason, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd, string::PrintableString,
};
use zeroize::Zeroizing;

use crate::{error::Result, files};

/// Organisation in every example certificate. A daemon refuses certificates with it unless it is told
/// otherwise.
pub const EXAMPLE_ORGANISATION: &str = "convenant example (do not use)";

/// Days for which an example certificate is valid.
pub const CERTIFICATE_DAYS: i32 = 90;

/// Days after which the list of revoked certificates is stale; the example then ends.
pub const CRL_DAYS: i32 = 30;

/// X.520 `serialNumber` (ITU-T X.520 §6.2.9).
const SERIAL_NUMBER: [u64; 4] = [2, 5, 4, 5];

/// An example certificate authority, able to issue and revoke.
pub struct Pki {
    authority: CertifiedIssuer<'static, KeyPair>,
    roots: PathBuf,
    crl: PathBuf,
    today: Date,
    next_serial: u64,
    crl_number: u64,
    revoked: Vec<u64>,
}

/// What a certificate is to say.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    /// The OIN in `subject.serialNumber`.
    pub oin: Oin,
    /// The common name.
    pub common_name: String,
    /// First day of validity.
    pub valid_from: Date,
    /// Day at the start of which validity ends.
    pub valid_until: Date,
}

/// A certificate with its private key.
pub struct Issued {
    /// The certificate as PEM.
    pub certificate: String,
    /// The private key as PEM (PKCS#8).
    pub key: Zeroizing<String>,
    /// SHA-256 over the SubjectPublicKeyInfo: the pin of an enrolment.
    pub pin: Digest,
    /// Serial number of the certificate, for [`Pki::revoke`].
    pub serial: u64,
}

impl CertificateRequest {
    /// An ordinary certificate: valid from the day before `today`, for 90 days.
    #[must_use]
    pub fn new(oin: &Oin, common_name: &str, today: Date) -> Self {
        Self {
            oin: oin.clone(),
            common_name: common_name.to_owned(),
            valid_from: today.plus_days(-1),
            valid_until: today.plus_days(CERTIFICATE_DAYS),
        }
    }
}

impl Pki {
    /// Makes an authority and writes `ca.pem` and `crl.pem` into `dir`.
    ///
    /// # Errors
    /// When a file exists already or cannot be written, or no key can be drawn.
    pub fn create(dir: &Path, today: Date) -> Result<Self> {
        files::folder(dir)?;
        let epoch = date_time_ymd(1970, 1, 1);
        let mut params = CertificateParams::default();
        params.distinguished_name = name("convenant example CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = epoch + since_1970(today.plus_days(-2));
        params.not_after = epoch + since_1970(today.plus_days(CERTIFICATE_DAYS + 1));
        params.serial_number = Some(SerialNumber::from(1));
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let mut pki = Self {
            authority,
            roots: dir.join("ca.pem"),
            crl: dir.join("crl.pem"),
            today,
            next_serial: 2,
            crl_number: 0,
            revoked: Vec::new(),
        };
        files::write(&pki.roots, pki.authority.pem())?;
        pki.write_crl(today.plus_days(CRL_DAYS))?;
        Ok(pki)
    }

    /// Issues a certificate on a new P-256 key, for `localhost` and 127.0.0.1, for both ends of a
    /// connection.
    ///
    /// # Errors
    /// When no key can be drawn.
    pub fn issue(&mut self, request: &CertificateRequest) -> Result<Issued> {
        self.certify(request, KeyPair::generate()?)
    }

    /// Issues another certificate on the key of one that was issued.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn renew(&mut self, request: &CertificateRequest, former: &Issued) -> Result<Issued> {
        self.certify(request, KeyPair::from_pem(&former.key)?)
    }

    fn certify(&mut self, request: &CertificateRequest, key: KeyPair) -> Result<Issued> {
        let serial = self.next_serial;
        let epoch = date_time_ymd(1970, 1, 1);
        let mut params = CertificateParams::default();
        params.distinguished_name = name(&request.common_name);
        let oin = PrintableString::try_from(request.oin.as_str())?;
        params
            .distinguished_name
            .push(DnType::CustomDnType(SERIAL_NUMBER.to_vec()), DnValue::PrintableString(oin));
        let localhost = "localhost".try_into()?;
        params.subject_alt_names =
            vec![SanType::DnsName(localhost), SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = epoch + since_1970(request.valid_from);
        params.not_after = epoch + since_1970(request.valid_until);
        params.serial_number = Some(SerialNumber::from(serial));
        let certificate = params.signed_by(&key, &self.authority)?;
        self.next_serial += 1;
        Ok(Issued {
            certificate: certificate.pem(),
            key: Zeroizing::new(key.serialize_pem()),
            pin: sha256(&key.subject_public_key_info()),
            serial,
        })
    }

    /// Revokes a certificate and rewrites the list.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn revoke(&mut self, serial: u64) -> Result<()> {
        self.revoked.push(serial);
        self.write_crl(self.today.plus_days(CRL_DAYS))
    }

    /// Rewrites the list of revoked certificates so that it is stale at the start of the day `until`;
    /// a test makes a stale list with a day in the past, not before the day before yesterday.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn write_crl(&mut self, until: Date) -> Result<()> {
        let epoch = date_time_ymd(1970, 1, 1);
        self.crl_number += 1;
        let issued = epoch + since_1970(self.today.plus_days(-2));
        let revoked = self.revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: issued,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: issued,
            next_update: epoch + since_1970(until),
            crl_number: SerialNumber::from(self.crl_number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        files::replace(&self.crl, list.signed_by(&self.authority)?.pem()?)
    }

    /// The file with the authority's certificate.
    #[must_use]
    pub fn roots(&self) -> &Path {
        &self.roots
    }

    /// The file with the list of revoked certificates.
    #[must_use]
    pub fn crl(&self) -> &Path {
        &self.crl
    }
}

impl Issued {
    /// Writes `STEM.pem` and `STEM.key` into a folder, readable by their owner only.
    ///
    /// # Errors
    /// When a file exists already or cannot be written.
    pub fn write(&self, dir: &Path, stem: &str) -> Result<()> {
        files::write(&dir.join(format!("{stem}.pem")), &self.certificate)?;
        files::write(&dir.join(format!("{stem}.key")), self.key.as_bytes())
    }
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "NL");
    name.push(DnType::OrganizationName, EXAMPLE_ORGANISATION);
    name.push(DnType::CommonName, common_name);
    name
}

/// How long after 1970-01-01 a day starts, in UTC like everything in a certificate. rcgen's times are counted from that day, because it does
/// not export their type.
fn since_1970(day: Date) -> Duration {
    Duration::from_secs(86_400 * u64::try_from(day.days_since_epoch()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use x509_parser::{pem::Pem, prelude::*, revocation_list::CertificateRevocationList};

    use super::*;

    fn der(pem: &[u8]) -> Vec<u8> {
        Pem::iter_from_buffer(pem).next().unwrap().unwrap().contents
    }

    fn request(today: Date) -> CertificateRequest {
        let oin = Oin::new("00000099000000001000").unwrap();
        CertificateRequest::new(&oin, "coordinator", today)
    }

    #[test]
    fn a_certificate_carries_the_oin_and_its_pin_is_over_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let today = Date::new(2026, 3, 1).unwrap();
        let mut pki = Pki::create(dir.path(), today).unwrap();
        let issued = pki.issue(&request(today)).unwrap();

        let bytes = der(issued.certificate.as_bytes());
        let (_, certificate) = X509Certificate::from_der(&bytes).unwrap();
        let oid = x509_parser::oid_registry::OID_X509_SERIALNUMBER;
        let oins: Vec<_> = certificate.subject().iter_by_oid(&oid).collect();
        assert_eq!(oins.len(), 1);
        assert_eq!(oins[0].as_str(), Ok("00000099000000001000"));
        let organisation = certificate.subject().iter_organization().next().unwrap();
        assert_eq!(organisation.as_str(), Ok(EXAMPLE_ORGANISATION));
        assert_eq!(sha256(certificate.public_key().raw), issued.pin);
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.server_auth && usage.client_auth);
        let days = certificate.validity().not_after.timestamp() / 86_400;
        assert_eq!(days, i64::from(today.plus_days(90).days_since_epoch()));

        let roots = der(&fs::read(pki.roots()).unwrap());
        let (_, authority) = X509Certificate::from_der(&roots).unwrap();
        assert_eq!(certificate.issuer(), authority.subject());
        assert!(authority.is_ca());
    }

    #[test]
    fn a_revoked_certificate_is_on_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let today = Date::new(2026, 3, 1).unwrap();
        let mut pki = Pki::create(dir.path(), today).unwrap();
        let (kept, gone) =
            (pki.issue(&request(today)).unwrap(), pki.issue(&request(today)).unwrap());
        pki.revoke(gone.serial).unwrap();

        let bytes = der(&fs::read(pki.crl()).unwrap());
        let (_, list) = CertificateRevocationList::from_der(&bytes).unwrap();
        let listed: Vec<_> =
            list.iter_revoked_certificates().map(|one| one.user_certificate.clone()).collect();
        assert_eq!(listed, [gone.serial.into()]);
        assert_ne!(kept.serial, gone.serial);
        assert_eq!(list.crl_number(), Some(&2_u32.into()));
        let days = list.next_update().unwrap().timestamp() / 86_400;
        assert_eq!(days, i64::from(today.plus_days(30).days_since_epoch()));
    }
}
