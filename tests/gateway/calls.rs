//! Where calls go, what becomes of them, and what the client is told.

use super::*;
use crate::simulation::child::{die, say};
use crate::simulation::script::{DONE, Manner};
use rea::gateway::ToolPolicy;
use rea_fsm::{BlockReason, CallClass, ExitStatus, Leaf, Millis, SpawnFailure};

#[test]
fn a_call_goes_to_its_server_under_the_servers_own_name() {
    let mut sim = gateway(2, |_, _| Scripted::prompt().birth());
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "b__work")]);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert!(sim.calls_read_by(0).is_empty());
    let read = sim.calls_read_by(1);
    assert_eq!(read.len(), 1);
    assert!(read[0].contains(r#""name":"work""#), "{read:?}");
}

#[test]
fn a_name_is_cut_at_its_first_separator() {
    let mut sim = ready();
    sim.says(&[&call("1", "a__deep__work")]);
    let read = sim.calls_read_by(0);
    assert!(read[0].contains(r#""name":"deep__work""#), "{read:?}");
}

#[test]
fn unknown_servers_and_names_without_one_are_refused_with_the_names_that_there_are() {
    let mut sim = ready();
    sim.says(&[&call("1", "zz__work"), &call("2", "work")]);
    let unknown = answer(&mut sim, "1");
    assert_eq!(unknown["error"]["code"], -32_602);
    let words = unknown["error"]["message"].as_str().expect("text");
    assert!(words.contains("zz") && words.contains("\"a\""), "{words}");
    let bare = answer(&mut sim, "2");
    assert_eq!(bare["error"]["code"], -32_602);
    let words = bare["error"]["message"].as_str().expect("text");
    assert!(words.contains("missing the server prefix"), "{words}");
}

#[test]
fn parameters_that_are_none_are_refused() {
    let mut sim = ready();
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":7}}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"a__work","name":"a__other"}}"#,
    ]);
    for id in ["1", "2", "3", "4"] {
        assert_eq!(answer(&mut sim, id)["error"]["code"], -32_602);
    }
    assert!(sim.calls_read_by(0).is_empty());
}

#[test]
fn a_long_name_has_a_short_alias_that_leads_to_its_tool() {
    let long = "x".repeat(80);
    let page = format!(r#"{{"name":"{long}"}}"#);
    let mut sim = ready_over(move |_, _| Scripted::prompt().pages(&[&page]).birth());
    sim.says(&[&list(1)]);
    let answer_1 = answer(&mut sim, "1");
    let alias = answer_1["result"]["tools"][0]["name"]
        .as_str()
        .expect("a name");
    assert_eq!(alias.len(), 64);
    sim.says(&[&call("2", alias)]);
    assert_eq!(text(&answer(&mut sim, "2")), "done");
    assert!(sim.calls_read_by(0)[0].contains(&long));
}

#[test]
fn two_calls_may_have_the_same_id() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| {
                let (after_ms, words) = if asked.line.contains("work") {
                    (20, "w")
                } else {
                    (10, "o")
                };
                vec![asked.result(
                    after_ms,
                    &format!(r#"{{"content":[{{"text":"{words}"}}]}}"#),
                )]
            })
            .birth()
    });
    sim.says(&[&call("1", "a__work"), &call("1", "a__other")]);
    sim.run_to(200);
    let texts: Vec<String> = answers(&mut sim, "1")
        .iter()
        .map(|one| text(one).to_owned())
        .collect();
    assert_eq!(texts, ["o", "w"]);
}

#[test]
fn a_call_waits_for_a_server_that_is_starting() {
    let mut sim = gateway(1, |_, _| {
        Scripted::prompt().handshake(Manner::After(500)).birth()
    });
    sim.says(&[INITIALIZE, &call("1", "a__work")]);
    sim.run_to(400);
    assert!(answers(&mut sim, "1").is_empty());
    sim.run_to(2_000);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
}

#[test]
fn a_call_that_waited_too_long_was_not_executed() {
    let mut sim = gateway(1, |_, _| {
        Scripted::prompt().handshake(Manner::Never).birth()
    });
    sim.says(&[INITIALIZE, &call("1", "a__work")]);
    sim.run_to(11_000);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["executed"], "no");
    assert_eq!(facts(&answer)["reason"], "timeout");
    assert_eq!(facts(&answer)["server"], "a");
    assert!(text(&answer).contains("safe to repeat"), "{answer}");
}

#[test]
fn an_unsafe_call_that_its_server_died_of_is_not_repeated() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|_| vec![die(0, ExitStatus::Signal(9))])
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(5_000);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["executed"], "maybe");
    assert_eq!(facts(&answer)["reason"], "transport_lost");
    assert!(text(&answer).contains("check before repeating"), "{answer}");
    assert_eq!(sim.calls_read_by(0).len(), 1);
    assert_eq!(sim.leaf(0), Leaf::Ready, "the server is back");
}

fn ready_with_safe_work(birth: impl FnMut(ServerId, u32) -> Birth + 'static) -> Sim {
    let mut birth = birth;
    let mut spec = ServerSpec::named("a");
    let policy = ToolPolicy {
        class: Some(CallClass::Idempotent),
        timeout_ms: None,
    };
    spec.policy.tools.insert("work".to_owned(), policy);
    let mut sim = Sim::new(
        Setup::of(vec![spec]),
        Box::new(move |server, generation| birth(server, generation.0)),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim
}

#[test]
fn a_safe_call_that_its_server_died_of_is_repeated_once() {
    let mut sim = ready_with_safe_work(|_, generation| {
        Scripted::prompt()
            .on_call(move |asked| match generation {
                1 => vec![die(0, ExitStatus::Signal(9))],
                _ => vec![asked.result(0, DONE)],
            })
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(5_000);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert_eq!(sim.calls_read_by(0).len(), 2);
}

#[test]
fn a_safe_call_that_every_process_dies_of_is_not_repeated_for_ever() {
    let mut sim = ready_with_safe_work(|_, _| {
        Scripted::prompt()
            .on_call(|_| vec![die(0, ExitStatus::Signal(9))])
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(100_000);
    assert_eq!(facts(&answer(&mut sim, "1"))["executed"], "maybe");
    assert_eq!(sim.calls_read_by(0).len(), 2);
}

#[test]
fn a_repeated_call_that_is_then_given_up_may_have_been_executed() {
    let mut sim = ready_with_safe_work(|_, generation| match generation {
        1 => Scripted::prompt()
            .on_call(|_| vec![die(0, ExitStatus::Signal(9))])
            .birth(),
        _ => Scripted::prompt().handshake(Manner::Never).birth(),
    });
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(15_000);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["reason"], "timeout");
    assert_eq!(facts(&answer)["executed"], "maybe", "it was read once");
}

#[test]
fn a_call_that_was_not_read_goes_to_the_next_process_even_if_it_is_unsafe() {
    let mut sim = ready_over(|_, generation| {
        Scripted::prompt()
            .on_call(move |asked| match generation {
                1 => vec![die(0, ExitStatus::Signal(9))],
                _ => vec![asked.result(0, DONE)],
            })
            .birth()
    });
    // The first is read and kills; the second is written behind it and never read.
    sim.says(&[&call("1", "a__work"), &call("2", "a__work")]);
    sim.run_to(5_000);
    assert_eq!(facts(&answer(&mut sim, "1"))["executed"], "maybe");
    assert_eq!(text(&answer(&mut sim, "2")), "done");
}

#[test]
fn a_blocked_server_says_what_somebody_has_to_change() {
    let mut sim = ready_over(|_, _| Birth::Fails {
        after_ms: 0,
        failure: SpawnFailure::Blocked(BlockReason::MissingEnv {
            names: vec!["TOKEN".to_owned()],
        }),
    });
    sim.says(&[&call("1", "a__work")]);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["reason"], "blocked");
    assert_eq!(facts(&answer)["executed"], "no");
    assert!(text(&answer).contains("TOKEN"), "{answer}");
}

#[test]
fn a_locked_server_says_when_the_next_try_is() {
    let mut sim = ready_over(|_, _| Birth::Fails {
        after_ms: 0,
        failure: SpawnFailure::System { errno: 11 },
    });
    sim.run_to(5_000);
    assert_eq!(sim.leaf(0), Leaf::FlapLocked);
    sim.says(&[&call("1", "a__work")]);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["reason"], "flap_locked");
    let retry_at = facts(&answer)["retry_at"].as_str().expect("a time");
    let retry_at: jiff::Timestamp = retry_at.parse().expect("RFC 3339");
    let wait_ms = retry_at
        .duration_since(simulation::harness::began())
        .as_millis();
    assert!((30_000..45_000).contains(&wait_ms), "{wait_ms}");
    assert!(text(&answer).contains("the next try is at"), "{answer}");
}

#[test]
fn a_cancelled_call_is_given_up_at_the_server_and_not_answered() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| vec![asked.result(50, DONE)])
            .birth()
    });
    sim.says(&[
        &call("\"x\"", "a__work"),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x","reason":"no more"}}"#,
    ]);
    sim.run_to(500);
    assert!(answers(&mut sim, "\"x\"").is_empty());
    let read = sim.read_by(0);
    let wire_id = &read[read.len() - 2];
    let wire_id: Value = serde_json::from_str(wire_id).expect("it is the call");
    let cancel: Value = serde_json::from_str(&read[read.len() - 1]).expect("it is JSON");
    assert_eq!(cancel["method"], "notifications/cancelled");
    assert_eq!(cancel["params"]["requestId"], wire_id["id"]);
}

#[test]
fn a_call_given_up_while_it_waits_is_never_sent() {
    let mut sim = gateway(1, |_, _| {
        Scripted::prompt().handshake(Manner::After(300)).birth()
    });
    sim.says(&[
        INITIALIZE,
        &call("1", "a__work"),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
    ]);
    sim.run_to(2_000);
    assert!(answers(&mut sim, "1").is_empty());
    assert!(sim.calls_read_by(0).is_empty());
}

#[test]
fn progress_reaches_the_client_as_it_stands_and_before_the_answer() {
    let progress = r#"{"method":"notifications/progress","params":{"progress":1e400,"progressToken":"t","x":1},"jsonrpc":"2.0"}"#;
    let mut sim = ready_over(move |_, _| {
        Scripted::prompt()
            .on_call(move |asked| vec![say(0, progress), asked.result(0, DONE), say(1, progress)])
            .birth()
    });
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__work","_meta":{"progressToken":"t"}}}"#,
    ]);
    sim.run_to(500);
    let heard = sim.heard();
    assert_eq!(heard[1], progress);
    assert!(heard[2].contains("done"));
    assert_eq!(heard.len(), 3, "nothing follows the answer: {heard:?}");
}

#[test]
fn progress_of_a_call_goes_on_when_another_with_the_same_token_has_ended() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#;
    let mut sim = ready_over(move |_, _| {
        Scripted::prompt()
            .on_call(move |asked| {
                if asked.line.contains("other") {
                    vec![asked.result(0, DONE)]
                } else {
                    vec![say(20, progress), asked.result(30, DONE)]
                }
            })
            .birth()
    });
    let with_token = |tool: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a__{tool}","_meta":{{"progressToken":1}}}}}}"#
        )
    };
    sim.says(&[&with_token("work"), &with_token("other")]);
    sim.run_to(500);
    let heard = sim.heard();
    assert!(heard.contains(&progress.to_owned()), "{heard:?}");
}

#[test]
fn progress_gives_a_call_more_time() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#;
    let mut sim = ready_over(move |_, _| {
        Scripted::prompt()
            .pong(Manner::Never)
            .on_call(move |asked| vec![say(40_000, progress), asked.result(90_000, DONE)])
            .birth()
    });
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__work","_meta":{"progressToken":1}}}"#,
    ]);
    sim.run_to(95_000);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
}

#[test]
fn an_answer_over_the_limit_is_replaced_by_an_error_that_says_so() {
    let mut setup = Setup::of(vec![ServerSpec::named("a")]);
    setup.line_bytes_max = 1_000;
    let mut sim = Sim::new(
        setup,
        Box::new(|_, _| {
            let long = format!(r#"{{"x":"{}"}}"#, "y".repeat(1_000));
            Scripted::prompt()
                .on_call(move |asked| vec![asked.result(0, &long)])
                .birth()
        }),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(200);
    let answer = answer(&mut sim, "1");
    assert_eq!(facts(&answer)["reason"], "oversized_answer");
    assert_eq!(facts(&answer)["executed"], "yes");
    assert!(text(&answer).contains("1000 bytes"), "{answer}");
    assert_eq!(sim.calls_read_by(0).len(), 1, "and it is not called again");
}

#[test]
fn a_stray_print_is_skipped_and_disturbs_nothing() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| {
                vec![
                    say(0, "\u{1b}[1mListening\u{1b}[0m {"),
                    asked.result(0, DONE),
                ]
            })
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert_eq!(sim.leaf(0), Leaf::Ready);
}

#[test]
fn a_tools_own_deadline_counts() {
    let mut spec = ServerSpec::named("a");
    let policy = ToolPolicy {
        class: None,
        timeout_ms: Some(Millis(200)),
    };
    spec.policy.tools.insert("work".to_owned(), policy);
    let mut sim = Sim::new(
        Setup::of(vec![spec]),
        Box::new(|_, _| Scripted::prompt().on_call(|_| Vec::new()).birth()),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(400);
    let read = sim.read_by(0);
    let last = read.last().expect("something was read");
    assert!(
        last.contains("\"ping\""),
        "at its deadline the server is probed: {read:?}"
    );
}
