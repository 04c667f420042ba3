//! An auditor copies every ledger over the network, and replays the copies.

use std::fs;

use convenant_testkit::PortBlock;
use serde_json::Value;

use crate::deployment::{Deployment, shown, text, written};

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
    // The coordinator knows the leader and gives it nothing; the nodes do not know it.
    let (known, unknown) = ("only auditors", "not copied");
    assert_eq!(told.lines().filter(|line| line.contains(known)).count(), 2, "{told}");
    assert!(told.lines().all(|line| line.contains(unknown)), "{}", shown(&refused));
    assert!(!denied.exists(), "what is not given leaves nothing");

    let copies = dir.path().join("copies");
    let fetch = ["ledger", "fetch", "--json", "--config", text(&auditor), "--out", text(&copies)];
    let fetched = deployment.run(&fetch);
    assert!(fetched.status.success(), "{}", shown(&fetched));
    let fetched: Value = serde_json::from_slice(&fetched.stdout).unwrap();
    let fetched = fetched.as_array().unwrap();
    assert_eq!(fetched.len(), 8, "register, coordinator and six nodes: {fetched:?}");
    assert!(fetched.iter().all(|one| one["entries"].as_u64().unwrap() > 0));
    deployment.stop();

    let mut replay =
        ["audit", "replay", "--json", "--config", text(&auditor)].map(str::to_owned).to_vec();
    replay.extend(["--register".to_owned(), text(&copies.join("register")).to_owned()]);
    replay.push("--ledger".to_owned());
    for copy in fs::read_dir(&copies).unwrap() {
        let copy = copy.unwrap().path();
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
    let ledger = fs::read_dir(&copies).unwrap().map(|one| one.unwrap().path());
    let checkpoint = { ledger }.find(|one| !one.ends_with("register")).unwrap().join("checkpoint");
    let signed = fs::read_to_string(&checkpoint).unwrap();
    let (head, signature) = signed.trim_end().rsplit_once(' ').unwrap();
    let other: String = signature.chars().rev().collect();
    fs::write(&checkpoint, format!("{head} {other}\n")).unwrap();
    let (code, unsound) = page("unsound.html", "en");
    assert_eq!(code, Some(4));
    assert!(unsound.contains("<html lang=\"en\">") && unsound.contains("does NOT hold"));
    assert!(unsound.contains("The first of each kind that does not hold"));
    assert!(unsound.contains("<code>CONTROLEPUNT_ONGELDIG</code>"), "{unsound}");
}
