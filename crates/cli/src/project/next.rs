//! What comes next, as commands that can be copied. In capitals stands what only the reader knows.

use std::path::Path;

use convenant_model::{
    ProjectId,
    register::{Actor, Duty, Task},
};

use crate::output::{argument, note};

/// Where nobody named a configuration.
const CONFIG: &str = "client.toml";

/// After a document that is whole.
pub(super) fn sign(out: &Path, config: Option<&Path>) {
    let file = argument(out);
    note(&format!("`{}` is to be signed, and then submitted:", out.display()));
    note(&format!("  convenant sign {file} --key KEY"));
    note(&format!("  convenant register submit {} --config {}", signed(out), named(config)));
}

/// After a document that a person has to fill in.
pub(super) fn fill_in(out: &Path, config: Option<&Path>) {
    let (file, config) = (argument(out), named(config));
    note(&format!("fill in `{}`; then it is to be signed and submitted:", out.display()));
    note(&format!("  convenant project sign {file} --key KEY --config {config}"));
    note(&format!("  convenant project submit {} --config {config}", signed(out)));
}

/// The command with which a duty is begun. `place` is where the register is, as options.
pub(super) fn begin(duty: &Duty, project: &ProjectId, place: &str) -> String {
    let partner = match &duty.who {
        Actor::Partner(oin) => oin.as_str(),
        Actor::Lsi => "OIN",
    };
    let rest = match duty.task {
        Task::Attest => {
            format!("attest {project} --partner {partner} {place} --out attestation.toml")
        }
        Task::Decide => format!("decide {project} --reason REASON {place} --out decision.toml"),
        Task::Mandate => format!(
            "mandate {project} --leader LEADER.pub.jwk --max-subjects NUMBER {place} --out mandate.toml"
        ),
        Task::Resume => {
            "resume --suspension SUSPENSION.jws --reason REASON --out resumption.toml".to_owned()
        }
        Task::Feedback => {
            format!("feedback {project} --partner {partner} {place} --out feedback.toml")
        }
        Task::Destroy => {
            // Answers are with a client, wherever the register was read.
            let client =
                if place.starts_with("--config ") { place } else { "--config client.toml" };
            return format!(
                "convenant results destroy --all --project {project} --complete {client} --place PLACE \
                 --operator FUNCTION --out destruction.toml"
            );
        }
        Task::Report => format!("conclude {project} {place} --out final-report.toml"),
        Task::Secure => {
            format!("secure {project} --owner FUNCTION --measures MEASURES --out securing.toml")
        }
    };
    format!("convenant project {rest}")
}

fn signed(out: &Path) -> String {
    argument(&out.with_extension("jws"))
}

fn named(config: Option<&Path>) -> String {
    config.map_or_else(|| CONFIG.to_owned(), argument)
}
