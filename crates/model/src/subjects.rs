//! The people and things that a query is about. They exist in memory only, sealed everywhere else,
//! and no type here prints them.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{ids::QueryId, vouching::Vouchers};

/// A value that identifies a person or an address. It has no `Display`, its `Debug` is redacted, and
/// its memory is wiped.
#[derive(Clone, Deserialize, Eq, Hash, PartialEq, Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Identifying(String);

impl Identifying {
    /// Wraps an identifying text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Never put it in a log, an error, a path or a key of an index.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Identifying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// One subject: its key and, where the dataset asks for it, the second attribute that verifies that
/// the key belongs to the person (clause L14).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Value of the key field.
    pub key: Identifying,
    /// Value of the verifying field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Identifying>,
}

/// The sealed part of a query for one target, bound to it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SealedSubjects {
    /// Id of the query that these subjects belong to.
    pub query: QueryId,
    /// Index of the target that they belong to.
    pub target: u32,
    /// The subjects.
    pub subjects: Vec<Subject>,
    /// Vouchers for them, where the dataset asks for such: each part for as many subjects as it has
    /// vouchers, in the order of the subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<Vouchers>,
}

/// Whether a text is a BSN: nine digits that pass the eleven-test (clause L14). The weights are 9, 8,
/// 7, 6, 5, 4, 3, 2 and −1; the sum must be a multiple of eleven, and the number not zero.
#[must_use]
pub fn is_bsn(text: &str) -> bool {
    if text.len() != 9 || !text.bytes().all(|b| b.is_ascii_digit()) || text == "000000000" {
        return false;
    }
    let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i32 = text.bytes().zip(weights).map(|(digit, w)| i32::from(digit - b'0') * w).sum();
    sum % 11 == 0
}

/// A BSN in its nine digits, however a register spells it: with blanks, dots or hyphens, without the zeros that
/// a spreadsheet takes off its front, or with the `.0` that one puts behind it. `None` where it is none.
#[must_use]
pub fn bsn(text: &str) -> Option<Identifying> {
    let text = text.trim();
    let text = text.strip_suffix(".0").unwrap_or(text);
    let digits: String = text.chars().filter(|c| !['.', ' ', '-'].contains(c)).collect();
    let digits = Zeroizing::new(digits);
    let padded = Identifying::new(format!("{:0>9}", digits.as_str()));
    is_bsn(padded.expose()).then_some(padded)
}

/// Whether a free text holds a number that is a BSN: a run of exactly nine digits that passes the
/// eleven-test, also when dots, spaces or hyphens are written between the digits.
#[must_use]
pub fn holds_bsn(text: &str) -> bool {
    let (mut apart, mut together) = (Run::default(), Run::default());
    for byte in text.bytes().chain([b'x']) {
        match byte {
            b'0'..=b'9' => {
                apart.push(byte);
                together.push(byte);
            }
            _ if apart.length == 0 => {}
            b'.' | b' ' | b'-' if together.take_is_bsn() => return true,
            b'.' | b' ' | b'-' => {}
            _ if together.take_is_bsn() || apart.take_is_bsn() => return true,
            _ => {}
        }
    }
    false
}

/// The same without anything between the digits: for names and texts in which numbers and dates stand.
#[must_use]
pub fn spells_bsn(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(is_bsn)
}

/// The first nine digits of a run of digits, and how many there are.
#[derive(Default)]
struct Run {
    digits: [u8; 9],
    length: usize,
}

impl Run {
    fn push(&mut self, digit: u8) {
        if let Some(place) = self.digits.get_mut(self.length) {
            *place = digit;
        }
        self.length += 1;
    }

    /// Whether it was a BSN; it is empty afterwards.
    fn take_is_bsn(&mut self) -> bool {
        let nine = std::mem::take(&mut self.length) == self.digits.len();
        nine && std::str::from_utf8(&self.digits).is_ok_and(is_bsn)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_eleven_test() {
        for good in ["999993653", "999990639", "900000004"] {
            assert!(is_bsn(good), "{good}");
        }
        for bad in ["999993654", "99999365", "000000000", "99999365a", "0999993653"] {
            assert!(!is_bsn(bad), "{bad}");
        }
    }

    #[test]
    fn a_bsn_is_the_same_however_it_is_spelled() {
        for spelled in
            ["012345672", "12345672", " 012345672\t", "0123.45.672", "0123-45 672", "12345672.0"]
        {
            let plain = bsn(spelled);
            assert_eq!(plain.as_ref().map(Identifying::expose), Some("012345672"), "{spelled}");
        }
        for other in ["", "0", "-", "12345678", "0012345672", "A12345672", "1234567é"] {
            assert_eq!(bsn(other), None, "{other}");
        }
    }

    #[test]
    fn a_bsn_in_free_text_is_found() {
        assert!(holds_bsn("over 999993653, zie dossier"));
        assert!(holds_bsn("over 9999.93.653!"));
        assert!(holds_bsn("zaak 12 999993653"));
        assert!(!holds_bsn("zaak 2026 van 12 mei, 0599010000208579"));
    }

    proptest! {
        #[test]
        fn a_bsn_is_found_wherever_it_stands(text in "([0-9]|999993653|[. -]|[a\u{e9}]){0,24}") {
            let plain: String = text.chars().filter(|c| !['.', ' ', '-'].contains(c)).collect();
            let held = holds_bsn(&text);
            prop_assert_eq!(held, spells_bsn(&text) || spells_bsn(&plain));
        }
    }

    #[test]
    fn debug_shows_no_subject() {
        let subject = Subject { key: Identifying::new("999993653".into()), verify: None };
        assert!(!format!("{subject:?}").contains("999993653"));
    }
}
