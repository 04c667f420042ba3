//! `convenant demo`: a whole federation on loopback, and a story told with it.
//!
//! Everything is real but the people: each daemon starts from its own written configuration file, on
//! a socket of its own, under mutual TLS. Every step says what it expects, and the demo fails when it
//! sees something else.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use convenant_demo::{Federation, Options, Ports};
use convenant_model::Clock as _;
use convenant_signing::SystemRandom;
use convenant_transport::SystemClock;

mod answers;
mod ask;
mod cast;
mod evidence;
mod opening;
mod outsiders;
mod refusals;
mod seen;
mod setup;
mod stage;
mod story;
mod summary;
mod table;
mod teller;
mod vouchers;

use self::{story::Story, teller::Teller};
use crate::{
    args::number,
    daemon::told_to_stop,
    exit::{Named as _, usage},
    output,
};

/// Daemons of the example: the coordinator and six nodes.
const DAEMONS: usize = 7;
/// How often the folder's removal is tried, and how long after each.
const TRIES: u32 = 20;
const MOMENT: Duration = Duration::from_millis(20);
/// Port of the coordinator where the daemons are to be started by hand.
const PORT_BY_HAND: u16 = 7600;

const EXAMPLES: &str = "\
Examples:
  convenant demo                            tell the story, and remove everything again
  convenant demo --dir DIR --keep           keep the files: documents, answers, ledgers
  convenant demo --dir DIR --setup-only     write the files, and start each daemon yourself
  convenant demo --json                     what was seen, as one JSON object

All people, keys and certificates are made up. Nothing leaves this machine. Exit code 1 when a step
does not end as it announces.";

/// A federation on this machine, and what a covenant permits and refuses in it.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// New or empty folder for the federation; without it a temporary one is used
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Write the complete federation and say how to start it, but run nothing
    #[arg(long, requires = "dir")]
    setup_only: bool,
    /// Keep what the run made, to look at it afterwards
    #[arg(long)]
    keep: bool,
    /// Seed of the population: the same seed makes the same people
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number::<u64>(0..=u64::MAX))]
    seed: u64,
    /// People to make up, at least
    #[arg(long, value_name = "N", default_value_t = 2000,
          value_parser = number::<u32>(200..=500_000))]
    persons: u32,
    /// Port of the coordinator, the nodes take those that follow; 0 takes free ports
    /// (7600 with --setup-only)
    #[arg(long, value_name = "BASE", default_value_t = 0,
          value_parser = number::<u16>(0..=u16::MAX.into()))]
    port: u16,
}

/// Runs the demo. Exit code 1 means that a step did not end as it should.
///
/// # Errors
/// When the federation cannot be written or started.
pub(crate) async fn run(args: DemoArgs, json: bool) -> Result<ExitCode> {
    if args.setup_only {
        return set_up(&args, json);
    }
    // Before there is anything that would stay behind.
    let interrupted = told_to_stop()?;
    let folder = Folder::open(&args)?;
    let teller = Teller::new(json);
    let federation = write(folder.path(), &args)?;
    let mut story = Story::new(teller, folder.path(), folder.stays());
    let told = story.tell(federation, interrupted).await;
    story.end(told)
}

fn set_up(args: &DemoArgs, json: bool) -> Result<ExitCode> {
    let folder = Folder::open(args)?;
    setup::explain(&write(folder.path(), args)?, &mut Teller::new(json))?;
    Ok(ExitCode::SUCCESS)
}

fn write(dir: &Path, args: &DemoArgs) -> Result<Federation> {
    let ports = match (args.port, args.setup_only) {
        (0, true) => Ports::From(PORT_BY_HAND),
        (0, false) => free_ports()?,
        (base, _) => Ports::From(base),
    };
    let options = Options {
        seed: args.seed,
        persons: usize::try_from(args.persons)?,
        ports,
        today: SystemClock.now().date(),
        published: Vec::new(),
    };
    Federation::write(dir, &options, &SystemRandom::new())
        .with_context(|| format!("no federation could be written into `{}`", dir.display()))
}

/// Ports that are free now. All are held at once, so that they differ.
fn free_ports() -> Result<Ports> {
    let listeners = (0..DAEMONS).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listeners = listeners.collect::<Result<Vec<_>, _>>().context("no free ports")?;
    let ports = listeners.iter().map(|listener| Ok(listener.local_addr()?.port()));
    Ok(Ports::Given(ports.collect::<Result<_>>()?))
}

/// The federation's folder. What is not to be kept is removed, however the demo ends.
enum Folder {
    Kept(PathBuf),
    Removed { path: PathBuf, made: bool },
}

impl Folder {
    fn open(args: &DemoArgs) -> Result<Self> {
        let keep = args.keep || args.setup_only;
        match &args.dir {
            Some(dir) => {
                let made = !dir.exists();
                let path = std::path::absolute(dir)?;
                // Whatever stood there before is not the demo's to remove.
                let read = || fs::read_dir(&path).named(|| format!("`{}`", dir.display()));
                let empty = made || read()?.next().is_none();
                if !empty {
                    return Err(usage(format!(
                        "`{}` is not empty: name a new folder",
                        dir.display()
                    )));
                }
                Ok(if keep { Self::Kept(path) } else { Self::Removed { path, made } })
            }
            None => {
                let temporary = tempfile::Builder::new().prefix("convenant-demo-").tempdir()?;
                let path = temporary.keep();
                Ok(if keep { Self::Kept(path) } else { Self::Removed { path, made: true } })
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Removed { path, .. } => path,
        }
    }

    const fn stays(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let Self::Removed { path, made } = self else {
            return;
        };
        // A folder that was there before stays, empty again.
        let remove = || if *made { fs::remove_dir_all(&*path) } else { clear(path) };
        // What the leader was writing when the demo was cut short may come in between.
        let gone = (0..TRIES).any(|_| {
            remove().is_ok() || {
                thread::sleep(MOMENT);
                false
            }
        });
        if !gone {
            output::note(&format!("`{}` holds keys and could not be removed", path.display()));
        }
    }
}

fn clear(dir: &Path) -> std::io::Result<()> {
    for item in fs::read_dir(dir)? {
        let path = item?.path();
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    Ok(())
}
