//! Appends a second with 64 writers, beside a bare file with the same group commit: the same queue,
//! the same grouping, one copy into a buffer, one write, one `fdatasync`.
//!
//! `cargo bench -p convenant-store --bench ledger [SECONDS]`

#![expect(clippy::print_stdout, reason = "a benchmark reports on stdout")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first fault")]

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use convenant_ledger::{LedgerSigner, note::NoteName};
use convenant_model::{
    Clock, Oin, Timestamp,
    entry::{Entry, Started},
};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_store::{Layout, LedgerHandle, Options};
use tokio::sync::oneshot;

const WRITERS: usize = 64;
/// About the size of a decision with its signed query.
const ENTRY_BYTES: usize = 2048;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_750_000_000_000).unwrap()
    }
}

fn main() {
    let seconds = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(4);
    let duration = Duration::from_secs(seconds);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // In turns, because a disk's speed varies from one second to the next.
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..3 {
        let path = |name: &str| folder.path().join(format!("{name}{round}"));
        // Made before and removed after all timing: both keep the disk busy for a while.
        let (growing, ahead) = (bare_file(&path("growing"), 0), bare_file(&path("ahead"), 256));
        rates[0].push(runtime.block_on(bare(growing, duration)));
        rates[1].push(runtime.block_on(ledger(&path("ledger"), duration)));
        rates[2].push(runtime.block_on(bare(ahead, duration)));
    }
    let [growing, ledger, allocated] = rates.map(median);
    println!("{WRITERS} writers, entries of {ENTRY_BYTES} bytes, appends a second:");
    println!("bare file that grows         {growing:>9.0}");
    println!("bare file written ahead      {allocated:>9.0}");
    println!("ledger                       {ledger:>9.0}");
    println!("ledger / bare file that grows    {:.2}", ledger / growing);
    println!("ledger / bare file written ahead {:.2}", ledger / allocated);
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap()
}

async fn ledger(folder: &Path, duration: Duration) -> f64 {
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    let signer = LedgerSigner::new(NoteName::new("ledger.example/bench").unwrap(), key).unwrap();
    let (folder, layout) = (folder.to_owned(), Layout::default());
    let options = Options { folder, signer, clock: Arc::new(Fixed), layout };
    let (handle, _) = LedgerHandle::open(options, &mut |_| {}).unwrap();
    let recorder = handle.clone();
    let rate = drive(duration, move |number| {
        let handle = recorder.clone();
        async move { drop(handle.record(entry(number)).await.unwrap()) }
    })
    .await;
    handle.close().await;
    rate
}

fn entry(number: u64) -> Entry {
    Entry::Started(Started {
        party: Oin::new("00000099000000001000").unwrap(),
        at: Fixed.now(),
        software: "x".repeat(ENTRY_BYTES - 130),
        torn_bytes: number,
    })
}

fn bare_file(path: &Path, mebibytes: usize) -> File {
    let mut file = OpenOptions::new().create_new(true).write(true).open(path).unwrap();
    (0..mebibytes).for_each(|_| file.write_all(&[0; 1024 * 1024]).unwrap());
    file.sync_all().unwrap();
    file
}

/// The same queue and grouping, and nothing but bytes in a file.
async fn bare(file: File, duration: Duration) -> f64 {
    let (sender, receiver) = mpsc::channel::<(Vec<u8>, oneshot::Sender<()>)>();
    let writer = std::thread::spawn(move || write_groups(&file, &receiver));
    let rate = drive(duration, move |_| {
        let sender = sender.clone();
        async move {
            let (reply, answer) = oneshot::channel();
            sender.send((vec![7; ENTRY_BYTES], reply)).unwrap();
            answer.await.unwrap();
        }
    })
    .await;
    writer.join().unwrap();
    rate
}

fn write_groups(file: &File, receiver: &mpsc::Receiver<(Vec<u8>, oneshot::Sender<()>)>) {
    let (mut offset, mut bytes) = (0, Vec::new());
    while let Ok(first) = receiver.recv() {
        let group: Vec<_> = [first].into_iter().chain(receiver.try_iter().take(1023)).collect();
        bytes.clear();
        group.iter().for_each(|(entry, _)| bytes.extend_from_slice(entry));
        file.write_all_at(&bytes, offset).unwrap();
        file.sync_data().unwrap();
        offset += bytes.len() as u64;
        group.into_iter().for_each(|(_, reply)| reply.send(()).unwrap());
    }
}

async fn drive<F: Future<Output = ()> + Send + 'static>(
    duration: Duration,
    append: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) -> f64 {
    let started = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let append = append.clone();
            tokio::spawn(async move {
                let mut appended = 0;
                while started.elapsed() < duration {
                    append(appended).await;
                    appended += 1;
                }
                appended
            })
        })
        .collect();
    let mut appended = 0;
    for writer in writers {
        appended += writer.await.unwrap();
    }
    appended as f64 / started.elapsed().as_secs_f64()
}
