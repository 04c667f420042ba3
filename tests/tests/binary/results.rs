//! What a project leader does with an answer, from the question to the record in the register, as the built
//! binary does it.

use std::{fs, path::Path, process::Output};

use convenant_demo::population::ROTTERDAM;
use convenant_testkit::{PortBlock, Program};
use serde_json::Value;

use crate::deployment::{Deployment, shown, written};

#[test]
fn an_answer_is_kept_opened_and_destroyed() {
    let folder = tempfile::tempdir().unwrap();
    let ports = PortBlock::claim().unwrap();
    let federation = written(folder.path(), 200, &ports);
    let mut deployment = Deployment::start(federation, &[]);
    let leader = Leader { deployment: &deployment, folder: folder.path() };
    let (query, hint) = leader.ask();
    leader.opens_as_told(&query, &hint);

    let listed = leader.list();
    assert_eq!(listed["query"], query);
    assert_eq!((&listed["state"], &listed["place"]), (&"kept".into(), &"sealed".into()));
    assert_eq!(listed["days_left"], 7);
    let rows = leader.done(&["open", &query, "--out", "-"]).stdout;
    let copy = folder.path().join("copy.csv");
    leader.done(&["open", &query, "--out", copy.to_str().unwrap()]);
    assert_eq!(fs::read(&copy).unwrap(), rows);
    assert_eq!(String::from_utf8(rows).unwrap().lines().count(), 3);

    let sealed = deployment.federation.leader.dir.join(format!("state/results/{query}.0.sealed"));
    let own = fs::read(&sealed).unwrap();
    fs::write(&sealed, &own[..own.len() - 1]).unwrap();
    let cut_off = leader.run(&["open", &query, "--out", "-"]);
    assert_eq!(cut_off.status.code(), Some(4), "{}", shown(&cut_off));
    assert!(cut_off.stdout.is_empty(), "nothing is shown of what does not verify");
    assert!(shown(&cut_off).contains(sealed.to_str().unwrap()), "{}", shown(&cut_off));

    leader.destroy(&query);
    assert!(!sealed.exists() && !copy.exists());
    let listed = leader.list();
    assert_eq!(listed["state"], "destroyed");
    assert_eq!(listed["place"], "record written");
    deployment.stop();
}

struct Leader<'a> {
    deployment: &'a Deployment,
    folder: &'a Path,
}

impl Leader<'_> {
    fn config(&self) -> &str {
        self.deployment.federation.leader.config.to_str().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let all = [&["results"], arguments, &["--config", self.config()]].concat();
        self.deployment.run(&all)
    }

    fn done(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", shown(&output));
        output
    }

    /// What is told after a query is a command as it stands.
    fn opens_as_told(&self, query: &str, hint: &str) {
        let mut command = Program::find().unwrap().command(&hint.split(' ').collect::<Vec<_>>());
        let opened = command.current_dir(self.folder).output().unwrap();
        assert!(opened.status.success(), "{hint}: {}", shown(&opened));
        let opened = self.folder.join(format!("{query}.csv"));
        assert_eq!(fs::read_to_string(&opened).unwrap().lines().count(), 3);
    }

    /// Asks about two people; gives the query's id, and the command that it is told to go on with.
    fn ask(&self) -> (String, String) {
        let population = self.deployment.federation.population.as_ref().unwrap();
        let people = population.residents_of(ROTTERDAM).take(2).map(|(_, person)| person.subject());
        let lines = people.map(|subject| {
            format!("{},{}\n", subject.key.expose(), subject.verify.as_ref().unwrap().expose())
        });
        let subjects = self.folder.join("subjects.csv");
        fs::write(&subjects, lines.collect::<String>()).unwrap();
        let asked = self.deployment.query(&[
            "--project",
            "P-2026-001",
            "--goal",
            "toeslagenfraude",
            "--target",
            "rotterdam/brp_persoon",
            "--fields",
            "burgerservicenummer,naam_geslachtsnaam",
            "--subjects",
            subjects.to_str().unwrap(),
            "--retention",
            "7",
            "--json",
        ]);
        assert!(asked.status.success(), "{}", shown(&asked));
        let report: Value = serde_json::from_slice(&asked.stdout).unwrap();
        assert_eq!(report["targets"][0]["sealed"], true);
        let told = String::from_utf8(asked.stderr).unwrap();
        let hint = told.lines().find_map(|line| line.strip_prefix("to read it: convenant "));
        (report["query"].as_str().unwrap().to_owned(), hint.unwrap().to_owned())
    }

    /// The only answer in the list.
    fn list(&self) -> Value {
        let listed = self.done(&["list", "--json"]).stdout;
        let mut listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
        assert_eq!(listed.len(), 1);
        listed.remove(0)
    }

    /// Destroys an answer, signs the record and submits it.
    fn destroy(&self, query: &str) {
        let record = self.folder.join("destruction.toml");
        let said = ["--place", "Rotterdam", "--operator", "projectleider", "--yes", "--out"];
        let destroy = [&["destroy", query][..], &said, &[record.to_str().unwrap()]].concat();
        self.done(&destroy);
        let receiver = self.deployment.federation.partner("rotterdam").unwrap();
        let key = receiver.dir.join("signing.jwk");
        let sign = ["sign", record.to_str().unwrap(), "--key", key.to_str().unwrap()];
        let signed = self.deployment.run(&sign);
        assert!(signed.status.success(), "{}", shown(&signed));
        let signed = record.with_extension("jws");
        let submit = ["register", "submit", signed.to_str().unwrap(), "--config", self.config()];
        let submitted = self.deployment.run(&submit);
        assert!(submitted.status.success(), "{}", shown(&submitted));
    }
}
