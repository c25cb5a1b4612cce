//! What a person wrote, turned into values that the rest can trust.
//!
//! ```text
//! root ── where the project is, where its state goes
//! registry, policy ── file (bounded) → yaml (text → tree with positions) → decode (tree → values, every problem collected)
//! registry ──┬─ server    one entry of the list
//!            ├─ journal   how events are recorded
//!            ├─ numbers   one table of every number: key, unit, bounds, default
//!            └─ template  `${NAME}` in values
//! policy ────┬─ pattern   what a project's own secrets look like
//!            └─ schema    the reference's keys that do nothing here
//! halt ── whether somebody has frozen the gateway
//! child_env, command ── what one server is started with, from the registry and the host's environment
//! ```
//!
//! Invariant: nothing here reads `std::env`; the environment is a parameter, so every rule can be tested. A value of a
//! variable that is classed as a secret leaves this module only inside [`secret::Secret`] or [`child_env::ChildEnv`], and neither can be printed.
//!
//! Absent on purpose: starting anything, and writing anything but the state folder, its `.gitignore` and `HALT`.

pub mod child_env;
pub mod command;
mod decode;
pub mod file;
mod foreign;
pub mod halt;
pub mod ignored;
pub mod journal;
pub mod launcher;
pub mod numbers;
pub mod policy;
pub mod problem;
pub mod registry;
pub mod root;
pub mod secret;
pub mod server;
pub mod state_dir;
pub mod template;
mod yaml;

/// Looks a variable up in an environment given by the caller.
///
/// `None` is "not set"; a variable set to the empty string is `Some("")`.
pub type TextLookup<'a> = &'a dyn Fn(&str) -> Option<String>;
