//! How many connections there are, in all and of each peer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use convenant_model::Oin;
use thiserror::Error;

use crate::Limits;

/// The places for connections.
#[derive(Clone)]
pub(crate) struct Seats {
    taken: Arc<Mutex<Taken>>,
    most: usize,
    most_per_peer: usize,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_peer: HashMap<Oin, usize>,
}

/// A place, free again when dropped.
pub(crate) struct Seat {
    seats: Seats,
    oin: Oin,
}

/// No place is left.
#[derive(Debug, Eq, Error, PartialEq)]
pub(crate) enum Full {
    #[error("all {0} connections are in use")]
    Total(usize),
    #[error("party {oin} has its {most} connections in use")]
    Peer { oin: Oin, most: usize },
}

impl Seats {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            taken: Arc::default(),
            most: limits.max_connections,
            most_per_peer: limits.max_connections_per_peer,
        }
    }

    pub(crate) fn take(&self, oin: &Oin) -> Result<Seat, Full> {
        let mut taken = self.lock();
        if taken.total >= self.most {
            return Err(Full::Total(self.most));
        }
        let of_peer = taken.by_peer.entry(oin.clone()).or_default();
        if *of_peer >= self.most_per_peer {
            return Err(Full::Peer { oin: oin.clone(), most: self.most_per_peer });
        }
        *of_peer += 1;
        taken.total += 1;
        Ok(Seat { seats: self.clone(), oin: oin.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.total = taken.total.saturating_sub(1);
        let left = taken.by_peer.get_mut(&self.oin).map(|of_peer| {
            *of_peer = of_peer.saturating_sub(1);
            *of_peer
        });
        if left == Some(0) {
            taken.by_peer.remove(&self.oin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_cannot_take_every_seat_and_a_seat_comes_free_again() {
        let limits =
            Limits { max_connections: 3, max_connections_per_peer: 2, ..Limits::default() };
        let (a, b) = (oin("1"), oin("2"));
        let seats = Seats::new(&limits);
        let first = seats.take(&a).ok().unwrap();
        let _second = seats.take(&a).ok().unwrap();
        assert_eq!(seats.take(&a).err(), Some(Full::Peer { oin: a.clone(), most: 2 }));
        let _third = seats.take(&b).ok().unwrap();
        assert_eq!(seats.take(&b).err(), Some(Full::Total(3)));
        drop(first);
        assert!(seats.take(&a).is_ok());
    }

    fn oin(last: &str) -> Oin {
        Oin::new(format!("0000009900000000000{last}")).unwrap()
    }
}
