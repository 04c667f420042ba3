//! How much time the caller still gives, passed on from party to party.

use std::time::Duration;

use http::HeaderMap;
use thiserror::Error;
use tokio::time::Instant;
use tonic::{Request, Status};

/// The instant after which the caller no longer waits.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Deadline(Instant);

/// The caller no longer waits.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the caller's deadline has passed")]
pub struct DeadlinePassed;

impl From<DeadlinePassed> for Status {
    fn from(passed: DeadlinePassed) -> Self {
        Self::deadline_exceeded(passed.to_string())
    }
}

/// How much the timers of one deadline may differ.
const CLOSE: Duration = Duration::from_millis(20);

impl Deadline {
    /// The instant that lies `time` from now; at most a year, which no caller waits.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 86_400);
        Self(Instant::now() + time.min(YEAR))
    }

    /// The deadline of a request that [`serve`](crate::serve) received, counted from its arrival.
    #[must_use]
    pub fn of<T>(request: &Request<T>) -> Option<Self> {
        request.extensions().get().copied()
    }

    /// The time that is left.
    ///
    /// # Errors
    /// When none is.
    pub fn left(self) -> Result<Duration, DeadlinePassed> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(DeadlinePassed) } else { Ok(left) }
    }

    /// Whether none is left, give or take what timers that were set by the same deadline differ in.
    #[must_use]
    pub fn is_near(self) -> bool {
        self.left().map_or(true, |left| left < CLOSE)
    }

    /// Gives an outgoing request the time that is left.
    ///
    /// # Errors
    /// When none is left: the request need not be sent.
    pub fn pass_on<T>(self, request: &mut Request<T>) -> Result<(), DeadlinePassed> {
        request.set_timeout(self.left()?);
        Ok(())
    }

    /// From `grpc-timeout`; what is malformed counts as absent, as in tonic.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("grpc-timeout")?.to_str().ok()?;
        Some(Self::after(parse(text)?))
    }
}

/// gRPC over HTTP2, "Timeout": one to eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_parse_as_the_protocol_says() {
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(parse("1500m"), Some(Duration::from_millis(1500)));
        for wrong in ["", "S", "1", "123456789S", "+1S", "1s", "1é"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_left_is_passed_on_and_nothing_once_it_is_gone() {
        let mut request = Request::new(());
        Deadline::after(Duration::from_secs(60)).pass_on(&mut request).unwrap();
        let left = Deadline::from_headers(request.metadata().as_ref()).unwrap().left().unwrap();
        assert!(left > Duration::from_secs(50) && left <= Duration::from_secs(60), "{left:?}");
        let passed = Deadline::after(Duration::ZERO);
        assert!(passed.is_near() && !Deadline::after(Duration::from_secs(60)).is_near());
        assert_eq!(passed.pass_on(&mut request), Err(DeadlinePassed));
    }
}
