//! The whole protocol through the gateway, one example a rule, over the simulated world: every
//! kind of list and request, what servers tell and ask, and both eras on both sides.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

#[path = "protocol/bad_clients.rs"]
mod bad_clients;
#[path = "protocol/bad_lists.rs"]
mod bad_lists;
#[path = "protocol/bad_messages.rs"]
mod bad_messages;
#[path = "protocol/bad_questions.rs"]
mod bad_questions;
#[path = "protocol/bad_servers.rs"]
mod bad_servers;
#[path = "protocol/exchanges.rs"]
mod exchanges;
#[path = "protocol/held.rs"]
mod held;
#[path = "protocol/late_lists.rs"]
mod late_lists;
#[path = "protocol/lists.rs"]
mod lists;
#[path = "protocol/modern_clients.rs"]
mod modern_clients;
#[path = "protocol/modern_servers.rs"]
mod modern_servers;
#[path = "protocol/modes.rs"]
mod modes;
#[path = "protocol/notices.rs"]
mod notices;
#[path = "protocol/questions.rs"]
mod questions;
#[path = "protocol/requests.rs"]
mod requests;
#[path = "simulation/mod.rs"]
mod simulation;
#[path = "protocol/starting.rs"]
mod starting;
#[path = "protocol/tasks.rs"]
mod tasks;

use rea::engine::ServerId;
use rea_fsm::Protocol;
use serde_json::{Value, json};
use simulation::child::{Birth, Does, say};
use simulation::harness::{ServerSpec, Setup, Sim};
use simulation::script::{Asked, Scripted};

/// A legacy client that can do this.
pub(crate) fn initialize(capabilities: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{capabilities},"clientInfo":{{"name":"c","version":"1"}}}}}}"#
    )
}

pub(crate) const EVERYTHING: &str = r#"{"sampling":{},"elicitation":{},"roots":{}}"#;

/// A request of a client without a session.
pub(crate) fn modern(id: u32, method: &str, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{EVERYTHING}}}{comma}{members}}}}}"#
    )
}

pub(crate) fn request(id: u32, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

pub(crate) fn notification(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#)
}

/// Servers `a`, `b`, … of both eras, found out by asking.
pub(crate) fn gateway(count: usize, birth: impl Fn(ServerId) -> Birth + 'static) -> Sim {
    let names = ["a", "b", "c"];
    let specs = names[..count].iter().map(|name| {
        let mut spec = ServerSpec::named(name);
        spec.tuning.protocol = Protocol::Auto;
        spec
    });
    let mut setup = Setup::of(specs.collect());
    setup.line_bytes_max = LINE_BYTES_MAX;
    Sim::new(setup, Box::new(move |server, _| birth(server)))
}

/// As long as a line may be where nobody says otherwise.
const LINE_BYTES_MAX: usize = 32 << 20;

/// The same with a session open and every server ready.
pub(crate) fn session(count: usize, birth: impl Fn(ServerId) -> Birth + 'static) -> Sim {
    let mut sim = gateway(count, birth);
    sim.says(&[
        &initialize(EVERYTHING),
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    ]);
    sim.run_to(500);
    sim
}

/// A server with sessions that offers this, and answers requests as told.
pub(crate) fn legacy(
    capabilities: &'static str,
    on_request: impl Fn(&Asked) -> Vec<Does> + 'static,
) -> Birth {
    Scripted::prompt()
        .on_any(move |asked| match asked.method.as_str() {
            "initialize" => Some(vec![asked.result(
                0,
                &format!(r#"{{"protocolVersion":"2025-11-25","capabilities":{capabilities},"serverInfo":{{"name":"s","version":"1"}},"instructions":"Be kind."}}"#),
            )]),
            "server/discover" | "ping" | "notifications/initialized" => None,
            _ => Some(on_request(asked)),
        })
        .birth()
}

/// A server without sessions.
pub(crate) fn stateless(
    capabilities: &'static str,
    on_request: impl Fn(&Asked) -> Vec<Does> + 'static,
) -> Birth {
    Scripted::prompt()
        .on_any(move |asked| match asked.method.as_str() {
            "server/discover" => Some(vec![asked.result(
                0,
                &format!(r#"{{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{capabilities},"ttlMs":0,"cacheScope":"private"}}"#),
            )]),
            "initialize" => Some(vec![asked.error(0, r#"{"code":-32022,"message":"modern only"}"#)]),
            _ => Some(on_request(asked)),
        })
        .birth()
}

/// A server that does what it should: it has the tool `t`, and answers.
pub(crate) fn good() -> Birth {
    legacy(r#"{"tools":{}}"#, |asked| match asked.method.as_str() {
        "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"t"}]}"#)],
        "tools/call" => vec![asked.result(0, r#"{"content":[]}"#)],
        _ => Vec::new(),
    })
}

/// A session with a server `a` that misbehaves, and a good one `b`.
pub(crate) fn beside_a_good_one(bad: impl Fn() -> Birth + 'static) -> Sim {
    session(2, move |server| if server.0 == 0 { bad() } else { good() })
}

/// The good one is as it was: its first process is there, and answers at once.
pub(crate) fn assert_good_one_is_undisturbed(sim: &mut Sim, id: u32) {
    says(sim, &[&request(id, "tools/call", r#"{"name":"b__t"}"#)]);
    assert!(is_answered(sim, id), "its call waits");
    let view = sim.downstream(1).view();
    assert_eq!(view.generation, Some(rea_fsm::Generation(1)));
    assert_eq!(view.health, rea_fsm::Health::Healthy);
    assert_eq!(view.last_error, None);
}

/// The client writes lines, and what follows from them happens.
pub(crate) fn says(sim: &mut Sim, lines: &[&str]) {
    sim.says(lines);
    let at = sim.now + 20;
    sim.run_to(at);
}

/// An empty page of whatever is listed.
pub(crate) fn empty_list(asked: &Asked) -> Option<Vec<Does>> {
    let member = match asked.method.as_str() {
        "tools/list" => "tools",
        "prompts/list" => "prompts",
        "resources/list" => "resources",
        "resources/templates/list" => "resourceTemplates",
        _ => return None,
    };
    Some(vec![asked.result(0, &format!(r#"{{"{member}":[]}}"#))])
}

/// What the client has heard, as JSON. What no `Value` can hold is replaced: that it is passed on
/// as it stands, tests look for in the lines.
pub(crate) fn heard(sim: &mut Sim) -> Vec<Value> {
    let heard = sim.heard();
    let parse = |line: &String| {
        let line = line.replace("\\ud800", "?").replace("1e400", "1");
        serde_json::from_str(&line).expect("the client is sent JSON")
    };
    heard.iter().map(parse).collect()
}

/// The one answer to this id.
pub(crate) fn answer(sim: &mut Sim, id: u32) -> Value {
    let all = heard(sim);
    let mut found = all
        .iter()
        .filter(|line| line.get("method").is_none() && line["id"] == json!(id));
    let first = found
        .next()
        .unwrap_or_else(|| panic!("no answer to {id}: {all:#?}"));
    assert!(found.next().is_none(), "two answers to {id}");
    first.clone()
}

/// Whether this was answered.
pub(crate) fn is_answered(sim: &mut Sim, id: u32) -> bool {
    let mut all = heard(sim).into_iter();
    all.any(|line| line.get("method").is_none() && line["id"] == json!(id))
}

/// The messages with this method that the client has heard.
pub(crate) fn told(sim: &mut Sim, method: &str) -> Vec<Value> {
    let all = heard(sim).into_iter();
    all.filter(|line| line["method"] == json!(method)).collect()
}

/// The lines with this method that a server has read.
pub(crate) fn read(sim: &mut Sim, server: u32, method: &str) -> Vec<String> {
    let wanted = format!("\"method\":\"{method}\"");
    let all = sim.read_by(server).into_iter();
    all.filter(|line| line.contains(&wanted)).collect()
}
