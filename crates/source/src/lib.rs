//! a partner's data as Arrow batches
