//! Vectors as files, each with the class of failure that it must meet: the name of the error's variant.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use convenant_model::{
    KeyId,
    keys::{SealingKey, VerifyingKey},
    register::Envelope,
};
use convenant_signing::{
    Direction, Jws, Opener, OpeningKey, SealContext, SigningKey, SystemRandom, canonical, key_id,
    open_once, parse_canonical, sha256, verify, verify_compact,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

macro_rules! vectors {
    ($file:literal) => {
        read(include_str!(concat!("../../../tests/vectors/signing/", $file)))
    };
}

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

/// The variant of an error, which is its class.
fn class(error: &impl Debug) -> String {
    let text = format!("{error:?}");
    text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(digits).collect()
}

#[derive(Deserialize)]
struct Canonical {
    name: String,
    input: String,
    canonical: Option<String>,
    failure: Option<String>,
}

#[test]
fn canonical_json() {
    let cases: Vec<Canonical> = vectors!("canonical.json");
    for case in cases {
        let Canonical { name, input, .. } = &case;
        if let Some(expected) = &case.canonical {
            let value: Value = read(input);
            let bytes = canonical(&value).unwrap();
            assert_eq!(str::from_utf8(&bytes).unwrap(), expected, "{name}");
            assert_eq!(parse_canonical::<Value>(&bytes, name).unwrap(), value, "{name}");
        }
        if let Some(failure) = &case.failure {
            let error = parse_canonical::<Value>(input.as_bytes(), name).expect_err(name);
            assert_eq!(class(&error), *failure, "{name}: {error}");
        }
    }
}

#[derive(Deserialize)]
struct Key {
    name: String,
    private: Value,
    public: Option<VerifyingKey>,
    thumbprint: Option<KeyId>,
    failure: Option<String>,
}

#[test]
fn private_keys() {
    let random = SystemRandom::new();
    let cases: Vec<Key> = vectors!("keys.json");
    for Key { name, private, public, thumbprint, failure } in cases {
        match SigningKey::from_jwk(&private.to_string(), &random) {
            Ok(key) => {
                assert_eq!(failure, None, "{name}");
                assert_eq!(Some(key.verifying_key()), public.as_ref(), "{name}");
                assert_eq!(Some(key.id()), thumbprint.as_ref(), "{name}");
                let signature = key.sign(b"message").unwrap();
                assert_eq!(verify(&public.unwrap(), b"message", &signature), Ok(()), "{name}");
            }
            Err(error) => {
                assert_eq!(Some(class(&error)), failure, "{name}");
                let secret = private["d"].as_str().unwrap_or("none at all");
                assert!(!format!("{error:?} {error}").contains(secret), "{name}");
            }
        }
    }
}

#[derive(Deserialize)]
struct Signed {
    name: String,
    key: VerifyingKey,
    message: String,
    signature: String,
    deterministic: bool,
}

#[test]
fn signatures_of_the_standards() {
    let random = SystemRandom::new();
    let keys: Vec<Key> = vectors!("keys.json");
    let cases: Vec<Signed> = vectors!("signatures.json");
    for Signed { name, key, message, signature, deterministic } in cases {
        let bytes = base64url(&signature);
        assert_eq!(verify(&key, message.as_bytes(), &bytes), Ok(()), "{name}");
        assert!(verify(&key, format!("{message}A").as_bytes(), &bytes).is_err(), "{name}");
        if deterministic {
            let private = keys.iter().find(|k| k.public.as_ref() == Some(&key)).unwrap();
            let private = SigningKey::from_jwk(&private.private.to_string(), &random).unwrap();
            assert_eq!(private.sign(message.as_bytes()).unwrap(), bytes, "{name}");
        }
    }
}

fn base64url(text: &str) -> Vec<u8> {
    text.parse::<convenant_model::keys::Base64Bytes<64>>().unwrap().0.to_vec()
}

#[derive(Deserialize)]
struct JwsFile {
    typ: String,
    keys: Vec<VerifyingKey>,
    cases: Vec<JwsCase>,
}

#[derive(Deserialize)]
struct JwsCase {
    name: String,
    source: String,
    jws: String,
    #[serde(default)]
    payload: Option<String>,
    #[serde(default)]
    signers: Vec<KeyId>,
    #[serde(default)]
    failure: Option<String>,
}

#[test]
fn compact_jws() {
    let file: JwsFile = vectors!("compact.json");
    let key_of = |id: &KeyId| file.keys.iter().find(|key| key_id(key) == *id).cloned();
    for case in file.cases {
        match verify_compact(&case.jws, &file.typ, key_of) {
            Ok(verified) => {
                assert_eq!(case.failure, None, "{}", case.name);
                assert_eq!(verified.payload(), case.payload.unwrap().as_bytes(), "{}", case.name);
            }
            Err(error) => assert_eq!(Some(class(&error)), case.failure, "{}: {error}", case.name),
        }
    }
}

#[test]
fn general_jws() {
    let file: JwsFile = vectors!("general.json");
    for case in file.cases {
        match Jws::parse(case.jws.as_bytes()) {
            Ok(jws) => {
                assert_eq!(case.failure, None, "{}", case.name);
                assert_eq!(jws.typ(), file.typ, "{}", case.name);
                assert_eq!(jws.payload_hash(), sha256(jws.payload()));
                let held = file.keys.iter().filter(|key| jws.signed_by(key)).map(key_id);
                let expected: BTreeSet<_> = case.signers.into_iter().collect();
                assert_eq!(held.collect::<BTreeSet<_>>(), expected, "{}", case.name);
                assert_eq!(jws.to_json(), case.jws.as_bytes(), "{}", case.name);
            }
            Err(error) => assert_eq!(Some(class(&error)), case.failure, "{}: {error}", case.name),
        }
    }
}

#[derive(Deserialize)]
struct Hpke {
    stream: Stream,
    once: Once,
}

#[derive(Deserialize)]
struct Stream {
    recipient: Value,
    context: Context,
    encapped: String,
    chunks: Vec<String>,
    plain: Vec<String>,
}

#[derive(Deserialize)]
struct Once {
    recipient: Value,
    context: Context,
    sealed: String,
    plain: String,
}

#[derive(Deserialize)]
struct Context {
    direction: String,
    query: String,
    target: u32,
    sender: String,
    recipient: String,
    signed_query: Option<String>,
}

impl Context {
    fn parse(&self) -> SealContext {
        SealContext {
            direction: match self.direction.as_str() {
                "subjects" => Direction::Subjects,
                "result" => Direction::Result,
                other => panic!("unknown direction {other}"),
            },
            query: self.query.parse().unwrap(),
            target: self.target,
            sender: self.sender.parse().unwrap(),
            recipient: self.recipient.parse().unwrap(),
            signed_query: self.signed_query.as_deref().map(|text| text.parse().unwrap()),
        }
    }
}

#[test]
fn what_an_independent_implementation_sealed_opens() {
    let Hpke { stream, once } = vectors!("hpke.json");
    let key = OpeningKey::from_jwk(&stream.recipient.to_string()).unwrap();
    assert_eq!(*key.to_jwk(), stream.recipient.to_string());
    let encapped = hex(&stream.encapped).try_into().unwrap();
    let mut opener = Opener::new(&key, &stream.context.parse(), &encapped).unwrap();
    for (chunk, plain) in stream.chunks.iter().zip(&stream.plain) {
        assert!(!opener.finished());
        assert_eq!(opener.open(&hex(chunk)).unwrap().plain, plain.as_bytes());
    }
    assert!(opener.finished());

    let key = OpeningKey::from_jwk(&once.recipient.to_string()).unwrap();
    let plain = open_once(&key, &once.context.parse(), &hex(&once.sealed)).unwrap();
    assert_eq!(*plain, once.plain.as_bytes());
    let public: SealingKey = read(&serde_json::to_string(key.sealing_key()).unwrap());
    assert_eq!(public, *key.sealing_key());
}

/// What Debian's `jose` made stands in the files, so the tool itself is needed by nobody: nothing in
/// this crate starts a process.
#[test]
fn the_jose_tool_is_not_needed() {
    let files: [JwsFile; 2] = [vectors!("compact.json"), vectors!("general.json")];
    let recorded = files.iter().flat_map(|file| &file.cases);
    assert!(recorded.filter(|case| case.source.starts_with("Debian jose")).count() >= 3);

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let starter = ["process", "::", "Command"].concat();
    for folder in ["src", "tests"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains(&starter), "{} starts a process", path.display());
        }
    }
}
