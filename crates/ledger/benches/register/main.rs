//! A new party catches up from nothing: a register of signed documents, verified and admitted from bytes on one
//! core; beside it the bare signature checks that this cannot do without, and the fold alone.
//!
//! `cargo bench -p convenant-ledger --bench register [DOCUMENTS]`

#![expect(clippy::print_stdout, reason = "a benchmark reports on stdout")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first fault")]
#![expect(clippy::indexing_slicing, reason = "a benchmark stops at the first fault")]

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use convenant_ledger::register::Register;
use convenant_model::{
    Digest,
    keys::VerifyingKey,
    register::{Envelope, RegisterState},
};
use convenant_signing::{Jws, verify};

mod federation;

use federation::Federation;

const MEMBERS: usize = 300;

fn main() {
    let documents = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(100_000);
    let mut federation = Federation::new(MEMBERS);
    let mut project = 0;
    while federation.documents.len() < documents {
        federation.project(project);
        project += 1;
    }
    let Federation { documents, .. } = &federation;
    let bytes: usize = documents.iter().map(Vec::len).sum();
    println!(
        "{} documents, {MEMBERS} organisations, {project} projects, {} MiB",
        documents.len(),
        bytes >> 20
    );
    let whole = append(&federation);
    let (checks, checked) = bare_checks(&federation);
    let folded = fold(&federation);
    let line = |what: &str, time: Duration| {
        let seconds = time.as_secs_f64();
        println!(
            "{what:<34} {seconds:>7.2} s {:>9.0} documents/s",
            documents.len() as f64 / seconds
        );
    };
    line("verify and admit from bytes", whole);
    line(&format!("bare checks of {checks} signatures"), checked);
    line("fold alone", folded);
    println!(
        "verify and admit / bare checks     {:.2}",
        whole.as_secs_f64() / checked.as_secs_f64()
    );
    clone_cost(&federation);
}

fn append(federation: &Federation) -> Duration {
    let mut register = Register::new(federation.root());
    let started = Instant::now();
    for (index, document) in federation.documents.iter().enumerate() {
        register.append(document).map_err(|error| format!("{index}: {error}")).unwrap();
    }
    started.elapsed()
}

/// An envelope that notes which signatures were asked for and held.
struct Noting<'a> {
    jws: Jws,
    asked: &'a RefCell<Vec<(usize, VerifyingKey)>>,
    index: usize,
}

impl Envelope for Noting<'_> {
    fn typ(&self) -> &str {
        self.jws.typ()
    }
    fn payload(&self) -> &[u8] {
        self.jws.payload()
    }
    fn payload_hash(&self) -> Digest {
        self.jws.payload_hash()
    }
    fn signed_by(&self, key: &VerifyingKey) -> bool {
        let held = self.jws.signed_by(key);
        if held {
            self.asked.borrow_mut().push((self.index, key.clone()));
        }
        held
    }
}

/// As many bare checks, over as many bytes, as the register makes.
fn bare_checks(federation: &Federation) -> (usize, Duration) {
    let (asked, mut state) = (RefCell::default(), RegisterState::new(federation.root()));
    for (index, document) in federation.documents.iter().enumerate() {
        state.admit(&Noting { jws: Jws::parse(document).unwrap(), asked: &asked, index }).unwrap();
    }
    let asked = asked.into_inner();
    let signed: Vec<_> = asked.iter().map(|(index, key)| inputs(federation, *index, key)).collect();
    let started = Instant::now();
    for ((_, key), (input, signature)) in asked.iter().zip(&signed) {
        verify(key, input, signature).unwrap();
    }
    (asked.len(), started.elapsed())
}

/// What a key signed in a document, and its signature (RFC 7515 §5.1).
fn inputs(federation: &Federation, index: usize, key: &VerifyingKey) -> (Vec<u8>, Vec<u8>) {
    let bytes = &federation.documents[index];
    let general: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let id = convenant_signing::key_id(key);
    let place = Jws::parse(bytes).unwrap().key_ids().position(|one| *one == id).unwrap();
    let one = &general["signatures"][place];
    let (header, payload) =
        (one["protected"].as_str().unwrap(), general["payload"].as_str().unwrap());
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let signature = base64::Engine::decode(&engine, one["signature"].as_str().unwrap()).unwrap();
    (format!("{header}.{payload}").into_bytes(), signature)
}

/// An envelope whose signatures are known to be good.
struct Known {
    jws: Jws,
    hash: Digest,
}

impl Envelope for Known {
    fn typ(&self) -> &str {
        self.jws.typ()
    }
    fn payload(&self) -> &[u8] {
        self.jws.payload()
    }
    fn payload_hash(&self) -> Digest {
        self.hash
    }
    fn signed_by(&self, _: &VerifyingKey) -> bool {
        true
    }
}

fn fold(federation: &Federation) -> Duration {
    let known = |document: &Vec<u8>| {
        let jws = Jws::parse(document).unwrap();
        Known { hash: jws.payload_hash(), jws }
    };
    let envelopes: Vec<_> = federation.documents.iter().map(known).collect();
    let mut state = RegisterState::new(federation.root());
    let started = Instant::now();
    for envelope in &envelopes {
        state.admit(envelope).unwrap();
    }
    started.elapsed()
}

/// What one more document costs whoever keeps the state before it, as a party does that decides meanwhile.
fn clone_cost(federation: &Federation) {
    let mut register = Register::new(federation.root());
    let (last, others) = federation.documents.split_last().unwrap();
    for document in others {
        register.append(document).unwrap();
    }
    let line = |what: &str, since: Instant| {
        println!("{what:<34} {:>7.2} ms", since.elapsed().as_secs_f64() * 1000.0);
    };
    let started = Instant::now();
    let mut copy = std::hint::black_box(register.clone());
    line("a copy of the register", started);
    let started = Instant::now();
    copy.append(last).unwrap();
    line("one more document in it", started);
    let started = Instant::now();
    drop(register);
    line("dropping the one before", started);
}
