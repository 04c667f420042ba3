//! The command line as scripts and newcomers meet it: texts, exit codes, files.

#![cfg(test)]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

mod covenant;
mod evidence;
mod folders;
mod help;
mod keys;
mod project;
mod results;
mod usage;

/// Runs the built binary with nothing of the environment's configuration.
fn convenant(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convenant"));
    command.args(arguments).stdin(Stdio::null()).env_remove("COLUMNS");
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Runs it and expects success.
fn done(arguments: &[&str]) -> Output {
    let output = convenant(arguments);
    assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
    output
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A new key of the kind `signing` and the file of its public half.
fn new_key(dir: &Path, name: &str, algorithm: &str) -> (PathBuf, PathBuf) {
    let private = dir.join(format!("{name}.jwk"));
    done(&["keys", "new", "--kind", "signing", "--alg", algorithm, "--out", text(&private)]);
    (private, dir.join(format!("{name}.pub.jwk")))
}

/// A mandate that anybody may write; nothing admits it.
fn mandate(dir: &Path) -> PathBuf {
    let (_, holder) = new_key(dir, "holder", "ed25519");
    let key: serde_json::Value = serde_json::from_slice(&fs::read(holder).unwrap()).unwrap();
    let path = dir.join("mandate.toml");
    let document = format!(
        r#"document = "mandate"
project = "P-2026-001"
proposal = "{hash}"
partner = "00000099000000000599"
valid_from = "2026-01-01"
valid_until = "2026-12-31"
max_subjects = 10

[[holder]]
function = "projectleider"
role = "leader"
key = {{ kty = "OKP", crv = "Ed25519", x = {x} }}
"#,
        hash = "ab".repeat(32),
        x = key["x"],
    );
    fs::write(&path, document).unwrap();
    path
}
