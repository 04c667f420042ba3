//! The process's real clock and random source, for the core crates that are given theirs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use convenant_model::{Clock, Timestamp};
use ring::rand::SecureRandom as _;
/// The operating system's random source; `signing` takes it where it makes keys.
pub use ring::rand::SystemRandom;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;
use thiserror::Error;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis =
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX).min(Timestamp::LAST.millis());
        timestamp(millis)
    }
}

#[expect(clippy::expect_used, reason = "the caller clamped the value")]
fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("within what an instant may be")
}

/// The random source of the operating system failed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the operating system's random source failed")]
pub struct RandomError;

/// `N` bytes from the operating system's random source.
///
/// # Errors
/// When that source fails; nothing may then go on that needed it.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(bytes)
}

/// A [`Clock`] as rustls wants one.
pub(crate) struct TlsClock(pub(crate) std::sync::Arc<dyn Clock>);

impl TlsClock {
    pub(crate) fn unix_time(clock: &dyn Clock) -> UnixTime {
        let millis = u64::try_from(clock.now().millis()).unwrap_or_default();
        UnixTime::since_unix_epoch(Duration::from_millis(millis))
    }
}

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(Self::unix_time(&*self.0))
    }
}

impl std::fmt::Debug for TlsClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsClock")
    }
}
