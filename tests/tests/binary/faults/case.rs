//! The federation in which steps fail.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use convenant_demo::{SignedDocument, documents, population::ROTTERDAM};
use convenant_ledger::Checkpoint;
use convenant_model::{Digest, QueryId};
use convenant_testkit::{PortBlock, World};
use serde_json::Value;
use tempfile::TempDir;

use super::Then::{self, GivesUp};
use crate::{
    books::{Books, NODE, audit, exchanges},
    deployment::{COORDINATOR, Deployment, shown, text, today, written},
};

/// A federation of processes with one node, of which calls on files can be made to fail.
pub(super) struct Case {
    pub(super) deployment: Deployment,
    books: Books,
    answered: Vec<QueryId>,
    asked: usize,
    folder: TempDir,
    _ports: PortBlock,
}

impl Case {
    pub(super) fn start() -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
        let federation = written(folder.path(), 50, &ports);
        let library = folder.path().join("faults.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/binary/faults/faults.c");
        let compiled = Command::new("cc")
            .args(["-Wall", "-Werror", "-shared", "-fPIC", source, "-o", text(&library)])
            .output()
            .expect("a C compiler is needed");
        assert!(compiled.status.success(), "{}", shown(&compiled));
        let environment = [
            ("LD_PRELOAD", text(&library).to_owned()),
            ("CONVENANT_TEST_FAULT", text(&folder.path().join("fault")).to_owned()),
            ("CONVENANT__REGISTER__POLL_SECONDS", "1".to_owned()),
        ];
        let mut deployment = Deployment::found(federation, &environment);
        deployment.start_daemon(NODE);
        fs::create_dir(folder.path().join("answers")).unwrap();
        let books = Books::default();
        let mut case =
            Self { deployment, books, answered: Vec::new(), asked: 0, folder, _ports: ports };
        assert!(case.ask().is_some());
        case
    }

    /// From now on these calls fail on files below the state of a daemon, or on all where it has no name.
    pub(super) fn fail(&self, name: &str, lines: &[[&str; 4]]) {
        let below = match name {
            "" => String::new(),
            COORDINATOR => "coordinator/state/".to_owned(),
            name => format!("nodes/{name}/state/"),
        };
        let line = |[call, part, errno, done]: &[&str; 4]| {
            format!("{call} {below}{part} {errno} {done}\n")
        };
        let _none = fs::remove_file(self.hit());
        // As a whole: a process may look at any moment.
        let (new, control) = (self.folder.path().join("new"), self.folder.path().join("fault"));
        fs::write(&new, lines.iter().map(line).collect::<String>()).unwrap();
        fs::rename(new, control).unwrap();
    }

    fn hit(&self) -> PathBuf {
        self.folder.path().join("fault.hit")
    }

    /// Waits until one of the calls was made and failed.
    pub(super) fn is_hit(&self) {
        let begun = Instant::now();
        while !self.hit().exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the step is never taken");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(super) fn mend(&self) {
        fs::remove_file(self.folder.path().join("fault")).unwrap();
    }

    /// The daemon goes on by itself once the fault is over, and starts from what it left behind.
    pub(super) fn recovers(&mut self, name: &str, then: Then) {
        if then == GivesUp {
            self.deployment.gave_up(name);
            self.mend();
        } else {
            self.mend();
            assert!(self.ask().is_some(), "{}", self.deployment.logs());
            self.deployment.kill(name);
        }
        self.books.see(&self.deployment);
        self.audit();
        self.deployment.start_daemon(name);
        assert!(self.ask().is_some(), "{}", self.deployment.logs());
    }

    /// Asks one thing; gives the query's id if it was answered. There are no rows otherwise.
    pub(super) fn ask(&mut self) -> Option<QueryId> {
        let population = self.deployment.federation.population.as_ref().unwrap();
        let (_, person) = population.residents_of(ROTTERDAM).next().unwrap();
        let subject = person.subject();
        let line =
            format!("{},{}\n", subject.key.expose(), subject.verify.as_ref().unwrap().expose());
        let subjects = self.folder.path().join("subjects.csv");
        fs::write(&subjects, line).unwrap();
        self.asked += 1;
        let out = self.folder.path().join(format!("answers/{}.csv", self.asked));
        let about = ["--project", "P-2026-001", "--goal", "toeslagenfraude", "--subjects"];
        let what =
            ["--target", "rotterdam/brp_persoon", "--fields", "burgerservicenummer", "--json"];
        let asked = [&about[..], &[text(&subjects)], &what, &["--out", text(&out)]].concat();
        let output = self.deployment.query(&asked);
        if !output.status.success() {
            println!("{}", shown(&output));
            return None;
        }
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let query = report["query"].as_str().unwrap().parse().unwrap();
        self.answered.push(query);
        Some(query)
    }

    /// How many answers are there.
    pub(super) fn kept(&self) -> usize {
        let kept = fs::read_dir(self.folder.path().join("answers")).unwrap();
        kept.filter(|one| one.as_ref().unwrap().path().extension().unwrap() == "csv").count()
    }

    /// A document that the register does not hold yet.
    pub(super) fn document(&self, number: u8) -> PathBuf {
        let federation = &self.deployment.federation;
        let party = federation.partner("svb").unwrap();
        let pin = Digest::from_bytes([number; 32]);
        let enrolment = documents::enrolment(party, &[pin], today()).unwrap();
        let signers = federation.quorum_keys().chain([&party.keys.signing]);
        let signed = SignedDocument::new("enrolment", &enrolment, signers).unwrap();
        let path = self.folder.path().join(format!("enrolment-{number}.jws"));
        fs::write(&path, signed.jws.to_json()).unwrap();
        path
    }

    pub(super) fn submit(&self, document: &Path) -> Output {
        let config = &self.deployment.federation.leader.config;
        self.deployment.run(&["register", "submit", text(document), "--config", text(config)])
    }

    pub(super) fn register_size(&self) -> u64 {
        let register = World::state(&self.deployment.federation.coordinator.dir).join("register");
        Checkpoint::unverified_size(&fs::read(register.join("checkpoint")).unwrap()).unwrap()
    }

    /// What an audit may say after such faults.
    pub(super) fn audit(&self) {
        let explained = [
            "UITWISSELING_OPEN",
            "HERSTART_NA_STORING",
            "REGELS_NIET_GEDEKT",
            "KNOOPPUNT_NIET_BEREIKT",
            "NIET_AANGEKOMEN",
            "ONTVANGST_ONTBREEKT",
            "REGISTER_NIET_GEDEKT",
            "TELLING_TE_HOOG",
        ];
        audit(&self.deployment, &explained);
    }

    pub(super) fn end(mut self) {
        self.deployment.stop();
        self.audit();
        self.books.see(&self.deployment);
        self.books.are_kept(&self.deployment);
        for name in [COORDINATOR, NODE] {
            let (permitted, _) = exchanges(&self.deployment, name);
            let unrecorded = self.answered.iter().find(|query| !permitted.contains(query));
            assert_eq!(unrecorded, None, "{name} has no permit of it");
        }
    }
}
