//! Payloads pass untouched: what the client writes is what the server reads, and back, byte for
//! byte, but for ids and the server's name in front of a tool's.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

#[path = "fidelity/answers.rs"]
mod answers;
#[path = "fidelity/notifications.rs"]
mod notifications;
#[path = "fidelity/payloads.rs"]
mod payloads;
#[path = "fidelity/random.rs"]
mod random;
#[path = "fidelity/requests.rs"]
mod requests;
#[path = "simulation/mod.rs"]
mod simulation;
#[path = "fidelity/tools.rs"]
mod tools;

use simulation::child::{Chunks, Does, say};
use simulation::harness::{ServerSpec, Setup, Sim};
use simulation::script::Scripted;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"first","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}"#;

/// A gateway over the server `a`, which answers calls as told; ready.
pub(crate) fn ready(chunks: Chunks, on_call: impl Fn(&str) -> Vec<Does> + Clone + 'static) -> Sim {
    let mut setup = Setup::of(vec![ServerSpec::named("a")]);
    setup.chunks = chunks;
    setup.line_bytes_max = 32 << 20;
    let mut sim = Sim::new(
        setup,
        Box::new(move |_, _| {
            let on_call = on_call.clone();
            Scripted::prompt()
                .on_call(move |asked| on_call(&asked.id))
                .birth()
        }),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(1_000);
    sim
}

/// What the server reads when the client writes this call.
pub(crate) fn read_by_server(line: &str) -> String {
    let mut sim = ready(Chunks::Whole, |_| Vec::new());
    sim.says(&[line]);
    let mut read = sim.calls_read_by(0);
    assert_eq!(read.len(), 1, "{line}: {:?}", sim.heard());
    read.remove(0)
}

/// What the client is sent when the server writes this. Where `ID` stands, the server writes the
/// id that it was asked with; the client's own is `"mine"`.
pub(crate) fn heard_by_client(reply: &str) -> String {
    let reply = reply.to_owned();
    let mut sim = ready(Chunks::Whole, move |id| {
        vec![say(0, reply.replace("ID", id))]
    });
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":"mine","method":"tools/call","params":{"name":"a__work"}}"#,
    ]);
    sim.run_to(2_000);
    let heard = sim.heard();
    assert_eq!(heard.len(), 2, "one answer: {heard:?}");
    heard.last().expect("it is there").clone()
}

/// Asserts that the server read what the client wrote: where `ID` stands, some number of the
/// gateway's own.
pub(crate) fn assert_reads(written: &str, expected: &str) {
    let read = read_by_server(written);
    let (before, after) = expected.split_once("ID").expect("an id");
    let id = read
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after))
        .unwrap_or_else(|| panic!("wrote    {written}\nread     {read}\nexpected {expected}"));
    assert!(
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()),
        "an id of the gateway's own: {id}"
    );
}

/// Asserts that the client is sent what the server wrote, under its own id.
pub(crate) fn assert_hears(reply: &str) {
    assert_eq!(heard_by_client(reply), reply.replace("ID", "\"mine\""));
}

/// Asserts that these arguments arrive, and that this result comes back.
pub(crate) fn assert_passes(payload: &str) {
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a__work","arguments":{payload}}}}}"#
    );
    let read = call
        .replacen("a__work", "work", 1)
        .replacen("\"id\":1,", "\"id\":ID,", 1);
    assert_reads(&call, &read);
    assert_hears(&format!(
        r#"{{"jsonrpc":"2.0","id":ID,"result":{payload}}}"#
    ));
    assert_hears(&format!(
        r#"{{"jsonrpc":"2.0","id":ID,"error":{{"code":-32602,"message":"no","data":{payload}}}}}"#
    ));
}
