//! `rea`: one MCP server in front of many.
#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod journal;
pub mod protocol;
pub mod publish;
pub mod replay;

pub mod transport;
pub mod wire;
