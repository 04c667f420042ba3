//! `[ldv]` of a node's configuration.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use convenant_model::{Clock, DatasetId};
use convenant_transport::{Limits, OutsideFiles, connect_outside};
use serde::Deserialize;
use thiserror::Error;
use tonic::transport::Channel;

use crate::LdvError;

/// `[ldv]`: where the node's log of processing goes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdvConfig {
    /// The log's OTLP endpoint (gRPC): `https`, or `http` on this machine.
    pub endpoint: String,
    /// Whether the node answers nothing about people while the log does not acknowledge.
    #[serde(default)]
    pub mandatory: bool,
    /// Where it is mandatory: the longest that a line may wait for its acknowledgement, counted from the end of
    /// the answer.
    #[serde(default = "most_behind_seconds")]
    pub most_behind_seconds: u32,
    /// Longest pause before lines that were not acknowledged are sent again.
    #[serde(default = "longest_pause_seconds")]
    pub longest_pause_seconds: u32,
    /// The activity in the register of processing activities that answers are part of.
    pub processing_activity: ActivityUri,
    /// The same by dataset, where it is another.
    #[serde(default)]
    pub processing_activities: BTreeMap<DatasetId, ActivityUri>,
    /// Files for `https`.
    #[serde(default)]
    pub tls: Option<OutsideFiles>,
}

const fn most_behind_seconds() -> u32 {
    300
}

const fn longest_pause_seconds() -> u32 {
    60
}

impl LdvConfig {
    /// Prefixes every relative path with `folder`.
    pub fn root_at(&mut self, folder: &Path) {
        if let Some(OutsideFiles { roots, certificate, key, .. }) = &mut self.tls {
            for path in [Some(roots), certificate.as_mut(), key.as_mut()].into_iter().flatten() {
                *path = folder.join(&*path);
            }
        }
    }

    /// Whether endpoint and files are as they should be; nothing is sent.
    ///
    /// # Errors
    /// When they are not.
    pub fn check(&self, clock: Arc<dyn Clock>) -> Result<(), LdvError> {
        self.channel(clock).map(drop)
    }

    pub(crate) fn channel(&self, clock: Arc<dyn Clock>) -> Result<Channel, LdvError> {
        let (files, limits) = (self.tls.as_ref(), Limits::default());
        Ok(connect_outside(&self.endpoint, files, clock, &limits)?)
    }

    /// The activity that answers from a dataset are part of.
    pub(crate) fn activity(&self, dataset: &DatasetId) -> &ActivityUri {
        self.processing_activities.get(dataset).unwrap_or(&self.processing_activity)
    }

    pub(crate) fn longest_pause(&self) -> Duration {
        Duration::from_secs(self.longest_pause_seconds.max(1).into())
    }
}

/// URI of an activity in a register of processing activities.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct ActivityUri(String);

/// A text that is no URI.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{0}` is no URI like `https://register.example.nl/verwerkingen/12`")]
pub struct NotAUri(String);

impl TryFrom<String> for ActivityUri {
    type Error = NotAUri;

    fn try_from(text: String) -> Result<Self, NotAUri> {
        if is_uri(&text) { Ok(Self(text)) } else { Err(NotAUri(text)) }
    }
}

impl ActivityUri {
    /// The URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A scheme, a colon and something after it, in visible ASCII (RFC 3986 §3).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let in_scheme = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.trim_matches('/').is_empty()
        && text.bytes().all(|b| b.is_ascii_graphic())
        && text.len() <= 2048
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activity_is_a_uri() {
        for good in ["https://register.example.nl/verwerkingen/12", "urn:example:12"] {
            assert_eq!(ActivityUri::try_from(good.to_owned()).unwrap().as_str(), good);
        }
        for bad in ["", "12", "https://", "register/12", "1a:b", "https://a b", "urn:é"] {
            assert!(ActivityUri::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
