//! Lines for the log of processing: the way there is cut, or it cannot be kept which arrived. Every line arrives,
//! under one id however often it is sent.

use std::{collections::BTreeSet, fs, net::SocketAddr, sync::Arc};

use convenant_testkit::{
    Collector, Cutter, Kept,
    Severed::{Answering, Asking, Nowhere, Refused},
    World,
};
use convenant_transport::SystemClock;
use tokio::runtime::Runtime;

use super::{IO_ERROR, KILL, Line, case::Case, remote::eventually};
use crate::{books::NODE, ldv::delivering};

/// Bytes of a message with lines, at least.
const LINES: usize = 600;

/// A log of processing behind a network that is cut.
struct Log {
    case: Case,
    cutter: Cutter,
    kept: Kept,
    runtime: Runtime,
    _collector: Collector,
}

impl Log {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (kept, mut behind) = (Kept::default(), None);
        let case = Case::over(|federation, ports| {
            let address = SocketAddr::from(([127, 0, 0, 1], ports.ports().pop().unwrap()));
            let cutter = Cutter::before(address).unwrap();
            let folder = federation.dir.join("log");
            fs::create_dir(&folder).unwrap();
            let identity = delivering(federation, &folder, cutter.address());
            let collector = Collector::start(address, &identity, Arc::new(SystemClock), &kept);
            behind = Some((cutter, runtime.block_on(collector).unwrap()));
        });
        let (cutter, collector) = behind.unwrap();
        Self { case, cutter, kept, runtime, _collector: collector }
    }

    /// The lines of every answer are there, and no others: one for the node, one for whom it is about.
    fn has_all(&self, answers: usize) {
        let lines = self.runtime.block_on(self.kept.different(2 * answers));
        let different: BTreeSet<_> = lines.iter().map(|line| &line.span.span_id).collect();
        assert_eq!(different.len(), 2 * answers, "{}", self.case.deployment.logs());
    }

    /// How many answers the node knows to have arrived.
    fn position(&self) -> usize {
        let node = self.case.deployment.federation.partner(NODE).unwrap();
        let position = fs::read_to_string(World::state(&node.dir).join("ldv.position"));
        position.map_or(0, |position| position.trim_end().parse().unwrap())
    }

    fn arrived(&self, answers: usize) {
        eventually("all is delivered", || self.position() == answers);
        self.has_all(answers);
    }
}

#[test]
fn lines_for_the_log_arrive_wherever_the_way_there_was_cut() {
    let mut log = Log::start();
    log.arrived(1);
    for (answers, severed) in (1..).zip([Refused, Asking(LINES), Answering(LINES)]) {
        println!("{severed:?}");
        log.cutter.sever(severed);
        // The log is not mandatory here.
        assert!(log.case.ask().is_some());
        log.cutter.is_hit().unwrap();
        if let Answering(_) = severed {
            log.has_all(answers + 1);
            log.cutter.cut();
        }
        log.cutter.sever(Nowhere);
        log.arrived(answers + 1);
        // What had come before anybody could say so came once more.
        let again = log.kept.lines().len() > 2 * (answers + 1);
        assert_eq!(again, matches!(severed, Answering(_)), "{severed:?}");
    }
    log.case.end();
}

/// Calls on the file that holds which lines arrived.
const POSITION: [Line; 4] = [
    ["fdatasync", "ldv.position", IO_ERROR, "none"],
    ["rename", "ldv.position", IO_ERROR, "none"],
    ["rename", "ldv.position", KILL, "none"],
    ["rename", "ldv.position", KILL, "all"],
];

#[test]
fn lines_for_the_log_arrive_although_it_cannot_be_kept_which_did() {
    let mut log = Log::start();
    log.arrived(1);
    let mut answers = 1;
    for line @ [.., error, done] in POSITION {
        println!("{line:?}");
        log.case.fail(NODE, &[line]);
        assert!(log.case.ask().is_some());
        log.case.is_hit();
        answers += 1;
        log.has_all(answers);
        if error == KILL {
            log.case.deployment.was_killed(NODE);
            assert_eq!(log.position() == answers, done == "all");
            log.case.starts_again(NODE);
            answers += 1;
        } else {
            log.case.mend();
        }
        log.arrived(answers);
    }
    log.case.end();
}
