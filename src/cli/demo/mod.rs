//! `rea demo`: the real gateway over servers that misbehave, told as it happens.

pub mod server;
