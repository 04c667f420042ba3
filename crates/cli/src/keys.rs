//! `convenant keys`: private keys in files of their own, and what may be told about them.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Subcommand, ValueEnum};
use convenant_model::{
    KeyId,
    keys::{Base64Bytes, SealingKey, VerifyingKey},
    parse::from_json,
};
use convenant_setup::{opening_key, signing_key};
use convenant_signing::{OpeningKey, PseudonymKey, SigningKey, SystemRandom, key_id, sha256};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Named as _, usage},
    files::{PRIVATE, PUBLIC, create},
    output,
};

const NEW_EXAMPLES: &str = "\
Examples:
  convenant keys new --kind signing --out leader.jwk
  convenant keys new --kind sealing --out sealing.jwk

Writes the private key to FILE (mode 0600) and the public key beside it: `leader.jwk` gets
`leader.pub.jwk`. Nothing is ever overwritten.

Which kind for what:
  signing   documents, and the queries of a project leader (the leader's is ed25519, because it signs
            the ledger of receipts too)
  ledger    a daemon's outcomes and checkpoints, the register's checkpoints; always ed25519
  sealing   opens the subjects that are sealed to a node; X25519
  pseudonym the pseudonyms in a node's account of whom its answers are about; no public half";

const SHOW_EXAMPLES: &str = "\
Example:
  convenant keys show leader.jwk

FILE may hold the private or the public key; only the public half is shown. The key id is the
RFC 7638 thumbprint, which a signature names as `kid`.";

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key.
    #[command(after_help = NEW_EXAMPLES)]
    New {
        /// What the key is for.
        #[arg(long, value_enum)]
        kind: KeyKind,
        /// Algorithm of a signing key [default: ed25519].
        #[arg(long, value_enum)]
        alg: Option<Algorithm>,
        /// File for the private key.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show the public half of a key, and its id.
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// A private or public JWK.
        file: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum KeyKind {
    /// Signs documents and queries.
    Signing,
    /// Signs outcomes and checkpoints.
    Ledger,
    /// Opens what is sealed to a node.
    Sealing,
    /// Makes the pseudonyms of people at a node.
    Pseudonym,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Algorithm {
    /// Ed25519 (JWS `EdDSA`).
    Ed25519,
    /// P-256 (JWS `ES256`).
    P256,
}

pub(crate) fn run(command: &KeysCommand, json: bool) -> anyhow::Result<ExitCode> {
    let shown = match command {
        KeysCommand::New { kind: KeyKind::Pseudonym, alg, out } => {
            return new_pseudonym(*alg, out, json);
        }
        KeysCommand::New { kind, alg, out } => new(*kind, *alg, out)?,
        KeysCommand::Show { file } => read(file)?,
    };
    if json {
        output::json(&shown)?;
    } else {
        output::line(&serde_json::to_string(&shown.key)?)?;
        output::note(&format!("key id {}", shown.id));
    }
    Ok(Exit::Done.into())
}

/// What may be told about a key.
#[derive(Serialize)]
struct Shown {
    id: KeyId,
    key: PublicKey,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_file: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PublicKey {
    Verifying(VerifyingKey),
    Sealing(SealingKey),
}

impl PublicKey {
    fn id(&self) -> anyhow::Result<KeyId> {
        match self {
            Self::Verifying(key) => Ok(key_id(key)),
            Self::Sealing(key) => {
                // RFC 7638 §3.2: the required members in lexicographic order.
                let input = format!(r#"{{"crv":"X25519","kty":"OKP","x":"{}"}}"#, key.x);
                let digest = sha256(input.as_bytes());
                Ok(KeyId::new(Base64Bytes(*digest.as_bytes()).to_string())?)
            }
        }
    }

    fn shown(self) -> anyhow::Result<Shown> {
        Ok(Shown { id: self.id()?, key: self, private_file: None, public_file: None })
    }
}

/// A secret key: there is nothing to show of it.
fn new_pseudonym(alg: Option<Algorithm>, out: &Path, json: bool) -> anyhow::Result<ExitCode> {
    if alg.is_some() {
        return Err(usage("a pseudonym key is always for HMAC-SHA256: leave out `--alg`"));
    }
    create(out, PRIVATE, PseudonymKey::generate(&SystemRandom::new())?.to_jwk().as_bytes())?;
    output::note(&format!("secret key in `{}`; it has no public half", out.display()));
    if json {
        output::json(&serde_json::json!({ "private_file": out }))?;
    }
    Ok(Exit::Done.into())
}

fn new(kind: KeyKind, alg: Option<Algorithm>, out: &Path) -> anyhow::Result<Shown> {
    let (private, public) = generate(kind, alg)?;
    let beside = public_path(out);
    if beside.exists() {
        return Err(usage(format!("`{}` exists already", beside.display())));
    }
    create(out, PRIVATE, private.as_bytes())?;
    create(&beside, PUBLIC, &serde_json::to_vec(&public)?)?;
    let (private, public_file) = (out.display(), beside.display());
    output::note(&format!("private key in `{private}`, public key in `{public_file}`"));
    let shown = public.shown()?;
    Ok(Shown { private_file: Some(out.to_owned()), public_file: Some(beside), ..shown })
}

fn generate(
    kind: KeyKind,
    alg: Option<Algorithm>,
) -> anyhow::Result<(Zeroizing<String>, PublicKey)> {
    let random = SystemRandom::new();
    let signing =
        |key: SigningKey| (key.to_jwk(), PublicKey::Verifying(key.verifying_key().clone()));
    match (kind, alg) {
        (KeyKind::Pseudonym, _) => Err(usage("a pseudonym key has no public half")),
        (KeyKind::Sealing, Some(_)) => {
            Err(usage("a sealing key is always X25519: leave out `--alg`"))
        }
        (KeyKind::Sealing, None) => {
            let key = OpeningKey::generate(&random)?;
            Ok((key.to_jwk(), PublicKey::Sealing(key.sealing_key().clone())))
        }
        (KeyKind::Ledger, Some(Algorithm::P256)) => {
            Err(usage("a ledger's key is always ed25519: other tools read its checkpoints"))
        }
        (KeyKind::Signing, Some(Algorithm::P256)) => {
            Ok(signing(SigningKey::generate_p256(&random)?))
        }
        _ => Ok(signing(SigningKey::generate(&random)?)),
    }
}

/// `leader.jwk` has its public half in `leader.pub.jwk`.
fn public_path(private: &Path) -> PathBuf {
    let stem = match private.extension() {
        Some(extension) if extension == "jwk" => private.with_extension(""),
        _ => private.to_owned(),
    };
    let mut name = stem.into_os_string();
    name.push(".pub.jwk");
    name.into()
}

/// What tells private from public, and which kind it is.
#[derive(Deserialize)]
struct Peek {
    crv: String,
    #[serde(default)]
    d: Option<IgnoredAny>,
}

fn read(path: &Path) -> anyhow::Result<Shown> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).named(|| format!("`{name}` cannot be read"))?;
    let bytes = Zeroizing::new(bytes);
    let Ok(peek) = serde_json::from_slice::<Peek>(&bytes) else {
        // The parser's message is dropped: it may quote a private key.
        return Err(usage(format!("`{name}` is not a JWK on Ed25519, P-256 or X25519")));
    };
    let key = match (peek.crv.as_str(), peek.d) {
        ("X25519", Some(_)) => PublicKey::Sealing(opening_key(path)?.sealing_key().clone()),
        ("X25519", None) => PublicKey::Sealing(from_json(&name, &bytes)?),
        (_, Some(_)) => PublicKey::Verifying(signing_key(path)?.verifying_key().clone()),
        (_, None) => PublicKey::Verifying(from_json(&name, &bytes)?),
    };
    key.shown()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_half_has_its_own_name() {
        assert_eq!(public_path(Path::new("a/leader.jwk")), Path::new("a/leader.pub.jwk"));
        assert_eq!(public_path(Path::new("leader.key")), Path::new("leader.key.pub.jwk"));
    }
}
