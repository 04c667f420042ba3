//! One decision with the full example covenant, warm, beside Cedar alone on a request of the same size
//! under the same rules, in one run. Must stay under 150 µs. Each decision finds another use of the quota, as in
//! life; besides, the first decision on facts that were never seen before.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use convenant_clauses::{Request, Verdict, decide};
use convenant_model::Oin;

#[path = "../tests/clauses/world.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared with the tests, which use all of it and may panic"
)]
mod world;

/// Series of calls, each short enough to pass between the other work of a busy machine.
const SERIES: u32 = 200;
const CALLS: u32 = 100;

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = world::World::new();
    let (state, query) = world.admit()?;
    let rules = world::compile(&state);
    let party = Oin::new(world::UWV)?;
    let peer = Oin::new(world::COORDINATOR)?;
    let request = world.request(&query, &party, &peer);
    if !matches!(decide(&rules, &state, &request, 0), Verdict::Permit(_)) {
        return Err("the query of the benchmark is refused".into());
    }
    let bare =
        rules.bare(&state, &request, 0).ok_or("the query of the benchmark cannot be asked")?;
    let mut used = request.used;
    let whole = each(|| {
        used.queries = (used.queries + 1) % 5;
        black_box(decide(&rules, &state, black_box(&Request { used, ..request }), 0));
    });
    let fresh = (0..SERIES).map(|_| {
        let rules = world::compile(&state);
        let start = Instant::now();
        black_box(decide(&rules, &state, black_box(&request), 0));
        start.elapsed()
    });
    let fresh = fresh.min().unwrap_or_default();
    let cedar = each(|| {
        black_box(bare.ask());
    });
    println!("one decision, {} rules: {:.1} µs", rules.count(), micros(whole));
    println!("the first on its facts: {:.1} µs", micros(fresh));
    println!("bare Cedar `is_authorized`: {:.1} µs", micros(cedar));
    println!("ratio: {:.2}", whole.as_secs_f64() / cedar.as_secs_f64());
    if whole > Duration::from_micros(150) {
        return Err("slower than 150 µs".into());
    }
    Ok(())
}

/// Time of one call in the fastest series.
fn each(mut work: impl FnMut()) -> Duration {
    (0..1000).for_each(|_| work());
    let series = (0..SERIES).map(|_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| work());
        start.elapsed() / CALLS
    });
    series.min().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
