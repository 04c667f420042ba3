//! Where the register is: at the coordinator, or in a folder.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use convenant_setup::RegisterSection;

use super::{Opened, follow, read_verified};
use crate::{args::number, exit::usage, ledger::folder, output};

/// Where the register is, and what is needed to trust it.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("place").required(true))]
pub(crate) struct Source {
    /// Configuration file of a client: follow the coordinator.
    #[arg(long, value_name = "FILE", group = "place")]
    config: Option<PathBuf>,
    /// Folder of a register: read what is there.
    #[arg(long, value_name = "DIR", group = "place", requires_all = ["lsi_key", "quorum", "key"])]
    dir: Option<PathBuf>,
    /// Public keys of the LSI (JWK).
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "dir")]
    lsi_key: Vec<PathBuf>,
    /// How many of the LSI's keys make a quorum.
    #[arg(long, value_name = "NUMBER", requires = "dir",
          value_parser = number::<usize>(1..=u64::MAX))]
    quorum: Option<usize>,
    /// Public key that signs the register's checkpoints (JWK).
    #[arg(long, value_name = "FILE", requires = "dir")]
    key: Option<PathBuf>,
}

impl Source {
    /// The configuration that was named, if one was.
    pub(crate) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The same place once more, as options on a command line.
    pub(crate) fn options(&self) -> String {
        let file = |name: &str, path: &Path| format!("{name} {}", output::argument(path));
        let key = self.lsi_key.iter().map(|key| file("--lsi-key", key));
        let quorum = self.quorum.map(|quorum| format!("--quorum {quorum}"));
        let place = self.config.iter().map(|path| file("--config", path));
        let place = place.chain(self.dir.iter().map(|path| file("--dir", path)));
        let rest = quorum.into_iter().chain(self.key.iter().map(|path| file("--key", path)));
        place.chain(key).chain(rest).collect::<Vec<_>>().join(" ")
    }

    pub(crate) async fn open(&self) -> anyhow::Result<Opened> {
        match (&self.config, &self.dir, &self.key) {
            (Some(config), ..) => follow(config).await,
            (None, Some(dir), Some(key)) => {
                let section = RegisterSection {
                    lsi_keys: self.lsi_key.clone(),
                    quorum: self.quorum.unwrap_or_default(),
                    key: key.clone(),
                    poll_seconds: 0,
                };
                folder::is_register(dir)?;
                read_verified(dir.clone(), section.root_of_trust()?, key, false)
            }
            // clap has seen to it that one of the two is there.
            _ => Err(usage("give `--config`, or `--dir` with its keys")),
        }
    }
}
