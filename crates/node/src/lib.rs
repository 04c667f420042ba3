//! the daemon in front of a partner's registers
