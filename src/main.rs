//! The `rea` command.
fn main() {}
