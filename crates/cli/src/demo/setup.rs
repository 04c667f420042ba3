//! `--setup-only`: how to start what was written.

use anyhow::Result;
use convenant_demo::Federation;
use serde_json::json;

use super::teller::{Style, Teller};
use crate::output;

/// Says which command starts each daemon.
pub(super) fn explain(federation: &Federation, teller: &mut Teller) -> Result<()> {
    let daemons = federation.partners.iter().filter(|party| party.address.is_some());
    let mut commands = vec![format!(
        "convenant coordinator run --config {}",
        federation.coordinator.config.display()
    )];
    commands.extend(
        daemons.map(|party| format!("convenant node run --config {}", party.config.display())),
    );
    let submit = format!(
        "convenant register submit {}/documents/*.jws --config {}",
        federation.dir.display(),
        federation.leader.config.display()
    );
    if teller.is_silent() {
        let summary = json!({ "folder": federation.dir, "daemons": commands, "submit": submit });
        return output::json(&summary);
    }
    teller.say(&format!("A complete federation stands in `{}`.", federation.dir.display()))?;
    teller.say(
        "Nothing runs yet. Start each daemon in a terminal of its own, the coordinator first:",
    )?;
    teller.line("")?;
    for command in &commands {
        teller.line(&format!("   {command}"))?;
    }
    teller.line("")?;
    teller.say("Submit the projects with their decisions and mandates to the register:")?;
    teller.line("")?;
    teller.line(&format!("   {submit}"))?;
    teller.line("")?;
    teller.say("README.md in that folder says what to ask next.")?;
    teller.styled(0, Style::Quiet, "All people, keys and certificates in it are made up.")?;
    Ok(())
}
