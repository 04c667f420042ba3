//! Every durable step of a start fails, of a daemon that was killed in the midst of a write: it ends, or is
//! killed once more, and the next start mends what both left behind.

use std::os::unix::process::ExitStatusExt as _;

use super::{IO_ERROR, KILL, Line, NO_ROOM, case::Case, killing};
use crate::{books::NODE, deployment::COORDINATOR};

/// Calls on files below the state of a daemon that fail at its start.
const STEPS: [Line; 7] = [
    // The torn end is cut off, …
    ["ftruncate", "ledger/segments", IO_ERROR, "none"],
    ["ftruncate", "ledger/segments", IO_ERROR, "all"],
    // … that made durable, …
    ["fsync", "ledger/segments", IO_ERROR, "none"],
    // … and the start recorded.
    ["pwrite", "ledger/segments", NO_ROOM, "none"],
    ["pwrite", "ledger/segments", NO_ROOM, "half"],
    ["fdatasync", "ledger/segments", IO_ERROR, "none"],
    ["fdatasync", "ledger/segments", IO_ERROR, "all"],
];

#[test]
fn every_durable_step_of_a_node_s_start_fails() {
    let subjects = ["ftruncate", "fsync"].map(|call| [call, "subjects/segments", IO_ERROR, "none"]);
    every_step_of_the_start_of(NODE, &subjects);
}

#[test]
fn every_durable_step_of_a_coordinator_s_start_fails() {
    let register = ["ftruncate", "fsync"].map(|call| [call, "register/segments", IO_ERROR, "none"]);
    every_step_of_the_start_of(COORDINATOR, &register);
}

/// The index stood for the ledger, and is marked as being in use.
#[test]
fn a_node_is_killed_as_it_takes_its_index_into_use() {
    let mut case = Case::start();
    for done in ["none", "half", "all"] {
        case.deployment.stop();
        case.fail(NODE, &[["pwrite", "index/", KILL, done]]);
        case.deployment.start_daemon(COORDINATOR);
        assert_eq!(case.deployment.fails_to_start(NODE).signal(), Some(9), "{done}");
        case.is_hit();
        case.starts_again(NODE);
        case.audit();
    }
    case.end();
}

fn every_step_of_the_start_of(name: &str, more: &[Line]) {
    let mut case = Case::start();
    for line in STEPS.iter().chain(more) {
        println!("{line:?}");
        case.fail(name, &[["pwrite", "ledger/segments", KILL, "half"]]);
        assert!(case.ask().is_none());
        case.deployment.was_killed(name);
        case.fail(name, &[*line]);
        let status = case.deployment.fails_to_start(name);
        assert_eq!(status.code(), Some(1), "{line:?}: {}", case.deployment.logs());
        case.is_hit();
        case.fail(name, &killing(&[*line]));
        assert_eq!(case.deployment.fails_to_start(name).signal(), Some(9), "{line:?}");
        case.is_hit();
        case.starts_again(name);
        case.audit();
    }
    case.end();
}
