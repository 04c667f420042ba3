//! What holds of the systemd units in `deploy`.

use std::{collections::BTreeMap, fs};

use crate::root;

/// The settings of each section; one that stands there several times counts as the last.
type Unit = BTreeMap<String, BTreeMap<String, String>>;

/// Every service, by the name of its file.
fn units() -> Vec<(String, Unit)> {
    units_of(&["service"])
}

fn units_of(kinds: &[&str]) -> Vec<(String, Unit)> {
    let files = fs::read_dir(root().join("deploy")).unwrap().map(|one| one.unwrap().path());
    let of_kind = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|end| kinds.iter().any(|kind| end == *kind))
    };
    let units = files.filter(of_kind);
    let read = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), unit(&path))
    };
    units.map(read).collect()
}

fn unit(path: &std::path::Path) -> Unit {
    let (mut unit, mut section) = (Unit::new(), String::new());
    for line in fs::read_to_string(path).unwrap().lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=')
            && !line.starts_with(['#', ';'])
        {
            let settings = unit.entry(section.clone()).or_default();
            settings.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    unit
}

/// A daemon whose ledger is in doubt ends with exit code 1, and only a start tells what is on disk
/// (docs/adr/0023). However often that happens, nobody need come and start it.
#[test]
fn every_daemon_is_started_again_however_often_it_fails() {
    let units = units();
    let names: Vec<_> = units.iter().map(|(name, _)| name.as_str()).collect();
    for role in ["node", "coordinator"] {
        assert!(names.contains(&format!("convenant-{role}.service").as_str()), "{names:?}");
    }
    for (name, unit) in &units {
        // What runs once has a timer.
        if unit["Service"].get("Type").is_some_and(|kind| kind == "oneshot") {
            continue;
        }
        let setting = |section: &str, key: &str| unit.get(section)?.get(key).map(String::as_str);
        let restart = setting("Service", "Restart");
        assert!(matches!(restart, Some("on-failure" | "always")), "{name}: Restart={restart:?}");
        // Long enough that a disk which fails for good does not keep the machine busy.
        let pause = setting("Service", "RestartSec").and_then(|pause| pause.parse::<u32>().ok());
        assert!(pause.is_some_and(|pause| (1..=60).contains(&pause)), "{name}: {pause:?}");
        // After five starts within ten seconds systemd would give up.
        assert_eq!(setting("Unit", "StartLimitIntervalSec"), Some("0"), "{name}");
        for spared in ["RestartPreventExitStatus", "SuccessExitStatus"] {
            assert_eq!(setting("Service", spared), None, "{name}: {spared}");
        }
    }
}

/// What the text tells to install, and where to.
#[test]
fn whatever_is_deployed_is_installed_by_a_command_that_stands_there() {
    let readme = fs::read_to_string(root().join("deploy/README.md")).unwrap();
    let commands: Vec<_> = readme.lines().filter(|line| line.starts_with("install ")).collect();
    let installs = |file: &str, to: &str| {
        commands.iter().any(|line| line.contains(&format!(" {file} ")) && line.contains(to))
    };
    let units = units_of(&["service", "timer"]);
    assert_eq!(units.len(), 4);
    for (name, unit) in &units {
        assert!(installs(&format!("deploy/{name}"), "/etc/systemd/system/"), "{name}");
        let page = unit["Unit"]["Documentation"].strip_prefix("file:///usr/share/doc/convenant/");
        let page = page.unwrap_or_else(|| panic!("{name}: {:?}", unit["Unit"]["Documentation"]));
        assert!(root().join(page).is_file(), "{name}: {page}");
        let (folder, _) = page.rsplit_once('/').unwrap();
        assert!(installs(page, &format!("/usr/share/doc/convenant/{folder}/")), "{name}: {page}");
    }
    for file in ["node.toml", "coordinator.toml", "client.toml", "timestamp.env"] {
        assert!(installs(&format!("deploy/{file}"), file), "{file}");
    }
}

/// All that a daemon says comes together in the journal.
#[test]
fn a_daemon_says_on_stdout_too_what_it_says_in_json() {
    for (name, unit) in units() {
        let start = &unit["Service"]["ExecStart"];
        assert!(!start.contains(" run ") || start.contains("convenant --json "), "{name}: {start}");
    }
}
