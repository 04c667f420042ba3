//! Keys in files: JWK texts (RFC 7517). A private key is readable by its owner only.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use convenant_model::{
    KeyId,
    keys::{SealingKey, VerifyingKey},
    parse::{ParseError, from_json},
};
use convenant_signing::{JwkError, OpeningKey, PseudonymKey, SigningKey, SystemRandom};
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a key cannot be read from its file.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("key file `{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the private key.
    #[error("private key `{}` is open to its group or to others (mode {mode:04o}): run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is no private JWK of the kind wanted.
    #[error("`{}` is not a private JWK as needed here", path.display())]
    Private {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: JwkError,
    },
    /// The file is no public JWK.
    #[error("not a public JWK")]
    Public(#[from] ParseError),
    /// The file holds the private half where the public one is wanted.
    #[error(
        "`{path}` is a private key, and a public one is needed here; it was read no further. \
         `convenant keys show {path}` prints its public half",
        path = path.display()
    )]
    NotPublic {
        /// The file.
        path: PathBuf,
    },
    /// The file holds the public half where the private one is wanted.
    #[error("`{}` is a public key, and its private half is needed here", path.display())]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// The quorum cannot be met, or anybody would meet it.
    #[error("a quorum of {quorum} cannot be made; number of keys: {keys}")]
    Quorum {
        /// The quorum.
        quorum: usize,
        /// The number of keys.
        keys: usize,
    },
    /// A key of the LSI is there twice, and a quorum counts it once.
    #[error("{} key `{id}` of the LSI: a quorum counts it once", twice(first, again))]
    Repeated {
        /// The file that names it first.
        first: PathBuf,
        /// The file that names it again; it may be the same one.
        again: PathBuf,
        /// The key's id.
        id: KeyId,
    },
}

fn twice(first: &Path, again: &Path) -> String {
    let (first, again) = (first.display(), again.display());
    if first.to_string() == again.to_string() {
        format!("`{first}` is named twice, for")
    } else {
        format!("`{first}` and `{again}` both hold")
    }
}

/// Reads a private signing key.
///
/// # Errors
/// When the file cannot be read, is open to others, or holds no such key.
pub fn signing_key(path: &Path) -> Result<SigningKey, KeyFileError> {
    SigningKey::from_jwk(&private_text(path)?, &SystemRandom::new())
        .map_err(|source| KeyFileError::Private { path: path.to_owned(), source })
}

/// Reads a private sealing key.
///
/// # Errors
/// When the file cannot be read, is open to others, or holds no such key.
pub fn opening_key(path: &Path) -> Result<OpeningKey, KeyFileError> {
    OpeningKey::from_jwk(&private_text(path)?)
        .map_err(|source| KeyFileError::Private { path: path.to_owned(), source })
}

/// Reads a key that makes pseudonyms.
///
/// # Errors
/// When the file cannot be read, is open to others, or holds no such key.
pub fn pseudonym_key(path: &Path) -> Result<PseudonymKey, KeyFileError> {
    PseudonymKey::from_jwk(&private_text(path)?)
        .map_err(|source| KeyFileError::Private { path: path.to_owned(), source })
}

/// Reads a public key to which is sealed.
///
/// # Errors
/// When the file cannot be read or holds no such key.
pub fn sealing_key(path: &Path) -> Result<SealingKey, KeyFileError> {
    public(path)
}

/// Reads a public key that verifies signatures.
///
/// # Errors
/// When the file cannot be read or holds no such key.
pub fn verifying_key(path: &Path) -> Result<VerifyingKey, KeyFileError> {
    public(path)
}

fn public<K: DeserializeOwned>(path: &Path) -> Result<K, KeyFileError> {
    let bytes = fs::read(path).map(Zeroizing::new);
    let bytes = bytes.map_err(|source| KeyFileError::Read { path: path.to_owned(), source })?;
    if is_private(&bytes) {
        return Err(KeyFileError::NotPublic { path: path.to_owned() });
    }
    Ok(from_json(&path.display().to_string(), &bytes)?)
}

/// The members of a JWK that tell its halves apart (RFC 8037 §2, RFC 7518 §6.2). Their values are skipped.
#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    x: Option<IgnoredAny>,
    #[serde(default)]
    d: Option<IgnoredAny>,
}

fn is_private(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Members>(bytes).is_ok_and(|key| key.d.is_some())
}

fn is_public(bytes: &[u8]) -> bool {
    let key = serde_json::from_slice::<Members>(bytes);
    key.is_ok_and(|key| key.x.is_some() && key.d.is_none())
}

fn private_text(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let read_error = |source| KeyFileError::Read { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(read_error)?.permissions().mode() & 0o7777;
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(read_error)?;
    // Whoever named the wrong half is not to be told to close it.
    if is_public(text.as_bytes()) {
        return Err(KeyFileError::NotPrivate { path: path.to_owned() });
    }
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    Ok(text)
}
