//! The commands, one file each.

pub mod demo;
pub mod environment;
pub mod explain;
pub mod freeze;
mod log;
pub mod place;
pub mod replay;
pub mod serve;
pub mod status;
