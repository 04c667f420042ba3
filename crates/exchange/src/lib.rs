//! the state machine of one exchange
