//! Not telling people yet that their data was asked for.

use serde::{Deserialize, Serialize};

use crate::{parse::BoundedText, time::Date};

/// A ground for not telling people yet (AVG art. 23, UAVG art. 41): a running investigation that it would harm.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DelayedDisclosure {
    /// Which harm it would do; free text without personal data.
    pub reason: BoundedText<500>,
    /// The last day on which they are not told.
    pub until: Date,
}

impl DelayedDisclosure {
    /// Whether people are not to be told on a day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        day <= self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_holds_through_its_last_day() {
        let delay = r#"{"reason":"een controle is nog niet geweest","until":"2026-04-01"}"#;
        let delay: DelayedDisclosure = serde_json::from_str(delay).unwrap();
        let holds = |day: &str| delay.holds_on(day.parse().unwrap());
        assert!(holds("2026-03-02") && holds("2026-04-01") && !holds("2026-04-02"));
    }

    #[test]
    fn a_delay_has_a_reason_and_an_end() {
        for text in [
            r#"{"until":"2026-04-01"}"#,
            r#"{"reason":"x"}"#,
            r#"{"reason":"","until":"2026-04-01"}"#,
            r#"{"reason":"x","until":"2026-04-01","also":1}"#,
        ] {
            assert!(serde_json::from_str::<DelayedDisclosure>(text).is_err(), "{text}");
        }
    }
}
