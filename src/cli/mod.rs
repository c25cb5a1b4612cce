//! The commands, one file each.

pub mod demo;
pub mod environment;
mod log;
pub mod replay;
pub mod serve;
