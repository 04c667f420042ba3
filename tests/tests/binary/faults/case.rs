//! The federation in which steps fail.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
    time::{Duration, Instant},
};

use convenant_demo::{Federation, SignedDocument, documents, population::ROTTERDAM};
use convenant_ledger::Checkpoint;
use convenant_model::{Digest, QueryId};
use convenant_testkit::{PortBlock, World};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    Line,
    Then::{self, GivesUp, GoesOn, Killed},
};
use crate::{
    books::{Books, NODE, audit, exchanges},
    deployment::{COORDINATOR, Deployment, begin, shown, text, today, written},
};

/// What an audit says of exchanges that ended otherwise than they should.
const ENDED: [&str; 5] = [
    "UITWISSELING_OPEN",
    "KNOOPPUNT_NIET_BEREIKT",
    "NIET_AANGEKOMEN",
    "AANKOMST_ONTKEND",
    "ONTVANGST_ONTBREEKT",
];

/// A federation of processes with one node, of which calls on files can be made to fail.
pub(super) struct Case {
    pub(super) deployment: Deployment,
    books: Books,
    answered: Vec<QueryId>,
    asked: usize,
    /// How often the last audit said what of how exchanges ended.
    told: BTreeMap<String, u64>,
    folder: TempDir,
    _ports: PortBlock,
}

impl Case {
    pub(super) fn start() -> Self {
        Self::over(|_, _| {})
    }

    /// The same with something changed in its files before anybody reads them.
    pub(super) fn over(change: impl FnOnce(&mut Federation, &PortBlock)) -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
        let mut federation = written(folder.path(), 50, &ports);
        change(&mut federation, &ports);
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
        let mut case = Self {
            deployment,
            books,
            answered: Vec::new(),
            asked: 0,
            told: BTreeMap::new(),
            folder,
            _ports: ports,
        };
        assert!(case.ask().is_some());
        case
    }

    /// From now on these calls fail on files below the state of a daemon, or on all where it has no name.
    pub(super) fn fail(&self, name: &str, lines: &[Line]) {
        self.last_ended();
        let below = match name {
            "" => String::new(),
            COORDINATOR => "coordinator/state/".to_owned(),
            name => format!("nodes/{name}/state/"),
        };
        let line =
            |[call, part, errno, done]: &Line| format!("{call} {below}{part} {errno} {done}\n");
        let _none = fs::remove_file(self.hit());
        // As a whole: a process may look at any moment.
        let (new, control) = (self.folder.path().join("new"), self.folder.path().join("fault"));
        fs::write(&new, lines.iter().map(line).collect::<String>()).unwrap();
        fs::rename(new, control).unwrap();
    }

    /// Waits until both wrote how the last answer ended, so that a fault meets what is asked next.
    fn last_ended(&self) {
        let begun = Instant::now();
        let Some(last) = self.answered.last() else { return };
        let ended = |name: &&str| exchanges(&self.deployment, name).1.contains(last);
        while ![COORDINATOR, NODE].iter().all(ended) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", self.deployment.logs());
            std::thread::sleep(Duration::from_millis(2));
        }
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
        // It may be over already.
        let _none = fs::remove_file(self.folder.path().join("fault"));
    }

    /// The daemon goes on by itself once the fault is over, and starts from what it left behind. `told` is what
    /// an audit says of the query at hand, where that is certain.
    pub(super) fn recovers(&mut self, name: &str, then: Then, told: Option<&[&str]>) {
        match then {
            GivesUp => self.deployment.gave_up(name),
            Killed => self.deployment.was_killed(name),
            GoesOn => {}
        }
        match told {
            Some(codes) => self.tells(codes),
            None => self.audit(),
        }
        if then == GoesOn {
            self.mend();
            assert!(self.ask().is_some(), "{}", self.deployment.logs());
            self.deployment.kill(name);
            // Wherever it was by then.
            self.audit();
        }
        self.starts_again(name);
    }

    /// A daemon that ended starts once the fault is over, from what is in the files.
    pub(super) fn starts_again(&mut self, name: &str) {
        self.mend();
        self.books.see(&self.deployment);
        self.deployment.start_daemon(name);
        assert!(self.ask().is_some(), "{}", self.deployment.logs());
    }

    /// Asks one thing; gives the query's id if it was answered. There are no rows otherwise.
    pub(super) fn ask(&mut self) -> Option<QueryId> {
        let asked = self.leader();
        self.answer(asked)
    }

    /// Asks the same once more, to the same file.
    pub(super) fn ask_again(&mut self) -> Option<QueryId> {
        self.asked -= 1;
        self.ask()
    }

    /// The leader's process asks one thing, to a file of its own.
    pub(super) fn leader(&mut self) -> Output {
        self.asks().wait_with_output().unwrap()
    }

    /// The same, under way.
    pub(super) fn asks(&mut self) -> Child {
        let population = self.deployment.federation.population.as_ref().unwrap();
        let (_, person) = population.residents_of(ROTTERDAM).next().unwrap();
        let subject = person.subject();
        let line =
            format!("{},{}\n", subject.key.expose(), subject.verify.as_ref().unwrap().expose());
        let subjects = self.folder.path().join("subjects.csv");
        fs::write(&subjects, line).unwrap();
        self.asked += 1;
        let out = self.answers().join(format!("{}.csv", self.asked));
        let about = ["--project", "P-2026-001", "--goal", "toeslagenfraude", "--subjects"];
        let what =
            ["--target", "rotterdam/brp_persoon", "--fields", "burgerservicenummer", "--json"];
        let asked = [&about[..], &[text(&subjects)], &what, &["--out", text(&out)]].concat();
        begin(self.deployment.query_command(&asked))
    }

    /// The id of a query that was answered.
    pub(super) fn answer(&mut self, output: Output) -> Option<QueryId> {
        if !output.status.success() {
            println!("{}", shown(&output));
            return None;
        }
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let query = report["query"].as_str().unwrap().parse().unwrap();
        self.answered.push(query);
        Some(query)
    }

    fn answers(&self) -> PathBuf {
        self.folder.path().join("answers")
    }

    /// How many answers are there.
    pub(super) fn kept(&self) -> usize {
        self.files().count()
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let files = fs::read_dir(self.answers()).unwrap().map(|one| one.unwrap().path());
        files.filter(|path| path.extension().unwrap() == "csv")
    }

    /// The leader knows of every answer that is there.
    pub(super) fn accounts_for_all(&self) {
        let config = &self.deployment.federation.leader.config;
        let listed = self.deployment.run(&["results", "list", "--json", "--config", text(config)]);
        assert!(listed.status.success(), "{}", shown(&listed));
        let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
        let named = listed.iter().flat_map(|one| one["files"].as_array().into_iter().flatten());
        let named: Vec<_> = named.map(|file| Path::new(file.as_str().unwrap())).collect();
        let unknown = self.files().find(|file| !named.contains(&file.as_path()));
        assert_eq!(unknown, None, "{named:?}");
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
        self.submits(document).wait_with_output().unwrap()
    }

    /// The same, under way.
    pub(super) fn submits(&self, document: &Path) -> Child {
        let config = &self.deployment.federation.leader.config;
        self.deployment.begin(&["register", "submit", text(document), "--config", text(config)])
    }

    pub(super) fn register_size(&self) -> u64 {
        let register = World::state(&self.deployment.federation.coordinator.dir).join("register");
        Checkpoint::unverified_size(&fs::read(register.join("checkpoint")).unwrap()).unwrap()
    }

    /// An audit says these codes now, once more each, and of how exchanges ended nothing else than before.
    pub(super) fn tells(&mut self, codes: &[&str]) {
        let before = std::mem::take(&mut self.told);
        let mut expected = before.clone();
        for code in codes {
            *expected.entry((*code).to_owned()).or_default() += 1;
        }
        // Who lives may be about to write how it ended.
        let begun = Instant::now();
        self.audit();
        while self.told != expected && begun.elapsed() < Duration::from_secs(5) {
            self.audit();
        }
        assert_eq!(self.told, expected, "before: {before:?}");
    }

    /// What an audit may say after such faults.
    pub(super) fn audit(&mut self) {
        let explained = [
            "UITWISSELING_OPEN",
            "HERSTART_NA_STORING",
            "BYTES_NA_LAATSTE_REGEL",
            "REGELS_NIET_GEDEKT",
            "KNOOPPUNT_NIET_BEREIKT",
            "NIET_AANGEKOMEN",
            "AANKOMST_ONTKEND",
            "ONTVANGST_ONTBREEKT",
            "REGISTER_NIET_GEDEKT",
            "TELLING_TE_HOOG",
            // Of an answer that the leader had no room for.
            "ANTWOORD_NIET_BEWAARD",
        ];
        self.told = audit(&self.deployment, &explained);
        self.told.retain(|code, _| ENDED.contains(&code.as_str()));
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
