//! Configuration files and key files, the same way for node, coordinator and client.
//!
//! A configuration is a TOML file; `CONVENANT__SECTION__KEY` in the environment overrides a key; an
//! unknown key is an error. Paths in the file are relative to its folder.
//!
//! **In scope:** the sections that roles share, [`load`], and reading keys from JWK files.
//!
//! **Out of scope:** what the roles do with them, and certificates (`transport`).

mod keys;
mod load;
mod sections;

pub use keys::{KeyFileError, opening_key, pseudonym_key, sealing_key, signing_key, verifying_key};
pub use load::{ConfigError, Rooted, load};
pub use sections::{
    CoordinatorSection, DataSection, ListenSection, PartySection, RegisterSection,
    TelemetrySection, TlsSection,
};
