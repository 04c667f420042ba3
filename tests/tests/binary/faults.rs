//! Every durable step of every party fails, and "fails although it was done": a full disk, a failing sync, a
//! rename that does not come through; and at every one of them the process is killed, before it and after it.
//! Real processes, of which a library lets the calls fail (`faults.c`).
//!
//! After each: what could not be recorded was not answered, the daemon goes on or gives up and starts again
//! by itself, nothing recorded is lost, and the audit holds.

use std::{fs, os::unix::process::ExitStatusExt as _, path::Path};

use crate::{
    books::NODE,
    deployment::{COORDINATOR, shown},
};

mod case;
mod logging;
mod reading;
mod remote;
mod starting;

use case::Case;

/// What becomes of the daemon.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    GoesOn,
    GivesUp,
    Killed,
}
use Then::{GivesUp, GoesOn, Killed};

const NO_ROOM: &str = "28";
const IO_ERROR: &str = "5";
const KILL: &str = "0";

/// A call that fails, as `faults.c` reads it: which, on files with what in their path, how, and what comes of
/// it.
type Line = [&'static str; 4];

/// What becomes of the query at hand, at the party whose call fails.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Answered,
    /// It is on record that it was permitted, and how that ended.
    Ended,
    /// It is on record that it was permitted, and no more.
    Open,
    Unrecorded,
}
use Fate::{Answered, Ended, Open, Unrecorded};

/// Calls on files below the state of a daemon that fail, what becomes of the query at hand, and of the daemon.
type Step = (&'static [Line], Fate, Then);

/// What an audit says of it.
fn told(name: &str, fate: Fate) -> &'static [&'static str] {
    match (fate, name) {
        (Answered | Ended, _) | (Unrecorded, COORDINATOR) => &[],
        // The coordinator asked, and nobody answered.
        (Unrecorded, _) => &["KNOOPPUNT_NIET_BEREIKT"],
        // No node was asked.
        (Open, COORDINATOR) => &["UITWISSELING_OPEN", "KNOOPPUNT_NIET_BEREIKT"],
        (Open, _) => &["UITWISSELING_OPEN"],
    }
}

/// The same calls, and the process is killed at the last of them.
fn killing(lines: &[Line]) -> Vec<Line> {
    let mut lines = lines.to_vec();
    if let Some([_, _, error, _]) = lines.last_mut() {
        *error = KILL;
    }
    lines
}

/// What becomes of the query then; `None` where the step is not one that an answer waits for, so that either may
/// come first.
fn fate_of_killed(lines: &[Line], fate: Fate) -> Option<Fate> {
    match (fate, lines) {
        (Answered, _) => None,
        // Nobody is left to write how it ended, or to take back what was written.
        (Ended, _) | (Unrecorded, [["pwrite", _, _, "all"]]) => Some(Open),
        (fate, _) => Some(fate),
    }
}

const STEPS: [Step; 15] = [
    (&[["pwrite", "ledger/segments", NO_ROOM, "none"]], Unrecorded, GoesOn),
    (&[["pwrite", "ledger/segments", NO_ROOM, "half"]], Unrecorded, GoesOn),
    (&[["pwrite", "ledger/segments", NO_ROOM, "all"]], Unrecorded, GoesOn),
    // A torn tail that cannot be cut off.
    (
        &[
            ["pwrite", "ledger/segments", NO_ROOM, "half"],
            ["ftruncate", "ledger/segments", IO_ERROR, "none"],
        ],
        Unrecorded,
        GivesUp,
    ),
    (&[["fdatasync", "ledger/segments", IO_ERROR, "none"]], Open, GivesUp),
    (&[["fdatasync", "ledger/segments", IO_ERROR, "all"]], Open, GivesUp),
    (&[["rename", "ledger/tile", IO_ERROR, "none"]], Answered, GoesOn),
    (&[["rename", "ledger/tile", IO_ERROR, "all"]], Answered, GoesOn),
    (&[["fdatasync", "ledger/checkpoint", IO_ERROR, "none"]], Answered, GoesOn),
    (&[["rename", "ledger/checkpoint", IO_ERROR, "none"]], Answered, GoesOn),
    (&[["rename", "ledger/checkpoint", IO_ERROR, "all"]], Answered, GoesOn),
    (&[["rename", "ledger/witnessed", IO_ERROR, "none"]], Answered, GoesOn),
    (&[["fsync", "ledger/witnessed", IO_ERROR, "all"]], Answered, GoesOn),
    (&[["rename", "ledger/witnessing", IO_ERROR, "none"]], Answered, GoesOn),
    (&[["fsync", "ledger/witnessing", IO_ERROR, "all"]], Answered, GoesOn),
];

/// The same steps failing in another way.
const MORE_STEPS: [Step; 6] = [
    (&[["pwrite", "ledger/segments", IO_ERROR, "half"]], Unrecorded, GoesOn),
    (&[["write", "ledger/tile", NO_ROOM, "half"]], Answered, GoesOn),
    (&[["write", "ledger/checkpoint", NO_ROOM, "half"]], Answered, GoesOn),
    (&[["rename", "ledger/checkpoint", NO_ROOM, "none"]], Answered, GoesOn),
    (&[["write", "ledger/witnessed", NO_ROOM, "half"]], Answered, GoesOn),
    (&[["write", "ledger/witnessing", NO_ROOM, "half"]], Answered, GoesOn),
];

/// What only spares a start some work, and is written at any time.
const INDEX: [Step; 3] = [
    (&[["pwrite", "index/", NO_ROOM, "none"]], Answered, GoesOn),
    (&[["pwrite", "index/", IO_ERROR, "half"]], Answered, GoesOn),
    (&[["pwrite", "index/", IO_ERROR, "all"]], Answered, GoesOn),
];

#[test]
fn every_durable_step_of_a_node_fails() {
    every_step_of(NODE, &STEPS);
}

#[test]
fn every_durable_step_of_a_node_fails_in_another_way() {
    every_step_of(NODE, MORE_STEPS.iter().chain(&INDEX));
}

#[test]
fn every_durable_step_of_a_coordinator_fails() {
    every_step_of(COORDINATOR, &STEPS);
}

/// What is done besides where each entry goes on in a new file.
const ROLLOVER: [Step; 9] = [
    // The file is ended, …
    (&[["ftruncate", "ledger/segments", IO_ERROR, "none"]], Unrecorded, GivesUp),
    (&[["ftruncate", "ledger/segments", IO_ERROR, "all"]], Unrecorded, GivesUp),
    (&[["fsync", "ledger/segments/", IO_ERROR, "none"]], Unrecorded, GivesUp),
    (&[["fsync", "ledger/segments/", IO_ERROR, "all"]], Unrecorded, GivesUp),
    // … the name of the next made durable, …
    (&[["fsync", "ledger/segments$", IO_ERROR, "none"]], Unrecorded, GoesOn),
    (&[["fsync", "ledger/segments$", IO_ERROR, "all"]], Unrecorded, GoesOn),
    // … room made in it, and the entry written there.
    (&[["pwrite", "ledger/segments", NO_ROOM, "half"]], Unrecorded, GoesOn),
    (&[["fdatasync", "ledger/segments", IO_ERROR, "none"]], Open, GivesUp),
    (&[["fdatasync", "ledger/segments", IO_ERROR, "all"]], Open, GivesUp),
];

/// A federation in which a file holds one entry, or a few short ones.
fn of_short_segments() -> Case {
    let short = |config: &Path| {
        let before = fs::read_to_string(config).unwrap();
        let after = before.replace("[data]\n", "[data]\nsegment_kib = 1\n");
        assert_ne!(before, after);
        fs::write(config, after).unwrap();
    };
    Case::over(|federation, _| {
        short(&federation.coordinator.config);
        short(&federation.partner(NODE).unwrap().config);
    })
}

#[test]
fn every_durable_step_of_a_new_segment_fails_at_a_node() {
    steps_of(of_short_segments(), NODE, &ROLLOVER);
}

#[test]
fn every_durable_step_of_a_new_segment_fails_at_a_coordinator() {
    steps_of(of_short_segments(), COORDINATOR, &ROLLOVER);
}

#[test]
fn a_node_is_killed_at_every_durable_step_of_a_new_segment() {
    kills_of(of_short_segments(), NODE, &ROLLOVER);
}

#[test]
fn a_coordinator_is_killed_at_every_durable_step_of_a_new_segment() {
    kills_of(of_short_segments(), COORDINATOR, &ROLLOVER);
}

fn every_step_of(name: &str, steps: impl IntoIterator<Item = &'static Step>) {
    steps_of(Case::start(), name, steps);
}

fn steps_of(mut case: Case, name: &str, steps: impl IntoIterator<Item = &'static Step>) {
    for &(lines, fate, then) in steps {
        println!("{lines:?}");
        case.fail(name, lines);
        let answered = case.ask().is_some();
        assert_eq!(answered, fate == Answered, "{lines:?}: {}", case.deployment.logs());
        case.is_hit();
        case.recovers(name, then, Some(told(name, fate)));
    }
    case.end();
}

#[test]
fn a_node_is_killed_at_every_durable_step() {
    kills_of(Case::start(), NODE, STEPS.iter().chain(&SUBJECTS).chain(&INDEX));
}

#[test]
fn a_coordinator_is_killed_at_every_durable_step() {
    kills_of(Case::start(), COORDINATOR, STEPS.iter().chain(&INDEX));
}

fn kills_of(mut case: Case, name: &str, steps: impl IntoIterator<Item = &'static Step>) {
    for &(lines, fate, _) in steps {
        let (lines, fate) = (killing(lines), fate_of_killed(lines, fate));
        println!("{lines:?}");
        case.fail(name, &lines);
        let answered = case.ask().is_some();
        assert!(!answered || fate.is_none(), "{lines:?}: {}", case.deployment.logs());
        case.is_hit();
        case.recovers(name, Killed, fate.map(|fate| told(name, fate)));
    }
    case.end();
}

/// The same for a node's journal of whom its answers are about: what is not in it is not answered.
const SUBJECTS: [Step; 5] = [
    (&[["pwrite", "subjects/segments", NO_ROOM, "none"]], Ended, GoesOn),
    (&[["pwrite", "subjects/segments", NO_ROOM, "half"]], Ended, GoesOn),
    (&[["pwrite", "subjects/segments", NO_ROOM, "all"]], Ended, GoesOn),
    (&[["fdatasync", "subjects/segments", IO_ERROR, "none"]], Ended, GivesUp),
    (&[["fdatasync", "subjects/segments", IO_ERROR, "all"]], Ended, GivesUp),
];

#[test]
fn every_durable_step_of_the_journal_of_subjects_fails() {
    every_step_of(NODE, &SUBJECTS);
}

/// The same for the keeper of the register; whether a document is there once the submission failed.
const SUBMISSIONS: [(&[Line], bool, Then); 6] = [
    (&[["fsync", "register/documents", IO_ERROR, "none"]], false, GoesOn),
    (&[["rename", "register/documents", IO_ERROR, "none"]], false, GoesOn),
    (&[["rename", "register/documents", IO_ERROR, "all"]], false, GoesOn),
    (&[["pwrite", "register/segments", NO_ROOM, "half"]], false, GoesOn),
    (&[["fdatasync", "register/segments", IO_ERROR, "none"]], true, GivesUp),
    (&[["fdatasync", "register/segments", IO_ERROR, "all"]], true, GivesUp),
];

#[test]
fn every_durable_step_of_the_register_fails() {
    let failing = SUBMISSIONS.map(|(lines, there, then)| (lines.to_vec(), there, then));
    let killed = SUBMISSIONS.map(|(lines, there, _)| (killing(lines), there, Killed));
    let mut case = Case::start();
    for (number, (lines, there, then)) in (1..).zip(failing.into_iter().chain(killed)) {
        println!("{lines:?}");
        let (document, before) = (case.document(number), case.register_size());
        case.fail(COORDINATOR, &lines);
        let told = case.submit(&document);
        assert_eq!(told.status.code(), Some(1), "{}", shown(&told));
        // Whoever was killed told nothing.
        let not_recorded = shown(&told).contains("NIET_VASTGELEGD");
        assert_eq!(not_recorded, then != Killed, "{}", shown(&told));
        case.recovers(COORDINATOR, then, Some(&[]));
        // What was in doubt turned out to be there, and is not taken twice.
        assert_eq!(case.submit(&document).status.success(), !there);
        assert!(case.ask().is_some());
        assert_eq!(case.register_size(), before + 1);
    }
    case.end();
}

/// Calls on files of a node's copy of the register.
const FOLLOWING: [Line; 6] = [
    ["fsync", "register/incoming", IO_ERROR, "none"],
    ["rename", "register/documents", IO_ERROR, "none"],
    ["rename", "register/documents", IO_ERROR, "all"],
    ["fsync", "register/documents", IO_ERROR, "all"],
    ["write", "register/checkpoint", NO_ROOM, "half"],
    ["rename", "register/checkpoint", IO_ERROR, "none"],
];

#[test]
fn a_node_answers_by_no_register_that_it_could_not_keep() {
    let failing = FOLLOWING.map(|line| (line, GoesOn));
    let killed = FOLLOWING.map(|[call, part, _, done]| ([call, part, KILL, done], Killed));
    let mut case = Case::start();
    for (number, (line, then)) in (1..).zip(failing.into_iter().chain(killed)) {
        println!("{line:?}");
        case.fail(NODE, &[line]);
        let submitted = case.submit(&case.document(number));
        assert!(submitted.status.success(), "{}", shown(&submitted));
        // The question is asked by the register as the leader has it.
        assert!(case.ask().is_none(), "{line:?}: {}", case.deployment.logs());
        case.is_hit();
        // Who lives records that it was turned down.
        let told = if then == Killed { told(NODE, Unrecorded) } else { &[] };
        case.recovers(NODE, then, Some(told));
    }
    case.end();
}

/// Calls on files of the project leader's, and whether the rows are there although the command failed.
const KEEPING: [(Line, bool); 11] = [
    (["pwrite", "state/receipts/segments", NO_ROOM, "half"], false),
    (["fdatasync", "state/receipts/segments", IO_ERROR, "none"], false),
    (["fdatasync", "state/receipts/segments", IO_ERROR, "all"], false),
    (["write", "/answers/", NO_ROOM, "half"], false),
    (["fdatasync", "/answers/", IO_ERROR, "none"], false),
    (["write", "state/results", NO_ROOM, "half"], false),
    (["fdatasync", "state/results", IO_ERROR, "none"], false),
    (["rename", "state/results", IO_ERROR, "none"], false),
    (["fsync", "state/results", IO_ERROR, "all"], false),
    (["link", "/answers/", IO_ERROR, "none"], false),
    (["fsync", "/answers", IO_ERROR, "all"], true),
];

/// Where the leader's process is killed besides: after a step that has no failure of its own.
const KILLED_BESIDES: [(Line, bool); 2] =
    [(["rename", "state/results", KILL, "all"], false), (["link", "/answers/", KILL, "all"], true)];

#[test]
fn every_durable_step_of_the_leader_fails() {
    let mut case = Case::start();
    for (line, there) in KEEPING {
        println!("{line:?}");
        case.fail("", &[line]);
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

#[test]
fn a_leader_who_is_killed_at_any_durable_step_asks_again_to_the_same_file() {
    let mut case = Case::start();
    let killing = KEEPING.map(|([call, part, _, done], there)| ([call, part, KILL, done], there));
    for (line, there) in killing.into_iter().chain(KILLED_BESIDES) {
        println!("{line:?}");
        case.fail("", &[line]);
        let before = case.kept();
        let killed = case.leader();
        assert_eq!(killed.status.signal(), Some(9), "{line:?}: {}", shown(&killed));
        assert_eq!(case.kept() - before, usize::from(there), "{line:?}");
        case.mend();
        // What has its name is accounted for, and is not written over.
        assert_eq!(case.ask_again().is_none(), there, "{line:?}");
        assert_eq!(case.kept() - before, 1, "{line:?}");
        case.accounts_for_all();
        case.audit();
    }
    case.end();
}
