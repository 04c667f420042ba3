//! Every remote step fails: nobody gets through, the connection is cut in the midst of a message, or once all is
//! done and before anybody is told, or in the midst of the reply.
//!
//! After each: nobody hangs, what was recorded stays, what was not recorded was not answered, all goes on once
//! the network is whole, and the audit tells what became of it.

use std::{
    fs,
    path::Path,
    process::{Child, Output},
    time::{Duration, Instant},
};

use convenant_demo::{Federation, Party};
use convenant_ledger::{Checkpoint, note::NoteName, origin};
use convenant_store::Notes;
use convenant_testkit::{
    Cutter, PortBlock,
    Severed::{self, Answered, Answering, Asking, Nowhere, Refused, Silent},
    World,
};

use super::case::Case;
use crate::{
    books::{NODE, exchanges},
    deployment::{COORDINATOR, shown, text},
};

/// Shorter than a signed query, a document of the register or an answer, and longer than all else.
const LARGE: usize = 1500;
/// Shorter than a checkpoint that is to be cosigned, and longer than a look at the register.
const CHECKPOINT: usize = 200;
const ANY: usize = 1;

/// Where the network is cut.
struct Links {
    /// Between leader and auditor, and the coordinator.
    clients: Cutter,
    /// Between the node and the coordinator whom it asks.
    node: Cutter,
    /// Between the node and whoever asks it.
    asked: Cutter,
}

impl Links {
    /// Puts a place to cut into each way that the federation's files tell of.
    fn between(federation: &Federation, ports: &PortBlock) -> Self {
        let coordinator = federation.coordinator.address.unwrap();
        let node = federation.partner(NODE).unwrap();
        let links = Self {
            clients: Cutter::before(coordinator).unwrap(),
            node: Cutter::before(coordinator).unwrap(),
            asked: behind(node, ports),
        };
        for (config, link) in [
            (&federation.leader.config, &links.clients),
            (&federation.auditor.config, &links.clients),
            (&node.config, &links.node),
        ] {
            rewrite(config, &coordinator.to_string(), &link.address().to_string());
        }
        links
    }
}

/// The node listens elsewhere than its enrolment says.
fn behind(node: &Party, ports: &PortBlock) -> Cutter {
    let enrolled = node.address.unwrap();
    let mut elsewhere = enrolled;
    elsewhere.set_port(ports.ports().pop().unwrap());
    rewrite(&node.config, &enrolled.to_string(), &elsewhere.to_string());
    Cutter::start(enrolled, elsewhere).unwrap()
}

fn rewrite(config: &Path, from: &str, to: &str) {
    let before = fs::read_to_string(config).unwrap();
    let after = before.replace(from, to);
    assert_ne!(before, after);
    fs::write(config, after).unwrap();
}

fn start() -> (Case, Links) {
    let mut links = None;
    let case = Case::over(|federation, ports| links = Some(Links::between(federation, ports)));
    (case, links.unwrap())
}

/// Nobody waits for ever for what does not come.
fn ended(mut child: Child) -> Output {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the command hangs");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

pub(super) fn eventually(what: &str, is_so: impl FnMut() -> bool) {
    assert!(comes_true(Duration::from_secs(30), is_so), "{what}: it does not come to that");
}

fn comes_true(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// How many queries coordinator and node permitted, and of how many they recorded how they ended.
fn numbers(case: &Case) -> [(usize, usize); 2] {
    [COORDINATOR, NODE].map(|name| {
        let (permitted, ended) = exchanges(&case.deployment, name);
        (permitted.len(), ended.len())
    })
}

/// Where the leader's query is cut, how many more permits coordinator and node have then, and what the audit
/// says of it.
type Cut = (Severed, [usize; 2], &'static [&'static str]);

/// Between leader and coordinator. That nothing came, behind the last byte that both passed on, is the leader's word alone.
const QUERIES: [Cut; 5] = [
    (Refused, [0, 0], &[]),
    (Silent, [0, 0], &[]),
    (Asking(LARGE), [0, 0], &[]),
    (Answering(LARGE), [1, 1], &["AANKOMST_ONTKEND"]),
    (Answered(LARGE), [1, 1], &["AANKOMST_ONTKEND"]),
];

/// Between coordinator and node.
const ERRANDS: [Cut; 5] = [
    (Refused, [1, 0], &["KNOOPPUNT_NIET_BEREIKT"]),
    (Silent, [1, 0], &["KNOOPPUNT_NIET_BEREIKT"]),
    (Asking(LARGE), [1, 0], &["KNOOPPUNT_NIET_BEREIKT"]),
    (Answering(LARGE), [1, 1], &["NIET_AANGEKOMEN"]),
    (Answered(LARGE), [1, 1], &["NIET_AANGEKOMEN"]),
];

#[test]
fn a_query_that_is_cut_off_is_answered_to_nobody_and_told_by_everybody() {
    let (mut case, links) = start();
    // Once all is done but the telling, the node knows how it ended, and behind the leader's back the coordinator.
    for (link, cuts, know) in [(&links.clients, QUERIES, 0..2), (&links.asked, ERRANDS, 1..2)] {
        for (severed, permits, told) in cuts {
            println!("{severed:?}");
            let before = numbers(&case);
            link.sever(severed);
            let asking = case.asks();
            if let Answering(_) = severed {
                link.is_hit().unwrap();
                eventually("all is done", || {
                    let now = numbers(&case);
                    know.clone().all(|party| now[party].1 > before[party].1)
                });
                link.cut();
            }
            let asked = case.answer(ended(asking));
            assert_eq!(asked, None, "{severed:?}");
            link.sever(Nowhere);
            let now = numbers(&case);
            let more = [now[0].0 - before[0].0, now[1].0 - before[1].0];
            assert_eq!(more, permits, "{severed:?}");
            case.tells(told);
            assert!(case.ask().is_some(), "{severed:?}: {}", case.deployment.logs());
        }
    }
    case.end();
}

/// Where a submission is cut, and whether the document is in the register then.
const SUBMISSIONS: [(Severed, bool); 3] =
    [(Refused, false), (Asking(LARGE), false), (Answering(LARGE), true)];

#[test]
fn a_submission_that_is_cut_off_is_in_the_register_once_or_not_at_all() {
    let (mut case, links) = start();
    for (number, (severed, there)) in (1..).zip(SUBMISSIONS) {
        println!("{severed:?}");
        let (document, before) = (case.document(number), case.register_size());
        links.clients.sever(severed);
        let submitting = case.submits(&document);
        if there {
            eventually("the document is in the register", || case.register_size() > before);
            links.clients.cut();
        }
        let told = ended(submitting);
        assert_eq!(told.status.code(), Some(1), "{}", shown(&told));
        links.clients.sever(Nowhere);
        // What was in doubt turned out to be there, and is not taken twice.
        assert_eq!(case.submit(&document).status.success(), !there, "{severed:?}");
        assert!(case.ask().is_some());
        assert_eq!(case.register_size(), before + 1, "{severed:?}");
        case.tells(&[]);
    }
    case.end();
}

/// Where a node is cut off from the register.
const FOLLOWING: [Severed; 4] = [Refused, Asking(ANY), Answering(ANY), Answered(ANY)];

#[test]
fn a_node_that_cannot_follow_the_register_answers_nothing_that_was_asked_by_a_newer_one() {
    let (mut case, links) = start();
    for (number, severed) in (1..).zip(FOLLOWING) {
        println!("{severed:?}");
        links.node.sever(severed);
        let document = case.document(number);
        assert!(case.submit(&document).status.success());
        let before = numbers(&case);
        let mut asking = case.asks();
        // Whatever is held back ends in a cut.
        while asking.try_wait().unwrap().is_none() {
            if links.node.is_hit_within(Duration::from_millis(20)) {
                links.node.cut();
            }
        }
        assert_eq!(case.answer(ended(asking)), None, "{severed:?}");
        let now = numbers(&case);
        assert_eq!((now[0].0, now[1].0), (before[0].0 + 1, before[1].0), "{severed:?}");
        links.node.sever(Nowhere);
        assert!(case.ask().is_some(), "{severed:?}: {}", case.deployment.logs());
        // The node recorded what it did not take.
        case.tells(&[]);
    }
    case.end();
}

/// Where parties cannot have their ledgers cosigned by each other.
const COSIGNING: [Severed; 3] = [Refused, Asking(CHECKPOINT), Answering(CHECKPOINT)];

#[test]
fn checkpoints_that_were_cosigned_by_who_could_not_say_so_are_cosigned_once_more() {
    let (mut case, links) = start();
    let federation = &case.deployment.federation;
    let coordinator = World::state(&federation.coordinator.dir);
    let node = World::state(&federation.partner(NODE).unwrap().dir).join("ledger");
    let own = origin::node(&federation.partner(NODE).unwrap().oin).unwrap();
    let register = origin::register(&federation.coordinator.oin).unwrap();
    // Who asks, whom, by which way.
    let pairs = [
        (own, node.clone(), coordinator.join("ledger"), &links.node),
        (register, coordinator.join("register"), node, &links.asked),
    ];
    let mut number = 0;
    for (name, ledger, witness, link) in pairs {
        let size =
            || Checkpoint::unverified_size(&fs::read(ledger.join("checkpoint")).unwrap()).unwrap();
        let held = || noted(&convenant_witness::witnessing(&witness), &name);
        let known = || noted(&convenant_witness::witnessed(&ledger), &name);
        for severed in COSIGNING {
            println!("{} {severed:?}", name.as_str());
            let all = || held() == size() && known() == size();
            eventually("all is cosigned", all);
            number += 1;
            link.sever(severed);
            let before = known();
            // The register grows by a document, the node's ledger by an answer to a question that comes another way.
            if link.address() == links.asked.address() {
                let document = case.document(number);
                assert!(case.submit(&document).status.success());
            } else {
                assert!(case.ask().is_some());
            }
            match severed {
                // What is asked before that is held back as well.
                Answering(_) => eventually("it is cosigned", || {
                    link.is_hit().unwrap();
                    let cosigned = comes_true(Duration::from_millis(200), || held() > before);
                    link.cut();
                    cosigned
                }),
                _ => link.is_hit().unwrap(),
            }
            assert_eq!(known(), before, "{severed:?}");
            link.sever(Nowhere);
            eventually("all is cosigned", all);
        }
    }
    case.end();
}

/// The size of a ledger in what was cosigned of it.
fn noted(notes: &Notes, name: &NoteName) -> u64 {
    let notes = notes.all().unwrap();
    let stated = notes.iter().map(|note| Checkpoint::unverified(note).unwrap());
    let of = stated.filter(|checkpoint| checkpoint.origin == *name);
    of.map(|checkpoint| checkpoint.size).max().unwrap_or(0)
}

/// Where an auditor is cut off from a node that gives its ledger.
const FETCHES: [Severed; 4] = [Refused, Asking(ANY), Answering(ANY), Answered(LARGE)];

#[test]
fn an_auditor_who_is_cut_off_has_a_whole_copy_or_is_told_that_there_is_none() {
    let (mut case, links) = start();
    let node = case.deployment.federation.partner(NODE).unwrap().oin.clone();
    let config = case.deployment.federation.auditor.config.clone();
    let folder = case.deployment.federation.dir.join("copies");
    for (number, severed) in (1..).zip(FETCHES) {
        println!("{severed:?}");
        let copies = |which: &str| folder.join(format!("{which}-{number}"));
        let fetch = |copies: &Path| {
            let fetch = ["ledger", "fetch", "--config", text(&config), "--party", node.as_str()];
            case.deployment.begin(&[&fetch[..], &["--out", text(copies)]].concat())
        };
        links.asked.sever(severed);
        let fetching = fetch(&copies("part"));
        if let Answering(_) = severed {
            links.asked.is_hit().unwrap();
            links.asked.cut();
        }
        let told = ended(fetching);
        assert_eq!(told.status.code(), Some(1), "{severed:?}: {}", shown(&told));
        let checkpoint = format!("node-{node}/checkpoint");
        assert!(!copies("part").join(&checkpoint).exists(), "{severed:?}");
        links.asked.sever(Nowhere);
        let told = ended(fetch(&copies("whole")));
        assert!(told.status.success(), "{severed:?}: {}", shown(&told));
        assert!(copies("whole").join(&checkpoint).exists());
    }
    // The coordinator's connection came over the same road; it may learn only by asking that it was cut.
    assert!((0..10).any(|_| case.ask().is_some()));
    case.end();
}
