//! Evidence as people hand it over: a folder twice, an old copy besides, a document or its checkpoint gone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
};

use convenant_ledger::{EntryBytes, LedgerSigner, note::NoteName};
use convenant_model::{Timestamp, entry::Entry};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_store::{FileLedger, Layout, LedgerHandle, Options};
use convenant_transport::SystemClock;
use serde_json::Value;

use crate::{
    deployment::{shown, text},
    left::Left,
};

impl Left {
    /// Every party's ledger but the coordinator's.
    fn others(&self) -> Vec<PathBuf> {
        let nodes = fs::read_dir(self.path("nodes")).unwrap();
        let mut others: Vec<_> =
            nodes.map(|node| node.unwrap().path().join("state/ledger")).collect();
        others.push(self.path("leader/state/receipts"));
        others.retain(|ledger| ledger.is_dir());
        others
    }

    /// The entries of the coordinator's ledger.
    fn entries(&self) -> Vec<Value> {
        let listed = self.program.run(&["ledger", "entries", "--dir", text(&self.coordinator())]);
        let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
        let entries = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.map(|mut one| one["entry"].take()).collect()
    }

    /// The number of entries before the longest pause: whatever came behind it was asked later.
    fn before_a_pause(&self) -> usize {
        let at = |one: &Value| one["at"].as_str().unwrap().parse::<Timestamp>().unwrap().millis();
        let times: Vec<_> = self.entries().iter().map(at).collect();
        let inside = 4..times.len() - 4;
        inside.max_by_key(|index| times[*index] - times[index - 1]).unwrap()
    }

    fn audit(&self, register: &Path, ledgers: &[&Path]) -> Output {
        let config = self.path("auditor/client.toml");
        let mut replay = vec!["audit", "replay", "--json", "--config", text(&config)];
        replay.extend(["--register", text(register), "--ledger"]);
        replay.extend(ledgers.iter().map(|ledger| text(ledger)));
        self.program.run(&replay).unwrap()
    }

    /// The report of an audit that ends with this exit code.
    fn report(&self, code: i32, ledgers: &[&Path]) -> Value {
        let replayed = self.audit(&self.path("coordinator/state/register"), ledgers);
        assert_eq!(replayed.status.code(), Some(code), "{}", shown(&replayed));
        serde_json::from_slice(&replayed.stdout).unwrap()
    }

    /// The coordinator's ledger when it had so many entries: as it was but, where one is named, with that entry in the
    /// place of the next.
    async fn older(&self, name: &str, entries: usize, repeated: Option<usize>) -> PathBuf {
        let all = recorded(&self.coordinator());
        let same =
            |index: usize| repeated.filter(|repeated| repeated + 1 == index).unwrap_or(index);
        self.written(name, (0..entries).map(|index| &all[same(index)])).await
    }

    /// A ledger with these entries, as the coordinator signs it.
    async fn written<'e>(&self, name: &str, entries: impl Iterator<Item = &'e Entry>) -> PathBuf {
        let (ledger, folder) = (self.coordinator(), self.dir.path().join(name));
        let key = fs::read_to_string(self.path("coordinator/ledger.jwk")).unwrap();
        let key = SigningKey::from_jwk(&key, &SystemRandom::new()).unwrap();
        let origin = fs::read_to_string(ledger.join("checkpoint")).unwrap();
        let origin = NoteName::new(origin.lines().next().unwrap()).unwrap();
        let signer = LedgerSigner::new(origin, key).unwrap();
        let options = Options {
            folder: folder.clone(),
            signer,
            clock: Arc::new(SystemClock),
            layout: Layout::default(),
        };
        let (copy, _) = LedgerHandle::open(options, &mut |_| {}).unwrap();
        entries.for_each(|entry| copy.append_later(entry).unwrap());
        copy.close().await;
        folder
    }
}

/// The entries of a ledger.
fn recorded(ledger: &Path) -> Vec<Entry> {
    let all = FileLedger::open_read(ledger).unwrap().entries().unwrap();
    all.map(|one| EntryBytes::parse(&one.unwrap().1).unwrap()).collect()
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

/// The findings of a code.
fn told<'r>(report: &'r Value, code: &str) -> Vec<&'r Value> {
    report["findings"].as_array().unwrap().iter().filter(|one| one["code"] == code).collect()
}

fn codes(report: &Value, severity: &str) -> Vec<String> {
    let these = report["findings"].as_array().unwrap().iter();
    let these = these.filter(|one| one["severity"] == severity);
    these.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

fn both(finding: &Value) -> String {
    format!("{} {}", finding["expected"].as_str().unwrap(), finding["found"].as_str().unwrap())
}

#[tokio::test]
async fn what_people_hand_over_twice_or_in_part_is_told_as_that() {
    let case = Left::start();
    let (coordinator, others) = (case.coordinator(), case.others());
    let with = |ledgers: &[&Path]| -> Vec<PathBuf> {
        others
            .iter()
            .map(PathBuf::as_path)
            .chain(ledgers.iter().copied())
            .map(Path::to_owned)
            .collect()
    };
    let report = |code: i32, ledgers: &[&Path]| {
        let ledgers = with(ledgers);
        case.report(code, &ledgers.iter().map(PathBuf::as_path).collect::<Vec<_>>())
    };
    let sound = report(0, &[&coordinator]);
    case.one_folder_twice();
    copies(&sound, &case, &report).await;
    an_old_copy_alone(&case, &report).await;
    case.parts_of_a_register(&sound);
}

impl Left {
    /// However it is spelled.
    fn one_folder_twice(&self) {
        let ledger = self.coordinator();
        let detour = ledger.join("../ledger");
        let link = self.dir.path().join("link");
        std::os::unix::fs::symlink(&ledger, &link).unwrap();
        for again in [&ledger, &detour, &link] {
            let register = self.path("coordinator/state/register");
            let refused = self.audit(&register, &[&ledger, again]);
            assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
            let said = String::from_utf8(refused.stderr).unwrap();
            for folder in [&ledger, again] {
                assert!(said.contains(&format!("`{}`", folder.display())), "{said}");
            }
        }
    }

    fn spoilt_register(&self, name: &str, spoil: impl FnOnce(&Path)) -> PathBuf {
        let copy = self.dir.path().join(name);
        copy_all(&self.path("coordinator/state/register"), &copy);
        spoil(&copy);
        copy
    }

    /// What is found with another register.
    fn with_register(&self, register: &Path) -> Value {
        let (own, others) = (self.coordinator(), self.others());
        let ledgers: Vec<_> = others.iter().map(PathBuf::as_path).chain([own.as_path()]).collect();
        let replayed = self.audit(register, &ledgers);
        assert_eq!(replayed.status.code(), Some(4), "{}", shown(&replayed));
        serde_json::from_slice(&replayed.stdout).unwrap()
    }

    fn parts_of_a_register(&self, sound: &Value) {
        let without = self
            .spoilt_register("unsigned", |copy| fs::remove_file(copy.join("checkpoint")).unwrap());
        let report = self.with_register(&without);
        assert_eq!(codes(&report, "finding"), ["REGISTER_CONTROLEPUNT_ONTBREEKT"]);

        // The last that the coordinator decided with, and not the last of all.
        let named = self.entries().into_iter();
        let named = named.filter_map(|one| one["register"]["size"].as_u64()).max().unwrap();
        let all = sound["register"]["size"].as_u64().unwrap();
        let last = named.min(all - 1) - 1;
        let gap = self.spoilt_register("gap", |copy| {
            fs::remove_file(copy.join(format!("documents/{last:08}.jws"))).unwrap();
        });
        let report = self.with_register(&gap);
        let [missing] = told(&report, "REGISTER_DOCUMENT")[..] else { panic!("{report:#}") };
        assert_eq!(
            (&missing["entry"], &missing["found"]),
            (&last.into(), &"document=missing".into())
        );
        for code in ["REGISTER_TE_KORT", "REGISTER_CONTROLEPUNT", "LOGBOEK_TERUGGEZET"] {
            assert!(told(&report, code).is_empty(), "{report:#}");
        }
        let counted = told(&report, "NIET_OVER_TE_DOEN");
        assert!(!counted.is_empty(), "{report:#}");
        let cause = format!("document={last} in register");
        assert!(counted.iter().all(|one| one["expected"] == *cause), "{report:#}");
    }
}

/// Copies of one ledger besides it: equal, older, and of another history.
async fn copies(sound: &Value, case: &Left, report: &impl Fn(i32, &[&Path]) -> Value) {
    let ledger = case.coordinator();
    let equal = case.dir.path().join("an equal copy");
    copy_all(&ledger, &equal);
    let older = case.older("older", 5, None).await;
    let same = report(0, &[&older, &ledger, &equal]);
    for figures in ["answers", "ledgers", "register"] {
        assert_eq!(same[figures], sound[figures], "{figures}");
    }
    let copies = told(&same, "LOGBOEK_KOPIE");
    assert_eq!(copies.len(), 2, "{same:#}");
    for copy in [&equal, &older] {
        let of = |finding: &&&Value| {
            let both = both(finding);
            [&ledger, copy]
                .iter()
                .all(|folder| both.contains(&format!("in `{}`", folder.display())))
        };
        assert_eq!(copies.iter().filter(of).count(), 1, "{same:#}");
    }

    let forked = case.older("forked", 9, Some(4)).await;
    let fork = report(4, &[&forked, &ledger]);
    for figures in ["answers", "ledgers"] {
        assert_eq!(fork[figures], sound[figures], "{figures}");
    }
    assert_eq!(codes(&fork, "finding"), ["LOGBOEK_VERTAKT"]);
    let [finding] = told(&fork, "LOGBOEK_VERTAKT")[..] else { panic!("{fork:#}") };
    assert_eq!(finding["entry"], 5);
    for folder in [&forked, &ledger] {
        assert!(both(finding).contains(&format!("in `{}`", folder.display())), "{finding}");
    }
}

/// An old copy in the place of the ledger, with nobody's cosignature of more in anybody's folder.
async fn an_old_copy_alone(case: &Left, report: &impl Fn(i32, &[&Path]) -> Value) {
    let entries = case.before_a_pause();
    let older = case.older("alone", entries, None).await;
    let witnesses = case.others().into_iter().map(|ledger| ledger.join("witnessing"));
    let witnesses: Vec<_> = witnesses.filter(|notes| notes.exists()).collect();
    for notes in &witnesses {
        fs::rename(notes, notes.with_extension("away")).unwrap();
    }
    let old = report(4, &[&older]);
    let findings = codes(&old, "finding");
    assert_eq!(findings, ["LOGBOEK_VEROUDERD"], "{old:#}");
    let [finding] = told(&old, "LOGBOEK_VEROUDERD")[..] else { panic!("{old:#}") };
    assert_eq!(finding["entry"], entries as u64 - 1);
    assert!(told(&old, "GEWEIGERD_BUITEN_COORDINATOR").is_empty(), "{old:#}");
    for notes in &witnesses {
        fs::rename(notes.with_extension("away"), notes).unwrap();
    }
}

/// Nobody gets rid of a ledger of his own by putting another's entry first.
#[tokio::test]
async fn another_s_entry_in_front_moves_no_ledger_to_another_name() {
    let case = Left::start();
    let others = case.others();
    let other = others.iter().find(|one| one.ends_with("uwv/state/ledger")).unwrap();
    let own = recorded(&case.coordinator());
    let entries = recorded(other).into_iter().take(1).chain(own.into_iter().skip(1));
    let entries: Vec<_> = entries.collect();
    let folder = case.written("foreign", entries.iter()).await;
    let checkpoint = "checkpoint";
    fs::copy(case.coordinator().join(checkpoint), folder.join(checkpoint)).unwrap();
    let all: Vec<_> = others.iter().chain([&folder]).map(PathBuf::as_path).collect();
    let report = case.report(4, &all);
    let [altered] = &*told(&report, "LOGBOEK_GEWIJZIGD") else { panic!("{report:#}") };
    assert!(altered["ledger"].as_str().unwrap().starts_with("coordinator/"), "{altered}");
    assert!(!codes(&report, "finding").iter().any(|one| one == "LOGBOEK_DUBBEL"), "{report:#}");
}
