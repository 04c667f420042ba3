//! The same work for several things, on as many cores as there are.

use std::{
    cmp::Reverse,
    num::NonZero,
    panic,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Does the work for each thing; gives the results in the order of the things, or the first error in that order. The
/// largest is begun first: begun last, it would keep one core at work and the others waiting.
pub(super) fn each<T: Sync, R: Send>(
    things: &[T],
    size: impl Fn(&T) -> u64,
    work: impl Fn(&T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let mut order: Vec<_> = things.iter().enumerate().collect();
    order.sort_by_key(|(_, thing)| Reverse(size(thing)));
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let Some((place, thing)) = order.get(turn) else { return done };
            done.push((*place, work(thing)));
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
    use std::sync::{Barrier, Mutex};

    use super::*;

    #[test]
    fn results_keep_their_order_and_the_first_error_counts() {
        let things: Vec<u32> = (0..100).collect();
        let doubled = each(&things, |one| 100 - u64::from(*one), |one| Ok(2 * one)).unwrap();
        assert_eq!(doubled, (0..100).map(|one| 2 * one).collect::<Vec<_>>());
        let odd = each(
            &things,
            |one| u64::from(*one),
            |one| {
                anyhow::ensure!(one % 2 == 0, "{one} is odd");
                Ok(())
            },
        );
        assert_eq!(odd.unwrap_err().to_string(), "1 is odd");
        assert!(each(&[0; 0], |_| 0, |_| Ok(())).unwrap().is_empty());
    }

    #[test]
    fn work_goes_on_at_the_same_time() {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        // Each waits for all others: one after the other, it would never end.
        let (all, things) = (Barrier::new(cores), vec![(); cores]);
        each(
            &things,
            |()| 0,
            |()| {
                all.wait();
                Ok(())
            },
        )
        .unwrap();
    }

    #[test]
    fn the_largest_is_begun_first() {
        let (begun, sizes) = (Mutex::new(Vec::new()), [3, 1, 4, 1, 5, 9, 2, 6]);
        each(
            &sizes,
            |size| *size,
            |size| {
                begun.lock().unwrap().push(*size);
                Ok(())
            },
        )
        .unwrap();
        let begun = begun.into_inner().unwrap();
        // Whoever took its turn before another may note it after, each core by one at most.
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let place = |size| begun.iter().position(|one| *one == size).unwrap();
        assert!(place(9) < cores && place(6) < cores + 1, "{begun:?}");
    }
}
