//! The built binary, each daemon in a process of its own, started from its configuration file.
//!
//! Build it first: `cargo build -p convenant-cli`.

#![cfg(test)]

mod adl;
mod books;
mod copies;
mod damaged_index;
mod demo_cut_short;
mod deployment;
mod faults;
mod fetch;
mod grown;
mod interop;
mod jose;
mod killed;
mod ldv;
mod left;
mod life;
mod mid_stream;
mod paused;
mod real_brp;
mod records;
mod results;
mod spoilt;
mod subjects;
mod telemetry;
mod tiles;
mod timestamp;
mod timestamp_unit;
mod unwritable;
mod vouchers;
mod wrong_use;
