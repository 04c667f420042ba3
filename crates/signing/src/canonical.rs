//! Canonical JSON (RFC 8785), with three guards that the standard leaves to its users: no floating
//! point, no integer beyond 2⁵³, no member twice. The first two because another language would round
//! them and then compute other bytes; the third because two readers may take different ones.

use convenant_model::parse::{self, ParseError};
use serde::{Serialize, de::DeserializeOwned, ser};
use serde_json::Value;
use thiserror::Error;

use crate::{
    guard::{self, Refusal},
    plain::is_plainly_canonical,
    unique::{Fault, Unique},
};

/// Why there is no canonical form, or why bytes are not in it.
#[derive(Debug, Error)]
pub enum CanonicalError {
    /// The value holds a floating-point number.
    #[error("a floating-point number has no place in a signed document; write it as text")]
    Float,
    /// The value holds an integer that other readers would round.
    #[error("the integer `{0}` lies beyond 2^53; write it as text")]
    Integer(i128),
    /// An object holds a member twice.
    #[error("`{name}`: member `{member}` stands twice in one object")]
    Duplicate {
        /// What the bytes are: a file name, or what stands for it.
        name: String,
        /// The repeated member.
        member: String,
    },
    /// The bytes are JSON, but not spelled as RFC 8785 spells it.
    #[error("`{name}`: not in canonical form (RFC 8785) from byte {offset} on")]
    NotCanonical {
        /// What the bytes are.
        name: String,
        /// The first byte that differs from the canonical form, from 0.
        offset: usize,
    },
    /// The bytes are no JSON, or not of the expected form.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The value cannot be written as JSON at all, for instance a map whose keys are not texts.
    #[error("the value cannot be written as JSON")]
    Unserialisable(#[source] serde_json::Error),
}

/// The canonical bytes of a value (RFC 8785).
///
/// # Errors
/// When it holds a floating-point number or an integer beyond 2⁵³, or is no JSON.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    checked(value)?;
    let value = serde_json::to_value(value).map_err(CanonicalError::Unserialisable)?;
    write(value).map_err(CanonicalError::Unserialisable)
}

fn checked<T: Serialize + ?Sized>(value: &T) -> Result<(), CanonicalError> {
    guard::check(value).map_err(|refusal| match refusal {
        Refusal::Float => CanonicalError::Float,
        Refusal::Integer(value) => CanonicalError::Integer(value),
        Refusal::Other(message) => CanonicalError::Unserialisable(ser::Error::custom(message)),
    })
}

/// Writes a value without floating point. With names in ASCII, which all of ours are, `serde_json` writes
/// the very same bytes several times faster: the order by UTF-16 (§3.2.3) is that of the bytes then, and
/// integers (§3.2.2.3) and escapes (§3.2.2.2) have one form.
fn write(mut value: Value) -> serde_json::Result<Vec<u8>> {
    if !ascii_names(&value) {
        return serde_json_canonicalizer::to_vec(&value);
    }
    value.sort_all_objects();
    serde_json::to_vec(&value)
}

fn ascii_names(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().all(|(name, value)| name.is_ascii() && ascii_names(value))
        }
        Value::Array(items) => items.iter().all(ascii_names),
        _ => true,
    }
}

/// Reads a value from bytes that must be its canonical form: the same content has the same hash.
///
/// `name` says in errors what the bytes are. An error may quote the bytes, so personal data is not
/// read with this.
///
/// # Errors
/// When the bytes are not canonical, hold a member twice, or are not a `T`.
pub fn parse_canonical<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, CanonicalError> {
    if !is_plainly_canonical(bytes) {
        require_canonical(bytes, name)?;
    }
    Ok(parse::from_json(name, bytes)?)
}

fn require_canonical(bytes: &[u8], name: &str) -> Result<(), CanonicalError> {
    let value = Unique::read(bytes).map_err(|fault| match fault {
        Fault::Duplicate(member) => CanonicalError::Duplicate { name: name.to_owned(), member },
        Fault::Json(error) => parse::ParseError::new(name, "", error.to_string()).into(),
    })?;
    checked(&value)?;
    let expected = write(value).map_err(CanonicalError::Unserialisable)?;
    if expected == bytes {
        return Ok(());
    }
    let offset = expected.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(CanonicalError::NotCanonical { name: name.to_owned(), offset })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// JSON without floating point, with names and texts in ASCII and beyond, control characters too.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\x00-\\x7f]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let name = prop_oneof![4 => "[\\x00-\\x7f]{0,6}", 1 => any::<String>()];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_ways_of_writing_agree(value in any_json()) {
            let slow = serde_json_canonicalizer::to_vec(&value).unwrap();
            prop_assert_eq!(canonical(&value).unwrap(), slow);
        }

        #[test]
        fn what_is_seen_in_one_pass_is_canonical(
            value in any_json(), place in any::<prop::sample::Index>(), with in "[ -~\\x00\n\u{80}é]|\\\\u00(0[0-9a-fA-F]|1f|7f|e9)|[.eE+-]0?|0",
        ) {
            let bytes = canonical(&value).unwrap();
            prop_assert_eq!(is_plainly_canonical(&bytes), plain_names(&value));
            // Changed anywhere, it is never taken for what the thorough look refuses.
            let (mut put, place) = (bytes.clone(), place.index(bytes.len()));
            put.splice(place..=place, with.bytes());
            let mut added = bytes;
            added.splice(place..place, with.bytes());
            for changed in [put, added] {
                if is_plainly_canonical(&changed) {
                    require_canonical(&changed, "changed").unwrap();
                }
            }
        }
    }

    /// Whether no name needs the thorough look.
    fn plain_names(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.iter().all(|(name, value)| {
                let plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
                name.chars().all(plain) && plain_names(value)
            }),
            Value::Array(items) => items.iter().all(plain_names),
            _ => true,
        }
    }

    #[test]
    fn what_differs_in_one_thing_is_not_seen_as_canonical() {
        let same = [
            r#"{"a":[1,-2,"\u0000\u001f\n\"\\é",true,false,null,{}],"b":[]}"#,
            "9007199254740992",
            "\"\u{7f}\"",
        ];
        assert!(same.iter().all(|text| is_plainly_canonical(text.as_bytes())));
        let others = [
            "",
            " 1",
            "1 ",
            "01",
            "-0",
            "1.0",
            "1e3",
            "9007199254740993",
            "18446744073709551616",
            "-",
            "+1",
            "tru",
            "[1,]",
            "[,1]",
            "[1 ,2]",
            "{\"a\":1,}",
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":2}"#,
            "{\"a\" :1}",
            "[",
            "{",
            "\"",
            r#""\u0009""#,
            r#""\u001F""#,
            r#""\u0041""#,
            r#""\/""#,
            "\"\n\"",
            "nulll",
            "[]]",
            r#"{"a"}"#,
            r#""\u00""#,
        ];
        for text in others {
            assert!(!is_plainly_canonical(text.as_bytes()), "{text}");
            require_canonical(text.as_bytes(), "text").unwrap_err();
        }
        assert!(!is_plainly_canonical(b"\"\xff\""));
        assert!(!is_plainly_canonical("[".repeat(100_000).as_bytes()));
    }

    #[test]
    fn integers_up_to_two_to_the_53rd_are_exact_and_others_refused() {
        let text = String::from_utf8(canonical(&json!([1_u64 << 53, -(1_i64 << 53)])).unwrap());
        assert_eq!(text.unwrap(), "[9007199254740992,-9007199254740992]");
        let beyond = (1_u64 << 53) + 1;
        assert!(matches!(canonical(&beyond), Err(CanonicalError::Integer(9_007_199_254_740_993))));
        assert!(matches!(canonical(&i64::MIN), Err(CanonicalError::Integer(_))));
        assert!(matches!(canonical(&u128::MAX), Err(CanonicalError::Integer(_))));
        // As the key of a map the number would be rounded too.
        assert!(canonical(&BTreeMap::from([(beyond, "x")])).is_err());
    }

    #[test]
    fn no_floating_point_in_any_guise() {
        assert!(matches!(canonical(&json!({"a": [1.0]})), Err(CanonicalError::Float)));
        assert!(matches!(canonical(&1.5_f32), Err(CanonicalError::Float)));
        // Where it would become `null` unseen.
        assert!(matches!(canonical(&Some(f32::INFINITY)), Err(CanonicalError::Float)));
        assert!(matches!(canonical(&[f64::NAN]), Err(CanonicalError::Float)));
    }

    #[test]
    fn only_canonical_bytes_are_read() {
        let read = |text: &str| parse_canonical::<Value>(text.as_bytes(), "sample.json");
        assert!(read(r#"{"a":1,"b":[true,null,"é"]}"#).is_ok());
        let error = read(r#"{"b":1,"a":2}"#).unwrap_err().to_string();
        assert_eq!(error, "`sample.json`: not in canonical form (RFC 8785) from byte 2 on");
        for other in [r#"{ "a":1}"#, "{\"a\":1}\n", r#"{"a":"\u00e9"}"#, r#"{"a":-0}"#] {
            assert!(read(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_member_twice_is_named() {
        let read = |text: &str| parse_canonical::<Value>(text.as_bytes(), "q").unwrap_err();
        let error = read(r#"{"a":{"kind":1,"kind":2}}"#);
        assert!(matches!(&error, CanonicalError::Duplicate { member, .. } if member == "kind"));
        // Another spelling of the same name.
        assert!(matches!(read(r#"{"a":1,"\u0061":2}"#), CanonicalError::Duplicate { .. }));
    }
}
