//! The commands, one file each.

pub mod demo;
pub mod environment;
pub mod replay;
pub mod serve;
