//! Checkpoints under a timestamp: OpenSSL is the authority, and verifies what was kept.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use convenant_ledger::{LedgerSigner, note::NoteName};
use convenant_signing::{SigningKey, SystemRandom, sha256};
use convenant_testkit::Program;
use tempfile::TempDir;

use crate::{deployment::shown, grown::Grown};

const CONFIG: &str = "\
[tsa]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.13762.3
digests = sha256
";

/// A time-stamping authority.
pub(crate) struct Authority {
    dir: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("tsa.cnf"), CONFIG).unwrap();
        fs::write(dir.path().join("serial"), "01\n").unwrap();
        let authority = Self { dir };
        let purpose = "extendedKeyUsage=critical,timeStamping";
        authority.succeeds(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Tijd -keyout tsa.key -out tsa.pem -addext",
            &[purpose],
        );
        authority
    }

    fn succeeds(&self, arguments: &str, more: &[&str]) -> Output {
        let output = self.openssl(arguments, more);
        assert!(output.status.success(), "{arguments}: {}", shown(&output));
        output
    }

    fn openssl(&self, arguments: &str, more: &[&str]) -> Output {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split(' ')).args(more).current_dir(self.dir.path());
        openssl.output().expect("openssl is not installed: `bash tests/run` sees to it")
    }

    /// Answers a request.
    pub(crate) fn stamp(&self, request: &Path) -> PathBuf {
        let response = request.with_extension("tsr");
        let [request, out] = [request, &response].map(|path| path.to_str().unwrap());
        let reply = "ts -reply -config tsa.cnf -section tsa -queryfile";
        self.succeeds(reply, &[request, "-out", out]);
        response
    }

    pub(crate) fn verifies(&self, checkpoint: &Path, response: &Path) -> bool {
        let [data, token] = [checkpoint, response].map(|path| path.to_str().unwrap());
        let output = self.openssl("ts -verify -CAfile tsa.pem -data", &[data, "-in", token]);
        output.status.success()
    }
}

/// The command, and a folder for its files.
struct User {
    program: Program,
    dir: TempDir,
}

impl User {
    fn new() -> Self {
        Self { program: Program::find().unwrap(), dir: tempfile::tempdir().unwrap() }
    }

    fn ledger(&self, command: &str, arguments: &[&Path]) -> Output {
        let (names, values) =
            (command.split(' '), arguments.iter().map(|one| one.to_str().unwrap()));
        let mut line = vec!["ledger".to_owned()];
        let mut values = values.map(ToOwned::to_owned);
        for name in names {
            line.push(name.to_owned());
            if name.starts_with("--") {
                line.extend(values.next());
            }
        }
        self.program.run(&line).unwrap()
    }

    fn ask(&self, ledger: &Path, name: &str) -> PathBuf {
        let request = self.dir.path().join(name);
        let asked = self.ledger("timestamp ask --dir --out", &[ledger, &request]);
        assert!(asked.status.success(), "{}", shown(&asked));
        request
    }

    fn keep(&self, ledger: &Path, request: &Path, response: &Path) -> Output {
        self.ledger("timestamp keep --dir --request --response", &[ledger, request, response])
    }
}

fn refused(output: &Output, code: i32, words: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{}", shown(output));
    assert!(told.contains(words), "{told}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

#[tokio::test]
async fn a_ledger_that_contradicts_a_timestamp_does_not_hold() {
    let (authority, user) = (Authority::new(), User::new());
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    let public = user.dir.path().join("ledger.pub.jwk");
    fs::write(&public, serde_json::to_string(key.verifying_key()).unwrap()).unwrap();
    let jwk = key.to_jwk().to_string();
    let (ours, forked) = (Grown::new(&jwk), Grown::new(&jwk));
    let old = ours.to(200, "ours").await;
    ours.to(300, "ours").await;
    let ledger = ours.ledger();

    // What does not belong to the request is not kept.
    let (first, second) = (user.ask(&ledger, "first.tsq"), user.ask(&ledger, "second.tsq"));
    let response = authority.stamp(&first);
    let other = user.keep(&ledger, &second, &response);
    refused(&other, 2, "it answers another request");
    refused(&user.keep(&ledger, &first, &first), 2, "no response of a time-stamping authority");
    let beside = user.dir.path().join("first.tsq.checkpoint");
    let whole = fs::read(&beside).unwrap();
    fs::write(&beside, [&whole[..], b"\n"].concat()).unwrap();
    refused(&user.keep(&ledger, &first, &response), 2, "something else than");
    fs::write(&beside, whole).unwrap();
    let kept = ledger.join("timestamps");
    assert!(!kept.exists());

    let done = user.keep(&ledger, &first, &response);
    assert!(done.status.success(), "{}", shown(&done));
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(told.starts_with("ledger.example of 300 entries: timestamp of 20"), "{told}");
    let (stamped, token) = (kept.join("300.checkpoint"), kept.join("300.tsr"));
    assert!(authority.verifies(&stamped, &token));
    let altered = user.dir.path().join("altered");
    fs::write(&altered, [&fs::read(&stamped).unwrap()[..], b" "].concat()).unwrap();
    assert!(!authority.verifies(&altered, &token));
    refused(&user.keep(&ledger, &first, &response), 2, "is there already");

    // The ledger goes on, and holds; so does its copy, which takes the timestamps along.
    let new = ours.to(700, "ours").await;
    let exported = user.dir.path().join("copy");
    let done = user.ledger("export --dir --key --out", &[&ledger, &public, &exported]);
    assert!(done.status.success(), "{}", shown(&done));
    assert!(exported.join("timestamps/300.tsr").exists());
    for holds in [&ledger, &exported] {
        let verified = user.ledger("verify --dir --key", &[holds, &public]);
        assert!(verified.status.success(), "{}", shown(&verified));
    }

    // One that was set back, one with another history: each holds by itself, and not beside the timestamp.
    let fork = forked.to(700, "forked").await;
    for other in [old, fork] {
        let alone = user.ledger("verify --dir --key", &[&other, &public]);
        assert!(alone.status.success(), "{}", shown(&alone));
        copy(&kept, &other.join("timestamps"));
        let verified = user.ledger("verify --dir --key", &[&other, &public]);
        refused(&verified, 4, "timestamps/300.checkpoint");
    }
    copy(&kept, &new.join("timestamps"));
    let verified = user.ledger("verify --dir --key", &[&new, &public]);
    assert!(verified.status.success(), "{}", shown(&verified));

    // By whichever key a ledger that was set back is signed now.
    let next = SigningKey::generate(&SystemRandom::new()).unwrap();
    let public = user.dir.path().join("next.pub.jwk");
    fs::write(&public, serde_json::to_string(next.verifying_key()).unwrap()).unwrap();
    let grown = Grown::new(&next.to_jwk());
    let again = grown.to(700, "again").await;
    copy(&kept, &again.join("timestamps"));
    let verified = user.ledger("verify --dir --key", &[&again, &public]);
    refused(&verified, 4, "timestamps/300.checkpoint");
    fs::write(again.join("timestamps/300.checkpoint"), "cut off").unwrap();
    let verified = user.ledger("verify --dir --key", &[&again, &public]);
    refused(&verified, 4, "timestamps/300.checkpoint");
    fs::remove_dir_all(again.join("timestamps")).unwrap();
    let verified = user.ledger("verify --dir --key", &[&again, &public]);
    assert!(verified.status.success(), "{}", shown(&verified));
    refused(&user.keep(&again, &again, &again), 2, "cannot be read");
}

/// An answer fits one request, so a request that waits for it is not written over.
#[tokio::test]
async fn a_request_that_is_there_is_not_written_over() {
    let user = User::new();
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    let ours = Grown::new(&key.to_jwk());
    ours.to(3, "ours").await;
    let request = user.ask(&ours.ledger(), "now.tsq");
    let beside = user.dir.path().join("now.tsq.checkpoint");
    let before = [&request, &beside].map(|file| fs::read(file).unwrap());
    let again = user.ledger("timestamp ask --dir --out", &[&ours.ledger(), &request]);
    refused(&again, 2, "now.tsq` is there already");
    refused(&again, 2, "ledger timestamp keep --dir");
    assert_eq!(before, [&request, &beside].map(|file| fs::read(file).unwrap()));

    // What a request that was never written left behind is somebody's file all the same.
    fs::remove_file(&request).unwrap();
    let again = user.ledger("timestamp ask --dir --out", &[&ours.ledger(), &request]);
    refused(&again, 2, "now.tsq.checkpoint` is there already");
    assert_eq!(before[1], fs::read(&beside).unwrap());
    assert!(!request.exists());
}

/// What an authority says of a checkpoint holds for good: it is asked over no other one than the entries'.
#[tokio::test]
async fn nothing_is_asked_over_a_ledger_that_does_not_hold() {
    let user = User::new();
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    let other = SigningKey::generate(&SystemRandom::new()).unwrap();
    let ours = Grown::new(&key.to_jwk());
    let exported = ours.to(30, "ours").await;
    let ledger = ours.ledger();
    let public = |name: &str, key: &SigningKey| {
        let path = user.dir.path().join(name);
        fs::write(&path, serde_json::to_string(key.verifying_key()).unwrap()).unwrap();
        path
    };
    let (own, wrong) = (public("own.pub.jwk", &key), public("wrong.pub.jwk", &other));
    let request = user.dir.path().join("now.tsq");
    let ask = |ledger: &Path| user.ledger("timestamp ask --dir --out", &[ledger, &request]);
    let signed = "timestamp ask --dir --key --out";
    refused(&user.ledger(signed, &[&ledger, &wrong, &request]), 4, "does not hold");
    assert!(!request.exists());
    for whole in [&ledger, &exported] {
        let asked = user.ledger(signed, &[whole, &own, &request]);
        assert!(asked.status.success(), "{}", shown(&asked));
        fs::remove_file(&request).unwrap();
        fs::remove_file(user.dir.path().join("now.tsq.checkpoint")).unwrap();
    }

    // A letter of the first entry, the end of the last, and the checkpoint of another ledger of as many.
    let segment = ledger.join("segments/00000000000000000000.seg");
    let before = fs::read(&segment).unwrap();
    let mut places = before.windows(4).enumerate().filter(|(_, four)| four == b"ours");
    let (first, last) = (places.next().unwrap().0, places.next_back().unwrap().0);
    let mut altered = before.clone();
    altered[first] = b'y';
    fs::write(&segment, altered).unwrap();
    refused(&ask(&ledger), 4, "damaged");
    fs::write(&segment, &before[..last]).unwrap();
    refused(&ask(&ledger), 4, "the entries end before");
    fs::write(&segment, before).unwrap();
    let forked = Grown::new(&key.to_jwk());
    let forked = forked.to(30, "fork").await;
    fs::copy(forked.join("checkpoint"), ledger.join("checkpoint")).unwrap();
    refused(&ask(&ledger), 4, "states 30 entries, and its root is not that of the entries");
    assert!(!request.exists());
}

#[tokio::test]
async fn beyond_the_end_of_a_ledger_it_is_told_where_it_ends() {
    let user = User::new();
    let ours = Grown::new(&SigningKey::generate(&SystemRandom::new()).unwrap().to_jwk());
    ours.to(30, "ours").await;
    let ledger = ours.ledger();
    let from = |command: &str, from: &str| {
        let dir = ledger.to_str().unwrap();
        let line = [&["ledger"], command.split(' ').collect::<Vec<_>>().as_slice()].concat();
        let output = user.program.run(&[&line[..], &["--dir", dir, "--from", from]].concat());
        let output = output.unwrap();
        assert!(output.status.success(), "{}", shown(&output));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for command in ["records --as fsc", "records --as adl", "entries", "entries --limit 3"] {
        let (records, told) = from(command, "30");
        assert!(records.is_empty(), "{command}: {records}");
        assert!(told.contains("the ledger ends at entry 29"), "{command}: {told}");
        // An entry that makes no record is there all the same.
        let (_, told) = from(command, "29");
        assert!(!told.contains("the ledger ends"), "{command}: {told}");
        assert_eq!(told.contains("no record"), command.starts_with("records"), "{command}: {told}");
    }
}

#[test]
fn the_audit_holds_ledgers_against_their_timestamps() {
    let user = User::new();
    let federation = user.dir.path().join("federation");
    let folder = federation.to_str().unwrap();
    let demo = user.program.run(&["demo", "--dir", folder, "--keep", "--persons", "300"]).unwrap();
    assert!(demo.status.success(), "{}", shown(&demo));
    let audit = || {
        let replayed = user.program.run(&["audit", "replay", "--federation", folder]).unwrap();
        (replayed.status.code(), String::from_utf8(replayed.stdout).unwrap())
    };
    let node = federation.join("nodes/rotterdam");
    let stamps = node.join("state/ledger/timestamps");
    fs::create_dir(&stamps).unwrap();
    let own = fs::read_to_string(node.join("state/ledger/checkpoint")).unwrap();
    fs::write(stamps.join("own.checkpoint"), &own).unwrap();
    assert_eq!(audit().0, Some(0));

    // The party signed for more than it shows.
    let mut lines = own.lines();
    let origin = NoteName::new(lines.next().unwrap()).unwrap();
    let size: u64 = lines.next().unwrap().parse().unwrap();
    let jwk = fs::read_to_string(node.join("ledger.jwk")).unwrap();
    let key = SigningKey::from_jwk(&jwk, &SystemRandom::new()).unwrap();
    let signer = LedgerSigner::new(origin, key).unwrap();
    let now = convenant_model::Timestamp::from_millis(1_750_000_000_000).unwrap();
    for (size, code) in [(size + 1, "LOGBOEK_TERUGGEZET"), (size, "LOGBOEK_VERTAKT")] {
        let signed = signer.sign(size, sha256(b"another tree"), now).unwrap();
        fs::write(stamps.join("more.checkpoint"), signed.to_string()).unwrap();
        let (exit, told) = audit();
        assert_eq!(exit, Some(4), "{told}");
        assert!(told.contains(code), "{told}");
    }
    let coordinator = fs::read(federation.join("coordinator/state/ledger/checkpoint")).unwrap();
    fs::write(stamps.join("more.checkpoint"), coordinator).unwrap();
    let (exit, told) = audit();
    assert_eq!(exit, Some(4), "{told}");
    assert!(told.contains("TIJDSTEMPEL_ONGELDIG"), "{told}");
}
