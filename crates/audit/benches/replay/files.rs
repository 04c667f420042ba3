//! The evidence in files: entries one after the other, each behind its length.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Read, Write},
    ops::Range,
    path::{Path, PathBuf},
};

use convenant_audit::{LedgerKind, LedgerName, RegisterEvidence};
use convenant_ledger::merkle::{Frontier, leaf_hash};
use convenant_ledger::{EntryBytes, LedgerVerifier, note::NoteName};
use convenant_model::{keys::VerifyingKey, register::RootOfTrust};

use serde_json::{Value, json};

use crate::world::{COORDINATOR, Ledgers, ROTTERDAM, TOESLAGEN, UWV, World, oin};

/// For how many days answers are kept: beyond the last exchange, so that none has to be destroyed before.
const RETENTION: Range<u64> = 30..59;
/// How many subjects the mandate allows.
const SUBJECTS: u64 = 20;
/// Between two exchanges; less where there would be too many days. Retention, number of subjects and the day make the
/// facts of every decision others than those of any before it, as long as there are no more than 580 a day.
const SECONDS: u64 = 150;

/// A ledger in a file.
pub(crate) struct Bytes {
    file: PathBuf,
    pub(crate) checkpoint: Vec<u8>,
}

impl Bytes {
    pub(crate) fn entries(&self) -> impl Iterator<Item = Vec<u8>> + use<> {
        Entries(BufReader::with_capacity(1 << 20, File::open(&self.file).unwrap()))
    }
}

struct Entries(BufReader<File>);

impl Iterator for Entries {
    type Item = Vec<u8>;
    fn next(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).ok()?;
        let mut entry = vec![0; u32::from_le_bytes(length) as usize];
        self.0.read_exact(&mut entry).unwrap();
        Some(entry)
    }
}

/// Has a federation make so many entries, and writes what it leaves behind.
pub(crate) fn write(dir: &Path, entries: u64) {
    fs::create_dir_all(dir).unwrap();
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    // The coordinator writes two, each node two, the requester two.
    let exchanges = entries.div_ceil(8);
    let days = RETENTION.start - 1;
    let seconds = (days * 86_400 / exchanges).min(SECONDS);
    for number in 0..exchanges {
        let vary = |query: &mut Value| {
            query["retention_days"] = json!(RETENTION.start + number % days);
            for target in query["targets"].as_array_mut().unwrap() {
                target["subjects"]["count"] = json!(1 + number / days % SUBJECTS);
            }
        };
        world.exchange(&mut ledgers, &vary, false);
        world.now = world.now.plus_seconds(i64::try_from(seconds).unwrap());
    }
    for (name, entries) in ledgers.named() {
        let file = path(dir, &name);
        let mut out = BufWriter::new(File::create(&file).unwrap());
        let mut tree = Frontier::default();
        for entry in entries {
            let entry = EntryBytes::of(entry).unwrap();
            tree.append(leaf_hash(entry.as_bytes()));
            out.write_all(&u32::try_from(entry.as_bytes().len()).unwrap().to_le_bytes()).unwrap();
            out.write_all(entry.as_bytes()).unwrap();
        }
        out.flush().unwrap();
        let signed = world.signer(&name).sign(tree.size(), tree.root(), world.now).unwrap();
        fs::write(file.with_extension("checkpoint"), signed.to_string()).unwrap();
    }
    for (number, document) in world.documents().iter().enumerate() {
        fs::write(dir.join(format!("{number}.document")), document).unwrap();
    }
    fs::write(dir.join("register"), world.register_checkpoint().to_string()).unwrap();
    let (lsi, register) = world.trusted();
    fs::write(dir.join("keys"), serde_json::to_vec(&(lsi, register)).unwrap()).unwrap();
}

/// The register.
pub(crate) fn register(dir: &Path) -> RegisterEvidence {
    let keys = fs::read(dir.join("keys")).unwrap();
    let (lsi, key): (VerifyingKey, VerifyingKey) = serde_json::from_slice(&keys).unwrap();
    let origin = NoteName::new(format!("convenant.register/{COORDINATOR}")).unwrap();
    let verifier = LedgerVerifier::new(origin, key).unwrap();
    let document = |number: usize| fs::read(dir.join(format!("{number}.document"))).ok();
    let documents: Vec<_> = (0..).map_while(document).collect();
    let root = RootOfTrust { lsi: vec![lsi], quorum: 1 };
    let checkpoint = fs::read(dir.join("register")).unwrap();
    RegisterEvidence::verify(root, documents, Some(&checkpoint), &verifier)
}

pub(crate) fn ledgers(dir: &Path) -> Vec<(LedgerName, Bytes)> {
    let names = [
        (LedgerKind::Coordinator, COORDINATOR),
        (LedgerKind::Receipts, ROTTERDAM),
        (LedgerKind::Node, UWV),
        (LedgerKind::Node, TOESLAGEN),
    ];
    let names = names.map(|(kind, party)| LedgerName::new(kind, oin(party)));
    let of = |name: LedgerName| {
        let file = path(dir, &name);
        let checkpoint = fs::read(file.with_extension("checkpoint")).unwrap();
        (name, Bytes { file, checkpoint })
    };
    names.into_iter().map(of).collect()
}

fn path(dir: &Path, name: &LedgerName) -> PathBuf {
    dir.join(format!("{}.entries", name.to_string().replace('/', "-")))
}
