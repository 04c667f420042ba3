//! `convenant sign`: from a document that a person wrote to one that the register admits.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use convenant_model::{
    Digest, KeyId,
    documents::{Document, DocumentKind, Visit},
    parse::from_toml,
    register::Envelope as _,
};
use convenant_setup::signing_key;
use convenant_signing::{CanonicalError, Jws, JwsError, canonical};
use serde::{Deserialize, Serialize};

use crate::{
    covenant,
    exit::{Exit, Named as _, faulty, usage},
    output,
};

const EXAMPLES: &str = "\
Examples:
  convenant sign proposal.toml --key rotterdam.jwk
  convenant sign proposal.toml --key uwv.jwk         a further signature, in the same proposal.jws

The document says what it is: `document = \"proposal\"`, `\"attestation\"`, `\"decision\"` and so on;
`convenant register --help` says which there are. It is read strictly, turned into canonical JSON
(RFC 8785) and signed as a JWS (RFC 7515, general JSON serialisation), which other tools verify:
`jose jws ver -i proposal.jws -k rotterdam.pub.jwk`.

Prints the document's hash on stdout: that is how one document names another, for instance a
decision and a mandate the proposal.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SignArgs {
    /// The document (TOML).
    file: PathBuf,
    /// Private key (JWK).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Signed document; gets a further signature where it exists [default: FILE with `.jws`].
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

impl SignArgs {
    /// The document.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The private key.
    pub(crate) fn key(&self) -> &Path {
        &self.key
    }

    /// What is to be signed, and as what.
    pub(crate) fn payload(&self) -> anyhow::Result<(DocumentKind, Vec<u8>)> {
        let text = fs::read_to_string(&self.file)
            .named(|| format!("`{}` cannot be read", self.file.display()))?;
        if Jws::parse(text.as_bytes()).is_ok() {
            return Err(usage(format!(
                "`{}` is signed already: for a further signature, name the document that it was made from, and \
                 this one with `--into`",
                self.file.display()
            )));
        }
        payload(&self.file, &text)
    }
}

#[derive(Serialize)]
struct Signed {
    document: DocumentKind,
    hash: Digest,
    file: PathBuf,
    signed_by: KeyId,
    signatures: Vec<KeyId>,
}

pub(crate) fn run(args: &SignArgs, json: bool) -> anyhow::Result<ExitCode> {
    let (kind, payload) = args.payload()?;
    let key = signing_key(&args.key)?;
    let into = args.into.clone().unwrap_or_else(|| args.file.with_extension("jws"));
    if into == args.file {
        return Err(usage("the signed document would replace the document itself"));
    }
    let mut jws = begun(&into, kind, payload)?;
    jws.sign(&key).map_err(|error| match error {
        JwsError::RepeatedKey(id) => {
            usage(format!("key `{id}` has signed `{}` already", into.display()))
        }
        other => other.into(),
    })?;
    replace(&into, &jws.to_json())?;
    let signed = Signed {
        document: kind,
        hash: jws.payload_hash(),
        signatures: jws.key_ids().cloned().collect(),
        file: into,
        signed_by: key.id().clone(),
    };
    tell(&signed, json)?;
    Ok(Exit::Done.into())
}

fn tell(signed: &Signed, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(signed);
    }
    output::note(&format!(
        "signed the {} with key {}; `{}` has {} signature(s)",
        signed.document.as_str(),
        signed.signed_by,
        signed.file.display(),
        signed.signatures.len()
    ));
    output::line(&signed.hash.to_string())
}

/// What a document says that it is; the rest is read once that is known.
#[derive(Deserialize)]
struct Kind {
    document: DocumentKind,
}

fn payload(file: &Path, text: &str) -> anyhow::Result<(DocumentKind, Vec<u8>)> {
    let name = file.display().to_string();
    let Kind { document } = from_toml(&name, text)?;
    if document == DocumentKind::Covenant {
        // A covenant whose rules do not compile would stop every party.
        covenant::checked(file, text)?;
    }
    Ok((document, document.visit(Canonical { name: &name, text })?))
}

/// Reads a document strictly, and gives its canonical JSON.
struct Canonical<'a> {
    name: &'a str,
    text: &'a str,
}

impl Visit for Canonical<'_> {
    type Output = anyhow::Result<Vec<u8>>;
    fn visit<T: Document>(self) -> Self::Output {
        let document: T = from_toml(self.name, self.text)?;
        canonical(&document).map_err(|error: CanonicalError| error.into())
    }
}

/// The signed document so far: what is in the file, or a new one.
fn begun(into: &Path, kind: DocumentKind, payload: Vec<u8>) -> anyhow::Result<Jws> {
    if !into.exists() {
        return Ok(Jws::new(kind.media_type(), payload));
    }
    let shown = into.display();
    let bytes = fs::read(into).named(|| format!("`{shown}` cannot be read"))?;
    let jws = Jws::parse(&bytes)
        .map_err(|error| faulty(error, format!("`{shown}` is no signed document")))?;
    if jws.typ() != kind.media_type() || jws.payload() != payload {
        let message = "holds another document: remove it, or name another file with `--into`";
        return Err(usage(format!("`{shown}` {message}")));
    }
    Ok(jws)
}

/// A crash leaves the old signatures or the new ones, never half a file.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let write = || -> std::io::Result<()> {
        let mut part = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        part.write_all(bytes)?;
        part.as_file().sync_all()?;
        part.persist(path)?;
        Ok(())
    };
    write().named(|| format!("`{}` cannot be written", path.display()))
}
