//! Metrics for Prometheus, and a health check for supervisors; on the loopback interface alone, and only
//! if `REA_METRICS_PORT` asks for it.
//!
//! ```text
//! scrape ─▶ http thread ── Asked ──▶ the loop: its state now
//!                │ ◀──── Sample ───────┘
//!                └─▶ Meters: gauges set, everything encoded
//! a call ends ──▶ Meters: counted at once
//! ```
//!
//! Invariants: what is shown is asked of the loop at that moment, so a loop that hangs is seen to; a
//! label's values are the registry's servers and our own words, never anything that a server says.

mod http;
mod meters;

pub use http::{ASKED_MAX, Asked, Endpoint, Sample};
pub use meters::{Meters, Outcome};
