//! replay of the evidence, without a network
