//! What the demo signed, verified with code of others: Python's `jwcrypto`, in `tests/interop`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use convenant_signing::peek_compact;
use convenant_testkit::{Program, evidence::files_under};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::deployment::{shown, text};

const QUERY: &str = "convenant-query+json";
const OUTCOME: &str = "convenant-outcome+json";
const VOUCHING: &str = "convenant-vouching+json";
const REPORT: &str = "convenant-subject-report+json";

/// Types of the documents that the demo puts in its register.
const DOCUMENTS: [&str; 7] = [
    "convenant-accession+json",
    "convenant-attestation+json",
    "convenant-covenant+json",
    "convenant-decision+json",
    "convenant-enrolment+json",
    "convenant-mandate+json",
    "convenant-proposal+json",
];

/// What a federation left behind, and a place for files of our own.
struct Left {
    dir: TempDir,
    program: Program,
    federation: PathBuf,
}

impl Left {
    fn by_the_demo() -> Self {
        let (dir, program) = (tempfile::tempdir().unwrap(), Program::find().unwrap());
        let federation = dir.path().join("federation");
        let left = Self { dir, program, federation };
        left.done(&["demo", "--dir", text(&left.federation), "--keep", "--persons", "300"]);
        left
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.program.run(arguments).unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", shown(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn files(&self, suffix: &str) -> Vec<PathBuf> {
        let mut files = files_under(&self.federation).unwrap();
        files.retain(|path| text(path).ends_with(suffix));
        files
    }

    /// The entries of every ledger, but for the register's.
    fn entries(&self) -> Vec<Value> {
        let checkpoints = self.files("/ledger/checkpoint").into_iter();
        let checkpoints = checkpoints.chain(self.files("/receipts/checkpoint"));
        let of = |checkpoint: PathBuf| {
            let ledger = checkpoint.parent().unwrap();
            let lines = self.done(&["ledger", "entries", "--dir", text(ledger)]);
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
        };
        checkpoints.flat_map(of).map(|mut line| line["entry"].take()).collect()
    }

    /// A report on somebody about whom nothing was asked, which says so under the node's key.
    fn report(&self) -> String {
        let (bsn, config) = (self.path("bsn.txt"), self.federation.join("nodes/svb/node.toml"));
        fs::write(&bsn, "900000004\n").unwrap();
        self.done(&["subject-report", "--config", text(&config), "--bsn-file", text(&bsn)])
    }

    /// A mandate of the demo, signed anew under two keys of different kinds.
    fn signed_twice(&self) -> (String, [Value; 2]) {
        let mandate = self.files(".toml").into_iter().find(|path| text(path).contains("mandate"));
        let document = self.path("mandate.toml");
        fs::copy(mandate.unwrap(), &document).unwrap();
        let publics = ["ed25519", "p256"].map(|algorithm| {
            let (private, public) = self.new_key(algorithm, algorithm);
            self.done(&["sign", text(&document), "--key", text(&private)]);
            public
        });
        (fs::read_to_string(document.with_extension("jws")).unwrap(), publics)
    }

    fn new_key(&self, name: &str, algorithm: &str) -> (PathBuf, Value) {
        let private = self.path(&format!("{name}.jwk"));
        let new = ["keys", "new", "--kind", "signing", "--alg", algorithm];
        self.done(&[&new[..], &["--out", text(&private)]].concat());
        let public = fs::read(private.with_extension("pub.jwk")).unwrap();
        (private, serde_json::from_slice(&public).unwrap())
    }

    /// What `jose.py` says of each, in the same order.
    fn verified(&self, keys: &Value, signed: &[String]) -> Vec<Value> {
        let (keys_file, folder) = (self.path("keys.json"), self.path("signed"));
        fs::write(&keys_file, keys.to_string()).unwrap();
        fs::create_dir_all(&folder).unwrap();
        let files: Vec<_> = (0..signed.len()).map(|n| folder.join(format!("{n}.jws"))).collect();
        files.iter().zip(signed).for_each(|(file, signed)| fs::write(file, signed).unwrap());
        // Debian's Python, which sees Debian's packages.
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/jose.py");
        let output = Command::new(python).arg("-I").arg(script).arg(keys_file).args(files).output();
        let output = output.expect("Python is not installed: `bash tests/run` sees to it");
        assert!(output.status.success(), "{}", shown(&output));
        let told = String::from_utf8(output.stdout).unwrap();
        let told: Vec<_> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(told.len(), signed.len());
        told
    }
}

fn member<'a>(entries: &'a [Value], name: &'a str) -> impl Iterator<Item = String> + 'a {
    entries.iter().filter_map(move |entry| entry[name].as_str()).map(ToOwned::to_owned)
}

/// The keys that are published, and those that a query names itself: who asks without being enrolled is on record too.
fn keys(left: &Left, queries: &[String]) -> Value {
    let published = left.files(".pub.jwk").into_iter().map(|path| fs::read(path).unwrap());
    let published = published.map(|bytes| serde_json::from_slice(&bytes).unwrap());
    let named = queries.iter().map(|signed| {
        let unverified = peek_compact(signed, QUERY).unwrap();
        let query: Value = serde_json::from_slice(unverified.payload()).unwrap();
        query["requester"]["key"].clone()
    });
    json!({ "keys": published.chain(named).collect::<Vec<Value>>() })
}

#[test]
fn jwcrypto_verifies_all_that_the_demo_signed_and_nothing_that_was_altered() {
    let left = Left::by_the_demo();
    let entries = left.entries();
    let queries: Vec<_> = member(&entries, "signed_query").collect();
    let vouchers = left.files(".vouchers").into_iter().map(|path| {
        let kept: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        kept["statement"].as_str().unwrap().to_owned()
    });
    let documents = left.files(".jws");
    let mut signed: Vec<_> =
        documents.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    signed.extend(queries.iter().cloned().chain(member(&entries, "outcome")).chain(vouchers));
    signed.push(left.report());
    let (twice, own) = left.signed_twice();
    signed.push(twice);
    let mut keys = keys(&left, &queries);
    keys["keys"].as_array_mut().unwrap().extend(own);

    let told = left.verified(&keys, &signed);
    let mut kinds = BTreeMap::new();
    for (told, signed) in told.iter().zip(&signed) {
        assert_eq!(told["holds"], true, "{told}: {signed}");
        kinds.entry(told["typ"].as_str().unwrap()).or_insert((signed, told["signatures"].clone()));
    }
    let found: BTreeSet<_> = kinds.keys().copied().collect();
    assert_eq!(found, DOCUMENTS.into_iter().chain([QUERY, OUTCOME, VOUCHING, REPORT]).collect());
    assert_eq!(told.last().unwrap()["signatures"], 2, "Ed25519 and P-256 under one document");
    // The LSI decides with a quorum.
    assert!(kinds["convenant-decision+json"].1.as_u64() > Some(1));

    let samples: Vec<_> = kinds.values().map(|(signed, _)| (*signed).clone()).collect();
    for alter in [flipped_payload, flipped_signature, without_algorithm] {
        let altered: Vec<_> = samples.iter().map(|signed| alter(signed)).collect();
        for (told, kind) in left.verified(&keys, &altered).iter().zip(kinds.keys()) {
            assert_eq!(told["holds"], false, "{kind}: {told}");
            let fault = told["fault"].as_str().unwrap();
            assert!(fault.starts_with("InvalidJWSSignature"), "{kind}: {fault}");
        }
    }
    let (_, stranger) = left.new_key("stranger", "ed25519");
    for (told, kind) in left.verified(&stranger, &samples).iter().zip(kinds.keys()) {
        assert_eq!(told["holds"], false, "{kind}: {told}");
        assert!(told["fault"].as_str().unwrap().starts_with("InvalidJWSSignature"), "{told}");
    }
}

/// Changes the parts of a JWS, those of the first signature where there are several: header, payload, signature.
fn change(signed: &str, change: impl FnOnce([String; 3]) -> [String; 3]) -> String {
    let Ok(mut general) = serde_json::from_str::<Value>(signed) else {
        let parts: Vec<_> = signed.split('.').map(ToOwned::to_owned).collect();
        return change(parts.try_into().unwrap()).join(".");
    };
    let first = &general["signatures"][0];
    let parts = [&first["protected"], &general["payload"], &first["signature"]];
    let [protected, payload, signature] =
        change(parts.map(|part| part.as_str().unwrap().to_owned()));
    general["payload"] = payload.into();
    general["signatures"][0]["protected"] = protected.into();
    general["signatures"][0]["signature"] = signature.into();
    general.to_string()
}

/// Another character in the middle, which is another byte.
fn flipped(part: &str) -> String {
    let middle = part.len() / 2;
    let other = if &part[middle..=middle] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &part[..middle], &part[middle + 1..])
}

fn flipped_payload(signed: &str) -> String {
    change(signed, |[protected, payload, signature]| [protected, flipped(&payload), signature])
}

fn flipped_signature(signed: &str) -> String {
    change(signed, |[protected, payload, signature]| [protected, payload, flipped(&signature)])
}

/// `alg` is `none`, and there is no signature (RFC 7518 §3.6).
fn without_algorithm(signed: &str) -> String {
    // `{"alg":"EdDSA",` and `{"alg":"none" ,` in base64url: fifteen bytes each, so that what follows stays as it is.
    let (eddsa, none) = ("eyJhbGciOiJFZERTQSIs", "eyJhbGciOiJub25lIiAs");
    change(signed, |[protected, payload, _]| {
        let rest = protected.strip_prefix(eddsa).unwrap();
        [format!("{none}{rest}"), payload, String::new()]
    })
}
