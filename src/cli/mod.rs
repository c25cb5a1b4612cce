//! The commands, one file each.

pub mod demo;
pub mod environment;
pub mod explain;
mod log;
pub mod replay;
pub mod serve;
