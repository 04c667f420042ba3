//! The list of answers, and what becomes of them, without anybody to ask.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    time::UNIX_EPOCH,
};

use convenant_model::{QueryId, Timestamp};
use serde_json::{Value, json};

use crate::{code, convenant, done, new_key, stderr, stdout, text};

const OIN: &str = "00000099000000000599";
const PROJECT: &str = "P-2026-001";
const PAST: &str = "2020-01-02";
const FUTURE: &str = "2999-01-01";
const SAID: [&str; 4] = ["--place", "Rotterdam", "--operator", "projectleider"];

/// A leader's folder with accounts of answers in it.
struct Leader(tempfile::TempDir);

impl Leader {
    fn new() -> Self {
        let leader = Self(tempfile::tempdir().unwrap());
        let sealing = leader.path("sealing.jwk");
        done(&["keys", "new", "--kind", "sealing", "--out", text(&sealing)]);
        fs::create_dir_all(leader.path("state/results")).unwrap();
        leader.configure("sealing = \"sealing.jwk\"");
        leader
    }

    fn configure(&self, sealing: &str) {
        let pin = "00".repeat(32);
        let config = format!(
            r#"[party]
oin = "{OIN}"
[tls]
certificate = "tls.pem"
key = "tls.key"
roots = "ca.pem"
revocation_lists = []
[coordinator]
address = "127.0.0.1:1"
oin = "00000099000000001000"
pins = ["{pin}"]
[register]
lsi_keys = []
quorum = 1
key = "register.pub.jwk"
[keys]
signing = "leader.jwk"
{sealing}
[data]
dir = "state"
"#
        );
        fs::write(self.path("client.toml"), config).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn account(&self, number: u8) -> PathBuf {
        self.path(&format!("state/results/{}.0.json", id(number)))
    }

    /// Writes an account as the client does.
    fn keep(&self, number: u8, deadline: &str, place: &Value) {
        let account = json!({
            "answer": {
                "version": "1",
                "query": id(number),
                "target": 0,
                "signed_query": "ab".repeat(32),
                "project": PROJECT,
                "partner": OIN,
                "dataset": "gemeente/brp_persoon",
                "kind": "lookup",
                "asked_at": "2020-01-01T09:00:00.000Z",
                "answered_at": "2020-01-01T09:00:01.000Z",
                "received_at": "2020-01-01T09:00:02.000Z",
                "deadline": deadline,
                "manifest": format!("{number:02x}").repeat(32),
                "rows": 3,
                "columns": ["naam"],
            },
            "place": place,
        });
        let account = convenant_signing::canonical(&account).unwrap();
        fs::write(self.account(number), account).unwrap();
    }

    /// An answer in a file of its own.
    fn keep_file(&self, number: u8, deadline: &str) -> PathBuf {
        let path = self.path(&format!("answer-{number}.csv"));
        fs::write(&path, "naam\n").unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let millis = modified.duration_since(UNIX_EPOCH).unwrap().as_millis();
        let modified = Timestamp::from_millis(millis.try_into().unwrap()).unwrap();
        let file = json!({ "path": path, "bytes": 5, "modified": modified.to_string() });
        self.keep(number, deadline, &json!({ "state": "kept", "files": [file] }));
        path
    }

    fn results(&self, arguments: &[&str]) -> Output {
        let config = self.path("client.toml");
        convenant(&[&["results"], arguments, &["--config", text(&config)]].concat())
    }

    fn destroy(&self, arguments: &[&str], out: &Path) -> Output {
        self.results(&[&["destroy"], arguments, &SAID, &["--out", text(out)]].concat())
    }

    fn list(&self) -> Vec<Value> {
        let listed = self.results(&["list", "--json"]);
        assert_eq!(code(&listed), 0, "{}", stderr(&listed));
        serde_json::from_slice(&listed.stdout).unwrap()
    }
}

fn id(number: u8) -> String {
    QueryId::from_parts(1_577_869_200_000, &[number; 10]).to_string()
}

fn refused(output: &Output, exit: i32, says: &str) {
    assert_eq!(code(output), exit, "{}", stderr(output));
    assert!(stderr(output).contains(says), "{says}: {}", stderr(output));
    assert!(stdout(output).is_empty());
}

#[test]
fn what_is_overdue_comes_first_and_is_marked() {
    let leader = Leader::new();
    assert!(leader.list().is_empty());
    leader.keep_file(1, FUTURE);
    leader.keep(2, PAST, &json!({ "state": "kept" }));
    let listed = leader.results(&["list"]);
    assert_eq!(code(&listed), 0);
    let lines = stdout(&listed);
    let lines: Vec<_> = lines.lines().collect();
    assert!(lines[1].starts_with("! overdue") && lines[1].contains(&id(2)), "{lines:?}");
    assert!(lines[1].contains(PAST) && lines[1].contains("nothing kept"), "{lines:?}");
    assert!(lines[2].starts_with("kept") && lines[2].contains("answer-1.csv"), "{lines:?}");
    assert!(stderr(&listed).contains("1 answer(s) should have been destroyed"));
    let listed = leader.list();
    assert_eq!((&listed[0]["state"], &listed[1]["state"]), (&json!("overdue"), &json!("kept")));
    assert!(listed[0]["days_left"].as_i64().unwrap() < -2000);
}

#[test]
fn what_is_overdue_is_told_with_the_command_that_destroys_it() {
    let leader = Leader::new();
    let late = leader.keep_file(1, PAST);
    let told = stderr(&leader.results(&["list"]));
    let command = told.lines().find_map(|line| line.trim().strip_prefix("convenant ")).unwrap();
    let record = leader.path("record.toml");
    let filled = command.replace("PLACE", "Rotterdam").replace("FUNCTION", "projectleider");
    let filled = filled.replace(&format!("destruction-{PROJECT}.toml"), text(&record));
    let mut words: Vec<_> = filled.split(' ').collect();
    words.push("--yes");
    let destroyed = done(&words);
    assert!(record.exists() && !late.exists());
    let config = leader.path("client.toml");
    let submit = format!("register submit {} --config {}", text(&record), text(&config));
    let next = stderr(&destroyed);
    assert!(next.contains(&submit.replace(".toml --", ".jws --")), "{next}");
}

/// Nothing brings back what was destroyed, so the place of its record is looked at first.
#[test]
fn nothing_is_destroyed_whose_record_cannot_be_written() {
    let leader = Leader::new();
    let late = leader.keep_file(1, PAST);
    let output = leader.destroy(&["--overdue", "--yes"], &leader.path("none/record.toml"));
    refused(&output, 2, "none` is no folder");
    assert!(late.exists());
    assert_eq!(leader.list()[0]["state"], "overdue");
}

#[test]
fn what_is_destroyed_gets_a_record_and_stays_in_the_list() {
    let leader = Leader::new();
    let (late, early) = (leader.keep_file(1, PAST), leader.keep_file(2, FUTURE));
    let (key, _) = new_key(leader.0.path(), "signing", "ed25519");
    let record = leader.path("destruction.toml");
    refused(&leader.destroy(&["--overdue"], &record), 2, "--yes");
    assert!(late.exists(), "nobody confirmed");

    let destroyed = leader.destroy(&["--overdue", "--yes"], &record);
    assert_eq!(code(&destroyed), 0, "{}", stderr(&destroyed));
    assert!(!late.exists() && early.exists());
    let written: toml::Table = fs::read_to_string(&record).unwrap().parse().unwrap();
    let said = ["document", "project", "partner", "place", "operator", "manner"];
    let said = said.map(|member| written[member].as_str().unwrap());
    let manner = "bestand verwijderd, niet overschreven";
    assert_eq!(said, ["destruction", PROJECT, OIN, "Rotterdam", "projectleider", manner]);
    let items = written["item"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["query"].as_str().unwrap(), id(1));
    assert_eq!(items[0]["manifest"].as_str().unwrap(), "01".repeat(32));
    assert!(!written.contains_key("complete"));
    done(&["sign", text(&record), "--key", text(&key)]);

    let listed = leader.list();
    assert_eq!(listed[1]["state"], "destroyed");
    assert!(!fs::read_to_string(leader.account(1)).unwrap().contains("answer-1.csv"));
    // Once it is recorded it is not offered again, but the record can be had again.
    let again = leader.path("again.toml");
    let nothing = leader.destroy(&["--overdue", "--yes"], &again);
    assert!(code(&nothing) == 0 && !again.exists(), "{}", stderr(&nothing));
    let same = leader.destroy(&[&id(1)], &again);
    assert_eq!(code(&same), 0, "{}", stderr(&same));
    assert_eq!(fs::read(&again).unwrap(), fs::read(&record).unwrap());
    // A record that was not written, because the machine stopped before, is still to be written.
    let tombstone = fs::read_to_string(leader.account(1)).unwrap();
    let unrecorded = tombstone.replace(r#""recorded":true,"#, "");
    assert_ne!(tombstone, unrecorded);
    fs::write(leader.account(1), unrecorded).unwrap();
    assert_eq!(leader.list()[1]["place"], "record not written");
    let later = leader.path("later.toml");
    assert_eq!(code(&leader.destroy(&["--overdue"], &later)), 0);
    assert_eq!(fs::read(&later).unwrap(), fs::read(&record).unwrap());
}

#[test]
fn what_is_not_where_it_was_written_is_named_and_stated() {
    let leader = Leader::new();
    let (moved, changed) = (leader.keep_file(1, PAST), leader.keep_file(2, PAST));
    let here = leader.keep_file(3, PAST);
    fs::remove_file(&moved).unwrap();
    fs::write(&changed, "iets anders\n").unwrap();
    let record = leader.path("destruction.toml");
    let output = leader.destroy(&["--all", "--yes"], &record);
    refused(&output, 2, "answer-1.csv` is gone");
    refused(&output, 2, "answer-2.csv` is another file");
    assert!(here.exists() && !record.exists(), "nothing was destroyed");
    refused(&leader.destroy(&["--all", "--yes", "--copies-destroyed"], &record), 2, "--manner");
    let said = ["--copies-destroyed", "--manner", "geheugenstick vermalen"];
    let output = leader.destroy(&[&["--all", "--yes"], &said[..]].concat(), &record);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(!here.exists() && changed.exists(), "another's file is left alone");
    let record = fs::read_to_string(&record).unwrap();
    assert!(record.contains("niet overschreven; geheugenstick vermalen"), "{record}");
}

#[test]
fn complete_is_said_only_of_a_project_of_which_nothing_is_left() {
    let leader = Leader::new();
    leader.keep_file(1, PAST);
    leader.keep_file(2, FUTURE);
    let record = leader.path("destruction.toml");
    let complete = ["--complete", "--project", PROJECT, "--yes"];
    refused(&leader.destroy(&["--overdue", "--yes", "--complete"], &record), 2, "--project");
    let output = leader.destroy(&[&["--overdue"], &complete[..]].concat(), &record);
    refused(&output, 2, &id(2));
    assert_eq!(leader.list()[0]["state"], "overdue");
    let output = leader.destroy(&[&["--all"], &complete[..]].concat(), &record);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let written: toml::Table = fs::read_to_string(&record).unwrap().parse().unwrap();
    assert_eq!(written["complete"].as_bool(), Some(true));
    assert_eq!(written["item"].as_array().unwrap().len(), 2);
}

#[test]
fn what_one_partner_answered_to_one_query_goes_together() {
    let leader = Leader::new();
    leader.keep(1, PAST, &json!({ "state": "kept" }));
    let account = fs::read_to_string(leader.account(1)).unwrap();
    let other = account.replace(PAST, FUTURE).replace("\"target\":0", "\"target\":1");
    let path = leader.path(&format!("state/results/{}.1.json", id(1)));
    fs::write(path, other).unwrap();
    let record = leader.path("destruction.toml");
    let output = leader.destroy(&["--overdue", "--yes"], &record);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let written: toml::Table = fs::read_to_string(&record).unwrap().parse().unwrap();
    assert_eq!(written["item"].as_array().unwrap().len(), 2);
}

#[test]
fn a_destruction_is_checked_before_anything_is_destroyed() {
    let leader = Leader::new();
    let file = leader.keep_file(1, PAST);
    let record = leader.path("destruction.toml");
    refused(&leader.destroy(&["--yes"], &record), 2, "--overdue");
    refused(&leader.destroy(&[&id(9), "--yes"], &record), 2, &id(9));
    let bsn = ["--all", "--yes", "--manner", "dossier 999993653 vernietigd"];
    refused(&leader.destroy(&bsn, &record), 2, "holds a BSN");
    fs::write(&record, "mine").unwrap();
    refused(&leader.destroy(&["--all", "--yes"], &record), 2, "exists already");
    assert_eq!(fs::read_to_string(&record).unwrap(), "mine");
    assert!(file.exists());
}

#[test]
fn an_answer_opens_in_its_time_and_as_it_was_sealed() {
    let leader = Leader::new();
    let public = fs::read_to_string(leader.path("sealing.pub.jwk")).unwrap();
    let public: Value = serde_json::from_str(&public).unwrap();
    let sealed = json!({ "state": "kept", "sealed": public["x"] });
    leader.keep(1, PAST, &sealed);
    leader.keep(2, FUTURE, &sealed);
    leader.keep_file(3, FUTURE);
    let out = leader.path("opened.csv");
    let open = |number| leader.results(&["open", &id(number), "--out", text(&out)]);
    refused(&open(1), 3, "may only be destroyed (clause L6)");
    let file = leader.path(&format!("state/results/{}.0.sealed", id(2)));
    fs::write(&file, "convenant-kept-v1\n\0\0\0\x20and something that nobody sealed here").unwrap();
    refused(&open(2), 4, text(&file));
    refused(&open(3), 2, "answer-3.csv");
    refused(&open(4), 2, "no such answer");
    let wrong = leader.results(&["open", &id(2), "--out", "opened.txt"]);
    refused(&wrong, 2, ".parquet");
    assert!(!out.exists() && !leader.path("opened.csv.part").exists());

    leader.configure("");
    refused(&open(2), 2, "keys new");
    // An account that somebody wrote in is none.
    let account = fs::read_to_string(leader.account(2)).unwrap();
    fs::write(leader.account(2), account.replace(FUTURE, "2999-01-01 ")).unwrap();
    refused(&leader.results(&["list"]), 4, text(&leader.account(2)));
}

#[test]
fn without_a_key_of_its_own_a_client_needs_a_file() {
    let leader = Leader::new();
    leader.configure("");
    let config = leader.path("client.toml");
    let target = ["--target", "uwv/uwv/x", "--fields", "a", "--justification", "dossier 12"];
    let query = ["query", "--config", text(&config), "--project", PROJECT];
    let output = convenant(&[&query[..], &target].concat());
    refused(&output, 2, "--out");
}
