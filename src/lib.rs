//! `rea`: one MCP server in front of many.
//!
//! `docs/ARCHITECTURE.md` has the map. What decides is in `rea-fsm`; everything here touches the
//! world and decides nothing.

#![deny(unsafe_code)]

#[cfg(not(unix))]
compile_error!("rea runs on Linux and macOS; on Windows, build it inside WSL");

#[cfg(unix)]
pub mod catalogue;
#[cfg(unix)]
pub mod cli;
#[cfg(unix)]
pub mod config;
#[cfg(unix)]
pub mod engine;
#[cfg(unix)]
pub mod gateway;
#[cfg(unix)]
pub mod journal;
#[cfg(unix)]
pub mod live_state;
#[cfg(unix)]
pub mod metrics;
#[cfg(unix)]
pub mod protocol;
#[cfg(unix)]
pub mod publish;
#[cfg(unix)]
pub mod replay;
#[cfg(unix)]
pub mod transport;
#[cfg(unix)]
pub mod wire;
