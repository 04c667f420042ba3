//! An authority that issues and revokes, and the files of the parties that it knows.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use convenant_transport::{Peer, TlsFiles};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose as Use, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber, date_time_ymd,
};
use tempfile::TempDir;

const SUBJECT_SERIAL_NUMBER: &[u64] = &[2, 5, 4, 5];

/// A certification authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a certificate is to say.
pub(crate) struct Request<'a> {
    pub(crate) oin: &'a str,
    pub(crate) serial: u64,
    pub(crate) organisation: &'a str,
    pub(crate) expires: i32,
}

impl Default for Request<'_> {
    fn default() -> Self {
        Self { oin: super::world::ALICE, serial: 1, organisation: "a party", expires: 2090 }
    }
}

/// A party's files, in a directory of its own.
pub(crate) struct Party {
    pub(crate) files: TlsFiles,
    pub(crate) peer: Peer,
    dir: TempDir,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A party with a certificate of this authority, who trusts this authority.
    pub(crate) fn party(&self, request: &Request<'_>) -> Party {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.serial_number = Some(SerialNumber::from(request.serial));
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(request.expires, 1, 1);
        params.extended_key_usages = vec![Use::ClientAuth, Use::ServerAuth];
        let subject = &mut params.distinguished_name;
        subject.push(DnType::OrganizationName, request.organisation);
        subject.push(DnType::CustomDnType(SUBJECT_SERIAL_NUMBER.to_vec()), request.oin);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let peer = Peer::of(certificate.der()).unwrap();
        let party = Party::new(peer, &certificate.pem(), &key.serialize_pem());
        party.trust(self);
        party.revoke(self, &[]);
        party
    }

    fn revocation_list(&self, serials: &[u64]) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2026, 7, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

impl Party {
    fn new(peer: Peer, certificate: &str, key: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let files = TlsFiles {
            certificate: path("certificate.pem"),
            key: path("key.pem"),
            roots: path("roots.pem"),
            revocation_lists: vec![path("revoked.pem")],
            allow_example: false,
            reload_seconds: 60,
        };
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key).unwrap();
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).unwrap();
        Self { files, peer, dir }
    }

    /// Makes an authority the only one that this party trusts.
    pub(crate) fn trust(&self, authority: &Authority) {
        fs::write(&self.files.roots, authority.pem()).unwrap();
    }

    /// Gives this party a new revocation list of an authority, valid until 1 July 2026.
    pub(crate) fn revoke(&self, authority: &Authority, serials: &[u64]) {
        fs::write(self.dir.path().join("revoked.pem"), authority.revocation_list(serials)).unwrap();
    }

    /// Takes over another party's certificate and key.
    pub(crate) fn renew(&self, other: &Self) {
        let copy = |from: &Path, to: &Path| fs::copy(from, to).map(|_| ()).unwrap();
        copy(&other.files.certificate, &self.files.certificate);
        copy(&other.files.key, &self.files.key);
    }
}
