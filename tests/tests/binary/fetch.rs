//! An auditor copies every ledger over the network, and replays the copies.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use convenant_testkit::{PortBlock, Program};
use serde_json::Value;

use crate::{
    deployment::{Deployment, shown, text, written},
    interop::{self, Go},
};

fn folders(of: &Path) -> Vec<PathBuf> {
    fs::read_dir(of).unwrap().map(|one| one.unwrap().path()).collect()
}

/// How many entries of a ledger tell that somebody read it.
fn reads(deployment: &Deployment, ledger: &Path) -> usize {
    let entries = deployment.run(&["ledger", "entries", "--json", "--dir", text(ledger)]);
    assert!(entries.status.success(), "{}", shown(&entries));
    let entries = String::from_utf8(entries.stdout).unwrap();
    entries.matches("\"entry\":\"read\"").count()
}

/// The ledgers as the parties have them tell who read them, and their witnesses agree.
fn who_read(deployment: &Deployment, page: &Path) {
    let federation = deployment.federation.dir.clone();
    let replay = ["audit", "replay", "--json", "--federation", text(&federation)];
    let replayed = deployment.run(&[&replay[..], &["--report", text(page)]].concat());
    assert!(replayed.status.success(), "{}", shown(&replayed));
    let report: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    let readers = report["answers"]["readers"].as_array().unwrap();
    let ledgers: BTreeSet<_> = readers.iter().map(|one| one["ledger"].as_str().unwrap()).collect();
    assert_eq!((readers.len(), ledgers.len()), (7, 7), "{readers:?}");
    let oin = deployment.federation.auditor.oin.as_str();
    for reader in readers {
        assert_eq!((reader["reader"].as_str(), &reader["from"]), (Some(oin), &Value::from(0)));
        assert_eq!(reader["entries"]["number"], 1, "{reader}");
        // Its own place is the first that it could not read.
        assert_eq!(reader["entries"]["first"][0]["entry"], reader["until"], "{reader}");
    }
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Wie las welk logboek over het netwerk") && page.contains(oin));
}

#[test]
fn an_auditor_fetches_what_nobody_else_is_given_and_replays_it() {
    let (dir, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
    let federation = written(dir.path(), 200, &ports);
    let mut deployment = Deployment::start(federation, &[]);
    let (auditor, leader) =
        (deployment.federation.auditor.config.clone(), deployment.federation.leader.config.clone());

    let denied = dir.path().join("denied");
    let refused =
        deployment.run(&["ledger", "fetch", "--config", text(&leader), "--out", text(&denied)]);
    assert_eq!(refused.status.code(), Some(1), "{}", shown(&refused));
    let told = String::from_utf8(refused.stdout.clone()).unwrap();
    assert_eq!(told.lines().count(), 8, "{}", shown(&refused));
    // The coordinator knows the leader and gives it nothing; the nodes do not know it. It is told the same.
    for said in ["not copied", "only auditors that the register enrols"] {
        assert!(told.lines().all(|line| line.contains(said)), "{}", shown(&refused));
    }
    let told = String::from_utf8(refused.stderr.clone()).unwrap();
    let (own, entitled) = (&deployment.federation.leader, &deployment.federation.auditor);
    for oin in [&own.partner, &entitled.oin] {
        assert!(told.contains(oin.as_str()), "{told}");
    }
    assert!(!denied.exists(), "what is not given leaves nothing");

    let copies = dir.path().join("copies");
    let fetch = ["ledger", "fetch", "--json", "--config", text(&auditor), "--out", text(&copies)];
    let fetched = deployment.run(&fetch);
    assert!(fetched.status.success(), "{}", shown(&fetched));
    let fetched: Value = serde_json::from_slice(&fetched.stdout).unwrap();
    let fetched = fetched.as_array().unwrap();
    assert_eq!(fetched.len(), 8, "register, coordinator and six nodes: {fetched:?}");
    assert!(fetched.iter().all(|one| one["entries"].as_u64().unwrap() > 0));
    // Again, shortly after: what these copies hold besides is that somebody read, once.
    let again = dir.path().join("again");
    let fetch = ["ledger", "fetch", "--config", text(&auditor), "--out", text(&again)];
    let fetched_again = deployment.run(&fetch);
    assert!(fetched_again.status.success(), "{}", shown(&fetched_again));
    deployment.stop();
    for copy in folders(&again) {
        let register = copy.ends_with("register");
        let first = copies.join(copy.file_name().unwrap());
        assert_eq!(reads(&deployment, &first), 0, "{}", shown(&fetched_again));
        assert_eq!(reads(&deployment, &copy), usize::from(!register), "{}", copy.display());
    }
    let (go, program) = (Go::build(), Program::find().unwrap());
    let kept = interop::ledgers(&deployment.federation.dir);
    for (number, (ledger, key)) in kept.iter().filter(|(ledger, _)| ledger.exists()).enumerate() {
        let exported = dir.path().join(format!("exported-{number}"));
        interop::export(&program, ledger, key, &exported);
        go.accepts("verify", &[&exported]);
    }
    who_read(&deployment, &dir.path().join("readers.html"));

    let mut replay =
        ["audit", "replay", "--json", "--config", text(&auditor)].map(str::to_owned).to_vec();
    replay.extend(["--register".to_owned(), text(&copies.join("register")).to_owned()]);
    replay.push("--ledger".to_owned());
    for copy in folders(&copies) {
        if !copy.ends_with("register") {
            replay.push(text(&copy).to_owned());
        }
    }
    let replayed = deployment.run(&replay);
    assert!(replayed.status.success(), "{}", shown(&replayed));
    let report: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(report["ledgers"].as_array().unwrap().len(), 7);
    for ledger in report["ledgers"].as_array().unwrap() {
        assert_eq!(ledger["covered"], ledger["counts"]["entries"], "{ledger}");
    }
    // As pages, of ledgers that hold and of one in which a bit was turned.
    let page = |name: &str, lang: &str| {
        let page = dir.path().join(name);
        let mut replay = replay.clone();
        replay.extend(["--report", text(&page), "--lang", lang].map(str::to_owned));
        let replayed = deployment.run(&replay);
        let read = fs::read_to_string(page);
        (replayed.status.code(), read.unwrap_or_else(|_| panic!("{}", shown(&replayed))))
    };
    let (code, sound) = page("sound.html", "nl");
    assert_eq!(code, Some(0));
    assert!(sound.contains("<html lang=\"nl\">") && sound.contains("Het bewijs klopt."));
    let checkpoint = folders(&copies)
        .into_iter()
        .find(|one| !one.ends_with("register"))
        .unwrap()
        .join("checkpoint");
    let signed = fs::read_to_string(&checkpoint).unwrap();
    let (head, signature) = signed.trim_end().rsplit_once(' ').unwrap();
    let other: String = signature.chars().rev().collect();
    fs::write(&checkpoint, format!("{head} {other}\n")).unwrap();
    let (code, unsound) = page("unsound.html", "en");
    assert_eq!(code, Some(4));
    assert!(unsound.contains("<html lang=\"en\">") && unsound.contains("does NOT hold"));
    assert!(unsound.contains("Findings and warnings"));
    assert!(unsound.contains("<code>CONTROLEPUNT_ONGELDIG</code>"), "{unsound}");
}
