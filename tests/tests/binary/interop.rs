//! Ledgers of ours, verified with code of others: Go's `golang.org/x/mod/sumdb`, in `tests/interop`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use convenant_ledger::{LedgerSigner, note::NoteName};
use convenant_model::Timestamp;
use convenant_signing::{SigningKey, SystemRandom, sha256};
use convenant_testkit::{Daemon, PortBlock, Program};
use tempfile::TempDir;

use crate::{
    deployment::{shown, text},
    grown::Grown,
};

const ROTTERDAM: &str = "00000099000000000599";

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

fn done(program: &Program, arguments: &[&str]) -> Output {
    let output = program.run(arguments).unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", shown(&output));
    output
}

pub(crate) fn export(program: &Program, ledger: &Path, key: &Path, out: &Path) {
    let [ledger, key, out] = [ledger, key, out].map(text);
    done(program, &["ledger", "export", "--dir", ledger, "--key", key, "--out", out]);
}

/// What the demo leaves in `federation` of a folder.
fn demo(program: &Program, folder: &Path, more: &[&str]) -> PathBuf {
    let federation = folder.join("federation");
    let run = ["demo", "--dir", text(&federation), "--keep", "--persons", "300"];
    done(program, &[&run[..], more].concat());
    federation
}

/// One bit of the file is another, for as long as that is looked at.
fn with_a_flipped_bit(path: &Path, look: impl FnOnce()) {
    let whole = fs::read(path).unwrap();
    let mut bytes = whole.clone();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
    look();
    fs::write(path, whole).unwrap();
}

/// Files of a ledger's tiles, of hashes and of entries.
fn tiles(copy: &Path) -> Vec<PathBuf> {
    let under = convenant_testkit::evidence::files_under(&copy.join("tile"));
    under.unwrap()
}

#[test]
fn go_verifies_every_ledger_of_the_demo() {
    let (dir, program, go) = (tempfile::tempdir().unwrap(), Program::find().unwrap(), Go::build());
    let federation = demo(&program, dir.path(), &[]);
    let ledgers = ledgers(&federation);
    assert_eq!(ledgers.len(), 9, "{ledgers:?}");
    for (number, (ledger, key)) in ledgers.iter().enumerate() {
        let copy = dir.path().join(format!("copy-{number}"));
        export(&program, ledger, key, &copy);
        let told = go.accepts("verify", &[&copy]);
        let verified = ["ledger", "verify", "--json", "--dir", text(&copy), "--key", text(key)];
        let verified = done(&program, &verified);
        let verified: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert!(told.starts_with(&format!("{} entries", verified["entries"])), "{told}");
        // The register's checkpoint carries the time.
        let timed = ledger.ends_with("register");
        assert_eq!(told.contains(" 1 cosignatures"), timed, "{told}");

        let altered = tiles(&copy);
        assert!(altered.len() >= 2, "hashes and entries: {altered:?}");
        for file in altered.iter().chain([&copy.join("checkpoint")]) {
            with_a_flipped_bit(file, || {
                let told = go.refuses("verify", &[&copy]);
                if file.starts_with(copy.join("tile/entries")) {
                    // The last byte of a bundle is one of its last entry.
                    let last = verified["entries"].as_u64().unwrap() - 1;
                    assert!(told.starts_with(&format!("entry {last}:")), "{told}");
                }
            });
        }
        assert_eq!(go.accepts("verify", &[&copy]), told);
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

/// After the demo ledgers and register go on without their witnesses: what these cosigned before leads to each as it is
/// now, and to nothing else.
#[test]
fn go_holds_what_witnesses_of_the_demo_cosigned_against_its_ledgers() {
    let (dir, program, go) = (tempfile::tempdir().unwrap(), Program::find().unwrap(), Go::build());
    let ports = PortBlock::claim().unwrap();
    let first = ports.ports()[0].to_string();
    let federation = demo(&program, dir.path(), &["--port", &first]);
    let (node, coordinator) = (federation.join("nodes/rotterdam"), federation.join("coordinator"));
    goes_on(&program, &federation);

    let ledgers = ledgers(&federation);
    let copies: Vec<_> = (0..ledgers.len()).map(|n| dir.path().join(format!("copy-{n}"))).collect();
    for ((ledger, key), copy) in ledgers.iter().zip(&copies) {
        export(&program, ledger, key, copy);
    }
    let vkeys: String =
        copies.iter().map(|copy| fs::read_to_string(copy.join("vkeys")).unwrap()).collect();
    let mut grew = Vec::new();
    for ((ledger, key), copy) in ledgers.iter().zip(&copies) {
        let own = fs::read_to_string(copy.join("vkeys")).unwrap();
        for (number, note) in witnessed(copy).iter().enumerate() {
            let old = copy.with_extension(format!("before-{number}"));
            fs::create_dir(&old).unwrap();
            fs::write(old.join("checkpoint"), note).unwrap();
            fs::write(old.join("vkeys"), format!("{own}{}", vkeys.replace(&own, ""))).unwrap();
            let told = go.accepts("consistent", &[&old, copy]);
            let (before, now, cosigned) = sizes(&told);
            // The register's own key signs it with the time as well.
            assert_eq!(cosigned, 1 + u64::from(ledger.ends_with("register")), "{told}");
            assert!(before <= now, "{told}");
            if before < now {
                grew.push(ledger.clone());
                go.refuses("consistent", &[copy, &old]);
            }
            // Another history of as many entries, under the ledger's own key.
            let key =
                key.with_file_name(key.file_name().unwrap().to_str().unwrap().replace(".pub", ""));
            fs::write(old.join("checkpoint"), another(note, &key)).unwrap();
            go.refuses("consistent", &[&old, copy]);
        }
    }
    for ledger in [
        coordinator.join("state/ledger"),
        coordinator.join("state/register"),
        node.join("state/ledger"),
    ] {
        assert!(grew.contains(&ledger), "{ledger:?}: {grew:?}");
    }
}

/// Coordinator and node of Rotterdam run together, and then each without the other.
fn goes_on(program: &Program, federation: &Path) {
    let run = |role: &str, folder: &str| {
        let (log, config) =
            (federation.join(format!("{role}.log")), format!("{folder}/{role}.toml"));
        let config = federation.join(config);
        Daemon::start(program.command(&[role, "run", "--config", text(&config)]), &log).unwrap()
    };
    let node = run("node", "nodes/rotterdam");
    // It asks the node for the last time when it stops.
    run("coordinator", "coordinator").stop().unwrap();
    node.stop().unwrap();
    run("node", "nodes/rotterdam").stop().unwrap();
    let coordinator = run("coordinator", "coordinator");
    suspend(program, federation);
    coordinator.stop().unwrap();
}

/// Rotterdam suspends what it provides, so that the register has another document.
fn suspend(program: &Program, federation: &Path) {
    let document = federation.join("suspension.toml");
    let suspend =
        ["project", "suspend", "P-2026-001", "--partner", ROTTERDAM, "--reason", "een fout"];
    done(program, &[&suspend[..], &["--out", text(&document)]].concat());
    let key = federation.join("nodes/rotterdam/signing.jwk");
    done(program, &["sign", text(&document), "--key", text(&key)]);
    let (signed, config) = (document.with_extension("jws"), federation.join("leader/client.toml"));
    done(program, &["register", "submit", text(&signed), "--config", text(&config)]);
}

/// The checkpoints of a ledger that others cosigned.
fn witnessed(copy: &Path) -> Vec<String> {
    let Ok(notes) = fs::read_dir(copy.join("witnessed")) else { return Vec::new() };
    notes.map(|note| fs::read_to_string(note.unwrap().path()).unwrap()).collect()
}

/// Entries before and now, and cosignatures, of `the first 3 of 4 entries are the same, 1 cosignatures`.
fn sizes(told: &str) -> (u64, u64, u64) {
    let mut numbers = told.split(' ').filter_map(|word| word.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap(), numbers.next().unwrap())
}

/// A checkpoint of the same ledger and of as many entries, with another root.
fn another(note: &str, key: &Path) -> String {
    let mut lines = note.lines();
    let origin = NoteName::new(lines.next().unwrap()).unwrap();
    let size = lines.next().unwrap().parse().unwrap();
    let key =
        SigningKey::from_jwk(&fs::read_to_string(key).unwrap(), &SystemRandom::new()).unwrap();
    let now = Timestamp::from_millis(1_750_000_000_000).unwrap();
    let signed = LedgerSigner::new(origin, key).unwrap().sign(size, sha256(b"another tree"), now);
    signed.unwrap().to_string()
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
        with_a_flipped_bit(&new.join(tile), || {
            let told = go.refuses("verify", &[&new]);
            if tile == "tile/entries/001" {
                assert!(told.starts_with("entry 511:"), "{told}");
            }
        });
    }
    go.accepts("verify", &[&new]);
}
