//! The command `convenant`: every role of the federation in one binary.
//!
//! Data go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 usage, 3 refused
//! under the covenant, 4 evidence does not hold.
//!
//! **In scope:** parsing the command line, printing, exit codes, telemetry, signals.
//!
//! **Out of scope:** whatever the commands do: that is in the crates that they call.

mod args;
mod audit;
mod certs;
mod coordinator;
mod covenant;
mod daemon;
mod demo;
mod exit;
mod files;
mod keys;
mod lang;
mod ledger;
mod names;
mod node;
mod output;
mod project;
mod query;
mod register;
mod results;
mod sign;
mod subject_report;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};

/// Each query and each entry makes and drops thousands of small values (ADR 0027).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Args { json, command } = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(command, json)),
        Err(error) => Err(error.into()),
    };
    done.unwrap_or_else(|error| exit::report(&error))
}

async fn run(command: Command, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args, json).await,
        Command::Covenant(command) => covenant::run(&command, json),
        Command::Keys(command) => keys::run(&command, json),
        Command::Certs(command) => certs::run(&command, json),
        Command::Sign(args) => sign::run(&args, json),
        Command::Project(command) => project::run(command, json).await,
        Command::Register(command) => register::run(command, json).await,
        Command::Node(command) => node::run(&command, json).await,
        Command::Coordinator(command) => coordinator::run(&command, json).await,
        Command::Query(args) => query::run(args, json).await,
        Command::Results(command) => results::run(command, json),
        Command::Ledger(command) => ledger::run(&command, json).await,
        Command::Audit(command) => audit::run(&command, json),
        Command::SubjectReport(args) => subject_report::run(&args, json),
    }
}
