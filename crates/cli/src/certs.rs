//! `convenant certs example`: certificates to try a daemon with.

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Subcommand;
use convenant_demo::certs_example;
use convenant_model::Clock as _;
use convenant_transport::SystemClock;

use crate::{
    exit::{Exit, Named as _, usage},
    output,
};

const EXAMPLES: &str = "\
Example:
  convenant certs example --out certs

The private keys lie next to the certificates, so these prove nothing about anybody. A daemon
refuses to start on them unless its configuration says `allow_example = true`. In production,
use certificates of PKIoverheid, whose `subject.serialNumber` is the organisation's OIN.";

#[derive(Debug, Subcommand)]
pub(crate) enum CertsCommand {
    /// Write an example authority, its revocation list, and a certificate for each example party.
    #[command(after_help = EXAMPLES)]
    Example {
        /// Folder to write into: new or empty.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub(crate) fn run(command: &CertsCommand, json: bool) -> anyhow::Result<ExitCode> {
    let CertsCommand::Example { out } = command;
    let made = fs::create_dir_all(out).and_then(|()| fs::read_dir(out));
    if made.named(|| format!("`{}` cannot be made", out.display()))?.next().is_some() {
        return Err(usage(format!("`{}` is not empty: name a new folder", out.display())));
    }
    let written = certs_example(out, SystemClock.now().date())?;
    if json {
        output::json(&written)?;
    } else {
        for path in &written {
            output::line(&path.display().to_string())?;
        }
    }
    Ok(Exit::Done.into())
}
