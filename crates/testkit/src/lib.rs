//! A whole federation on loopback, and doubles that try what its promises forbid.
//!
//! Everything is real: sockets, mutual TLS, signatures, files, and the daemons themselves, started from
//! the configuration files that the example writes. Only the clock can be a test's own.
//!
//! **In scope:** [`World`], a federation in one process; [`HostileCoordinator`] and [`SilentNode`], a
//! coordinator and a node in hostile hands; [`Collector`], a log of processing; [`wire`], what a party can send that no client of ours
//! would; [`Cutter`], a network that is cut; [`Daemon`], the built binary as a process; [`evidence`], reading what the parties recorded.
//!
//! **Out of scope:** what ought to happen, which the tests say; faults of a ledger's store (`ledger`).

mod clock;
mod collector;
mod cutter;
pub mod evidence;
mod hostile;
mod identity;
mod log;
mod ports;
mod process;
pub mod question;
mod running;
mod shown;
mod silent;
mod told;
pub mod wire;
mod world;

pub use clock::TestClock;
pub use collector::{CollectedLine, Collector, Kept, Manner};
pub use cutter::{Cutter, Severed};
pub use hostile::{HostileCoordinator, Tampering};
pub use identity::Identity;
pub use log::CapturedLog;
pub use ports::PortBlock;
pub use process::{Daemon, Program};
pub use running::Running;
pub use shown::{Cut, Shown};
pub use silent::SilentNode;
pub use told::{Told, told};
pub use world::{PROJECT, Plan, World, today};

/// Why something could not be set up. Nothing decides on it: a test shows it and ends.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What a test kit gives, or why not.
pub type Fallible<T> = Result<T, Fault>;
