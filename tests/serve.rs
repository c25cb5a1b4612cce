//! What `rea serve` promises, tried on the real binary as a client would use it.
//!
//! Invariant: no fixed pause proves anything; whatever is waited for has a deadline.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

/// One file for each group of promises.
mod serve {
    mod bad_servers;
    mod configured;
    mod deadlines;
    mod ending;
    mod flow;
    mod losses;
    mod private;
    mod relay;
    mod state_folder;
}
