//! `convenant coordinator run`.

use std::process::ExitCode;

use clap::Subcommand;
use convenant_coordinator::{Coordinator, CoordinatorConfig};

use crate::{
    args::ConfigFile,
    daemon,
    exit::Exit,
    telemetry::{self, Role},
};

const EXAMPLES: &str = "\
Example:
  convenant coordinator run --config coordinator.toml

Prints `listening on ADDRESS` on stdout once it serves (with `--json` as a line of JSON), and JSON
log lines on stderr. An empty register begins with the documents that `[founding]` names. SIGTERM
and SIGINT end it when the exchanges under way are done.";

#[derive(Debug, Subcommand)]
pub(crate) enum CoordinatorCommand {
    /// Serve: keep the register, broker queries.
    #[command(after_help = EXAMPLES)]
    Run(ConfigFile),
}

pub(crate) async fn run(command: &CoordinatorCommand, json: bool) -> anyhow::Result<ExitCode> {
    let CoordinatorCommand::Run(file) = command;
    let config: CoordinatorConfig = convenant_setup::load(&file.config)?;
    let telemetry = telemetry::start(Role::Coordinator, &config.party.oin, &config.telemetry)?;
    let served = serve(config, json).await;
    telemetry.stop().await;
    served.map(|()| Exit::Done.into())
}

async fn serve(config: CoordinatorConfig, json: bool) -> anyhow::Result<()> {
    let stop = daemon::told_to_stop()?;
    let coordinator = Coordinator::set_up(config).await?;
    Ok(coordinator.run(daemon::listening(json), stop).await?)
}
