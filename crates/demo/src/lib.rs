//! An example federation on disk: PKI, keys, signed documents, a synthetic population, and a
//! configuration file for each daemon.
//!
//! `convenant demo` starts from what this crate writes, a person can start each daemon from it by
//! hand, and the tests build their federations with it. Everything in it is made up: the people, the
//! project, and a certificate authority that says "do not use".
//!
//! **In scope:** making all of this from a specification ([`FederationSpec`]), a seed, a day and a
//! source of randomness that the caller passes; writing it with modes 0600 and 0700.
//!
//! **Out of scope:** running anything; a network; reading an example back from disk.

mod certs;
mod config;
pub mod documents;
mod error;
mod example;
mod federation;
mod files;
pub mod pki;
pub mod population;
mod random;
mod readme;
mod spec;
mod table;

pub use crate::{
    certs::certs_example,
    config::Source,
    documents::SignedDocument,
    error::{DemoError, Result},
    example::{EXAMPLE_PARTIES, ExampleParty, Options},
    federation::{Federation, Leader, Party, PartyKeys},
    spec::{
        DatasetSpec, DecisionTerms, FederationSpec, MandateTerms, PartnerSpec, Ports, ProjectSpec,
    },
    table::{Binding, Table},
};
