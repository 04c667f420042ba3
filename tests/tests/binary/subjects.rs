//! `convenant subject-report` beside running nodes: reports, the letter, another pseudonym key.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use convenant_demo::population::ROTTERDAM;
use convenant_model::{Date, query::QUERY_TYPE};
use convenant_signing::peek_compact;
use convenant_testkit::{PortBlock, Program};
use serde_json::{Value, json};

use crate::deployment::{Deployment, shown, text, today, written};

const REASON: &str = "een controle ter plaatse is nog niet geweest";
const NODES: [&str; 2] = ["rotterdam", "svb"];

struct Bench {
    deployment: Deployment,
    folder: tempfile::TempDir,
    bsn: String,
    _ports: PortBlock,
}

impl Bench {
    fn start() -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
        let federation = written(folder.path(), 50, &ports);
        let population = federation.population.as_ref().unwrap();
        let (_, person) = population.residents_of(ROTTERDAM).next().unwrap();
        let bsn = person.bsn().expose().to_owned();
        let birth = person.birth().expose().to_owned();
        fs::write(folder.path().join("subjects.csv"), format!("{bsn},{birth}\n")).unwrap();
        fs::write(folder.path().join("bsn.txt"), format!("{bsn}\n")).unwrap();
        let mut deployment = Deployment::found(federation, &[]);
        NODES.iter().for_each(|name| deployment.start_daemon(name));
        Self { deployment, folder, bsn, _ports: ports }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, node: &str) -> PathBuf {
        self.deployment.federation.partner(node).unwrap().config.clone()
    }

    fn run(&self, node: &str, arguments: &[&str]) -> Output {
        let config = self.config(node);
        let output = self
            .deployment
            .run(&[&["subject-report"], arguments, &["--config", text(&config)]].concat());
        assert!(!shown(&output).contains(&self.bsn), "{}", shown(&output));
        output
    }

    fn report(&self, node: &str, out: &Path) -> Output {
        self.run(node, &["--json", "--bsn-file", text(&self.path("bsn.txt")), "--out", text(out)])
    }

    fn ask(&self) {
        let output = self.try_to_ask("answer.csv", &[]);
        assert!(output.status.success(), "{}", shown(&output));
    }

    fn try_to_ask(&self, answer: &str, more: &[&str]) -> Output {
        let (out, subjects) = (self.path(answer), self.path("subjects.csv"));
        let asked = [
            "--project",
            "P-2026-001",
            "--goal",
            "toeslagenfraude",
            "--subjects",
            text(&subjects),
            "--target",
            "rotterdam/brp_persoon",
            "--fields",
            "burgerservicenummer",
            "--out",
            text(&out),
        ];
        self.deployment.query(&[&asked[..], more].concat())
    }

    /// What Rotterdam's node tells at noon of a day, by the clock of the command.
    fn told_on(&self, day: Date) -> Vec<Value> {
        let (config, bsn) = (self.config("rotterdam"), self.path("bsn.txt"));
        let out = self.path(&format!("{day}.json"));
        let report =
            ["subject-report", "--json", "--config", text(&config), "--bsn-file", text(&bsn)];
        let report =
            Program::find().unwrap().command(&[&report[..], &["--out", text(&out)]].concat());
        let mut command = Command::new("faketime");
        command.args(["-f", &format!("@{day} 12:00:00")]).env("TZ", "UTC");
        let output = command.arg(report.get_program()).args(report.get_args()).output();
        let output = output.expect("faketime is not installed: `bash tests/run` sees to it");
        assert!(!shown(&output).contains(REASON), "{}", shown(&output));
        exchanges(&output)
    }

    /// The delays in the signed queries that a party has on record.
    fn delays(&self, ledger: &Path) -> Vec<Value> {
        let output = self.deployment.run(&["ledger", "entries", "--dir", text(ledger)]);
        assert!(output.status.success(), "{}", shown(&output));
        let lines = String::from_utf8(output.stdout).unwrap();
        let entries = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let signed = entries.filter_map(|mut line| match line["entry"]["signed_query"].take() {
            Value::String(signed) => Some(signed),
            _ => None,
        });
        let delay = |signed: String| {
            let query = peek_compact(&signed, QUERY_TYPE).unwrap();
            let query: Value = serde_json::from_slice(query.payload()).unwrap();
            query["delayed_disclosure"].clone()
        };
        signed.map(delay).collect()
    }
}

fn exchanges(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", shown(output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["exchanges"].as_array().unwrap().clone()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_citizen_who_asks_gets_one_letter_of_what_several_nodes_tell() {
    let mut bench = Bench::start();
    bench.ask();
    let reports = NODES.map(|node| bench.path(&format!("{node}.json")));
    let [rotterdam, svb] = [&reports[0], &reports[1]];
    let told = exchanges(&bench.report("rotterdam", rotterdam));
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["project"], "P-2026-001");
    assert_eq!(exchanges(&bench.report("svb", svb)), Vec::<Value>::new());
    assert_eq!(mode(rotterdam), 0o600);

    let letter = bench.path("letter.html");
    let merge = |reports: &[&Path], out: &Path| {
        let reports: Vec<_> = reports.iter().map(|path| text(path)).collect();
        bench.run("svb", &[&["merge"], &reports[..], &["--out", text(out)]].concat())
    };
    let merged = merge(&[rotterdam, svb], &letter);
    assert!(merged.status.success(), "{}", shown(&merged));
    assert!(shown(&merged).contains("1 exchange of 2 reports in `"), "{}", shown(&merged));
    let alone = shown(&merge(&[svb], &bench.path("alone.html")));
    assert!(alone.contains("0 exchanges of 1 report in `"), "{alone}");
    let page = fs::read_to_string(&letter).unwrap();
    for words in
        ["P-2026-001", "Rotterdam", "Sociale verzekeringsbank", "artikel 41", "burgerservicenummer"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(&bench.bsn));
    assert_eq!(mode(&letter), 0o600);
    let (missing, other) = (bench.path("missing.json"), bench.config("svb"));
    for (reports, out) in [
        (rotterdam, &letter),
        (rotterdam, &bench.path("letter.pdf")),
        (&missing, &bench.path("letter.txt")),
        (&other, &bench.path("letter.txt")),
    ] {
        let refused = merge(&[reports], out);
        assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
    }
    assert_eq!(fs::read_to_string(&letter).unwrap(), page, "nothing is overwritten");
    let refused = bench.report("svb", svb);
    assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));

    // One that somebody changed is no evidence.
    let forged = bench.path("forged.json");
    let signed = fs::read_to_string(rotterdam).unwrap();
    let mut signed: Value = serde_json::from_str(&signed).unwrap();
    let other: Value = serde_json::from_slice(&fs::read(svb).unwrap()).unwrap();
    signed["payload"] = other["payload"].clone();
    fs::write(&forged, signed.to_string()).unwrap();
    let refused = merge(&[&forged], &bench.path("forged.txt"));
    assert_eq!(refused.status.code(), Some(4), "{}", shown(&refused));
    assert!(!bench.path("forged.txt").exists());

    // What is no number is told by its line.
    let wrong = bench.path("wrong.txt");
    for (content, says) in
        [("\nabcd\n", "line 2"), ("", "no BSN"), ("900000004\n900000004\n", "line 2")]
    {
        fs::write(&wrong, content).unwrap();
        let refused = bench.run("svb", &["--bsn-file", text(&wrong)]);
        assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
        assert!(shown(&refused).contains(says), "{}", shown(&refused));
        assert!(!shown(&refused).contains("abcd") && !shown(&refused).contains("900000004"));
    }
    bench.deployment.stop();
    assert!(!bench.deployment.logs().contains(&bench.bsn));
}

#[test]
fn another_pseudonym_key_is_taken_into_use() {
    let mut bench = Bench::start();
    bench.ask();
    let party = bench.deployment.federation.partner("rotterdam").unwrap();
    let (key, opening) = (party.dir.join("pseudonym-2.jwk"), party.dir.join("subjects.jwk"));
    let made = ["keys", "new", "--kind", "pseudonym", "--out", text(&key)];
    let made = bench.deployment.run(&made);
    assert!(made.status.success() && mode(&key) == 0o600, "{}", shown(&made));
    let config = bench.config("rotterdam");
    let configured = fs::read_to_string(&config).unwrap();
    fs::write(&config, configured.replace("pseudonym.jwk", "pseudonym-2.jwk")).unwrap();

    let first = bench.path("first.json");
    let refused = bench.report("rotterdam", &first);
    assert!(
        refused.status.code() == Some(1) && shown(&refused).contains("rekey"),
        "{}",
        shown(&refused)
    );
    let rekey = |bench: &Bench| bench.run("rotterdam", &["rekey", "--opening-key", text(&opening)]);
    let refused = rekey(&bench);
    assert!(
        refused.status.code() == Some(1) && shown(&refused).contains("in use"),
        "{}",
        shown(&refused)
    );

    bench.deployment.kill("rotterdam");
    let renewed = rekey(&bench);
    assert!(renewed.status.success(), "{}", shown(&renewed));
    bench.deployment.start_daemon("rotterdam");
    assert_eq!(exchanges(&bench.report("rotterdam", &first)).len(), 1);
    bench.deployment.stop();
}

#[test]
fn people_are_told_from_the_day_after_the_last_one_of_a_delay() {
    let mut bench = Bench::start();
    let until = today().plus_days(7);
    // Everything of the example's project, which began thirty days ago, must be destroyed by then (clause L6).
    let last = today().plus_days(-30).plus_months(24);
    let ask = |answer: &str, until: Date| {
        let until = until.to_string();
        bench.try_to_ask(answer, &["--delay-until", &until, "--delay-reason", REASON])
    };
    for (answer, until) in [("first.csv", until), ("second.csv", last)] {
        let output = ask(answer, until);
        assert!(output.status.success(), "{}", shown(&output));
    }
    let late = ask("late.csv", last.plus_days(1));
    assert_eq!(late.status.code(), Some(2), "{}", shown(&late));
    for says in ["--delay-until", "L6", &last.to_string()] {
        assert!(shown(&late).contains(says), "{}", shown(&late));
    }
    let over = ask("over.csv", today().plus_days(-1));
    assert_eq!(over.status.code(), Some(2), "{}", shown(&over));
    assert!(shown(&over).contains("--delay-until"), "{}", shown(&over));
    for (given, missing) in [
        (["--delay-reason", REASON], "--delay-until"),
        (["--delay-until", "2026-12-31"], "--delay-reason"),
    ] {
        let output = bench.try_to_ask("half.csv", &given);
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        assert!(shown(&output).contains(missing), "{}", shown(&output));
    }
    for answer in ["late.csv", "over.csv", "half.csv"] {
        assert!(!bench.path(answer).exists(), "{answer}");
    }

    let delay = |until: Date| json!({ "reason": REASON, "until": until.to_string() });
    let answered = [delay(until), delay(last)];
    let federation = &bench.deployment.federation;
    let node = federation.partner("rotterdam").unwrap();
    assert_eq!(bench.delays(&node.dir.join("state/ledger")), answered);
    for ledger in [
        federation.coordinator.dir.join("state/ledger"),
        federation.leader.dir.join("state/receipts"),
    ] {
        assert_eq!(bench.delays(&ledger), answered, "what is too late is not sent");
    }

    for (day, told) in
        [(today(), 0), (until, 0), (until.plus_days(1), 1), (last, 1), (last.plus_days(1), 2)]
    {
        assert_eq!(bench.told_on(day).len(), told, "{day}");
    }
    bench.deployment.stop();
}
