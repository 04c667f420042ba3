//! durable files of a ledger, and the indexes that can be rebuilt
