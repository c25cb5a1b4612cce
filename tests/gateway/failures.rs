//! What a client is told when things go wrong, and what it is not told.

use super::*;
use rea::gateway::{Annotations, ToolPolicy};
use rea_fsm::{BlockReason, CallClass, ExitStatus, Generation, Leaf, Millis, SpawnFailure};
use simulation::child::{die, say};
use simulation::script::{DONE, Manner};
use simulation::world::{Report, Waiting};

#[test]
fn the_last_words_of_a_server_that_died_stand_in_the_error() {
    let mut sim = ready_over(|_, _| {
        let mut server = Scripted::prompt().on_call(|_| vec![die(0, ExitStatus::Code(3))]);
        server.last_words = "Error: cannot find module 'x'";
        server.birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(500);
    let answer = answer(&mut sim, "1");
    assert!(text(&answer).contains("exit code 3"), "{answer}");
    assert!(text(&answer).contains("cannot find module"), "{answer}");
}

#[test]
fn a_refusal_for_a_server_that_keeps_dying_says_what_it_died_of_and_where_its_words_are() {
    let mut sim = gateway(1, |_, _| {
        let mut server = Scripted::prompt().on_any(|_| Some(vec![die(0, ExitStatus::Code(3))]));
        server.last_words = "Error: cannot find module 'x'";
        server.birth()
    });
    sim.says(&[INITIALIZE]);
    sim.run_to(5_000);
    assert_eq!(sim.leaf(0), Leaf::FlapLocked);
    sim.says(&[&call("1", "a__work")]);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["reason"], "flap_locked");
    for part in ["exit code 3", "cannot find module", ".rea/logs/a.*.log"] {
        assert!(text(&answer).contains(part), "{part} in {answer}");
    }
}

#[test]
fn a_start_that_fails_says_what_went_wrong_and_where_its_words_are() {
    let mut sim = gateway(1, |_, generation| {
        let mut server = Scripted::prompt().handshake(Manner::Never);
        if generation == 1 {
            server = server.on_any(|_| Some(vec![die(0, ExitStatus::Code(3))]));
        }
        server.last_words = "Error: no such database";
        server.birth()
    });
    sim.says(&[INITIALIZE, &call("1", "a__work")]);
    sim.run_to(30_000);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["reason"], "timeout");
    assert_eq!(facts(&answer)["executed"], "no");
    for part in ["exit code 3", "no such database", ".rea/logs/a.*.log"] {
        assert!(text(&answer).contains(part), "{part} in {answer}");
    }
}

#[test]
fn a_hung_server_that_was_ended_is_not_said_to_have_gone_by_itself() {
    let mut sim = ready_over(|_, generation| {
        let server = Scripted::prompt();
        match generation {
            1 => server.pong(Manner::Never).on_call(|_| Vec::new()).birth(),
            _ => server.birth(),
        }
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(90_000);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["reason"], "transport_lost");
    let text = text(&answer);
    assert!(
        text.contains("liveness probe") && text.contains("ended"),
        "{text}"
    );
    assert!(!text.contains("went away"), "{text}");
}

#[test]
fn a_blocked_server_says_that_the_gateway_is_to_be_restarted() {
    let mut sim = gateway(1, |_, _| Birth::Fails {
        after_ms: 0,
        failure: SpawnFailure::Blocked(BlockReason::MissingEnv {
            names: vec!["TOKEN".to_owned()],
        }),
    });
    sim.says(&[INITIALIZE, &call("1", "a__work")]);
    sim.run_to(1_000);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["reason"], "blocked");
    let text = text(&answer);
    assert!(
        text.contains("TOKEN") && text.contains("restart the gateway"),
        "{text}"
    );
}

#[test]
fn an_answer_that_is_no_message_completes_its_call() {
    for reply in [
        r#"{"jsonrpc":"2.0","id":ID}"#,
        r#"{"jsonrpc":"2.0","id":ID,"result":1,"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":ID,"result":1,"result":2}"#,
    ] {
        let mut sim = ready_over(move |_, _| {
            Scripted::prompt()
                .on_call(move |asked| vec![say(0, reply.replace("ID", &asked.id))])
                .birth()
        });
        sim.says(&[&call("1", "a__work")]);
        sim.run_to(200);
        let answer = answer(&mut sim, "1");
        assert_eq!(facts(&answer)["reason"], "malformed_answer", "{reply}");
        assert_eq!(facts(&answer)["executed"], "yes", "{reply}");
    }
}

#[test]
fn an_answer_that_comes_twice_is_passed_on_once() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| {
                vec![
                    asked.result(0, DONE),
                    asked.result(0, DONE),
                    asked.error(5, r#"{"code":1,"message":"x"}"#),
                ]
            })
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(200);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert_eq!(sim.heard().len(), 2);
}

#[test]
fn what_a_process_that_was_replaced_still_says_is_not_taken_for_its_successors_words() {
    let mut sim = ready_over(|_, generation| {
        Scripted::prompt()
            .on_call(move |asked| match generation {
                1 => vec![die(0, ExitStatus::Code(1))],
                _ => vec![asked.result(2_000, DONE)],
            })
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(5_000);
    sim.says(&[&call("2", "a__work")]);
    let read = sim.calls_read_by(0);
    let sent: Value = serde_json::from_str(&read[1]).expect("it is JSON");
    let reply = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, sent["id"]);
    let dead = (ServerId(0), Generation(1));
    for report in [
        Report::Output(format!("{reply}\n").into_bytes()),
        Report::OutputEnded,
        Report::InputBroken,
        Report::Exited(ExitStatus::Code(0), Vec::new(), String::new()),
        Report::Output(b"half a line".to_vec()),
    ] {
        sim.happens(Waiting::Server(dead, report));
    }
    sim.run_to(6_000);
    assert!(answers(&mut sim, "2").is_empty());
    assert_eq!(sim.leaf(0), Leaf::Ready);
    assert_eq!(sim.world().processes.len(), 2);
    sim.run_to(8_000);
    assert_eq!(text(&answer(&mut sim, "2")), "done");
}

#[test]
fn answers_to_questions_that_nobody_asked_are_dropped() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| {
                vec![
                    say(0, r#"{"jsonrpc":"2.0","id":999999,"result":{}}"#),
                    say(0, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
                    say(0, r#"{"jsonrpc":"2.0","id":-2,"result":{}}"#),
                    say(
                        0,
                        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#,
                    ),
                    say(
                        0,
                        format!(r#"{{"jsonrpc":"2.0","id":"{}","result":{{}}}}"#, asked.id),
                    ),
                    asked.result(0, DONE),
                ]
            })
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(200);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert_eq!(sim.heard().len(), 2, "{:?}", sim.heard());
    assert_eq!(sim.leaf(0), Leaf::Ready);
}

#[test]
fn after_faults_in_a_row_calls_are_refused_until_the_time_that_is_told() {
    let mut spec = ServerSpec::named("a");
    spec.tuning.breaker_faults = 2;
    spec.policy.timeout_ms = Millis(200);
    spec.tuning.call_cap_ms = Millis(500);
    let mut calls = 0;
    let mut sim = Sim::new(
        Setup::of(vec![spec]),
        Box::new(move |_, _| {
            Scripted::prompt()
                .on_call(move |asked| {
                    calls += 1;
                    match calls {
                        1 | 2 => Vec::new(),
                        _ => vec![asked.result(0, DONE)],
                    }
                })
                .birth()
        }),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "a__work"), &call("2", "a__work")]);
    sim.run_to(1_000);
    assert_eq!(sim.leaf(0), Leaf::Ready, "it answers pings");
    sim.says(&[&call("3", "a__work")]);
    let refused = answer(&mut sim, "3");
    assert_eq!(facts(&refused)["reason"], "circuit_open");
    assert_eq!(facts(&refused)["executed"], "no");
    assert!(facts(&refused)["retry_at"].is_string(), "{refused}");
    sim.run_to(30_000);
    sim.says(&[&call("4", "a__work")]);
    assert_eq!(facts(&answer(&mut sim, "4"))["reason"], "circuit_open");
    sim.run_to(30_700);
    sim.says(&[&call("5", "a__work"), &call("6", "a__work")]);
    assert_eq!(text(&answer(&mut sim, "5")), "done");
    assert_eq!(facts(&answer(&mut sim, "6"))["reason"], "circuit_half_open");
    sim.says(&[&call("7", "a__work")]);
    assert_eq!(text(&answer(&mut sim, "7")), "done");
}

/// A tool of this name says of itself that it may be repeated; what the registry says counts more.
fn repeats(annotations: Annotations, said: Option<CallClass>) -> usize {
    let mut spec = ServerSpec::named("a");
    spec.policy.annotations = annotations;
    let policy = ToolPolicy {
        class: said,
        timeout_ms: None,
    };
    spec.policy.tools.insert("work".to_owned(), policy);
    let mut sim = Sim::new(
        Setup::of(vec![spec]),
        Box::new(|_, generation| {
            Scripted::prompt()
                .pages(&[r#"{"name":"work","annotations":{"idempotentHint":true}}"#])
                .on_call(move |asked| match generation.0 {
                    1 => vec![die(0, ExitStatus::Code(1))],
                    _ => vec![asked.result(0, DONE)],
                })
                .birth()
        }),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(10_000);
    assert_eq!(answers(&mut sim, "1").len(), 1);
    sim.calls_read_by(0).len()
}

#[test]
fn what_a_server_says_about_its_tools_counts_only_if_it_is_trusted() {
    assert_eq!(repeats(Annotations::Ignored, None), 1);
    assert_eq!(repeats(Annotations::Trusted, None), 2);
}

#[test]
fn what_the_registry_says_about_a_tool_counts_more_than_its_server() {
    assert_eq!(repeats(Annotations::Trusted, Some(CallClass::Unsafe)), 1);
    assert_eq!(repeats(Annotations::Ignored, Some(CallClass::ReadOnly)), 2);
}

#[test]
fn giving_up_what_nobody_asked_for_or_what_is_answered_does_nothing() {
    let mut sim = ready();
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(200);
    let read = sim.read_by(0).len();
    sim.says(&[
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"zz"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
    ]);
    sim.run_to(400);
    assert_eq!(sim.read_by(0).len(), read);
    assert_eq!(sim.heard().len(), 2, "{:?}", sim.heard());
}

#[test]
fn an_id_that_was_given_up_can_be_used_again() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| {
                let words = if asked.line.contains("work") {
                    "old"
                } else {
                    "new"
                };
                vec![asked.result(50, &format!(r#"{{"content":[{{"text":"{words}"}}]}}"#))]
            })
            .birth()
    });
    sim.says(&[
        &call("1", "a__work"),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        &call("1", "a__other"),
    ]);
    sim.run_to(500);
    assert_eq!(text(&answer(&mut sim, "1")), "new");
}

#[test]
fn progress_of_a_call_that_was_given_up_is_kept_from_the_client() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}"#;
    let mut sim = ready_over(move |_, _| {
        Scripted::prompt()
            .on_call(move |_| vec![say(50, progress)])
            .birth()
    });
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__work","_meta":{"progressToken":"t"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
    ]);
    sim.run_to(500);
    assert_eq!(sim.heard().len(), 1, "{:?}", sim.heard());
}

#[test]
fn a_start_that_the_system_refuses_is_tried_again() {
    let mut sim = gateway(1, |_, generation| {
        if generation < 2 {
            Birth::Fails {
                after_ms: 0,
                failure: SpawnFailure::System { errno: 11 },
            }
        } else {
            Scripted::prompt().birth()
        }
    });
    sim.says(&[INITIALIZE, &call("1", "a__work")]);
    sim.run_to(5_000);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
}

/// A server that never answers its handshake.
fn hanging() -> Sim {
    let mut spec = ServerSpec::named("a");
    spec.tuning.handshake_ms = Millis(3_000);
    spec.tuning.queue_ms = Millis(1_000);
    let mut sim = Sim::new(
        Setup::of(vec![spec]),
        Box::new(|_, _| Scripted::prompt().handshake(Manner::Never).birth()),
    );
    sim.says(&[INITIALIZE, &call("1", "a__work")]);
    sim.run_to(1_500);
    sim
}

#[test]
fn a_call_that_waited_in_vain_is_told_for_what_and_since_when() {
    let mut sim = hanging();
    let waited = answer(&mut sim, "1");
    assert_eq!(
        text(&waited),
        "server \"a\" did not become ready in time: it is starting (since 2027-01-15T08:00:00.000Z). \
         The call was not executed and is safe to repeat. What it wrote to standard error, if anything, is in \
         .rea/logs/a.*.log."
    );
    assert_eq!(facts(&waited)["state"], "connecting");
    sim.run_to(4_000);
    sim.says(&[&call("2", "a__work")]);
    sim.run_to(5_500);
    let waited = answer(&mut sim, "2");
    let said = "it is starting (since 2027-01-15T08:00:03.";
    assert!(text(&waited).contains(said), "{waited}");
    let error =
        "; what went wrong last: the handshake, or the first list, took too long. The call was not";
    assert!(text(&waited).contains(error), "{waited}");
}

#[test]
fn a_call_that_is_lost_says_when_its_server_is_tried_again() {
    let mut spec = ServerSpec::named("a");
    spec.tuning.restart_intensity = 0;
    let mut sim = Sim::new(
        Setup::of(vec![spec]),
        Box::new(|_, _| {
            Scripted::prompt()
                .on_call(|_| vec![die(0, ExitStatus::Code(1))])
                .birth()
        }),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(500);
    let lost = answer(&mut sim, "1");
    assert_eq!(facts(&lost)["reason"], "transport_lost");
    assert!(text(&lost).contains("; the next try is at 2027-"), "{lost}");
    assert!(facts(&lost)["retry_at"].is_string(), "{lost}");
}
