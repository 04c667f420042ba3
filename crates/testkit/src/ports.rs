//! Ports that no other test takes meanwhile.

use std::net::{Ipv4Addr, TcpListener};

use crate::{Fallible, Fault};

/// Below the ports that systems give to outgoing connections, so that none of those lands here.
const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;
const BLOCK: u16 = 16;

/// A block of ports. The first is held open for as long as the block lives, which keeps other test
/// processes out; the rest are free for daemons, also to start again on.
#[derive(Debug)]
pub struct PortBlock {
    first: u16,
    _guard: TcpListener,
}

impl PortBlock {
    /// Takes a block of which every port is free.
    ///
    /// # Errors
    /// When there is none.
    pub fn claim() -> Fallible<Self> {
        let blocks = (LAST - FIRST) / BLOCK;
        // Processes begin at different blocks, so that they seldom try the same.
        let offset = u16::try_from(std::process::id() % u32::from(blocks))?;
        let order = (0..blocks).map(|i| FIRST + (offset + i) % blocks * BLOCK);
        let claimed = order.into_iter().find_map(|first| {
            let guard = listen(first)?;
            let free = (first + 1..first + BLOCK).all(|port| listen(port).is_some());
            free.then_some(Self { first, _guard: guard })
        });
        claimed.ok_or_else(|| Fault::from("no block of free ports on 127.0.0.1"))
    }

    /// The ports for daemons.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        (self.first + 1..self.first + BLOCK).collect()
    }
}

fn listen(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}
