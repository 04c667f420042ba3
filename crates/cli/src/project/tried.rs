//! A document is tried on a copy of the register before it is written.

use std::path::{Path, PathBuf};

use clap::Args;
use convenant_model::{Clock as _, ProjectId, documents::Document, register::RegisterState};
use convenant_signing::canonical;
use convenant_transport::SystemClock;

use super::{
    check::{Unsigned, tried},
    steps::known,
};
use crate::{exit::usage, lang::Lang, register};

/// The register on which a document is tried before it is written. Whoever must act without a network does without.
#[derive(Args, Debug)]
pub(crate) struct Tried {
    /// Configuration file of a client: say at once whether the register would take it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Language of what is said.
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
}

impl Tried {
    /// The configuration that was named, if one was.
    pub(super) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// Whether the register would take a document, of a project that has to run for it where one is named.
    pub(super) async fn allows(
        &self,
        document: &impl Document,
        runs: Option<&ProjectId>,
    ) -> anyhow::Result<()> {
        let Some(config) = &self.config else { return Ok(()) };
        let opened = register::follow(config).await?;
        runs.map_or(Ok(()), |project| still_runs(opened.state(), project, self.lang))?;
        would_be_taken(document, opened.state(), self.lang)
    }
}

/// The register takes a suspension of a project that is over, which then has no effect: that is said instead.
pub(super) fn still_runs(
    state: &RegisterState,
    project: &ProjectId,
    lang: Lang,
) -> anyhow::Result<()> {
    let (found, at) = (known(state, project)?, SystemClock.now());
    if !found.ended_at(at) {
        return Ok(());
    }
    let standing = found.state_at(at).as_str();
    Err(usage(match lang {
        Lang::Nl => format!("`{project}` is voorbij ({standing}): dit zou niets meer veranderen"),
        Lang::En => format!("`{project}` is over ({standing}): this would change nothing any more"),
    }))
}

/// An error where the register would not take a document, whoever signed it.
pub(super) fn would_be_taken<T: Document>(
    document: &T,
    state: &RegisterState,
    lang: Lang,
) -> anyhow::Result<()> {
    let unsigned = Unsigned { typ: T::KIND.media_type(), payload: canonical(document)? };
    let faults = tried(&unsigned, state, lang);
    if faults.is_empty() {
        return Ok(());
    }
    let refused = lang.of("het register zou dit niet opnemen", "the register would not take this");
    Err(usage(format!("{refused}: {}", faults.join("; "))))
}
