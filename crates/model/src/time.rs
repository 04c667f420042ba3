//! Instants, dates, partial dates, and the clock that a caller passes in.

use std::{fmt, str::FromStr, sync::LazyLock};

use jiff::{Span, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Seconds that two parties' clocks may differ.
pub const SKEW_SECONDS: i64 = 30;

/// The days of law and covenant are those of the Netherlands. The rule is that of Directive 2000/84/EC, in
/// the form of POSIX (IEEE 1003.1 §8.3), so that no database of time zones has a say in a verdict: summer time
/// from the last Sunday of March to the last of October.
static NETHERLANDS: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC));

/// Where the current time comes from. Core crates have no other source of time.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// Why a text is not a time.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum TimeError {
    /// Not an RFC 3339 instant in UTC with millisecond precision.
    #[error("not an instant like `2026-01-31T12:00:00.000Z`")]
    Timestamp,
    /// Not an RFC 3339 full-date.
    #[error("not a date like `2026-01-31`")]
    Date,
    /// Not a BRP date of eight digits.
    #[error("not a BRP date of eight digits, in which unknown parts are `0`")]
    PartialDate,
}

/// An instant in UTC with millisecond precision, written as RFC 3339 with exactly three decimals.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last instant, `9999-12-30T22:00:00.000Z`: in any time zone it lies before the year 10000.
    pub const LAST: Self = Self(253_402_207_200_000);

    /// An instant from milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// When the instant lies before 1970 or after [`Self::LAST`].
    pub fn from_millis(millis: i64) -> Result<Self, TimeError> {
        if (0..=Self::LAST.0).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(TimeError::Timestamp)
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant that lies `seconds` later (earlier when negative); the same where there is none.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let millis = self.0.saturating_add(seconds.saturating_mul(1000));
        Self::from_millis(millis).unwrap_or(self)
    }

    /// Whole seconds from `earlier` to this instant; negative when this instant is the earlier one.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0) / 1000
    }

    /// The calendar day of this instant in the Netherlands.
    #[must_use]
    pub fn date(self) -> Date {
        Date(NETHERLANDS.to_datetime(self.jiff()).date())
    }

    /// The hour of the day in the Netherlands, 0–23.
    #[must_use]
    pub fn hour(self) -> u8 {
        NETHERLANDS.to_datetime(self.jiff()).hour().unsigned_abs()
    }

    fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or_default()
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| TimeError::Timestamp)?;
        let parsed = Self::from_millis(instant.as_millisecond())?;
        // One spelling for each instant, so that signed bytes have one meaning.
        if parsed.to_string() == text { Ok(parsed) } else { Err(TimeError::Timestamp) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.jiff())
    }
}

/// A calendar day, written as an RFC 3339 full-date.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(civil::Date);

impl Date {
    /// A day from its year, month (1–12) and day (1–31).
    ///
    /// # Errors
    /// When there is no such day, or the year is not between 1 and 9999.
    pub fn new(year: i16, month: i8, day: i8) -> Result<Self, TimeError> {
        if year < 1 {
            return Err(TimeError::Date);
        }
        civil::Date::new(year, month, day).map(Self).map_err(|_| TimeError::Date)
    }

    /// The same day a number of calendar months later; the last day of that month where it is
    /// shorter (31 January and one month is 28 or 29 February).
    #[must_use]
    pub fn plus_months(self, months: u16) -> Self {
        Self(self.0.saturating_add(Span::new().months(i32::from(months))))
    }

    /// The day that lies `days` later (earlier when negative).
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(Span::new().days(days)))
    }

    /// Whether the day is a Saturday or a Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        matches!(self.0.weekday(), civil::Weekday::Saturday | civil::Weekday::Sunday)
    }

    /// The Monday of its week.
    #[must_use]
    pub fn monday(self) -> Self {
        self.plus_days(-i32::from(self.0.weekday().to_monday_zero_offset()))
    }

    /// Days since 1970-01-01, the representation of Arrow's `Date32`.
    #[must_use]
    pub fn days_since_epoch(self) -> i32 {
        let epoch = civil::Date::constant(1970, 1, 1);
        self.0.since(epoch).map_or(0, |span| span.get_days())
    }

    /// The instant at which the day begins in the Netherlands.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let midnight = self.0.to_datetime(civil::Time::midnight());
        let instant = NETHERLANDS.to_ambiguous_timestamp(midnight).compatible();
        // Only days at the very end of the year 9999 have no instant of their own.
        let millis = instant.map_or(Timestamp::LAST.0, |instant| instant.as_millisecond());
        Timestamp(millis.clamp(0, Timestamp::LAST.0))
    }
}

impl FromStr for Date {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let parsed = text.parse().map(Self).map_err(|_| TimeError::Date)?;
        if text.len() == 10 && parsed.to_string() == text {
            Ok(parsed)
        } else {
            Err(TimeError::Date)
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A date of the BRP (Logisch Ontwerp, element types for dates): eight digits `YYYYMMDD` in which an
/// unknown day, month or year is written as zeroes. `19850000` is the year 1985, `00000000` is
/// unknown. Order is the order of the digits, so an unknown part sorts before a known one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartialDate(u32);

impl PartialDate {
    /// The eight digits as a number, for instance `19850000`.
    #[must_use]
    pub const fn digits(self) -> u32 {
        self.0
    }

    /// Whether day, month and year are all known.
    #[must_use]
    pub fn is_complete(self) -> bool {
        !self.0.is_multiple_of(100)
    }
}

impl FromStr for PartialDate {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TimeError::PartialDate);
        }
        let digits: u32 = text.parse().map_err(|_| TimeError::PartialDate)?;
        let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
        let possible = match (year, month, day) {
            (_, 0, 0) => true,
            (_, _, 0) => year != 0 && month <= 12,
            // Not foreseen, but registers hold it: the day known and the month not.
            (_, 0, _) => year != 0 && day <= 31,
            _ => civil::Date::new(year as i16, month as i8, day as i8).is_ok() && year != 0,
        };
        if possible { Ok(Self(digits)) } else { Err(TimeError::PartialDate) }
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

macro_rules! text_form {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = TimeError;
            fn try_from(text: String) -> Result<Self, TimeError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(time: $name) -> Self {
                time.to_string()
            }
        }
    )*};
}

text_form!(Timestamp, Date, PartialDate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_one_spelling() {
        let text = "2026-01-31T12:00:00.000Z";
        assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        for other in ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00.000+01:00", "2026-01-31"] {
            assert_eq!(other.parse::<Timestamp>(), Err(TimeError::Timestamp), "{other}");
        }
    }

    #[test]
    fn months_are_calendar_months() {
        let date = |t: &str| t.parse::<Date>().unwrap();
        assert_eq!(date("2024-01-31").plus_months(1), date("2024-02-29"));
        assert_eq!(date("2026-02-28").plus_months(12), date("2027-02-28"));
        assert_eq!(date("2024-02-29").plus_months(12), date("2025-02-28"));
    }

    #[test]
    fn days_are_those_of_the_netherlands() {
        let day = |t: &str| t.parse::<Timestamp>().unwrap().date().to_string();
        assert_eq!(day("2026-01-31T22:59:59.999Z"), "2026-01-31");
        assert_eq!(day("2026-01-31T23:00:00.000Z"), "2026-02-01");
        // Summer time: from 01:00 UTC on the last Sunday of March to that of October.
        assert_eq!(day("2026-03-28T23:30:00.000Z"), "2026-03-29");
        assert_eq!(day("2026-03-29T22:00:00.000Z"), "2026-03-30");
        assert_eq!(day("2026-10-24T22:00:00.000Z"), "2026-10-25");
        assert_eq!(day("2026-10-25T22:59:59.999Z"), "2026-10-25");
        let start = |t: &str| t.parse::<Date>().unwrap().start().to_string();
        assert_eq!(start("2026-07-01"), "2026-06-30T22:00:00.000Z");
        assert_eq!(start("2026-03-29"), "2026-03-28T23:00:00.000Z");
        for text in ["2024-02-29", "2026-03-29", "2026-10-25", "2027-12-31"] {
            assert_eq!(text.parse::<Date>().unwrap().start().date().to_string(), text);
        }
    }

    #[test]
    fn hours_and_weeks_are_those_of_the_netherlands() {
        let hour = |t: &str| t.parse::<Timestamp>().unwrap().hour();
        assert_eq!(hour("2026-01-30T18:30:00.000Z"), 19);
        assert_eq!(hour("2026-07-01T18:30:00.000Z"), 20);
        assert_eq!(hour("2026-07-01T22:00:00.000Z"), 0);
        let weekend = |t: &str| t.parse::<Timestamp>().unwrap().date().is_weekend();
        assert!(!weekend("2026-01-30T22:59:59.999Z") && weekend("2026-01-30T23:00:00.000Z"));
        assert!(weekend("2026-02-01T22:59:59.999Z") && !weekend("2026-02-01T23:00:00.000Z"));
        let date = |t: &str| t.parse::<Date>().unwrap();
        assert_eq!(date("2026-02-01").monday(), date("2026-01-26"));
        assert_eq!(date("2026-01-26").monday(), date("2026-01-26"));
    }

    #[test]
    fn the_end_of_time_is_not_its_beginning() {
        let last = Timestamp::LAST;
        assert_eq!(last.to_string(), "9999-12-30T22:00:00.000Z");
        assert_eq!(last.date().to_string(), "9999-12-30");
        assert_eq!(last.to_string().parse(), Ok(last));
        assert!(Timestamp::from_millis(last.millis() + 1).is_err());
        assert_eq!(last.plus_seconds(1), last);
        assert_eq!("9999-12-31".parse::<Date>().unwrap().start(), last);
        assert_eq!("0001-01-01".parse::<Date>().unwrap().start().millis(), 0);
    }

    #[test]
    fn partial_dates_of_the_brp_are_a_type() {
        for text in ["19850000", "19850700", "19850731", "00000000", "19660013"] {
            assert_eq!(text.parse::<PartialDate>().unwrap().to_string(), text);
        }
        for text in ["1985", "19851301", "19850230", "00000101", "1985000a", "19850032"] {
            assert!(text.parse::<PartialDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_since_the_epoch() {
        assert_eq!("1970-01-02".parse::<Date>().unwrap().days_since_epoch(), 1);
        assert_eq!("2000-03-01".parse::<Date>().unwrap().days_since_epoch(), 11_017);
        assert_eq!("1969-12-31".parse::<Date>().unwrap().days_since_epoch(), -1);
    }
}
