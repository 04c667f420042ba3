//! the covenant's decision as a pure function
