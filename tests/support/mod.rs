//! Real gateways: the binary in a folder of its own, driven as a client would drive it.
//!
//! Invariants: nothing is waited for without a deadline; nothing that a test started outlives it,
//! because every process in its folder is killed; whatever a gateway writes to its standard output
//! is checked to be JSON-RPC, in every test.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "each test binary takes what it needs of the same harness"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod gateway;
mod preload;
pub mod processes;
mod project;

pub use gateway::{Answer, Gateway, Streams};
pub use preload::Preload;
pub use project::{Project, REA};

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far more than anything takes on a loaded machine.
pub const DEADLINE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Looks until there is something to see.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(
            began.elapsed() < DEADLINE,
            "{what}: not within {DEADLINE:?}"
        );
        sleep(LOOK_AGAIN);
    }
}

/// Looks until it is so.
pub fn until(what: &str, mut look: impl FnMut() -> bool) {
    eventually(what, || look().then_some(()));
}
