//! C2SP `signed-note`: a text with signatures under it, made with Ed25519 keys that have a name.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convenant_model::keys::VerifyingKey;
use convenant_signing::{sha256, verify};
use thiserror::Error;

/// Most bytes of a note, and most signatures under it.
const MAX_NOTE: usize = 64 * 1024;
const MAX_SIGNATURES: usize = 64;

/// How a signature was made; the number is the type byte of `signed-note`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum SignatureType {
    /// Ed25519 over the text.
    Ed25519 = 0x01,
    /// Ed25519 over time and text (C2SP `tlog-cosignature`, `cosignature/v1`).
    Cosignature = 0x04,
}

/// Name of a key, and origin of a ledger: not empty, without white space, `+` or control characters.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NoteName(String);

impl NoteName {
    /// Parses a name.
    ///
    /// # Errors
    /// When it is empty, longer than 255 bytes, or has white space, `+` or a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, NoteError> {
        let name = name.into();
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.len() > 255 || name.contains(bad) {
            return Err(NoteError::Name);
        }
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a note is not accepted.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum NoteError {
    /// Not the name of a key.
    #[error("not a key name: 1 to 255 bytes without white space, `+` or control characters")]
    Name,
    /// Not an Ed25519 key.
    #[error("a note is signed with Ed25519, the key is of another type")]
    KeyType,
    /// Not a text with a blank line and signatures.
    #[error("not a signed note: a text, a blank line, and signature lines")]
    Form,
    /// A signature line that has not the form `— NAME BASE64`.
    #[error("signature line {line} has not the form `— NAME BASE64`")]
    Line {
        /// Number of the signature, from 1.
        line: usize,
    },
    /// The note has no signature of this key.
    #[error("the note has no signature of the key expected")]
    Unsigned,
    /// A signature of the key expected does not verify.
    #[error("the signature of the key expected does not verify")]
    Signature,
}

/// The public key of a signer of notes, together with its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteKey {
    name: NoteName,
    key: VerifyingKey,
    bytes: [u8; 32],
}

impl NoteKey {
    /// Names a key.
    ///
    /// # Errors
    /// When the key is not Ed25519.
    pub fn new(name: NoteName, key: VerifyingKey) -> Result<Self, NoteError> {
        let VerifyingKey::Ed25519 { x, .. } = &key else {
            return Err(NoteError::KeyType);
        };
        let bytes = x.0;
        Ok(Self { name, key, bytes })
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &NoteName {
        &self.name
    }

    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The key in the text form that other tools read: `NAME+ID+BASE64`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let id: String =
            self.id(SignatureType::Ed25519).iter().map(|b| format!("{b:02x}")).collect();
        let key = [&[SignatureType::Ed25519 as u8], self.bytes.as_slice()].concat();
        format!("{}+{id}+{}", self.name.0, STANDARD.encode(key))
    }

    /// Key id of `signed-note`: the first four bytes of SHA-256 over name, line feed, type and key.
    fn id(&self, kind: SignatureType) -> [u8; 4] {
        let input = [self.name.0.as_bytes(), b"\n", &[kind as u8], &self.bytes].concat();
        let [a, b, c, d, ..] = *sha256(&input).as_bytes();
        [a, b, c, d]
    }
}

/// One signature under a note, not yet verified.
#[derive(Clone, Debug, Eq, PartialEq)]
struct NoteSignature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// A text with signatures. Says nothing until [`Self::verified`] finds a signature that verifies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A text without signatures; the text ends with a line feed.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self { text, signatures: Vec::new() }
    }

    /// Parses a note; verifies nothing.
    ///
    /// # Errors
    /// When it has not the form of a signed note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Form)?;
        let control = note.chars().any(|c| c.is_control() && c != '\n');
        if note.len() > MAX_NOTE || control || !note.ends_with('\n') {
            return Err(NoteError::Form);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signatures) = note.split_at_checked(split + 1).ok_or(NoteError::Form)?;
        let lines = signatures.trim_matches('\n').split('\n').take(MAX_SIGNATURES + 1);
        let signatures: Vec<_> = lines
            .enumerate()
            .map(|(at, line)| signature(line).ok_or(NoteError::Line { line: at + 1 }))
            .collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Form);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, with its final line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds a signature that the key's holder made.
    pub fn add(&mut self, key: &NoteKey, kind: SignatureType, bytes: Vec<u8>) {
        let signature = NoteSignature { name: key.name.0.clone(), id: key.id(kind), bytes };
        self.signatures.push(signature);
    }

    /// Takes over a key's signature from another note with the same text.
    pub(crate) fn take(&mut self, key: &NoteKey, kind: SignatureType, from: &Self) {
        if let Ok(bytes) = from.signature_of(key, kind) {
            self.add(key, kind, bytes.to_vec());
        }
    }

    /// Drops every signature of another key, and every one but the first of each type.
    pub(crate) fn keep_only(&mut self, key: &NoteKey) {
        let kinds = [SignatureType::Ed25519, SignatureType::Cosignature];
        let mut wanted: Vec<_> = kinds.into_iter().map(|kind| key.id(kind)).collect();
        self.signatures.retain(|one| {
            let at = wanted.iter().position(|id| one.name == key.name.0 && one.id == *id);
            at.map(|at| wanted.remove(at)).is_some()
        });
    }

    /// The text, if the key signed it.
    ///
    /// # Errors
    /// When no signature of the key is there, or one does not verify.
    pub fn verified(&self, key: &NoteKey) -> Result<&str, NoteError> {
        let signature = self.signature_of(key, SignatureType::Ed25519)?;
        let holds = verify(&key.key, self.text.as_bytes(), signature).is_ok();
        if holds { Ok(&self.text) } else { Err(NoteError::Signature) }
    }

    /// The time in seconds since 1970 at which the key cosigned the text (`cosignature/v1`).
    ///
    /// # Errors
    /// When no cosignature of the key is there, or it does not verify.
    pub fn cosigned_at(&self, key: &NoteKey) -> Result<u64, NoteError> {
        let bytes = self.signature_of(key, SignatureType::Cosignature)?;
        let (time, signature) = bytes.split_first_chunk().ok_or(NoteError::Signature)?;
        let time = u64::from_be_bytes(*time);
        let message = cosigned_message(time, &self.text);
        let holds = verify(&key.key, message.as_bytes(), signature).is_ok();
        if holds { Ok(time) } else { Err(NoteError::Signature) }
    }

    fn signature_of(&self, key: &NoteKey, kind: SignatureType) -> Result<&[u8], NoteError> {
        let id = key.id(kind);
        let mut of_key = self.signatures.iter().filter(|s| s.name == key.name.0 && s.id == id);
        of_key.next().map(|s| s.bytes.as_slice()).ok_or(NoteError::Unsigned)
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            let bytes = [signature.id.as_slice(), &signature.bytes].concat();
            writeln!(f, "— {} {}", signature.name, STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

/// What a cosignature signs (C2SP `tlog-cosignature`, "Format").
pub(crate) fn cosigned_message(seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
    let name = NoteName::new(name).ok()?.0;
    let decoded = STANDARD.decode(encoded).ok()?;
    let (id, bytes) = decoded.split_first_chunk()?;
    (!bytes.is_empty()).then(|| NoteSignature { name, id: *id, bytes: bytes.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Go's `golang.org/x/mod/sumdb/note`.
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const KEY: &str = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    fn key(name: &str) -> NoteKey {
        let bytes = STANDARD.decode(KEY).unwrap();
        let key = VerifyingKey::ed25519(bytes[1..].try_into().unwrap());
        NoteKey::new(NoteName::new(name).unwrap(), key).unwrap()
    }

    #[test]
    fn the_note_of_gos_documentation_verifies() {
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        let key = key("PeterNeumann");
        assert_eq!(key.to_text(), format!("PeterNeumann+c74f20a3+{KEY}"));
        assert!(note.verified(&key).unwrap().ends_with("your problem is.\n"));
        assert_eq!(note.to_string(), NOTE);
    }

    #[test]
    fn another_text_or_name_does_not() {
        let altered = NOTE.replace("answer", "Answer");
        let note = Note::parse(altered.as_bytes()).unwrap();
        assert_eq!(note.verified(&key("PeterNeumann")), Err(NoteError::Signature));
        assert_eq!(note.verified(&key("Another")), Err(NoteError::Unsigned));
        assert_eq!(note.cosigned_at(&key("PeterNeumann")), Err(NoteError::Unsigned));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let no_signature = "text\n\n";
        let faults = ["", "text\n", no_signature, "text\n\n— name\n", "text\n\n- name AAAAAAA=\n"];
        for fault in faults {
            assert!(Note::parse(fault.as_bytes()).is_err(), "{fault:?}");
        }
        assert_eq!(Note::parse(b"t\x07\n\n"), Err(NoteError::Form));
        assert!(NoteName::new("two words").is_err());
    }
}
