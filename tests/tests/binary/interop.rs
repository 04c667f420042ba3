//! Ledgers of ours, verified with code of others: Go's `golang.org/x/mod/sumdb`, in `tests/interop`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use convenant_signing::{SigningKey, SystemRandom};
use convenant_testkit::Program;
use tempfile::TempDir;

use crate::{deployment::shown, grown::Grown};

/// The Go program, built.
pub(crate) struct Go {
    dir: TempDir,
}

impl Go {
    pub(crate) fn build() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Debian's place for the sources of packages.
        let path = std::env::var("GOPATH").unwrap_or_else(|_| "/usr/share/gocode".to_owned());
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(dir.path().join("verifier"))
            .arg("main.go")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("interop"))
            .envs([("GO111MODULE", "off"), ("GOPATH", &path), ("GOFLAGS", "")])
            .env("GOCACHE", dir.path().join("cache"))
            .output()
            .expect("Go is not installed: `bash tests/run` sees to it");
        assert!(built.status.success(), "{}", shown(&built));
        Self { dir }
    }

    fn run(&self, command: &str, folders: &[&Path]) -> Output {
        Command::new(self.dir.path().join("verifier")).arg(command).args(folders).output().unwrap()
    }

    pub(crate) fn accepts(&self, command: &str, folders: &[&Path]) -> String {
        let output = self.run(command, folders);
        assert!(output.status.success(), "{folders:?}: {}", shown(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refuses(&self, command: &str, folders: &[&Path]) -> String {
        let output = self.run(command, folders);
        assert_eq!(output.status.code(), Some(1), "{folders:?}: {}", shown(&output));
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Each ledger of a federation: its folder and its public key.
pub(crate) fn ledgers(federation: &Path) -> Vec<(PathBuf, PathBuf)> {
    let coordinator = federation.join("coordinator");
    let mut ledgers = vec![
        (coordinator.join("state/ledger"), coordinator.join("ledger.pub.jwk")),
        (coordinator.join("state/register"), coordinator.join("register.pub.jwk")),
        (federation.join("leader/state/receipts"), federation.join("leader/leader.pub.jwk")),
    ];
    for node in fs::read_dir(federation.join("nodes")).unwrap() {
        let node = node.unwrap().path();
        if node.join("state").exists() {
            ledgers.push((node.join("state/ledger"), node.join("ledger.pub.jwk")));
        }
    }
    ledgers
}

pub(crate) fn export(program: &Program, ledger: &Path, key: &Path, out: &Path) {
    let [ledger, key, out] = [ledger, key, out].map(|path| path.to_str().unwrap());
    let exported =
        program.run(&["ledger", "export", "--dir", ledger, "--key", key, "--out", out]).unwrap();
    assert!(exported.status.success(), "{}", shown(&exported));
}

#[test]
fn go_verifies_every_ledger_of_the_demo() {
    let (dir, program, go) = (tempfile::tempdir().unwrap(), Program::find().unwrap(), Go::build());
    let federation = dir.path().join("federation");
    let folder = federation.to_str().unwrap();
    let demo = program.run(&["demo", "--dir", folder, "--keep", "--persons", "300"]).unwrap();
    assert!(demo.status.success(), "{}", shown(&demo));
    let ledgers = ledgers(&federation);
    assert_eq!(ledgers.len(), 9, "{ledgers:?}");
    for (number, (ledger, key)) in ledgers.iter().enumerate() {
        let copy = dir.path().join(format!("copy-{number}"));
        export(&program, ledger, key, &copy);
        let told = go.accepts("verify", &[&copy]);
        let [dir, key] = [copy.as_path(), key].map(|path| path.to_str().unwrap());
        let verified = ["ledger", "verify", "--json", "--dir", dir, "--key", key];
        let verified = program.run(&verified).unwrap();
        assert!(verified.status.success(), "{}", shown(&verified));
        let verified: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert!(told.starts_with(&format!("{} entries", verified["entries"])), "{told}");
        // The register's checkpoint carries the time.
        let timed = ledger.ends_with("register");
        assert_eq!(told.contains(" 1 cosignatures"), timed, "{told}");
    }

    // Copies are as good to the audit as the ledgers themselves.
    let copies: Vec<_> = (0..ledgers.len()).map(|n| dir.path().join(format!("copy-{n}"))).collect();
    let config = federation.join("auditor/client.toml");
    let mut replay = Command::new("true");
    replay.args(["audit", "replay", "--json", "--register"]).arg(&copies[1]);
    replay.arg("--config").arg(config).arg("--ledger").arg(&copies[0]).args(&copies[2..]);
    let arguments: Vec<_> = replay.get_args().map(ToOwned::to_owned).collect();
    let replayed = program.run(&arguments).unwrap();
    assert!(replayed.status.success(), "{}", shown(&replayed));
    let report: serde_json::Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(report["ledgers"].as_array().unwrap().len(), 8);
    let entries = |ledger: &serde_json::Value| ledger["counts"]["entries"].as_u64().unwrap();
    assert!(report["ledgers"].as_array().unwrap().iter().all(|ledger| entries(ledger) > 0));
}

#[tokio::test]
async fn go_finds_a_fork_and_every_altered_tile() {
    let go = Go::build();
    let jwk = SigningKey::generate(&SystemRandom::new()).unwrap().to_jwk().to_string();
    let (ours, forked) = (Grown::new(&jwk), Grown::new(&jwk));
    let (old, new) = (ours.to(300, "ours").await, ours.to(700, "ours").await);
    let fork = forked.to(700, "forked").await;

    go.accepts("verify", &[&new]);
    assert!(go.accepts("consistent", &[&old, &new]).starts_with("the first 300 of 700"));
    // Each is a ledger that holds; only together they show that their owner tells two stories.
    go.accepts("verify", &[&fork]);
    go.refuses("consistent", &[&old, &fork]);

    let tiles =
        ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/001", "checkpoint"];
    for tile in tiles {
        let path = new.join(tile);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        let told = go.refuses("verify", &[&new]);
        if tile == "tile/entries/001" {
            assert!(told.starts_with("entry 511:"), "{told}");
        }
        fs::write(&path, whole).unwrap();
    }
    go.accepts("verify", &[&new]);
}
