//! Round trips of keys, JWS and canonical JSON, and what altered or foreign bytes meet.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use convenant_model::register::Envelope as _;
use convenant_signing::{
    Jws, JwsError, MAX_SIGNATURES, OpeningKey, SigningKey, SystemRandom, canonical,
    parse_canonical, peek_compact, sign_compact, verify, verify_compact,
};
use proptest::prelude::*;
use serde_json::Value;

const TYP: &str = "convenant-sample+json";

fn keys() -> [SigningKey; 2] {
    let random = SystemRandom::new();
    [SigningKey::generate(&random).unwrap(), SigningKey::generate_p256(&random).unwrap()]
}

/// JSON with the numbers that documents may hold.
fn json() -> impl Strategy<Value = Value> {
    const BOUND: i64 = 1 << 53;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-BOUND..=BOUND).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn canonical_text(text: &str) -> String {
    String::from_utf8(canonical(text).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn canonical_bytes_are_read_back_and_sorted_by_utf16(value in json()) {
        let bytes = canonical(&value).unwrap();
        prop_assert_eq!(&parse_canonical::<Value>(&bytes, "sample").unwrap(), &value);
        if let Value::Object(members) = &value {
            let mut names: Vec<_> = members.keys().collect();
            // RFC 8785 §3.2.3.
            names.sort_by_key(|name| name.encode_utf16().collect::<Vec<_>>());
            let text = str::from_utf8(&bytes).unwrap();
            let first = names.first().map_or(String::new(), |name| canonical_text(name) + ":");
            let sorted = text.strip_prefix('{').unwrap().starts_with(&first);
            prop_assert!(sorted, "{text}");
        }
    }

    #[test]
    fn a_signed_payload_is_read_back_and_no_character_can_change(
        payload in prop::collection::vec(any::<u8>(), 0..80),
        at in any::<prop::sample::Index>(),
        by in "[A-Za-z0-9_.=+-]",
    ) {
        for key in keys() {
            let text = sign_compact(TYP, &payload, &key).unwrap();
            let verified = peek_compact(&text, TYP).unwrap().verify(key.verifying_key()).unwrap();
            prop_assert_eq!(verified.payload(), &payload);
            prop_assert_eq!(verified.key_id(), key.id());
            let at = at.index(text.len());
            let altered = [&text[..at], by.as_str(), &text[at + 1..]].concat();
            let key_of = |_: &_| Some(key.verifying_key().clone());
            prop_assert_eq!(verify_compact(&altered, TYP, key_of).is_ok(), altered == text);
        }
    }

    #[test]
    fn foreign_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Jws::parse(&bytes).is_err());
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(peek_compact(&text, TYP).is_err());
        prop_assert!(SigningKey::from_jwk(&text, &SystemRandom::new()).is_err());
        prop_assert!(OpeningKey::from_jwk(&text).is_err());
        let _ = parse_canonical::<Value>(&bytes, "sample");
    }
}

#[test]
fn a_key_survives_its_jwk_and_debug_hides_it() {
    let random = SystemRandom::new();
    for key in keys() {
        let jwk = key.to_jwk();
        let again = SigningKey::from_jwk(&jwk, &random).unwrap();
        assert_eq!(again.verifying_key(), key.verifying_key());
        assert_eq!(again.id(), key.id());
        let signature = again.sign(b"message").unwrap();
        assert_eq!(verify(key.verifying_key(), b"message", &signature), Ok(()));
        // Canonical, so that a key has one text.
        assert!(parse_canonical::<Value>(jwk.as_bytes(), "key").is_ok());
        let private: Value = serde_json::from_str(&jwk).unwrap();
        assert!(!format!("{key:?}").contains(private["d"].as_str().unwrap()));
    }
    let key = OpeningKey::generate(&random).unwrap();
    let again = OpeningKey::from_jwk(&key.to_jwk()).unwrap();
    assert_eq!(again.sealing_key(), key.sealing_key());
}

#[test]
fn keys_for_signing_and_for_sealing_do_not_pass_for_each_other() {
    let random = SystemRandom::new();
    let [ed25519, p256] = keys();
    let opening = OpeningKey::generate(&random).unwrap();
    let error = SigningKey::from_jwk(&opening.to_jwk(), &random).unwrap_err().to_string();
    assert_eq!(
        error,
        "expected a signing key on `Ed25519` or `P-256`, found a key on curve `X25519`"
    );
    for key in [ed25519, p256] {
        let error = OpeningKey::from_jwk(&key.to_jwk()).unwrap_err().to_string();
        assert!(error.starts_with("expected an opening key on `X25519`"), "{error}");
    }
    // The halves of two opening keys.
    let other = OpeningKey::generate(&random).unwrap();
    let mixed = opening
        .to_jwk()
        .replace(&opening.sealing_key().x.to_string(), &other.sealing_key().x.to_string());
    assert!(OpeningKey::from_jwk(&mixed).is_err());
}

#[test]
fn several_sign_one_document() {
    let keys = keys();
    let mut jws = Jws::new(TYP, b"{}".to_vec());
    for key in &keys {
        jws.sign(key).unwrap();
        assert_eq!(jws.sign(key), Err(JwsError::RepeatedKey(key.id().clone())));
    }
    let json = jws.to_json();
    assert!(parse_canonical::<Value>(&json, "document").is_ok());
    let read = Jws::parse(&json).unwrap();
    assert!(keys.iter().all(|key| read.signed_by(key.verifying_key())));
    let [stranger, _] = self::keys();
    assert!(!read.signed_by(stranger.verifying_key()));
    assert_eq!(
        read.verify(stranger.verifying_key()),
        Err(JwsError::UnknownKey(stranger.id().clone()))
    );
    assert_eq!(read.key_ids().collect::<Vec<_>>(), [keys[0].id(), keys[1].id()]);
}

#[test]
fn an_unsigned_document_is_not_read_and_signatures_have_an_end() {
    let mut jws = Jws::new(TYP, b"{}".to_vec());
    assert_eq!(Jws::parse(&jws.to_json()).unwrap_err(), JwsError::Unsigned);
    let random = SystemRandom::new();
    for _ in 0..MAX_SIGNATURES {
        jws.sign(&SigningKey::generate(&random).unwrap()).unwrap();
    }
    let one_more = jws.sign(&SigningKey::generate(&random).unwrap());
    assert_eq!(one_more, Err(JwsError::TooManySignatures { found: MAX_SIGNATURES + 1 }));
    assert!(Jws::parse(&jws.to_json()).is_ok());
}

#[test]
fn the_key_of_the_payload_must_be_the_key_that_signed() {
    let [key, other] = keys();
    let text = sign_compact(TYP, b"{}", &key).unwrap();
    let unverified = peek_compact(&text, TYP).unwrap();
    assert_eq!(unverified.payload(), b"{}");
    let error = unverified.verify(other.verifying_key()).unwrap_err();
    let (expected, found) = (other.id().clone(), key.id().clone());
    assert_eq!(error, JwsError::OtherKey { expected, found });
}

#[test]
fn an_error_shows_foreign_text_cleaned_and_cut() {
    let [key, _] = keys();
    let typ = format!("\u{1b}[2J{}", "x".repeat(5000));
    let text = sign_compact(&typ, b"{}", &key).unwrap();
    let error = peek_compact(&text, TYP).unwrap_err().to_string();
    assert!(error.len() < 250 && !error.contains('\u{1b}'), "{error:?}");
}
