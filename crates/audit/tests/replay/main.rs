//! A federation's evidence made in memory, honest and tampered with by whoever keeps it.

#![cfg(test)]

mod ahead;
mod answers;
mod documents;
mod honest;
mod ledger_bytes;
mod revoked;
mod tampered;
mod unusual;
mod vouchers;
mod world;
