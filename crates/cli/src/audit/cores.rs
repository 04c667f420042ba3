//! The same work for several things, on as many cores as there are.

use std::{
    num::NonZero,
    panic,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Does the work for each thing; gives the results in the order of the things, or the first error in that order.
pub(super) fn each<T: Sync, R: Send>(
    things: &[T],
    work: impl Fn(&T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(place) else { return done };
            done.push((place, work(thing)));
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(things.len());
    let mut done = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(take)).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .flat_map(|one| one.unwrap_or_else(|fault| panic::resume_unwind(fault)))
            .collect::<Vec<_>>()
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn results_keep_their_order_and_the_first_error_counts() {
        let things: Vec<u32> = (0..100).collect();
        let doubled = each(&things, |one| Ok(2 * one)).unwrap();
        assert_eq!(doubled, (0..100).map(|one| 2 * one).collect::<Vec<_>>());
        let odd = each(&things, |one| {
            anyhow::ensure!(one % 2 == 0, "{one} is odd");
            Ok(())
        });
        assert_eq!(odd.unwrap_err().to_string(), "1 is odd");
        assert!(each(&[0; 0], |_| Ok(())).unwrap().is_empty());
    }

    #[test]
    fn work_goes_on_at_the_same_time() {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        // Each waits for all others: one after the other, it would never end.
        let (all, things) = (Barrier::new(cores), vec![(); cores]);
        each(&things, |()| {
            all.wait();
            Ok(())
        })
        .unwrap();
    }
}
