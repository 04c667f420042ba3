//! Folders of ledgers in which something is spoilt, or lies that does not belong there: told of by its name, of the
//! ledger that it is of, and by all commands alike.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;

use crate::{
    deployment::{shown, text},
    left::Left,
};

/// What is found, and of which ledger.
type Found<'r> = (&'r str, &'r str);

impl Left {
    fn node(&self, name: &str) -> PathBuf {
        self.path(&format!("nodes/{name}/state/ledger"))
    }

    /// The report on everything, which ends with this exit code.
    fn everything(&self, code: i32) -> Value {
        let federation = self.path("");
        let replay = ["audit", "replay", "--json", "--federation", text(&federation)];
        report(&self.program.run(&replay).unwrap(), code)
    }

    fn replay(&self, ledgers: &[&Path]) -> Output {
        let (config, register) = (self.path("auditor/client.toml"), self.register());
        let mut replay = vec!["audit", "replay", "--json", "--config", text(&config)];
        replay.extend(["--register", text(&register), "--ledger"]);
        replay.extend(ledgers.iter().map(|ledger| text(ledger)));
        self.program.run(&replay).unwrap()
    }

    /// The report on all ledgers, with others in the place of some or besides.
    fn with(&self, code: i32, instead: &[&Path], of: &[&Path]) -> Value {
        let nodes = fs::read_dir(self.path("nodes")).unwrap();
        let nodes = nodes.map(|node| node.unwrap().path().join("state/ledger"));
        let mut own: Vec<_> = nodes.filter(|ledger| ledger.is_dir()).collect();
        own.extend([self.coordinator(), self.path("leader/state/receipts")]);
        own.retain(|ledger| !of.contains(&ledger.as_path()));
        let all: Vec<_> = own.iter().map(PathBuf::as_path).chain(instead.iter().copied()).collect();
        report(&self.replay(&all), code)
    }

    fn register(&self) -> PathBuf {
        self.path("coordinator/state/register")
    }

    /// A copy of a folder, with something else about it.
    fn copy(&self, of: &Path, name: &str) -> PathBuf {
        let copy = self.dir.path().join(name);
        copy_all(of, &copy);
        copy
    }

    /// A copy of a party's ledger in the form that others verify.
    fn exported(&self, party: &str) -> PathBuf {
        let (out, key) = (self.dir.path().join(format!("{party} exported")), self.key(party));
        let dir = self.node(party);
        let export = ["--dir", text(&dir), "--key", text(&key), "--out", text(&out)];
        let exported = self.program.run(&[&["ledger", "export"], &export[..]].concat()).unwrap();
        assert!(exported.status.success(), "{}", shown(&exported));
        out
    }

    fn key(&self, party: &str) -> PathBuf {
        self.path(&format!("nodes/{party}/ledger.pub.jwk"))
    }

    fn verify(&self, dir: &Path, key: &Path, more: &[&str]) -> Output {
        let verify = ["ledger", "verify", "--dir", text(dir), "--key", text(key)];
        self.program.run(&[&verify, more].concat()).unwrap()
    }
}

fn report(replayed: &Output, code: i32) -> Value {
    assert_eq!(replayed.status.code(), Some(code), "{}", shown(replayed));
    serde_json::from_slice(&replayed.stdout).unwrap()
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for one in fs::read_dir(from).unwrap() {
        let one = one.unwrap();
        let to = to.join(one.file_name());
        if one.file_type().unwrap().is_dir() {
            copy_all(&one.path(), &to);
        } else {
            fs::copy(one.path(), to).unwrap();
        }
    }
}

/// With other bytes in a file, or without it; then it is as it was.
fn spoilt<T>(file: &Path, other: Option<&[u8]>, see: impl FnOnce() -> T) -> T {
    let own = fs::read(file).unwrap();
    match other {
        Some(other) => fs::write(file, other).unwrap(),
        None => fs::remove_file(file).unwrap(),
    }
    let seen = see();
    fs::write(file, own).unwrap();
    seen
}

/// Everything of a severity.
fn of<'r>(report: &'r Value, severity: &str) -> Vec<Found<'r>> {
    let findings = report["findings"].as_array().unwrap().iter();
    let these = findings.filter(|one| one["severity"] == severity);
    these.map(|one| (one["code"].as_str().unwrap(), one["ledger"].as_str().unwrap())).collect()
}

/// The one finding of a code.
fn one<'r>(report: &'r Value, code: &str) -> &'r Value {
    let findings = report["findings"].as_array().unwrap().iter();
    let told: Vec<_> = findings.filter(|one| one["code"] == code).collect();
    let [one] = told[..] else { panic!("{code}: {report:#}") };
    one
}

/// The name of a ledger and how many entries its checkpoint states.
fn stated(ledger: &Path) -> (String, u64) {
    let checkpoint = fs::read_to_string(ledger.join("checkpoint")).unwrap();
    let mut lines = checkpoint.lines();
    let name = lines.next().unwrap().strip_prefix("convenant.").unwrap().to_owned();
    (name, lines.next().unwrap().parse().unwrap())
}

fn segment(ledger: &Path) -> PathBuf {
    ledger.join("segments/00000000000000000000.seg")
}

/// How much of a ledger's only segment is written.
fn written(segment: &[u8]) -> usize {
    segment.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn a_checkpoint_that_is_none_or_another_ledgers_is_told_of_its_ledger_alone() {
    let case = Left::start();
    let sound = case.everything(0);
    let (uwv, svb, rotterdam) = (case.node("uwv"), case.node("svb"), case.node("rotterdam"));
    let bad = |report: &Value, ledger: &Path, found: &str| {
        let (name, _) = stated(ledger);
        assert_eq!(of(report, "finding"), [("CONTROLEPUNT_ONGELDIG", &*name)], "{report:#}");
        let told = one(report, "CONTROLEPUNT_ONGELDIG")["found"].as_str().unwrap();
        assert!(told.contains(found), "{told}");
        // Of all others it says what it said.
        let others = |report: &Value| {
            let ledgers = report["ledgers"].as_array().unwrap().clone();
            ledgers.into_iter().filter(|one| one["name"] != *name).collect::<Vec<_>>()
        };
        assert_eq!(others(report), others(&sound));
        assert_eq!(report["answers"], sound["answers"]);
    };
    let checkpoint = |ledger: &Path| ledger.join("checkpoint");
    for none in [&b""[..], b"hallo\n", b"\xff\xfe\n"] {
        let report = spoilt(&checkpoint(&uwv), Some(none), || case.everything(4));
        bad(&report, &uwv, "not a signed note");
    }
    // Of a party that has another ledger too, and of the register.
    let receipts = case.path("leader/state/receipts");
    for (own, other) in [(&svb, &uwv), (&rotterdam, &receipts), (&svb, &case.register())] {
        let theirs = fs::read(checkpoint(other)).unwrap();
        let report = spoilt(&checkpoint(own), Some(&theirs), || case.everything(4));
        bad(&report, own, &stated(other).0);
    }

    // A copy has no segments.
    let copy = case.exported("svb");
    for other in [Vec::new(), fs::read(checkpoint(&uwv)).unwrap()] {
        let report = spoilt(&checkpoint(&copy), Some(&other), || case.with(4, &[&copy], &[&svb]));
        bad(&report, &svb, "");
    }
    // Nor does an extra one end the audit.
    let extra = case.copy(&case.coordinator(), "extra");
    for other in [Vec::new(), fs::read(checkpoint(&uwv)).unwrap()] {
        fs::write(checkpoint(&extra), other).unwrap();
        bad(&case.with(4, &[&extra], &[]), &case.coordinator(), &format!("in `{}`", text(&extra)));
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_named_by_all_commands() {
    let case = Left::start();
    let (dir, key) = (case.node("uwv"), case.key("uwv"));
    let (dir_text, key) = (text(&dir), text(&key));
    let out = case.dir.path().join("out");
    for (file, reads_entries) in [(dir.join("checkpoint"), false), (segment(&dir), true)] {
        let away = case.dir.path().join("away");
        fs::rename(&file, &away).unwrap();
        fs::create_dir(&file).unwrap();
        let mut commands: Vec<Vec<&str>> = vec![
            vec!["ledger", "verify", "--key", key],
            vec!["ledger", "entries"],
            vec!["ledger", "prove", "0"],
            vec!["ledger", "records", "--as", "fsc"],
            vec!["ledger", "transactions"],
            vec!["ledger", "export", "--key", key, "--out", text(&out)],
        ];
        commands.extend((!reads_entries).then(|| vec!["ledger", "checkpoint"]));
        let mut refused: Vec<_> = commands
            .iter()
            .map(|command| {
                case.program.run(&[&command[..], &["--dir", dir_text]].concat()).unwrap()
            })
            .collect();
        refused.push(case.replay(&[&dir]));
        for refused in refused {
            assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
            assert!(shown(&refused).contains(text(&file)), "{}", shown(&refused));
        }
        fs::remove_dir(&file).unwrap();
        fs::rename(&away, &file).unwrap();
        fs::remove_dir_all(&out).ok();
    }
}

#[test]
fn a_copy_that_is_no_longer_whole_is_none_that_is_equal_or_older() {
    let case = Left::start();
    let (own, copy) = (case.coordinator(), case.copy(&case.coordinator(), "copy"));
    let (name, size) = stated(&own);
    let whole = fs::read(segment(&own)).unwrap();
    let half = written(&whole) / 2;
    let mut flipped = whole.clone();
    flipped[half] ^= 1;
    for (spoilt, expected) in [
        (&flipped[..], format!("entries={size} in `{}`", text(&own))),
        (&whole[..half], format!("size={size}")),
    ] {
        fs::write(segment(&copy), spoilt).unwrap();
        let report = case.with(0, &[&copy], &[]);
        let told = one(&report, "LOGBOEK_KOPIE_BESCHADIGD");
        assert_eq!(told["ledger"], *name);
        let entry = told["entry"].as_u64().unwrap();
        assert!((1..size).contains(&entry), "{told}");
        assert_eq!(
            (&told["expected"], &told["found"]),
            (&expected.into(), &format!("entries={entry} in `{}`", text(&copy)).into())
        );
        assert!(!of(&report, "note").iter().any(|(code, _)| *code == "LOGBOEK_KOPIE"));
    }
    // The copy is cut, and what counts is damaged further on.
    let mut flipped = whole.clone();
    let later = written(&whole) * 3 / 4;
    flipped[later] ^= 1;
    fs::write(segment(&own), flipped).unwrap();
    let report = case.with(4, &[&copy], &[]);
    assert_eq!(one(&report, "REGEL_BESCHADIGD")["ledger"], *name);
    let told = one(&report, "LOGBOEK_KOPIE_BESCHADIGD");
    assert!(told["found"].as_str().unwrap().ends_with(&format!("in `{}`", text(&copy))), "{told}");
}

#[test]
fn of_a_bundle_that_is_cut_the_whole_entries_are_read() {
    let case = Left::start();
    let (own, copy) = (case.node("rotterdam"), case.exported("rotterdam"));
    let (name, size) = stated(&own);
    let bundle = copy.join(format!("tile/entries/000.p/{size}"));
    let cut = fs::read(&bundle).unwrap();
    fs::write(&bundle, &cut[..cut.len() - 1]).unwrap();
    let report = case.with(4, &[&copy], &[&own]);
    let told = one(&report, "REGEL_BESCHADIGD");
    assert_eq!((&told["ledger"], &told["entry"]), (&name.clone().into(), &(size - 1).into()));
    let ledgers = report["ledgers"].as_array().unwrap();
    let ledger = ledgers.iter().find(|one| one["name"] == *name).unwrap();
    assert_eq!(ledger["counts"]["entries"], size - 1, "{ledger}");
    let verified = case.verify(&copy, &case.key("rotterdam"), &[]);
    assert_eq!(verified.status.code(), Some(4), "{}", shown(&verified));
    assert!(shown(&verified).contains(&format!("entry {} (", size - 1)), "{}", shown(&verified));
}

#[test]
fn what_lies_in_a_folder_and_does_not_belong_there_is_told() {
    let case = Left::start();
    let uwv = case.node("uwv");
    let (name, size) = stated(&uwv);
    assert!(!of(&case.everything(0), "note").iter().any(|(code, _)| code.starts_with("BYTES")));
    let own = fs::read(segment(&uwv)).unwrap();
    let behind = |found: &str| {
        let report = case.everything(0);
        let told = one(&report, "BYTES_NA_LAATSTE_REGEL");
        assert_eq!((&told["ledger"], &told["found"]), (&name.clone().into(), &found.into()));
    };
    let appended = [&own[..], b"hallo\n"].concat();
    let bytes = appended.len() - written(&own);
    spoilt(&segment(&uwv), Some(&appended), || {
        behind(&format!("bytes={bytes} in `segments/00000000000000000000.seg`"));
    });
    let surplus = format!("segments/{size:020}.seg");
    fs::write(uwv.join(&surplus), &own).unwrap();
    behind(&format!("bytes={} in `{surplus}`", written(&own)));
    fs::remove_file(uwv.join(&surplus)).unwrap();

    let witness = case.coordinator();
    let notes = |of: &Path| format!("witnessing/convenant.{}", stated(of).0.replace('/', "_"));
    let (file, svb) = (notes(&uwv), fs::read(witness.join(notes(&case.node("svb")))).unwrap());
    let found = format!("origin=convenant.{} size=", stated(&case.node("svb")).0);
    for (other, found) in [(&b""[..], "unreadable"), (b"hallo\n", "unreadable"), (&svb, &found)] {
        let report = spoilt(&witness.join(&file), Some(other), || case.everything(4));
        let by = stated(&witness).0;
        assert_eq!(of(&report, "finding"), [("GETUIGENIS_ONGELDIG", &*by)], "{report:#}");
        let told = one(&report, "GETUIGENIS_ONGELDIG")["found"].as_str().unwrap();
        assert!(told.starts_with(found) && told.ends_with(&format!("in `{file}`")), "{told}");
    }

    fs::remove_dir_all(case.register().join("tile")).unwrap();
    let report = case.everything(4);
    assert_eq!(of(&report, "finding"), [("TEGEL_AFWIJKEND", "register")], "{report:#}");
}

#[test]
fn verify_says_the_same_and_names_the_checkpoint() {
    let case = Left::start();
    let (dir, key) = (case.node("rotterdam"), case.key("rotterdam"));
    let fails = |says: &[&str], more: &[&str]| {
        let verified = case.verify(&dir, &key, more);
        assert_eq!(verified.status.code(), Some(4), "{}", shown(&verified));
        let told = shown(&verified);
        says.iter().for_each(|says| assert!(told.contains(says), "{says}: {told}"));
    };
    let whole = fs::read(segment(&dir)).unwrap();
    let half = &whole[..written(&whole) / 2];
    spoilt(&segment(&dir), Some(half), || {
        fails(&["the entries end at entry", "the checkpoint states"], &[]);
        let report = case.everything(4);
        assert_eq!(one(&report, "LOGBOEK_INGEKORT")["ledger"], stated(&dir).0);
    });
    let checkpoint = dir.join("checkpoint");
    let path = format!("`{}`", text(&checkpoint));
    for other in [Some(&b""[..]), Some(b"hallo\n"), Some(b"\xff\xfe\n")] {
        spoilt(&checkpoint, other, || fails(&[&path, "is no checkpoint"], &[]));
    }
    spoilt(&checkpoint, None, || fails(&[&path, "cannot be read"], &[]));
    let origin = format!("convenant.{}", stated(&dir).0);
    fails(&["--origin", &origin, "`another.ledger`"], &["--origin", "another.ledger"]);
}

#[test]
fn what_does_not_go_together_or_gives_nothing_is_said() {
    let case = Left::start();
    let run = |command: &[&str]| case.program.run(command).unwrap();
    let (federation, ledger) = (case.path(""), case.coordinator());
    let both = ["audit", "replay", "--federation", text(&federation), "--ledger", text(&ledger)];
    let refused = run(&both);
    assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
    let told = String::from_utf8(refused.stderr).unwrap();
    for says in ["--federation", "cannot be used with", "--ledger"] {
        assert!(told.contains(says), "{says}: {told}");
    }

    let receipts = case.path("leader/state/receipts");
    let nothing = |dir: &Path, more: &[&str], says: &[&str]| {
        let records = run(&[&["ledger", "records", "--dir", text(dir)], more].concat());
        assert!(records.status.success() && records.stdout.is_empty(), "{}", shown(&records));
        let told = String::from_utf8(records.stderr).unwrap();
        says.iter().for_each(|says| assert!(told.contains(says), "{more:?}: {says}: {told}"));
    };
    nothing(&receipts, &["--as", "adl"], &["no record", "ADL", "receipts"]);
    // A node's ledger begins with its start.
    nothing(&case.node("uwv"), &["--as", "fsc", "--limit", "1"], &["no record", "--limit"]);
    nothing(&case.node("uwv"), &["--as", "fsc", "--limit", "0"], &["--limit 0"]);
    let some = run(&["ledger", "records", "--as", "fsc", "--dir", text(&ledger)]);
    assert!(some.status.success() && some.stderr.is_empty(), "{}", shown(&some));
}
