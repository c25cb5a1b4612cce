//! The gateway's rules, one example each, over the simulated world.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

#[path = "gateway/answers.rs"]
mod answers;
#[path = "gateway/bounds.rs"]
mod bounds;
#[path = "gateway/calls.rs"]
mod calls;
#[path = "gateway/defects.rs"]
mod defects;
#[path = "gateway/failures.rs"]
mod failures;
#[path = "gateway/freezing.rs"]
mod freezing;
#[path = "gateway/health.rs"]
mod health;
#[path = "gateway/lists.rs"]
mod lists;
#[path = "gateway/logging.rs"]
mod logging;
#[path = "gateway/servers.rs"]
mod servers;
#[path = "simulation/mod.rs"]
mod simulation;
#[path = "gateway/slow_client.rs"]
mod slow_client;
#[path = "gateway/stopping.rs"]
mod stopping;

use rea::engine::ServerId;
use serde_json::Value;
use simulation::child::Birth;
use simulation::harness::{ServerSpec, Setup, Sim};
use simulation::script::Scripted;

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}"#;

/// A gateway over servers `a`, `b`, … of which a function says what is born.
pub(crate) fn gateway(
    count: usize,
    mut birth: impl FnMut(ServerId, u32) -> Birth + 'static,
) -> Sim {
    let names = ["a", "b", "c"];
    let servers = names[..count].iter().map(|name| ServerSpec::named(name));
    Sim::new(
        Setup::of(servers.collect()),
        Box::new(move |server, generation| birth(server, generation.0)),
    )
}

/// A gateway over one server that answers at once, ready.
pub(crate) fn ready() -> Sim {
    ready_over(|_, _| Scripted::prompt().birth())
}

/// A gateway over one server, ready.
pub(crate) fn ready_over(birth: impl FnMut(ServerId, u32) -> Birth + 'static) -> Sim {
    let mut sim = gateway(1, birth);
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim
}

pub(crate) fn call(id: &str, name: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{{}}}}}}"#
    )
}

pub(crate) fn list(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#)
}

/// The answers to this id so far, as JSON.
pub(crate) fn answers(sim: &mut Sim, id: &str) -> Vec<Value> {
    let id: Value = serde_json::from_str(id).expect("it is an id");
    sim.heard()
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("the client is sent JSON"))
        .filter(|line| line.get("method").is_none() && line["id"] == id)
        .collect()
}

/// The one answer to this id.
pub(crate) fn answer(sim: &mut Sim, id: &str) -> Value {
    let mut found = answers(sim, id);
    assert_eq!(found.len(), 1, "{id}: {:?}", sim.heard());
    found.remove(0)
}

/// The text of a tool's result.
pub(crate) fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_default()
}

/// The gateway's facts about a call that did not come back.
pub(crate) fn facts(answer: &Value) -> &Value {
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    &answer["result"]["_meta"]["rea/failure"]
}
