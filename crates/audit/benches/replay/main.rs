//! An audit of a whole federation: register, coordinator, two nodes and a requester's receipts, from bytes in files;
//! beside it the bare signature checks that this cannot do without, on as many cores. Another process makes the
//! ledgers, so that the peak of memory is the audit's own.
//!
//! `cargo bench -p convenant-audit --bench replay [ENTRIES]`

#![expect(clippy::print_stdout, reason = "a benchmark reports on stdout")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first fault")]
#![expect(clippy::indexing_slicing, reason = "a benchmark stops at the first fault")]
#![expect(clippy::panic, reason = "a benchmark stops at the first fault")]

use std::{
    convert::Infallible,
    env, fs, iter,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use convenant_audit::{Beside, LedgerName, Source, audit};
use convenant_exchange::QUERY_TYPE;
use convenant_ledger::EntryBytes;
use convenant_model::{entry::Entry, keys::VerifyingKey, query::Query};
use convenant_signing::{parse_canonical, peek_compact, verify};

#[path = "../../tests/replay/documents.rs"]
mod documents;
mod files;
#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/replay/world.rs"]
mod world;

/// The command's, on both sides of the comparison.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many signatures the bare checks make: the rate is the same for more.
const SAMPLE: usize = 100_000;

fn main() {
    let numbers = || env::args().filter_map(|arg| arg.parse().ok());
    let entries: u64 = numbers().next().unwrap_or(100_000);
    let dir = env::temp_dir().join(format!("convenant-replay-{entries}"));
    if env::args().any(|arg| arg == "--write") {
        return files::write(&dir, entries);
    }
    let mut other = Command::new(env::current_exe().unwrap());
    let written = other.args(["--write", &entries.to_string()]).status().unwrap();
    assert!(written.success(), "the ledgers could not be made");
    run(&dir);
    fs::remove_dir_all(&dir).unwrap();
}

fn run(dir: &Path) {
    let cores = thread::available_parallelism().unwrap().get();
    let started = Instant::now();
    let register = files::register(dir);
    let ledgers = files::ledgers(dir);
    let report = audit(&register, |replay| {
        let begin = |(name, bytes): &(LedgerName, files::Bytes)| {
            let entries = (0..).zip(bytes.entries()).map(Ok::<_, Infallible>);
            let beside = Beside::signed(bytes.checkpoint.clone());
            Source::new(replay.ledger(name.clone(), beside), entries)
        };
        let mut sources: Vec<_> = ledgers.iter().map(begin).collect();
        replay.read(&mut sources, || {});
        for source in sources {
            replay.add(source.replay.finish(|_| None, iter::empty));
        }
        Ok::<_, Infallible>(())
    });
    let report = report.unwrap();
    let whole = started.elapsed();
    let peak = peak_mebibytes();
    assert!(report.holds(), "{report}");
    let entries: u64 = report.ledgers.iter().map(|one| one.counts.entries).sum();
    let counts = report.ledgers.iter().map(|one| one.counts.decisions + 2 * one.counts.receipts);
    let checks: u64 = counts.sum();
    println!("{entries} entries, {checks} signatures, {cores} cores, peak {peak} MiB");
    let rate = bare_rate(&ledgers, cores);
    let seconds = whole.as_secs_f64();
    println!(
        "replay                  {seconds:>8.2} s {:>9.0} entries/s",
        entries as f64 / seconds
    );
    println!("                                   {:>9.0} signatures/s", checks as f64 / seconds);
    println!("bare signature checks              {rate:>9.0} signatures/s");
    println!("replay / bare checks    {:>8.2}", checks as f64 / seconds / rate);
}

/// Signatures that all cores check in a second, of queries as they stand in the ledgers.
fn bare_rate(ledgers: &[(LedgerName, files::Bytes)], cores: usize) -> f64 {
    let entries = ledgers.iter().flat_map(|(_, bytes)| bytes.entries());
    let sample: Vec<_> = entries.filter_map(|entry| signed(&entry)).take(SAMPLE).collect();
    let check = |(key, input, signature): &(VerifyingKey, Vec<u8>, Vec<u8>)| {
        verify(key, input, signature).unwrap();
    };
    let took: Duration = {
        let started = Instant::now();
        thread::scope(|scope| {
            for part in sample.chunks(sample.len().div_ceil(cores)) {
                scope.spawn(move || part.iter().for_each(check));
            }
        });
        started.elapsed()
    };
    sample.len() as f64 / took.as_secs_f64()
}

/// Key, signed bytes and signature of the query in an entry (RFC 7515 §7.1).
fn signed(entry: &[u8]) -> Option<(VerifyingKey, Vec<u8>, Vec<u8>)> {
    let text = match EntryBytes::parse(entry).unwrap() {
        Entry::Decision(decision) => decision.signed_query,
        Entry::Receipt(receipt) => receipt.signed_query,
        _ => return None,
    };
    let unverified = peek_compact(&text, QUERY_TYPE).unwrap();
    let query: Query = parse_canonical(unverified.payload(), "query").unwrap();
    let (input, signature) = text.rsplit_once('.')?;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let signature = base64::Engine::decode(&engine, signature).unwrap();
    Some((query.requester.key, input.as_bytes().to_vec(), signature))
}

/// Most memory that this process ever had (proc(5)).
fn peak_mebibytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
