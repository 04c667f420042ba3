//! Every durable step of every party fails, and "fails although it was done": a full disk, a failing sync, a
//! rename that does not come through. Real processes, of which a library lets the calls fail (`faults.c`).
//!
//! After each: what could not be recorded was not answered, the daemon goes on or gives up and starts again
//! by itself, nothing recorded is lost, and the audit holds.

use crate::{
    books::NODE,
    deployment::{COORDINATOR, shown},
};

mod case;

use case::Case;

/// What becomes of the daemon.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    GoesOn,
    GivesUp,
}
use Then::{GivesUp, GoesOn};

const NO_ROOM: &str = "28";
const IO_ERROR: &str = "5";

/// Calls on files below the state of a daemon that fail (as `faults.c` reads them), whether the query at hand
/// is answered all the same, and what becomes of the daemon.
type Step = (&'static [[&'static str; 4]], bool, Then);

const STEPS: [Step; 15] = [
    (&[["pwrite", "ledger/segments", NO_ROOM, "none"]], false, GoesOn),
    (&[["pwrite", "ledger/segments", NO_ROOM, "half"]], false, GoesOn),
    (&[["pwrite", "ledger/segments", NO_ROOM, "all"]], false, GoesOn),
    // A torn tail that cannot be cut off.
    (
        &[
            ["pwrite", "ledger/segments", NO_ROOM, "half"],
            ["ftruncate", "ledger/segments", IO_ERROR, "none"],
        ],
        false,
        GivesUp,
    ),
    (&[["fdatasync", "ledger/segments", IO_ERROR, "none"]], false, GivesUp),
    (&[["fdatasync", "ledger/segments", IO_ERROR, "all"]], false, GivesUp),
    (&[["rename", "ledger/tile", IO_ERROR, "none"]], true, GoesOn),
    (&[["rename", "ledger/tile", IO_ERROR, "all"]], true, GoesOn),
    (&[["fdatasync", "ledger/checkpoint", IO_ERROR, "none"]], true, GoesOn),
    (&[["rename", "ledger/checkpoint", IO_ERROR, "none"]], true, GoesOn),
    (&[["rename", "ledger/checkpoint", IO_ERROR, "all"]], true, GoesOn),
    (&[["rename", "ledger/witnessed", IO_ERROR, "none"]], true, GoesOn),
    (&[["fsync", "ledger/witnessed", IO_ERROR, "all"]], true, GoesOn),
    (&[["rename", "ledger/witnessing", IO_ERROR, "none"]], true, GoesOn),
    (&[["fsync", "ledger/witnessing", IO_ERROR, "all"]], true, GoesOn),
];

#[test]
fn every_durable_step_of_a_node_fails() {
    every_step_of(NODE, &STEPS);
}

#[test]
fn every_durable_step_of_a_coordinator_fails() {
    every_step_of(COORDINATOR, &STEPS);
}

fn every_step_of(name: &str, steps: &[Step]) {
    let mut case = Case::start();
    for &(lines, answered, then) in steps {
        println!("{lines:?}");
        case.fail(name, lines);
        assert_eq!(case.ask().is_some(), answered, "{lines:?}: {}", case.deployment.logs());
        case.is_hit();
        case.recovers(name, then);
    }
    case.end();
}

/// The same for a node's journal of whom its answers are about: what is not in it is not answered.
const SUBJECTS: [Step; 5] = [
    (&[["pwrite", "subjects/segments", NO_ROOM, "none"]], false, GoesOn),
    (&[["pwrite", "subjects/segments", NO_ROOM, "half"]], false, GoesOn),
    (&[["pwrite", "subjects/segments", NO_ROOM, "all"]], false, GoesOn),
    (&[["fdatasync", "subjects/segments", IO_ERROR, "none"]], false, GivesUp),
    (&[["fdatasync", "subjects/segments", IO_ERROR, "all"]], false, GivesUp),
];

#[test]
fn every_durable_step_of_the_journal_of_subjects_fails() {
    every_step_of(NODE, &SUBJECTS);
}

/// The same for the keeper of the register; whether a document is there once the submission failed.
const SUBMISSIONS: [(&[[&str; 4]], bool, Then); 6] = [
    (&[["fsync", "register/documents", IO_ERROR, "none"]], false, GoesOn),
    (&[["rename", "register/documents", IO_ERROR, "none"]], false, GoesOn),
    (&[["rename", "register/documents", IO_ERROR, "all"]], false, GoesOn),
    (&[["pwrite", "register/segments", NO_ROOM, "half"]], false, GoesOn),
    (&[["fdatasync", "register/segments", IO_ERROR, "none"]], true, GivesUp),
    (&[["fdatasync", "register/segments", IO_ERROR, "all"]], true, GivesUp),
];

#[test]
fn every_durable_step_of_the_register_fails() {
    let mut case = Case::start();
    for (number, (lines, there, then)) in (1..).zip(SUBMISSIONS) {
        println!("{lines:?}");
        let (document, before) = (case.document(number), case.register_size());
        case.fail(COORDINATOR, lines);
        let told = case.submit(&document);
        assert_eq!(told.status.code(), Some(1), "{}", shown(&told));
        assert!(shown(&told).contains("NIET_VASTGELEGD"), "{}", shown(&told));
        case.recovers(COORDINATOR, then);
        // What was in doubt turned out to be there, and is not taken twice.
        assert_eq!(case.submit(&document).status.success(), !there);
        assert!(case.ask().is_some());
        assert_eq!(case.register_size(), before + 1);
    }
    case.end();
}

/// Calls on files of the project leader's, and whether the rows are there although the command failed.
const KEEPING: [(&[&str; 4], bool); 7] = [
    (&["pwrite", "state/receipts/segments", NO_ROOM, "half"], false),
    (&["fdatasync", "state/receipts/segments", IO_ERROR, "none"], false),
    (&["fdatasync", "state/receipts/segments", IO_ERROR, "all"], false),
    (&["fdatasync", "/answers/", IO_ERROR, "none"], false),
    (&["rename", "state/results", IO_ERROR, "none"], false),
    (&["link", "/answers/", IO_ERROR, "none"], false),
    (&["fsync", "/answers", IO_ERROR, "all"], true),
];

#[test]
fn every_durable_step_of_the_leader_fails() {
    let mut case = Case::start();
    for (line, there) in KEEPING {
        println!("{line:?}");
        case.fail("", &[*line]);
        let before = case.kept();
        assert!(case.ask().is_none());
        case.is_hit();
        assert_eq!(case.kept() - before, usize::from(there), "{line:?}");
        case.mend();
        assert!(case.ask().is_some());
        case.audit();
    }
    case.end();
}
