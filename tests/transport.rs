//! What `rea serve` does with processes, pipes and descriptors, tried on the real binary.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

/// One file for each side that a gateway has.
mod transport {
    mod children;
    mod client_streams;
    mod rubbish;
}
