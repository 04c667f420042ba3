//! A folder that is named as a ledger's or a register's and is none: wrong use, told by what it is. A ledger of
//! which something is gone is evidence that does not hold.

use std::{fs, path::Path};

use crate::{code, convenant, done, new_key, stderr, text};

const REGISTER: &str = "convenant.register/00000099000000001000\n1\nAAAA\n";

fn told(arguments: &[&str], exit: i32) -> String {
    let output = convenant(arguments);
    assert_eq!(code(&output), exit, "{arguments:?}: {}", stderr(&output));
    stderr(&output)
}

fn folder(dir: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let file = dir.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
}

/// Every command that reads a ledger, on one folder.
fn reading<'a>(dir: &'a str, key: &'a str, out: &'a str) -> Vec<Vec<&'a str>> {
    [
        &["entries", "--dir", dir][..],
        &["prove", "0", "--dir", dir],
        &["verify", "--dir", dir, "--key", key],
        &["records", "--as", "fsc", "--dir", dir],
        &["transactions", "--dir", dir],
        &["export", "--dir", dir, "--key", key, "--out", out],
    ]
    .iter()
    .map(|command| [&["ledger"], *command].concat())
    .collect()
}

#[test]
fn a_folder_that_is_no_ledger_is_named_with_what_is_there_instead() {
    let dir = tempfile::tempdir().unwrap();
    let (_, key) = new_key(dir.path(), "key", "ed25519");
    let (out, request) = (dir.path().join("out"), dir.path().join("now.tsq"));
    let (state, empty) = (dir.path().join("state"), dir.path().join("empty"));
    fs::create_dir_all(&empty).unwrap();
    // A project's documents are no register.
    folder(&state, &[("ledger/segments/x", ""), ("documents/01-proposal.jws", "{}")]);
    for (wrong, says) in [
        (&empty, "holds neither `segments` nor a `checkpoint`"),
        (&state, "state/ledger`"),
        (&key, "but a file"),
        (&out, "no such folder"),
    ] {
        let wrong = text(wrong);
        let mut commands = reading(wrong, text(&key), text(&out));
        commands.push(vec!["ledger", "checkpoint", "--dir", wrong]);
        commands.push(vec!["ledger", "timestamp", "ask", "--dir", wrong, "--out", text(&request)]);
        for command in &commands {
            let told = told(command, 2);
            assert!(told.contains(&format!("`{wrong}` is no ledger")), "{command:?}: {told}");
            assert!(told.contains(says), "{command:?}: {told}");
        }
    }
    assert!(!out.exists() && !request.exists());
}

#[test]
fn a_register_is_told_from_a_ledger_of_exchanges() {
    let dir = tempfile::tempdir().unwrap();
    let (_, key) = new_key(dir.path(), "key", "ed25519");
    let (followed, kept) = (dir.path().join("followed"), dir.path().join("kept"));
    let out = dir.path().join("out");
    let documents = [("documents/00000000.jws", "{}"), ("checkpoint", REGISTER)];
    folder(&followed, &documents);
    for command in reading(text(&followed), text(&key), text(&out)) {
        let told = told(&command, 2);
        assert!(told.contains("followed` is no ledger but a register"), "{command:?}: {told}");
    }
    // The coordinator's own has entries as well, and they tell of no exchange.
    folder(&kept, &documents);
    folder(&kept, &[("segments/x", "")]);
    for command in [
        ["ledger", "records", "--dir", text(&kept), "--as=adl"],
        ["ledger", "transactions", "--dir", text(&kept), "--limit=3"],
    ] {
        let told = told(&command, 2);
        assert!(told.contains("kept` is the register, `convenant.register/"), "{told}");
    }

    let trust = ["--lsi-key", text(&key), "--quorum", "1", "--key", text(&key)];
    let other = dir.path().join("other");
    folder(&other, &[("segments/x", ""), ("checkpoint", "convenant.node/0\n0\n\n")]);
    let told = told(&[&["register", "list", "--dir", text(&other)], &trust[..]].concat(), 2);
    assert!(told.contains("other` is no register"), "{told}");
}

#[test]
fn a_ledger_without_its_checkpoint_is_evidence_that_does_not_hold() {
    let dir = tempfile::tempdir().unwrap();
    folder(dir.path(), &[("segments/00000000000000000000.seg", "")]);
    let out = dir.path().join("now.tsq");
    for command in [
        &["ledger", "checkpoint", "--dir", text(dir.path())][..],
        &["ledger", "timestamp", "ask", "--dir", text(dir.path()), "--out", text(&out)],
    ] {
        assert!(told(command, 4).contains("checkpoint"));
    }
}

#[test]
fn the_audit_tells_of_a_wrong_folder_as_the_ledger_s_commands_do() {
    let dir = tempfile::tempdir().unwrap();
    let (_, key) = new_key(dir.path(), "key", "ed25519");
    let [state, empty, none] = ["state", "empty", "none"].map(|name| dir.path().join(name));
    fs::create_dir_all(&empty).unwrap();
    folder(&state.join("ledger"), &[("segments/x", ""), ("checkpoint", "convenant.node/0\n0\n\n")]);
    folder(&state.join("register"), &[("documents/00000000.jws", "{}"), ("checkpoint", REGISTER)]);
    let [ledger, register] = ["ledger", "register"].map(|name| state.join(name));
    let trust = ["--lsi-key", text(&key), "--quorum", "1", "--register-key", text(&key)];
    let replay = |register: &Path, ledger: &Path| {
        let given = ["audit", "replay", "--register", text(register), "--ledger", text(ledger)];
        told(&[&given[..], &trust].concat(), 2)
    };
    for (wrong, says) in [
        (&empty, "holds neither `segments` nor a `checkpoint`"),
        (&state, "state/ledger`"),
        (&key, "but a file"),
        (&none, "no such folder"),
        (&register, "but a register as others follow it"),
    ] {
        let told = replay(&register, wrong);
        assert!(told.contains(&format!("`{}` is no ledger", text(wrong))), "{told}");
        assert!(told.contains(says), "{told}");
    }
    for (wrong, says) in [
        (&empty, "holds neither `documents` nor a register's `checkpoint`"),
        (&state, "below it there is"),
        (&key, "but a file"),
        (&none, "no such folder"),
        (&ledger, "but a ledger, `convenant.node/0`"),
    ] {
        let told = replay(wrong, &ledger);
        assert!(told.contains(&format!("`{}` is no register", text(wrong))), "{told}");
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn a_folder_that_is_no_federation_is_told_with_what_was_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (_, key) = new_key(dir.path(), "key", "ed25519");
    let replay = |dir: &Path| told(&["audit", "replay", "--federation", text(dir)], 2);
    let nothing = replay(dir.path());
    for says in ["`auditor/client.toml`", "`nodes`", "`coordinator/state/register`", "--register"] {
        assert!(nothing.contains(says), "{nothing}");
    }
    assert!(replay(&key).contains("it is a file"));
    assert!(replay(&dir.path().join("none")).contains("no such folder"));
    let written = dir.path().join("written");
    done(&["demo", "--dir", text(&written), "--setup-only", "--persons", "200"]);
    let idle = replay(&written);
    assert!(idle.contains("which its coordinator makes once it runs"), "{idle}");
}
