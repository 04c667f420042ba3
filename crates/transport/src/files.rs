//! Reading PEM files, with errors that name the file and what is wrong with it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Largest file that is read. The revocation list of a large authority runs to megabytes.
const LARGEST: u64 = 32 << 20;

/// Why a key, certificate or revocation list could not be read from its file.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file cannot be opened or read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is larger than any such file should be.
    #[error("`{}` is larger than {LARGEST} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A private key that others on the machine can read is not private.
    #[error(
        "private key `{}` is open to its group or to others (mode {mode:04o}): run `chmod 600` on it",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not PEM (RFC 7468).
    #[error("`{}` is not a PEM file: {fault}", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A PEM file without the kind of section that it is read for.
    #[error("`{}` holds no {wanted}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        wanted: &'static str,
    },
    /// More than one private key, and no way to tell which is meant.
    #[error("`{}` holds {count} private keys, one is expected", path.display())]
    SeveralKeys {
        /// The file.
        path: PathBuf,
        /// How many were found.
        count: usize,
    },
}

/// A file's bytes, wiped when dropped.
pub(crate) struct PemFile {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl PemFile {
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        Self::from_open(path, &open(path)?)
    }

    /// Reads a file that holds a private key; refuses one that others can read.
    pub(crate) fn read_private(path: &Path) -> Result<Self, FileError> {
        let file = open(path)?;
        // Asked of the open file, so that it cannot be another one than is read.
        refuse_exposed(path, &file)?;
        Self::from_open(path, &file)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, FileError> {
        self.sections("certificate")
    }

    pub(crate) fn revocation_lists(
        &self,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, FileError> {
        self.sections("certificate revocation list")
    }

    pub(crate) fn private_key(&self) -> Result<PrivateKeyDer<'static>, FileError> {
        let mut keys = self.sections::<PrivateKeyDer<'static>>("private key")?;
        match (keys.pop(), keys.len()) {
            (Some(key), 0) => Ok(key),
            (_, others) => {
                Err(FileError::SeveralKeys { path: self.path.clone(), count: others + 1 })
            }
        }
    }

    fn from_open(path: &Path, file: &File) -> Result<Self, FileError> {
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| FileError::Read { path: path.to_owned(), source })?;
        if bytes.len() as u64 > LARGEST {
            return Err(FileError::TooLarge { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), bytes })
    }

    fn sections<T: PemObject>(&self, wanted: &'static str) -> Result<Vec<T>, FileError> {
        let found = T::pem_slice_iter(&self.bytes)
            .collect::<Result<Vec<T>, pem::Error>>()
            .map_err(|error| FileError::NotPem { path: self.path.clone(), fault: fault(&error) })?;
        if found.is_empty() {
            return Err(FileError::Missing { path: self.path.clone(), wanted });
        }
        Ok(found)
    }
}

fn open(path: &Path) -> Result<File, FileError> {
    File::open(path).map_err(|source| FileError::Read { path: path.to_owned(), source })
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), FileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata =
        file.metadata().map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(FileError::Exposed { path: path.to_owned(), mode })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &File) -> Result<(), FileError> {
    Ok(())
}

/// The library's own texts quote the offending line, which in a key file may be part of the key.
fn fault(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section has a broken first line",
        pem::Error::Base64Decode(_) => "a section is not base64",
        pem::Error::SectionTooLarge => "a section is too large",
        _ => "it cannot be parsed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file.pem");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn a_private_key_that_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o620] {
            let (_dir, path) = written("", mode);
            let error = PemFile::read_private(&path).err().unwrap();
            assert!(matches!(error, FileError::Exposed { mode: m, .. } if m == mode), "{error}");
        }
        let (_dir, path) = written("", 0o600);
        assert!(PemFile::read_private(&path).is_ok());
    }

    #[test]
    fn errors_name_the_file_and_never_quote_it() {
        let secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0*\n-----END PRIVATE KEY-----\n";
        let (_dir, path) = written(secret, 0o600);
        let error = PemFile::read_private(&path).unwrap().private_key().unwrap_err().to_string();
        assert!(error.contains("file.pem") && !error.contains("c2Vj"), "{error}");
    }

    #[test]
    fn a_file_without_what_is_wanted_says_what_is_missing() {
        let (_dir, path) = written("hello", 0o600);
        let file = PemFile::read(&path).unwrap();
        assert!(file.certificates().unwrap_err().to_string().ends_with("holds no certificate"));
    }
}
