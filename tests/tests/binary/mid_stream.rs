//! A party that is killed in the midst of a long answer: nobody keeps a part of it, who lives writes how it
//! ended, and the audit tells of the rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use convenant_demo::{
    Federation, Options, Ports, SignedDocument, documents, population::ROTTERDAM,
};
use convenant_signing::SystemRandom;
use convenant_testkit::{PortBlock, World};
use tempfile::TempDir;

use crate::{
    books::{Books, NODE, audit, exchanges},
    deployment::{COORDINATOR, Deployment, shown, text, today},
};

const CONDITION: &str = "verblijfplaats_functie_adres = 'W'";
const FIELDS: &str = "burgerservicenummer,gemeente_van_inschrijving,verblijfplaats_datum_van,\
    verblijfplaats_adresseerbaar_object_identificatie,verblijfadres_postcode,verblijfadres_huisnummer";

/// What an audit may say of exchanges that were cut off.
const EXPLAINED: [&str; 7] = [
    "UITWISSELING_OPEN",
    "HERSTART_NA_STORING",
    "BYTES_NA_LAATSTE_REGEL",
    "REGELS_NIET_GEDEKT",
    "ONTVANGST_ONTBREEKT",
    "NIET_AANGEKOMEN",
    "AANKOMST_ONTKEND",
];

#[test]
fn an_answer_that_is_cut_off_is_kept_by_nobody_and_told_by_everybody() {
    let mut case = Case::start();
    let all: [&[&str]; 4] = [&[COORDINATOR], &[NODE], &[COORDINATOR, NODE], &[]];
    let mut books = Books::default();
    for killed in all {
        let mut leader = case.under_way();
        let left = case.left();
        case.deployment.kill_at_once(killed);
        if killed.is_empty() {
            leader.kill().unwrap();
        }
        let status = leader.wait().unwrap();
        assert!(!status.success() && !case.out().exists(), "{killed:?}: {status}");
        // Whoever's row had come was on record at the node by then.
        assert!(!left.is_empty() && left.is_subset(&case.recorded()), "{killed:?}");
        case.living_know(killed);
        books.see(&case.deployment);
        audit(&case.deployment, &EXPLAINED);
        killed.iter().for_each(|name| case.deployment.start_daemon(name));
        case.asks_to_the_same_file();
    }
    case.deployment.stop();
    audit(&case.deployment, &EXPLAINED);
    books.are_kept(&case.deployment);
    // Each was killed in two of the four, and knows how the others ended.
    for name in [COORDINATOR, NODE] {
        let (permitted, ended) = exchanges(&case.deployment, name);
        assert_eq!((permitted.len(), ended.len()), (8, 6), "{name}");
    }
}

struct Case {
    deployment: Deployment,
    /// Of how many answers a party cannot know how they ended, because it was killed.
    unknown: BTreeMap<&'static str, usize>,
    folder: TempDir,
    _ports: PortBlock,
}

impl Case {
    /// A node whose answer is so long that it takes a while.
    fn start() -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
        let condition =
            documents::predicate("T0", "gemeente/brp_persoon", CONDITION, "voor een test").unwrap();
        let options = Options {
            seed: 7,
            persons: 200,
            ports: Ports::Given(ports.ports()),
            today: today(),
            published: vec![condition],
        };
        let dir = folder.path().join("federation");
        let federation = Federation::write(&dir, &options, &SystemRandom::new()).unwrap();
        let data = federation.partner(NODE).unwrap().dir.join("data/brp_persoon.csv");
        repeat_rows(&data, 40 << 20);
        let amended = federation.spec.covenant.replace("\nversion = 1\n", "\nversion = 2\n");
        let amended = amended.replace("max_rows = 10000 ", "max_rows = 4000000 ");
        let amended = SignedDocument::covenant(&amended, federation.quorum_keys()).unwrap();
        let document = folder.path().join("amended.jws");
        fs::write(&document, amended.jws.to_json()).unwrap();
        let mut deployment = Deployment::found(federation, &[]);
        let config = deployment.federation.leader.config.clone();
        let submit = ["register", "submit", text(&document), "--config", text(&config)];
        let submitted = deployment.run(&submit);
        assert!(submitted.status.success(), "{}", shown(&submitted));
        deployment.start_daemon(NODE);
        let unknown = BTreeMap::from([(COORDINATOR, 0), (NODE, 0)]);
        Self { deployment, unknown, folder, _ports: ports }
    }

    /// Waits until whoever lives has recorded how the answer ended: ledgers that are copied while something
    /// is under way need not agree.
    fn living_know(&mut self, killed: &[&'static str]) {
        killed.iter().for_each(|name| *self.unknown.get_mut(name).unwrap() += 1);
        let begun = Instant::now();
        for (name, unknown) in &self.unknown {
            let open = || {
                let (permitted, ended) = exchanges(&self.deployment, name);
                permitted.difference(&ended).count()
            };
            while open() != *unknown {
                let told = || format!("{name}: {}\n{}", open(), self.deployment.logs());
                assert!(begun.elapsed() < Duration::from_secs(60), "{}", told());
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("answer.csv")
    }

    /// The leader's process, once a part of the rows came.
    fn under_way(&self) -> Child {
        let part = self.out().with_added_extension("part");
        let _left_by_the_last = fs::remove_file(&part);
        let target = ["--target", "rotterdam/brp_persoon", "--fields", FIELDS];
        let project = ["--project", "P-2026-001", "--goal", "toeslagenfraude"];
        let out = self.out();
        let more = ["--where", CONDITION, "--kind", "select", "--out", text(&out)];
        let log = fs::File::create(self.folder.path().join("leader.log")).unwrap();
        let mut command = self.deployment.query_command(&[project, target].concat());
        let mut leader = command.args(more).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let begun = Instant::now();
        while !fs::metadata(&part).is_ok_and(|file| file.len() > 0) {
            let ended = leader.try_wait().unwrap();
            let told = || fs::read_to_string(self.folder.path().join("leader.log")).unwrap();
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(60), "{}", told());
            std::thread::sleep(Duration::from_millis(1));
        }
        leader
    }

    /// The people in the whole lines that came so far.
    fn left(&self) -> BTreeSet<String> {
        let part = fs::read_to_string(self.out().with_added_extension("part")).unwrap();
        let (whole, _) = part.rsplit_once('\n').unwrap();
        let first = |line: &str| line.split(',').next().unwrap().to_owned();
        whole.lines().skip(1).map(first).collect()
    }

    /// The people in the node's journal.
    fn recorded(&self) -> BTreeSet<String> {
        let node = self.deployment.federation.partner(NODE).unwrap();
        let journal = World::state(&node.dir).join("subjects");
        let records = convenant_subjects::records_from(&journal, 0).unwrap();
        let open = |(record, _): (convenant_subjects::SubjectRecord, u64)| {
            record.open(&node.keys.subjects, &node.oin).unwrap()
        };
        let values = records.flat_map(|record| open(record.unwrap()));
        values.map(|value| value.expose().to_owned()).collect()
    }

    /// Everybody goes on; what a killed leader left is in nobody's way.
    fn asks_to_the_same_file(&self) {
        let population = self.deployment.federation.population.as_ref().unwrap();
        let (_, person) = population.residents_of(ROTTERDAM).next().unwrap();
        let subjects = self.folder.path().join("subjects.csv");
        let (key, verify) = (person.bsn(), person.birth());
        fs::write(&subjects, format!("{},{}\n", key.expose(), verify.expose())).unwrap();
        let target = ["--target", "rotterdam/brp_persoon", "--fields", "burgerservicenummer"];
        let project = ["--project", "P-2026-001", "--goal", "toeslagenfraude"];
        let out = self.out();
        let more = ["--subjects", text(&subjects), "--out", text(&out)];
        let asked = self.deployment.query(&[&project[..], &target, &more].concat());
        assert!(asked.status.success(), "{}\n{}", shown(&asked), self.deployment.logs());
        fs::remove_file(out).unwrap();
    }
}

fn repeat_rows(file: &Path, bytes: usize) {
    let rows = fs::read_to_string(file).unwrap();
    let (header, rows) = rows.split_once('\n').unwrap();
    fs::write(file, format!("{header}\n{}", rows.repeat(bytes / rows.len()))).unwrap();
}
