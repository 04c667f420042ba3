//! the command `convenant`

fn main() {}
