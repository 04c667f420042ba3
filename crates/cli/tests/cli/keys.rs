//! From a new key to a signature that another tool verifies.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::{code, convenant, done, mandate, mode, new_key, stderr, stdout, text};

#[test]
fn a_private_key_is_its_owners_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, curve) in [("signing", "Ed25519"), ("ledger", "Ed25519"), ("sealing", "X25519")] {
        let private = dir.path().join(format!("{kind}.jwk"));
        let new = ["keys", "new", "--kind", kind, "--out", text(&private)];
        let made = done(&new);
        assert_eq!(mode(&private), 0o600);
        let public = fs::read_to_string(dir.path().join(format!("{kind}.pub.jwk"))).unwrap();
        assert_eq!(stdout(&made).trim(), public);
        assert!(public.contains(curve) && !public.contains("\"d\""), "{public}");
        let before = fs::read(&private).unwrap();
        assert_ne!(code(&convenant(&new)), 0);
        assert_eq!(fs::read(&private).unwrap(), before);
        let shown = [&private, &dir.path().join(format!("{kind}.pub.jwk"))]
            .map(|path| done(&["keys", "show", text(path), "--json"]).stdout);
        assert_eq!(shown[0], shown[1]);
    }
}

#[test]
fn a_key_that_others_can_read_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let (key, _) = new_key(dir.path(), "key", "p256");
    let document = mandate(dir.path());
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    fs::set_permissions(&key, open).unwrap();
    let output = convenant(&["sign", text(&document), "--key", text(&key)]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("chmod 600"), "{}", stderr(&output));
}

#[test]
fn a_private_key_in_the_place_of_a_public_one_is_read_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger");
    fs::create_dir_all(ledger.join("segments")).unwrap();
    let checkpoint = "convenant.node/0\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\
                      — convenant.node/0 AAAAAAA=\n";
    fs::write(ledger.join("checkpoint"), checkpoint).unwrap();
    for algorithm in ["ed25519", "p256"] {
        let (private, public) = new_key(dir.path(), algorithm, algorithm);
        let checkpoint = ["ledger", "checkpoint", "--dir", text(&ledger), "--key"];
        let output = convenant(&[&checkpoint[..], &[text(&private)]].concat());
        let (told, show) = (stderr(&output), format!("`convenant keys show {}`", text(&private)));
        assert_eq!(code(&output), 2);
        assert!(told.contains("is a private key") && told.contains(&show), "{told}");
        let key: serde_json::Value = serde_json::from_slice(&fs::read(&private).unwrap()).unwrap();
        assert!(!told.contains(key["d"].as_str().unwrap()));
        let shown = stdout(&done(&["keys", "show", text(&private)]));
        assert_eq!(shown.trim(), fs::read_to_string(public).unwrap().trim());
    }
}

#[test]
fn several_sign_one_document_and_nobody_another_in_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let keys = [("one", "ed25519"), ("two", "p256")].map(|(n, a)| new_key(dir.path(), n, a));
    let document = mandate(dir.path());
    let mut hashes = Vec::new();
    for (private, _) in &keys {
        let signed = done(&["sign", text(&document), "--key", text(private)]);
        hashes.push(stdout(&signed));
    }
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(hashes[0].trim().len(), 64);
    let twice = convenant(&["sign", text(&document), "--key", text(&keys[0].0)]);
    assert_eq!(code(&twice), 2, "{}", stderr(&twice));

    let jws = dir.path().join("mandate.jws");
    let before = fs::read(&jws).unwrap();
    let content = fs::read_to_string(&document).unwrap();
    fs::write(&document, content.replace("max_subjects = 10", "max_subjects = 11")).unwrap();
    let changed = convenant(&["sign", text(&document), "--key", text(&keys[0].0)]);
    assert_eq!(code(&changed), 2);
    assert!(stderr(&changed).contains("holds another document"), "{}", stderr(&changed));
    assert_eq!(fs::read(&jws).unwrap(), before);
}

/// Debian's `jose` (package `jose`) knows nothing of this program.
#[test]
fn another_tool_verifies_the_signature() {
    let dir = tempfile::tempdir().unwrap();
    let (private, public) = new_key(dir.path(), "one", "p256");
    let (further, _) = new_key(dir.path(), "two", "ed25519");
    let document = mandate(dir.path());
    done(&["sign", text(&document), "--key", text(&private)]);
    done(&["sign", text(&document), "--key", text(&further)]);
    let jws = dir.path().join("mandate.jws");
    assert!(jose(&["jws", "ver", "-i", text(&jws), "-k", text(&public)]));

    let (_, stranger) = new_key(dir.path(), "stranger", "p256");
    assert!(!jose(&["jws", "ver", "-i", text(&jws), "-k", text(&stranger)]));
}

fn jose(arguments: &[&str]) -> bool {
    let status = Command::new("jose").args(arguments).stderr(Stdio::null()).status();
    let status = status.expect("this test needs the tool `jose` (on Debian: apt install jose)");
    status.success()
}
