//! the daemon that brokers queries, blind to their subjects and results
