//! `rea`: one MCP server in front of many.
//!
//! `docs/ARCHITECTURE.md` has the map. What decides is in `rea-fsm`; everything here touches the
//! world and decides nothing.

#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod engine;
pub mod gateway;
pub mod journal;
pub mod protocol;
pub mod publish;
pub mod replay;
pub mod transport;
pub mod wire;
