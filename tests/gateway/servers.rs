//! What servers say beside answers, and what the gateway says to them.

use super::*;
use rea_fsm::{ExitStatus, Leaf};
use simulation::child::{die, say};
use simulation::script::{DONE, Manner};
use simulation::world::Waiting;

/// A server that says this line when it is called, and then answers.
fn that_says(line: &'static str) -> Sim {
    ready_over(move |_, _| {
        Scripted::prompt()
            .on_call(move |asked| vec![say(0, line), asked.result(1, DONE)])
            .birth()
    })
}

fn last_read(sim: &mut Sim) -> Value {
    let read = sim.read_by(0);
    serde_json::from_str(read.last().expect("it read something")).expect("it is JSON")
}

#[test]
fn the_handshake_is_the_protocols_own() {
    let mut sim = ready();
    let read = sim.read_by(0);
    let read: Vec<Value> = read
        .iter()
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect();
    let methods: Vec<&str> = read
        .iter()
        .filter_map(|line| line["method"].as_str())
        .collect();
    assert_eq!(
        methods,
        [
            "server/discover",
            "initialize",
            "notifications/initialized",
            "tools/list"
        ]
    );
    assert_eq!(read[1]["params"]["protocolVersion"], "2025-11-25");
    assert!(read[2].get("id").is_none(), "{}", read[2]);
}

#[test]
fn a_servers_ping_is_answered() {
    let mut sim = that_says(r#"{"jsonrpc":"2.0","id":"theirs","method":"ping"}"#);
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(200);
    let read = last_read(&mut sim);
    assert_eq!(
        read,
        serde_json::json!({"jsonrpc":"2.0","id":"theirs","result":{}})
    );
    assert_eq!(sim.heard().len(), 2, "the client need not know");
}

#[test]
fn a_request_that_we_declared_nothing_for_is_refused() {
    let mut sim =
        that_says(r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}"#);
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(200);
    let read = last_read(&mut sim);
    assert_eq!(read["id"], 1);
    assert_eq!(read["error"]["code"], -32_601);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
}

#[test]
fn what_is_no_message_disturbs_nothing() {
    for line in [
        "",
        "   ",
        "Server running on stdio",
        "[]",
        "null",
        "{",
        r#"{"level":"info","msg":"started"}"#,
        r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#,
    ] {
        let mut sim = that_says(line);
        sim.says(&[&call("1", "a__work")]);
        sim.run_to(200);
        assert_eq!(text(&answer(&mut sim, "1")), "done", "{line:?}");
        assert_eq!(sim.heard().len(), 2, "{line:?}");
        assert_eq!(sim.leaf(0), Leaf::Ready, "{line:?}");
    }
}

#[test]
fn a_servers_last_tools_stay_in_the_list_while_it_is_away() {
    let mut sim = ready_over(|_, generation| match generation {
        1 => Scripted::prompt()
            .on_call(|_| vec![die(0, ExitStatus::Code(1))])
            .birth(),
        _ => Scripted::prompt().handshake(Manner::Never).birth(),
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(3_000);
    assert_ne!(sim.leaf(0), Leaf::Ready);
    let asked_at = sim.now;
    sim.says(&[&list(2)]);
    let tools = answer(&mut sim, "2")["result"]["tools"].clone();
    assert_eq!(tools.as_array().map(Vec::len), Some(2), "{tools}");
    assert_eq!(sim.now, asked_at, "at once");
}

#[test]
fn a_server_that_does_not_answer_its_deadline_nor_a_ping_is_replaced() {
    let mut sim = ready_over(|_, generation| {
        let server = Scripted::prompt();
        match generation {
            1 => server.pong(Manner::Never).on_call(|_| Vec::new()).birth(),
            _ => server.birth(),
        }
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(80_000);
    let lost = answer(&mut sim, "1");
    assert_eq!(facts(&lost)["executed"], "maybe");
    assert_eq!(sim.world().processes.len(), 2);
    sim.says(&[&call("2", "a__work")]);
    assert_eq!(text(&answer(&mut sim, "2")), "done");
}

#[test]
fn a_server_in_trouble_harms_no_other() {
    let mut sim = gateway(3, |server, _| match server {
        ServerId(0) => Birth::NeverKnown,
        ServerId(1) => Scripted::prompt()
            .on_call(|_| vec![die(0, ExitStatus::Signal(9))])
            .birth(),
        _ => Scripted::prompt().birth(),
    });
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    for round in 0..20 {
        let id = |offset: u32| (round * 3 + offset).to_string();
        sim.says(&[
            &call(&id(1), "a__work"),
            &call(&id(2), "b__work"),
            &call(&id(3), "c__work"),
        ]);
        let now = sim.now;
        assert_eq!(text(&answer(&mut sim, &id(3))), "done");
        sim.run_to(now + 100);
    }
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    assert_eq!(left.world.client_text().lines().count(), 61);
}
