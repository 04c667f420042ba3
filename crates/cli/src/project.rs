//! `convenant project`: documents of a project's life in the format that they must have.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use convenant_model::{
    Clock as _, Oin, ProjectId, Timestamp,
    documents::{DocumentKind, Paragraph, Resumption, Suspension, tag},
    parse::{BoundedText, from_json},
    register::Envelope as _,
};
use convenant_signing::Jws;
use convenant_transport::SystemClock;
use serde::Serialize;

use crate::{
    exit::{Exit, usage},
    output,
};

const SUSPEND: &str = "\
Examples:
  What one partner provides; that partner alone signs, and needs nobody's leave:
    convenant project suspend P-2026-001 --partner 00000099000000000599 \\
      --reason \"fout in de levering\" --out suspension.toml
    convenant sign suspension.toml --key signing.jwk
    convenant register submit suspension.jws --config client.toml

  The whole project, signed by the LSI's quorum:
    convenant project suspend P-2026-001 --reason \"op last van de rechter\" --out suspension.toml

It holds from its instant on, as soon as it is in the register, also for answers that are under
way. A node that must stop at once, whatever the coordinator does, is stopped itself.";

const RESUME: &str = "\
Example:
  convenant project resume --suspension suspension.jws --reason \"hersteld\" --out resumption.toml
  convenant sign resumption.toml --key signing.jwk
  convenant register submit resumption.jws --config client.toml

Whoever suspended signs: the partner, or the LSI's quorum.";

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// Write a suspension of a project, or of what one partner provides in it.
    #[command(after_help = SUSPEND)]
    Suspend {
        /// The project.
        project: ProjectId,
        /// The partner that stops providing [default: the whole project, by the LSI].
        #[arg(long, value_name = "OIN")]
        partner: Option<Oin>,
        #[command(flatten)]
        written: Written,
    },
    /// Write the end of a suspension.
    #[command(after_help = RESUME)]
    Resume {
        /// The signed suspension.
        #[arg(long, value_name = "FILE")]
        suspension: PathBuf,
        #[command(flatten)]
        written: Written,
    },
}

/// What every such document says, and where it goes.
#[derive(Args, Debug)]
pub(crate) struct Written {
    /// Why; part of the register, so without personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// From when on, like `2026-01-31T12:00:00.000Z` [default: now].
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// File for the document (TOML), which must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(command: ProjectCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        ProjectCommand::Suspend { project, partner, written } => {
            let document = tag::Suspension::Suspension;
            let (from, reason) = (written.from(), written.reason()?);
            written.write(&Suspension { document, project, partner, from, reason }, json)?;
        }
        ProjectCommand::Resume { suspension, written } => {
            let jws = signed(&suspension)?;
            let suspended: Suspension = from_json("suspension", jws.payload())?;
            let resumption = Resumption {
                document: tag::Resumption::Resumption,
                project: suspended.project,
                suspension: jws.payload_hash(),
                from: written.from(),
                reason: written.reason()?,
            };
            written.write(&resumption, json)?;
        }
    }
    Ok(Exit::Done.into())
}

fn signed(path: &Path) -> anyhow::Result<Jws> {
    let name = path.display();
    let bytes = fs::read(path).with_context(|| format!("`{name}` cannot be read"))?;
    let jws = Jws::parse(&bytes).map_err(|error| usage(format!("`{name}`: {error}")))?;
    if jws.typ() != DocumentKind::Suspension.media_type() {
        return Err(usage(format!("`{name}` is no signed suspension")));
    }
    Ok(jws)
}

impl Written {
    fn from(&self) -> Timestamp {
        self.from.unwrap_or_else(|| SystemClock.now())
    }

    fn reason(&self) -> anyhow::Result<Paragraph> {
        let reason = BoundedText::new(self.reason.clone());
        reason.map_err(|error| usage(format!("`--reason`: {error}")))
    }

    fn write(&self, document: &impl Serialize, json: bool) -> anyhow::Result<()> {
        write(&self.out, document, json)
    }
}

/// Writes a document that is to be signed, and returns once it is on disk.
pub(crate) fn write(out: &Path, document: &impl Serialize, json: bool) -> anyhow::Result<()> {
    let name = out.display();
    let text = toml::to_string_pretty(document)?;
    let file = OpenOptions::new().write(true).create_new(true).open(out);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .with_context(|| format!("`{name}` cannot be written"))?;
    output::note(&format!("`{name}` is to be signed: `convenant sign {name} --key …`"));
    if json { output::json(document) } else { output::line(&name.to_string()) }
}
