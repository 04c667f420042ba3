//! What every adapter does with the same data, over real files and a real PostgreSQL.

mod agreement;
mod bindings;
mod database;
mod files;
mod fixture;
mod injection;
mod model;
#[path = "../tests/support/postgres.rs"]
mod postgres;
mod register;
