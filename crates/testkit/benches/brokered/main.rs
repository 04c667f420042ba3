//! A brokered query beside a bare two-hop relay over the same mutual TLS, in one run.
//!
//! Every party of either side is a process of its own: requester, coordinator or relay, and node. The
//! bare relay carries the same messages with as many bytes in them, as tonic does by itself, and decides, signs, seals
//! and records nothing. Absolute figures say little on a shared machine; the ratios are the result, of medians where
//! something is measured more than once.
//!
//! Lookups ask the same of one subject after the other, as a project leader does, so what the rules said of the first
//! is kept for the others.
//!
//! Run with `just bench`, or: `cargo build --release -p convenant-cli && cargo bench -p
//! convenant-testkit`. `LARGE_MIB` sets the size of the larger select.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and ends at a fault"
)]

mod bare;
mod floor;
mod ours;
mod setting;
mod taking;

use std::time::Duration;

use convenant_testkit::Fallible;

use crate::ours::Leader::{Keeps, Takes};

/// The command's, on both sides of the comparison.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Requests of a round in sequence, and of one with 64 at a time.
const ALONE: usize = 150;
const TOGETHER: usize = 2048;
const AT_ONCE: usize = 64;

/// How often everything is measured, by turns with the bare relay.
const ROUNDS: usize = 3;

/// The headline leaves this out; nodes do it unless told otherwise.
const ALONE_SAID: &str = "the exchange alone, without an account of whom it is about";
/// What is measured besides, in the same run.
const LEADER: &str = "with receipt and rows on the leader's disk";
const ACCOUNT: &str = "with an account of whom it is about at the node";

#[tokio::main]
async fn main() -> Fallible<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare-node", dir] => bare::node(dir).await,
        ["bare-relay", dir] => bare::relay(dir).await,
        [.., "lookups"] => compare(false).await,
        _ => compare(true).await,
    }
}

async fn compare(selects: bool) -> Fallible<()> {
    let large = std::env::var("LARGE_MIB").ok().and_then(|mib| mib.parse().ok()).unwrap_or(512);
    let setting = setting::Setting::write(&[10, large])?;
    let (relay, ours) = (bare::Bare::start(&setting)?, ours::Ours::start(&setting).await?);

    let [few, more] = setting::KEEPING;
    let carried = ours.carried("klein").await?;
    println!(
        "a lookup carries {} bytes of query, {} of subjects, {} of answer, {} of outcome",
        carried.query, carried.subjects, carried.answer, carried.outcome
    );
    let [bare, brokered] = by_turns(&relay, &ours, carried, (ALONE, 1)).await?;
    println!("lookup of one subject, concurrency 1, median; {ALONE_SAID}:");
    println!("  bare relay  {:>9.3} ms", millis(bare.median));
    println!("  brokered    {:>9.3} ms", millis(brokered.median));
    let sync = setting.sync_median(brokered.median)?;
    println!("  one append + fdatasync on this disk, at that pace {:.3} ms", millis(sync));
    let rest = brokered.median.saturating_sub(2 * sync);
    println!("  brokered less two of those {:.3} ms (target: under 2 ms)", millis(rest));
    for (what, from) in [(LEADER, ("klein", Keeps)), (ACCOUNT, (few, Takes))] {
        let median = ours.lookups(from, ALONE, 1).await?.median;
        println!("  {what} {:.3} ms", millis(median));
    }

    println!("lookup of one subject, concurrency {AT_ONCE}; {ALONE_SAID}:");
    let [bare, brokered] = by_turns(&relay, &ours, carried, (TOGETHER, AT_ONCE)).await?;
    println!("  bare relay  {:>9.0} /s", bare.rate);
    println!("  brokered    {:>9.0} /s", brokered.rate);
    println!("  ratio       {:>9.3} (target: at least 0.1)", brokered.rate / bare.rate);
    for (what, from) in [(LEADER, ("klein", Keeps)), (ACCOUNT, (few, Takes))] {
        let rate = ours.lookups(from, TOGETHER, AT_ONCE).await?.rate;
        println!("  {what} {rate:.0} /s, ratio {:.3}", rate / bare.rate);
    }
    let cryptography = floor::cryptography()?;
    let cores = std::thread::available_parallelism()?.get() as f64;
    let most = cores / cryptography.as_secs_f64();
    println!("  its cryptography alone: {:.3} ms of one core, all parties", millis(cryptography));
    println!("  so at most {most:.0} /s on {cores} cores, a ratio of {:.3}", most / bare.rate);

    if !selects {
        return ours.stop();
    }
    let [small, large] = [10, large].map(setting::holder);
    for (what, name, leader) in [
        ("", &*small, Takes),
        ("", &*large, Takes),
        (LEADER, &*small, Keeps),
        (ACCOUNT, more, Takes),
    ] {
        let (mut brokered, mut bare, mut bytes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            let (took, carried) = ours.select(name, leader).await?;
            brokered.push(took);
            bare.push(relay.stream(carried).await?);
            bytes = carried.answer;
        }
        let [brokered, bare] = [brokered, bare].map(|all| Timed::of(all, Duration::MAX).median);
        let rate = |took: Duration| mebibytes(bytes) / took.as_secs_f64();
        println!("select of {:.0} MiB {what}:", mebibytes(bytes));
        println!("  bare relay  {:>9.1} MiB/s", rate(bare));
        println!("  brokered    {:>9.1} MiB/s", rate(brokered));
        println!("  ratio       {:>9.3} (target: at least 0.4)", rate(brokered) / rate(bare));
        for (name, peak) in ours.resident()? {
            println!("  peak resident memory of the {name}: {peak} MiB");
        }
    }
    ours.stop()
}

/// Lookups by the bare relay and brokered ones, by turns: of each the round of middle rate.
async fn by_turns(
    relay: &bare::Bare,
    ours: &ours::Ours<'_>,
    carried: bare::Carried,
    (count, at_once): (usize, usize),
) -> Fallible<[Timed; 2]> {
    let (mut bare, mut brokered) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(relay.lookups(carried, count, at_once).await?);
        brokered.push(ours.lookups(("klein", Takes), count, at_once).await?);
    }
    Ok([bare, brokered].map(Timed::middle))
}

/// How a number of requests went.
pub(crate) struct Timed {
    pub(crate) median: Duration,
    pub(crate) rate: f64,
}

impl Timed {
    pub(crate) fn of(mut each: Vec<Duration>, all: Duration) -> Self {
        each.sort();
        let median = each.get(each.len() / 2).copied().unwrap_or_default();
        Self { median, rate: each.len() as f64 / all.as_secs_f64() }
    }

    fn middle(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        rounds.swap_remove(rounds.len() / 2)
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
