//! `convenant node check` and `convenant node run`.

use std::process::ExitCode;

use clap::Subcommand;
use convenant_model::{Clock as _, Date};
use convenant_node::{Exposed, Node, NodeConfig};
use convenant_transport::SystemClock;
use serde::Serialize;

use crate::{
    args::ConfigFile,
    daemon,
    exit::Exit,
    output,
    telemetry::{self, Role},
};

const CHECK_EXAMPLES: &str = "\
Example:
  convenant node check --config node.toml

Reads keys and certificates, fetches the register, binds every dataset to its source, and
prints what the node would give out: to whom, under which project and basis, within which area,
until when. It serves nothing. What no approved project is granted is not in the list, and is
never given out.";

const RUN_EXAMPLES: &str = "\
Example:
  convenant node run --config node.toml

Prints `listening on ADDRESS` on stdout once queries are taken (with `--json` as a line of JSON),
and JSON log lines on stderr. A new node first waits for a register that holds a covenant. SIGTERM
and SIGINT end it when the exchanges under way are done.";

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Print what the node would give out, to whom and on which basis; serve nothing.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(ConfigFile),
    /// Serve: decide, record and answer queries.
    #[command(after_help = RUN_EXAMPLES)]
    Run(ConfigFile),
}

pub(crate) async fn run(command: &NodeCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        NodeCommand::Check(file) => check(convenant_setup::load(&file.config)?, json).await?,
        NodeCommand::Run(file) => {
            let config: NodeConfig = convenant_setup::load(&file.config)?;
            let telemetry = telemetry::start(Role::Node, &config.party.oin, &config.telemetry)?;
            let served = serve(config, json).await;
            telemetry.stop().await;
            served?;
        }
    }
    Ok(Exit::Done.into())
}

async fn serve(config: NodeConfig, json: bool) -> anyhow::Result<()> {
    let stop = daemon::told_to_stop()?;
    Ok(Node::set_up(config)?.run(daemon::listening(json), stop).await?)
}

async fn check(config: NodeConfig, json: bool) -> anyhow::Result<()> {
    let telemetry = telemetry::start(Role::Client, &config.party.oin, &config.telemetry)?;
    let served = config.dataset.iter().map(|dataset| dataset.id.to_string());
    let served: Vec<_> = served.collect();
    let exposed = check_sources(config).await;
    telemetry.stop().await;
    let exposed = exposed?;
    let today = SystemClock.now().date();
    let rows: Vec<_> = exposed.iter().map(|one| Row::of(one, today)).collect();
    if json {
        return output::json(&rows);
    }
    output::note(&format!("every source is as the covenant needs it: {}", served.join(", ")));
    if rows.is_empty() {
        output::note("no approved project is granted anything of this node");
    }
    rows.iter().try_for_each(Row::print)
}

async fn check_sources(config: NodeConfig) -> anyhow::Result<Vec<Exposed>> {
    Ok(Node::set_up(config)?.check().await?)
}

#[derive(Serialize)]
struct Row {
    project: String,
    to: String,
    dataset: String,
    fields: Vec<String>,
    kinds: Vec<&'static str>,
    area: Vec<String>,
    /// Keys of which subjects must be vouched for, in the place of a column with the area.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vouched: Vec<String>,
    valid_from: String,
    valid_until: String,
    /// Whether today is one of the days.
    today: bool,
    basis: String,
}

impl Row {
    fn of(exposed: &Exposed, today: Date) -> Self {
        let (from, until) = exposed.days;
        Self {
            project: exposed.project.to_string(),
            to: exposed.to.to_string(),
            dataset: exposed.dataset.to_string(),
            fields: exposed.fields.iter().map(ToString::to_string).collect(),
            kinds: exposed.kinds.iter().map(|kind| kind.as_str()).collect(),
            area: exposed.area.iter().map(ToString::to_string).collect(),
            vouched: exposed.vouched.iter().map(ToString::to_string).collect(),
            valid_from: from.to_string(),
            valid_until: until.to_string(),
            today: (from..=until).contains(&today),
            basis: output::shown(&exposed.basis),
        }
    }

    fn print(&self) -> anyhow::Result<()> {
        output::line(&format!("{} to {} under {}", self.dataset, self.to, self.project))?;
        output::line(&format!("  fields  {}", self.fields.join(", ")))?;
        output::line(&format!("  kinds   {}", self.kinds.join(", ")))?;
        let area = self.area.join(", ");
        output::line(&match self.vouched.as_slice() {
            [] => format!("  area    {area} (clause S10)"),
            keys => format!("  area    {area}, by vouchers for {} (clause S10)", keys.join(", ")),
        })?;
        let not_today = if self.today { "" } else { ": not today, so nothing is given out" };
        output::line(&format!("  days    {} to {}{not_today}", self.valid_from, self.valid_until))?;
        output::line(&format!("  basis   {} (clause A3)", self.basis))
    }
}
