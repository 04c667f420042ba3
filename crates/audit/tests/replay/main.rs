//! A federation's evidence made in memory, honest and tampered with by whoever keeps it.

#![cfg(test)]

mod ahead;
mod answers;
mod broken;
mod codes;
mod copies;
mod documents;
mod duties;
mod early;
mod honest;
mod ledger_bytes;
mod partial;
mod parties;
mod register;
mod revoked;
mod settling;
mod tampered;
mod times;
mod unusual;
mod vouchers;
mod witnessed;
mod world;
