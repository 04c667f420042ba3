//! Evidence that does not hold: exit code 4, and what and where.

use std::{fs, path::Path};

use crate::{code, convenant, done, stderr, stdout, text};

/// The written example federation, with the register that its coordinator would begin with.
fn federation(dir: &Path) {
    done(&["demo", "--dir", text(dir), "--setup-only", "--persons", "200"]);
}

#[test]
fn the_example_covenant_is_explained_clause_by_clause() {
    let dir = tempfile::tempdir().unwrap();
    federation(dir.path());
    let covenant = dir.path().join("documents/founding/01-covenant.toml");
    let told = done(&["covenant", "check", text(&covenant)]);
    let lines = stdout(&told);
    let line = |id: &str| lines.lines().find(|line| line.starts_with(&format!("{id} "))).unwrap();
    assert!(line("S10").contains("bij vraag") && line("S10").contains("BUITEN_GEBIED"), "{lines}");
    assert!(stderr(&told).contains("heeft geen gebied"));

    let told = done(&["covenant", "check", text(&covenant), "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(report["id"], "lsi");
    assert!(report["clauses"].as_array().unwrap().len() > 10);

    let broken = fs::read_to_string(&covenant).unwrap().replacen("forbid (", "forbit (", 1);
    fs::write(&covenant, broken).unwrap();
    let refused = convenant(&["covenant", "check", text(&covenant)]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("clause `S1`"), "{}", stderr(&refused));
}

#[test]
fn a_document_that_was_changed_is_named() {
    let dir = tempfile::tempdir().unwrap();
    federation(dir.path());
    let register = dir.path().join("register");
    fs::create_dir_all(register.join("documents")).unwrap();
    let founding = dir.path().join("documents/founding");
    let mut names: Vec<_> = fs::read_dir(&founding).unwrap().map(|f| f.unwrap().path()).collect();
    names.retain(|name| name.extension().is_some_and(|extension| extension == "jws"));
    names.sort();
    for (index, name) in names.iter().enumerate() {
        fs::copy(name, register.join(format!("documents/{index:08}.jws"))).unwrap();
    }
    let keys: Vec<_> = fs::read_dir(dir.path().join("lsi"))
        .unwrap()
        .map(|key| key.unwrap().path())
        .filter(|key| text(key).ends_with(".pub.jwk"))
        .collect();
    let key = dir.path().join("coordinator/register.pub.jwk");
    let mut verify = vec!["register", "verify", "--dir", text(&register), "--quorum", "2"];
    verify.extend(["--key", text(&key)]);
    keys.iter().for_each(|key| verify.extend(["--lsi-key", text(key)]));

    // Every document verifies, but nobody signed that this is all of the register.
    let unsigned = convenant(&verify);
    assert_eq!(code(&unsigned), 4, "{}", stderr(&unsigned));
    assert!(stderr(&unsigned).contains("checkpoint"), "{}", stderr(&unsigned));

    let second = register.join("documents/00000001.jws");
    let mut jws: serde_json::Value = serde_json::from_slice(&fs::read(&second).unwrap()).unwrap();
    let signature = jws["signatures"][0]["signature"].as_str().unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    jws["signatures"][0]["signature"] = format!("{first}{}", &signature[1..]).into();
    fs::write(&second, serde_json::to_vec(&jws).unwrap()).unwrap();
    let forged = convenant(&verify);
    assert_eq!(code(&forged), 4, "{}", stderr(&forged));
    assert!(stderr(&forged).contains("00000001.jws"), "{}", stderr(&forged));
}
