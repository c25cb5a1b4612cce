//! What a gateway before this one got wrong, as the client would see it.

use super::*;
use crate::simulation::child::die;
use crate::simulation::script::{DONE, Manner};
use rea_fsm::{ExitStatus, Leaf};

/// A server answers a call with a JSON-RPC error: nothing is killed, nothing runs twice, and its
/// tools stay in the list.
#[test]
fn b1_an_error_reply_disturbs_nothing() {
    let error = r#"{"code":-32602,"message":"Invalid params","data":{"a":1}}"#;
    let mut sim = ready_over(move |_, _| {
        Scripted::prompt()
            .on_call(move |asked| vec![asked.error(0, error)])
            .birth()
    });
    sim.says(&[&call("1", "a__work"), &list(2)]);
    sim.run_to(5_000);
    let expected: Value = serde_json::from_str(error).expect("it is JSON");
    assert_eq!(answer(&mut sim, "1")["error"], expected);
    assert_eq!(sim.calls_read_by(0).len(), 1);
    assert_eq!(
        answer(&mut sim, "2")["result"]["tools"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(sim.leaf(0), Leaf::Ready);
    assert_eq!(sim.world().processes.len(), 1);
}

/// An error's text reads like a lost connection: it is data.
#[test]
fn b2_no_text_decides_anything() {
    for said in [
        "Not connected",
        "Connection closed",
        "transport closed",
        "ECONNRESET",
    ] {
        let mut sim = ready_over(move |_, _| {
            Scripted::prompt()
                .on_call(move |asked| {
                    let result = format!(
                        r#"{{"isError":true,"content":[{{"type":"text","text":"{said}"}}]}}"#
                    );
                    vec![asked.result(0, &result)]
                })
                .birth()
        });
        sim.says(&[&call("1", "a__work")]);
        sim.run_to(5_000);
        assert_eq!(text(&answer(&mut sim, "1")), said);
        assert_eq!(sim.calls_read_by(0).len(), 1);
        assert_eq!(sim.world().processes.len(), 1);
    }
}

/// A call crashes its server: it is not tried again.
#[test]
fn b3_a_call_that_crashes_its_server_runs_once() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|_| vec![die(1, ExitStatus::Signal(11))])
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(10_000);
    assert_eq!(sim.calls_read_by(0).len(), 1);
    assert_eq!(answers(&mut sim, "1").len(), 1);
}

/// A slow call passes its deadline: the server lives, so the call goes on, and a call beside it
/// is not disturbed.
#[test]
fn b4_a_slow_call_harms_nobody() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| {
                let after_ms = if asked.line.contains("work") {
                    90_000
                } else {
                    2_000
                };
                vec![asked.result(after_ms, DONE)]
            })
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(60_000);
    sim.says(&[&call("2", "a__other")]);
    sim.run_to(95_000);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert_eq!(text(&answer(&mut sim, "2")), "done");
    assert_eq!(sim.world().processes.len(), 1);
}

/// The gateway is stopped while it waits for a sign of life: the server, stopped with it, gets the
/// time that it had.
#[test]
fn a_gateway_that_slept_does_not_blame_its_servers() {
    for asleep_ms in [1_500, 6_100, 60_000, 3_600_000] {
        let mut sim = ready_over(|_, _| {
            Scripted::prompt()
                .pong(Manner::After(50))
                .on_call(|asked| vec![asked.result(60_100, DONE)])
                .birth()
        });
        sim.says(&[&call("1", "a__work")]);
        // At its deadline the server is asked for a sign of life, which does not come in time.
        sim.run_to(60_110);
        sim.oversleep(asleep_ms);
        sim.run_to(60_110 + asleep_ms + 1_000);
        assert_eq!(text(&answer(&mut sim, "1")), "done", "asleep {asleep_ms}");
        assert_eq!(sim.world().processes.len(), 1, "asleep {asleep_ms}");
    }
}

/// Many calls while a server is away: one process is started for all of them.
#[test]
fn b6_calls_start_no_processes() {
    let mut sim = gateway(1, |_, _| {
        Scripted::prompt().handshake(Manner::After(200)).birth()
    });
    sim.says(&[INITIALIZE]);
    for id in 1..=20 {
        sim.says(&[&call(&id.to_string(), "a__work")]);
    }
    sim.run_to(2_000);
    assert_eq!(sim.world().processes.len(), 1);
    for id in 1..=20 {
        assert_eq!(text(&answer(&mut sim, &id.to_string())), "done");
    }
}

/// A server that failed at first comes back without anybody calling it.
#[test]
fn b12_recovery_needs_no_call() {
    let mut sim = gateway(1, |_, generation| {
        if generation < 3 {
            Birth::Lives {
                after_ms: 0,
                mind: Box::new(Scripted::prompt().handshake(Manner::Never)),
            }
        } else {
            Scripted::prompt().birth()
        }
    });
    sim.says(&[INITIALIZE, &list(1)]);
    sim.run_to(200_000);
    assert_eq!(sim.leaf(0), Leaf::Ready);
    let heard = sim.heard();
    assert!(
        heard.iter().any(|line| line.contains("list_changed")),
        "{heard:?}"
    );
}

/// Calls to servers that there are not leave nothing behind.
#[test]
fn b29_unknown_names_create_nothing() {
    let mut sim = ready();
    for id in 1..=50 {
        sim.says(&[&call(&id.to_string(), &format!("nobody{id}__x"))]);
    }
    sim.happens(simulation::world::Waiting::Signalled);
    let left = sim.run_out(60_000);
    let log = String::from_utf8(left.log.concat()).expect("it is text");
    assert!(!log.contains("nobody"), "{log}");
}
