//! A federation's evidence made in memory, honest and tampered with by whoever keeps it.

mod honest;
mod ledger_bytes;
mod tampered;
mod world;
