//! The command line as a whole. Each command describes its own arguments in its own module.

use std::{ops::RangeInclusive, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::{
    audit::AuditCommand, certs::CertsCommand, coordinator::CoordinatorCommand,
    covenant::CovenantCommand, demo::DemoArgs, keys::KeysCommand, ledger::LedgerCommand,
    node::NodeCommand, project::ProjectCommand, query::QueryArgs, register::RegisterCommand,
    results::ResultsCommand, sign::SignArgs, subject_report::SubjectReportArgs,
};

const ABOUT: &str = "\
A federated gateway for data exchange under a covenant.

Each partner runs a node in front of its own registers. A coordinator brokers queries per
approved project and sees neither subjects nor results. Every party decides for itself with its
own copy of the signed register, and keeps a ledger of what it decided, which an auditor
replays.";

const AFTER: &str = "\
Begin here:
  convenant demo                            a whole federation on this machine, with a story
  convenant demo --dir DIR --setup-only     its files, to start each daemon by hand

By role:
  project leader   convenant project, convenant query, convenant results
  partner          convenant keys, convenant sign, convenant register, convenant node,
                   convenant project, convenant subject-report
  coordinator      convenant coordinator
  auditor          convenant register verify, convenant ledger, convenant audit

Exit codes:
  0  done
  1  failed
  2  the command line or a file named on it is not as it should be
  3  refused under the covenant
  4  evidence does not hold: a signature, a proof or a decision cannot be confirmed";

/// A federated gateway for data exchange under a covenant.
#[derive(Parser)]
#[command(name = "convenant", version, max_term_width = 100)]
#[command(long_about = ABOUT, after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    /// Print JSON on stdout, for machines.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a whole example federation on this machine, with a story that ends in an audit.
    Demo(DemoArgs),
    /// Check a covenant, tell what each clause does, and what a new version changes.
    #[command(subcommand)]
    Covenant(CovenantCommand),
    /// Make and show keys for signing, ledgers and sealing.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Write example certificates.
    #[command(subcommand)]
    Certs(CertsCommand),
    /// Sign a document, or add a signature to a signed one.
    Sign(SignArgs),
    /// Take a project from idea to securing: write, check, sign, submit and follow its documents.
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Submit documents to the register, read it and verify it.
    #[command(subcommand)]
    Register(RegisterCommand),
    /// Check or run the daemon in front of a partner's registers.
    #[command(subcommand)]
    Node(NodeCommand),
    /// Run the daemon that brokers queries.
    #[command(subcommand)]
    Coordinator(CoordinatorCommand),
    /// Ask partners a question under an approved project.
    Query(QueryArgs),
    /// List, open and destroy the answers that were received.
    #[command(subcommand)]
    Results(ResultsCommand),
    /// Read a ledger, prove its entries and verify it.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Decide every exchange again from the evidence alone.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Answer a citizen who asks what was done with their data.
    SubjectReport(SubjectReportArgs),
}

/// The configuration file of a command that has one.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ConfigFile {
    /// Configuration file (TOML). `CONVENANT__SECTION__KEY` in the environment overrides a key.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// Reads a whole number within a range, and says what is expected where it is none: clap's own parser says
/// `invalid digit found in string`.
pub(crate) fn number<N: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let read = text.parse().ok().filter(|number| range.contains(number));
        read.and_then(|number| N::try_from(number).ok()).ok_or_else(|| {
            match (range.start(), range.end()) {
                (least, &u64::MAX) => format!("a whole number of {least} or more is expected"),
                (least, most) => format!("a whole number from {least} to {most} is expected"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn no_command_contradicts_itself() {
        super::Args::command().debug_assert();
    }
}
