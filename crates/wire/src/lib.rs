//! What travels between the parties: the generated protobuf messages and services, and problems as
//! gRPC errors.
//!
//! **In scope:** [`v1`], the generated code; [`problem`], the one place that turns a problem or a
//! refusal into a [`tonic::Status`] with `google.rpc` details, and back.
//!
//! **Out of scope:** what the signed bytes inside the messages mean (`model`, `signing`, `exchange`)
//! and how they are carried (`transport`).

pub mod problem;

/// Generated from `proto/convenant/v1/convenant.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code; whether a lint fires changes with the generator, so `expect` would not do"
)]
pub mod v1 {
    tonic::include_proto!("convenant.v1");
}
