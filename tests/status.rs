//! What `rea status` tells, tried on the real binary with real servers.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

/// One file for each group of promises.
mod status {
    mod crowd;
    mod freezing;
    mod hiding;
    mod looking;
    mod measuring;
    mod owning;
    pub(crate) mod shown;
    mod trouble;
    mod watching;
}
