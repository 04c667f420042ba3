//! Wrong usage: exit code 2, a message that says what, and nothing done.

use std::{fs, io::Write as _, process::Command, process::Stdio};

use crate::{code, convenant, done, mandate, new_key, stderr, stdout, text};

fn refused(arguments: &[&str], says: &str) {
    let output = convenant(arguments);
    let told = stderr(&output);
    assert_eq!(code(&output), 2, "{arguments:?}: {told}");
    assert!(told.contains(says), "{arguments:?}: {told}");
    assert!(stdout(&output).is_empty(), "{arguments:?}");
}

const QUERY: [&str; 9] = [
    "query",
    "--config",
    "client.toml",
    "--project",
    "P-2026-001",
    "--target",
    "uwv/uwv/x",
    "--justification",
    "dossier 12",
];

#[test]
fn a_query_is_checked_before_anything_is_asked() {
    let query = |more: &[&'static str]| [&QUERY, more].concat();
    refused(&query(&["--out", "r.csv"]), "--fields");
    refused(&query(&["--out", "r.txt", "--fields", "a"]), ".parquet");
    refused(&query(&["--out", "r.csv", "--fields", "a", "--kind", "count"]), "a count has no");
    refused(&query(&["--out", "r.csv", "--fields", "a", "--key", "b"]), "--subjects");
    refused(&query(&["--out", "r.csv", "--fields", "A!"]), "field name");
}

#[test]
fn a_faulty_condition_is_told_by_place_and_without_its_literals() {
    let more = ["--out", "r.csv", "--fields", "a", "--where", "a = '999993653' b"];
    let output = convenant(&[&QUERY[..], &more].concat());
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("at character"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("999993653"));
}

#[test]
fn a_number_that_is_none_is_told_with_what_is_expected() {
    let query =
        |option: &'static str, number| [&QUERY[..], &["--fields", "a", option, number]].concat();
    refused(&query("--retention", "x"), "a whole number from 0 to 65535 is expected");
    refused(&query("--retention", "70000"), "a whole number from 0 to 65535 is expected");
    refused(&query("--minutes", "1.5"), "a whole number from 0 to 65535 is expected");
    refused(&query("--timeout", "0"), "a whole number from 1 to 86400 is expected");
    let since = "whole seconds since 1970 are expected";
    let mandate = ["project", "mandate", "P", "--leader", "l", "--config", "c", "--out", "o"];
    let commands: &[(&[&str], &str)] = &[
        (&["ledger", "transactions", "--dir", "x", "--after", "gisteren"], since),
        (&["ledger", "transactions", "--dir", "x", "--before", "2026-01-31"], since),
        (&["ledger", "transactions", "--dir", "x", "--limit", "0"], "from 1 to 1000 is expected"),
        (&["ledger", "records", "--as=fsc", "--dir", "x", "--from", "a"], "of 0 or more"),
        (&["ledger", "records", "--as=fsc", "--dir", "x", "--limit", "a"], "of 0 or more"),
        (&["ledger", "entries", "--dir", "x", "--from", "a"], "of 0 or more"),
        (&["ledger", "entries", "--dir", "x", "--limit", "a"], "of 0 or more"),
        (&["ledger", "prove", "a", "--dir", "x"], "of 0 or more"),
        (&["register", "show", "a", "--config", "x"], "of 0 or more"),
        (&["register", "list", "--dir", "x", "--quorum", "a"], "of 1 or more"),
        (&["audit", "replay", "--quorum", "a"], "of 1 or more"),
        (&[&mandate[..], &["--max-subjects", "a"]].concat(), "from 0 to 4294967295"),
        (&["demo", "--persons", "199"], "from 200 to 500000"),
        (&["demo", "--seed", "a"], "of 0 or more"),
        (&["demo", "--port", "70000"], "from 0 to 65535"),
    ];
    commands.iter().for_each(|(command, says)| refused(command, says));
}

#[test]
fn a_field_that_stands_there_twice_is_told_before_anything_is_asked() {
    let query =
        |fields: &'static str| [&QUERY[..], &["--out", "r.csv", "--fields", fields]].concat();
    refused(&query("a,b,a"), "`--fields`: `a` stands there twice");
}

#[test]
fn faulty_subjects_are_told_by_line_and_never_repeated() {
    let more = ["--out", "r.csv", "--fields", "a", "--subjects", "-"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_convenant"))
        .args([&QUERY[..], &more].concat())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"999993653\n900000007,19850731\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let told = stderr(&output);
    assert_eq!(code(&output), 2);
    assert!(
        told.contains("stdin, line 2") && !told.contains("9000") && !told.contains("1985"),
        "{told}"
    );
}

#[test]
fn vouchers_go_with_subjects_and_are_read_before_anything_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        text_of(&path)
    };
    let (people, other) = (write("people.csv", "999993653\n"), write("found.csv", "a,b\n1,2\n"));
    let query = |more: &[&str]| -> Vec<String> {
        let all = [&QUERY[..], &["--out", "r.csv", "--fields", "a"], more].concat();
        all.into_iter().map(str::to_owned).collect()
    };
    let refused = |arguments: &[String], says: &str| {
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), says);
    };
    refused(&query(&["--vouchers", &other]), "--subjects");
    let given = ["--subjects", &people, "--vouchers", &other];
    refused(&query(&given), "not vouchers as they are kept");
    refused(&query(&["--vouch=A!"]), "field name");
}

fn text_of(path: &std::path::Path) -> String {
    text(path).to_owned()
}

#[test]
fn a_register_needs_a_place_and_keys() {
    refused(&["register", "list"], "--config");
    refused(&["register", "verify", "--dir", "x"], "--lsi-key");
    refused(&["audit", "replay", "--register", "x", "--ledger", "y"], "--config");
    refused(&["audit", "replay"], "--federation");
}

/// With one key in the place of two, no document has its quorum: that is no fault of the evidence.
#[test]
fn a_key_of_the_lsi_that_is_there_twice_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (_, first) = new_key(dir.path(), "first", "ed25519");
    let (_, second) = new_key(dir.path(), "second", "p256");
    let copy = dir.path().join("copy.pub.jwk");
    // Another text of the same key.
    let key: serde_json::Value = serde_json::from_slice(&fs::read(&first).unwrap()).unwrap();
    fs::write(&copy, serde_json::to_string_pretty(&key).unwrap()).unwrap();
    let register = dir.path().join("register");
    fs::create_dir_all(register.join("documents")).unwrap();
    fs::write(register.join("documents/00000000.jws"), "{}").unwrap();
    let ledger = dir.path().join("ledger");
    fs::create_dir_all(ledger.join("segments")).unwrap();
    let id = serde_json::from_slice::<serde_json::Value>(
        &done(&["keys", "show", text(&first), "--json"]).stdout,
    );
    let id = id.unwrap()["id"].as_str().unwrap().to_owned();
    let (first, second, copy) = (text(&first), text(&second), text(&copy));
    let (register, ledger) = (text(&register), text(&ledger));
    let commands: [&[&str]; 5] = [
        &["register", "list", "--dir", register, "--key", second],
        &["register", "show", "0", "--dir", register, "--key", second],
        &["register", "verify", "--dir", register, "--key", second],
        &["project", "status", "--dir", register, "--key", second],
        &["audit", "replay", "--register", register, "--ledger", ledger, "--register-key", second],
    ];
    for command in commands {
        let twice = |again: &str, says: &str| {
            let keys = ["--quorum", "2", "--lsi-key", first, second, again];
            let all = [command, &keys].concat();
            refused(&all, says);
            refused(&all, &id);
        };
        twice(first, &format!("`{first}` is named twice"));
        twice(copy, &format!("`{first}` and `{copy}` both hold key"));
    }
}

#[test]
fn keys_that_a_configuration_names_are_wrong_use_of_it() {
    let dir = tempfile::tempdir().unwrap();
    done(&["demo", "--dir", text(dir.path()), "--setup-only", "--persons", "200"]);
    let config = dir.path().join("leader/client.toml");
    let whole: toml::Table = fs::read_to_string(&config).unwrap().parse().unwrap();
    let named = |change: &dyn Fn(&mut Vec<toml::Value>)| {
        let mut changed = whole.clone();
        change(changed["register"]["lsi_keys"].as_array_mut().unwrap());
        changed.to_string()
    };
    let twice = named(&|keys| keys.push(keys[0].clone()));
    let missing = named(&|keys| keys[0] = "none.pub.jwk".into());
    for (changed, says) in [(twice, "is named twice"), (missing, "none.pub.jwk` cannot be read")] {
        fs::write(&config, changed).unwrap();
        let config = text(&config);
        for command in [
            &["register", "list", "--config", config][..],
            &[
                "register",
                "submit",
                text(&dir.path().join("documents/founding/01-covenant.jws")),
                "--config",
                config,
            ],
            &["project", "status", "--config", config],
            &["ledger", "fetch", "--config", config, "--out", text(&dir.path().join("copies"))],
            &[
                &QUERY[..1],
                &["--config", config],
                &QUERY[3..],
                &["--out", "r.csv", "--fields", "a"],
            ]
            .concat(),
        ] {
            refused(command, says);
        }
    }
}

#[test]
fn a_language_without_a_page_in_it_is_refused() {
    let replay = |more: &[&'static str]| [&["audit", "replay", "--federation", "x"], more].concat();
    let says = "`--lang` is the language of `--report FILE.html`";
    refused(&replay(&["--lang", "en"]), says);
    refused(&replay(&["--lang", "nl", "--report", "r.json"]), says);
    refused(&replay(&["--lang", "en", "--report", "r.html"]), "no such folder");
}

/// One thing in the place of another, told by what it is.
#[test]
fn what_was_taken_for_something_else_is_told_by_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (key, public) = new_key(dir.path(), "key", "ed25519");
    let document = mandate(dir.path());
    let (key, public, document) = (text(&key), text(&public), text(&document));
    refused(
        &["sign", document, "--key", public],
        "is a public key, and its private half is needed",
    );
    done(&["sign", document, "--key", key]);
    let (signed, copy) = (dir.path().join("mandate.jws"), dir.path().join("copy.jws"));
    fs::copy(&signed, &copy).unwrap();
    let (signed, copy) = (text(&signed), text(&copy));
    refused(&["sign", signed, "--key", key], "is signed already");

    done(&["demo", "--dir", text(&dir.path().join("written")), "--setup-only", "--persons", "200"]);
    let config = dir.path().join("written/leader/client.toml");
    let submit = |files: &[&str], says: &str| {
        let config = ["--config", text(&config)];
        refused(&[&["register", "submit"], files, &config].concat(), says);
    };
    submit(&[document], "no signed document; `convenant sign` makes one of it");
    submit(&[signed, copy], &format!("`{signed}` and `{copy}` are the same document"));
    fs::write(&config, "").unwrap();
    submit(&[signed], "client.toml` cannot be read");

    let report = dir.path().join("none/report.html");
    let replay = ["audit", "replay", "--federation", "x", "--report", text(&report)];
    refused(&replay, "none` is no folder");
    refused(&["ledger", "checkpoint", "--dir", "x", "--origin", "y"], "--key");
}

/// Whatever is named on the command line and is not there, is as it should not be or would be written over.
#[test]
fn a_file_that_is_not_as_it_should_be_is_the_same_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let (key, public) = new_key(dir.path(), "key", "ed25519");
    let (missing, new) = (dir.path().join("missing"), dir.path().join("new.toml"));
    let (key, public, missing, new) = (text(&key), text(&public), text(&missing), text(&new));
    let project = "P-2026-001";
    let trust = ["--lsi-key", public, "--quorum", "1", "--key", public];
    let suspend = ["project", "suspend", project, "--reason", "x"];
    let mandate = ["project", "mandate", project, "--leader", missing, "--max-subjects", "1"];
    let query = ["query", "--project", project, "--target", "a/b/c", "--justification", "d 1"];
    let commands: &[&[&str]] = &[
        &["covenant", "check", missing],
        &["covenant", "check", key],
        &["covenant", "diff", missing, missing],
        &["keys", "show", missing],
        &["keys", "show", text(dir.path())],
        &["keys", "new", "--kind", "ledger", "--out", key],
        &["certs", "example", "--out", key],
        &["sign", missing, "--key", key],
        &["sign", key, "--key", missing],
        &["project", "check", missing, "--config", missing],
        &["project", "sign", missing, "--key", key, "--config", missing],
        &["project", "submit", missing, "--config", missing],
        &["project", "status", "--config", key],
        &["project", "resume", "--suspension", missing, "--reason", "x", "--out", new],
        &[&suspend[..], &["--out", key]].concat(),
        &[&suspend[..], &["--out", new, "--config", missing]].concat(),
        &[&mandate[..], &["--out", new, "--config", missing]].concat(),
        &["register", "submit", missing, "--config", missing],
        &["register", "list", "--config", missing],
        &[&["register", "verify", "--dir", missing], &trust[..]].concat(),
        &["coordinator", "run", "--config", missing],
        &["node", "check", "--config", missing],
        &["node", "run", "--config", key],
        &[&query[..], &["--out", "r.csv", "--fields", "a", "--config", missing]].concat(),
        &["results", "list", "--config", missing],
        &["subject-report", "--config", missing, "--bsn-file", missing],
        &["subject-report", "--config", missing, "--bsn-file", key],
        &["subject-report", "merge", missing, "--config", missing, "--out", "letter.txt"],
        &["subject-report", "rekey", "--config", missing, "--opening-key", missing],
        &["ledger", "checkpoint", "--dir", missing],
        &["ledger", "entries", "--dir", missing],
        &["ledger", "verify", "--dir", missing, "--key", public],
        &["ledger", "export", "--dir", missing, "--key", public, "--out", new],
        &["ledger", "records", "--dir", missing, "--as", "fsc"],
        &["ledger", "fetch", "--config", missing, "--out", new],
        &["audit", "replay", "--federation", missing],
        &["audit", "replay", "--register", missing, "--ledger", missing, "--config", missing],
        &["demo", "--setup-only", "--dir", key],
    ];
    for command in commands {
        refused(command, "");
    }
}

#[test]
fn a_document_is_read_strictly() {
    let dir = tempfile::tempdir().unwrap();
    let (key, _) = new_key(dir.path(), "key", "ed25519");
    let document = mandate(dir.path());
    let mut content = fs::read_to_string(&document).unwrap();
    content.insert_str(content.find("[[holder]]").unwrap(), "remark = \"x\"\n\n");
    fs::write(&document, content).unwrap();
    let output = convenant(&["sign", text(&document), "--key", text(&key)]);
    let told = stderr(&output);
    assert_eq!(code(&output), 2);
    assert!(told.contains("mandate.toml:9:1") && told.contains("remark"), "{told}");
    assert!(!dir.path().join("mandate.jws").exists());
}

#[test]
fn an_unknown_key_of_a_configuration_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("node.toml");
    fs::write(&config, "[party]\noin = \"00000099000000002000\"\nname = \"uwv\"\n").unwrap();
    let output = convenant(&["node", "check", "--config", text(&config)]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("name"), "{}", stderr(&output));
}

#[test]
fn certificates_are_written_into_an_empty_folder_only() {
    let dir = tempfile::tempdir().unwrap();
    let certs = dir.path().join("certs");
    let written = done(&["certs", "example", "--out", text(&certs), "--json"]);
    let written: Vec<String> = serde_json::from_slice(&written.stdout).unwrap();
    assert!(written.iter().any(|path| path.ends_with("ca.pem")));
    let again = convenant(&["certs", "example", "--out", text(&certs)]);
    assert_eq!(code(&again), 2);
    assert!(stderr(&again).contains("is not empty"), "{}", stderr(&again));
}
