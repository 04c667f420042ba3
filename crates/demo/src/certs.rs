//! What `convenant certs example` writes: certificates to look at and to try a daemon with.

use std::path::{Path, PathBuf};

use convenant_model::{Date, Oin};

use crate::{
    error::Result,
    example::EXAMPLE_PARTIES,
    files,
    pki::{CERTIFICATE_DAYS, CRL_DAYS, CertificateRequest, Pki},
};

/// Writes an example PKI into a new or empty folder: `ca.pem`, `crl.pem`, `NAME.pem` and `NAME.key`
/// for each example party, and a readme that warns. Returns the paths of what it wrote.
///
/// # Errors
/// When the folder holds something, or a file cannot be written.
pub fn certs_example(dir: &Path, today: Date) -> Result<Vec<PathBuf>> {
    files::empty_folder(dir)?;
    let mut pki = Pki::create(dir, today)?;
    let mut written = vec![pki.roots().to_owned(), pki.crl().to_owned()];
    let mut table = String::new();
    for party in &EXAMPLE_PARTIES {
        let oin = Oin::new(party.oin)?;
        let issued = pki.issue(&CertificateRequest::new(&oin, party.name, today))?;
        issued.write(dir, party.name)?;
        let path = |ending| dir.join(format!("{}.{ending}", party.name));
        written.extend([path("pem"), path("key")]);
        table.push_str(&format!("| {} | {} | `{}` |\n", party.name, party.oin, issued.pin));
    }
    let readme = dir.join("README.md");
    files::write(&readme, text(today, &table))?;
    written.push(readme);
    Ok(written)
}

fn text(today: Date, table: &str) -> String {
    let (ends, stale) = (today.plus_days(CERTIFICATE_DAYS), today.plus_days(CRL_DAYS));
    format!(
        "# Example certificates: do not use\n\
         \n\
         Made by `convenant certs example`. The private keys lie next to the certificates, so they \
         prove nothing about anybody. Every certificate says `O = convenant example (do not use)`, and \
         a daemon refuses to start on one unless its configuration says `allow_example = true`. \
         In production, use certificates of PKIoverheid.\n\
         \n\
         - `ca.pem`: the authority. Its private key was never written down; nobody can issue more.\n\
         - `crl.pem`: the list of revoked certificates, empty, stale from {stale}.\n\
         - `NAME.pem`, `NAME.key`: certificate and P-256 key of a party, for `localhost` and \
         127.0.0.1, until {ends}. The OIN is in `subject.serialNumber`.\n\
         \n\
         The pin is the SHA-256 of the SubjectPublicKeyInfo, as an enrolment states it.\n\
         \n\
         | party | OIN | pin |\n|---|---|---|\n{table}"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::DemoError;

    #[test]
    fn it_writes_a_certificate_a_party_and_a_warning_once() {
        let dir = tempfile::tempdir().unwrap();
        let today = Date::new(2026, 3, 1).unwrap();
        let written = certs_example(dir.path(), today).unwrap();
        assert_eq!(written.len(), 3 + 2 * EXAMPLE_PARTIES.len());
        assert!(written.iter().all(|path| path.is_file()));
        let readme = fs::read_to_string(dir.path().join("README.md")).unwrap();
        assert!(readme.contains("do not use") && readme.contains("00000099000000000599"));
        let again = certs_example(dir.path(), today);
        assert!(matches!(again, Err(DemoError::NotEmpty(_))));
    }
}
