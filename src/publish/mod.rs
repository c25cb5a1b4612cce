//! What people are shown.
//!
//! Invariant: text from a server or a file passes [`redact`] before it leaves the process, and never reaches stdout.

pub mod advice;
pub mod events;
pub mod line_queue;
pub mod log_lines;
pub mod numbers;
pub mod redact;
pub mod terminal;
pub mod words;
