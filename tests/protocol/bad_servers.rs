//! A server that misbehaves is its own trouble: the other's calls are answered, the client and the
//! log get so much and no more, and what is said names the server and the reason.

use super::*;
use rea_fsm::{IoErrorKind, LastError, Leaf};
use simulation::said::{about, said_during};

const ALL: &str = r#"{"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true},"completions":{},"logging":{}}"#;

const TOOLS: &str = r#"{"tools":{}}"#;

const CALL: &str = r#"{"name":"a__t"}"#;

const NOTHING: &str = r#"{"content":[]}"#;

/// Does this when it is called, and is good otherwise.
fn when_called(does: impl Fn(&Asked) -> Vec<Does> + 'static) -> Birth {
    legacy(ALL, move |asked| match asked.method.as_str() {
        "tools/call" => does(asked),
        "notifications/cancelled" | "" => Vec::new(),
        _ => empty_list(asked).unwrap_or_else(|| vec![asked.result(0, "{}")]),
    })
}

/// Says a line so often, then answers.
fn says_often(times: u32, line: impl Fn(u32) -> String + 'static) -> Birth {
    when_called(move |asked| {
        let mut does: Vec<Does> = (0..times).map(|number| say(0, line(number))).collect();
        does.push(asked.result(0, NOTHING));
        does
    })
}

/// As much as may stand in the log of what one server says of its own accord in one burst.
const LOGGED_BYTES_MAX: u64 = 3_000_000;

fn logged_during(sim: &mut Sim, act: impl FnOnce(&mut Sim)) -> u64 {
    let before = sim.world().written.bytes();
    act(sim);
    sim.world().written.bytes() - before
}

#[test]
fn a_server_that_has_nothing_of_what_it_promises_serves_what_it_has_and_is_named() {
    let said = said_during(|| {
        let mut sim = beside_a_good_one(|| {
            legacy(ALL, |asked| match asked.method.as_str() {
                "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"t"}]}"#)],
                "tools/call" => vec![asked.result(0, NOTHING)],
                method if method.contains('/') => {
                    vec![asked.error(0, r#"{"code":-32601,"message":"no such thing"}"#)]
                }
                _ => Vec::new(),
            })
        });
        says(
            &mut sim,
            &[
                &request(1, "tools/call", CALL),
                &request(2, "prompts/list", "{}"),
                &request(3, "prompts/get", r#"{"name":"a__p"}"#),
                &request(4, "resources/subscribe", r#"{"uri":"x://one"}"#),
            ],
        );
        assert!(answer(&mut sim, 1)["result"].is_object());
        assert_eq!(answer(&mut sim, 2)["result"]["prompts"], json!([]));
        for id in [3, 4] {
            let error = &answer(&mut sim, id)["error"];
            assert_eq!(error["message"], "no such thing", "its own words");
        }
        assert_eq!(sim.leaf(0), Leaf::Ready);
        assert_good_one_is_undisturbed(&mut sim, 9);
    });
    let refused = about(&said, "a", "downstream.list_refused");
    for method in ["prompts/list", "resources/list"] {
        assert!(
            refused.iter().any(|line| line.contains(method)),
            "{method}: {said:?}"
        );
    }
    assert!(about(&said, "b", "downstream.list_refused").is_empty());
}

#[test]
fn a_server_that_promises_nothing_is_asked_for_nothing_whatever_it_tells() {
    let mut sim = beside_a_good_one(|| {
        legacy("{}", |asked| match asked.method.as_str() {
            "tools/call" => ["tools", "prompts", "resources"]
                .map(|kind| {
                    let method = format!("notifications/{kind}/list_changed");
                    say(0, notification(&method, "{}"))
                })
                .into_iter()
                .chain([asked.result(0, NOTHING)])
                .collect(),
            _ => Vec::new(),
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let at = sim.now + 5_000;
    sim.run_to(at);
    assert!(is_answered(&mut sim, 1), "the server knows best");
    let read = sim.read_by(0);
    assert!(
        !read.iter().any(|line| line.contains("/list\"")),
        "{read:?}"
    );
    assert!(told(&mut sim, "notifications/tools/list_changed").is_empty());
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn a_server_that_pages_for_ever_is_given_up_after_so_many_pages_and_named() {
    let said = said_during(|| {
        let mut sim = beside_a_good_one(|| {
            let page = std::cell::Cell::new(0_u32);
            legacy(TOOLS, move |asked| {
                page.set(page.get() + 1);
                let page = page.get();
                vec![asked.result(
                    1,
                    &format!(r#"{{"tools":[{{"name":"t{page}"}}],"nextCursor":"{page}"}}"#),
                )]
            })
        });
        assert_good_one_is_undisturbed(&mut sim, 9);
        sim.run_to(5_000);
        says(&mut sim, &[&request(1, "tools/list", "{}")]);
        let listed = answer(&mut sim, 1);
        assert_eq!(listed["result"]["tools"], json!([{"name":"b__t"}]));
        assert_eq!(read(&mut sim, 0, "tools/list").len(), 1_001);
        assert_eq!(sim.leaf(0), Leaf::Ready, "its calls are still served");
    });
    let given_up = about(&said, "a", "downstream.endless_list");
    assert_eq!(given_up.len(), 1, "{said:?}");
    assert!(given_up[0].contains("tools/list"), "{given_up:?}");
}

#[test]
fn a_list_of_too_many_bytes_is_given_up_and_named() {
    let said = said_during(|| {
        let filler = "x".repeat(16 << 20);
        let mut sim = beside_a_good_one(move || {
            let page = std::cell::Cell::new(0_u32);
            let filler = filler.clone();
            legacy(TOOLS, move |asked| {
                page.set(page.get() + 1);
                let page = page.get();
                let tool = format!(r#"{{"name":"t{page}","x":"{filler}"}}"#);
                let result = format!(r#"{{"tools":[{tool}],"nextCursor":"{page}"}}"#);
                vec![asked.result(1, &result)]
            })
        });
        sim.run_to(5_000);
        assert_eq!(read(&mut sim, 0, "tools/list").len(), 4, "4 × 16 MiB");
        says(&mut sim, &[&request(1, "tools/list", "{}")]);
        let listed = answer(&mut sim, 1);
        assert_eq!(listed["result"]["tools"], json!([{"name":"b__t"}]));
        assert_good_one_is_undisturbed(&mut sim, 9);
    });
    assert_eq!(about(&said, "a", "downstream.endless_list").len(), 1);
}

#[test]
fn a_cursor_that_comes_back_ends_the_list_and_is_named() {
    let said = said_during(|| {
        let mut sim = beside_a_good_one(|| {
            legacy(TOOLS, |asked| {
                vec![asked.result(0, r#"{"tools":[{"name":"t"}],"nextCursor":"same"}"#)]
            })
        });
        sim.run_to(5_000);
        assert_eq!(read(&mut sim, 0, "tools/list").len(), 2);
        assert_good_one_is_undisturbed(&mut sim, 9);
    });
    let repeated = about(&said, "a", "downstream.repeated_cursor");
    assert_eq!(repeated.len(), 1, "{said:?}");
}

#[test]
fn a_list_that_changes_ten_times_a_second_is_told_once_a_second() {
    let mut sim = beside_a_good_one(|| {
        let listings = std::cell::Cell::new(0);
        legacy(ALL, move |asked| match asked.method.as_str() {
            "tools/list" => {
                listings.set(listings.get() + 1);
                let tools = format!(r#"{{"tools":[{{"name":"t{}"}}]}}"#, listings.get());
                vec![asked.result(0, &tools)]
            }
            "tools/call" => (0..100)
                .map(|tick| {
                    let line = notification("notifications/tools/list_changed", "{}");
                    say(tick * 100, line)
                })
                .chain([asked.result(0, NOTHING)])
                .collect(),
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(
        &mut sim,
        &[
            &request(1, "tools/list", "{}"),
            &request(2, "tools/call", CALL),
        ],
    );
    let begun = sim.now;
    for id in 10..20 {
        let at = begun + 1_000 * u64::from(id - 9);
        sim.run_to(at);
        assert_good_one_is_undisturbed(&mut sim, id);
    }
    let changes = told(&mut sim, "notifications/tools/list_changed").len();
    assert!((8..=12).contains(&changes), "{changes} in ten seconds");
    assert_eq!(read(&mut sim, 1, "tools/list").len(), 1);
}

#[test]
fn an_answer_to_another_servers_call_answers_nobody() {
    let mut sim = session(2, |server| {
        when_called(move |asked| match server.0 {
            // Every id that a call can have by then, its own included, and the gateway's own.
            0 => (0..20)
                .map(|id| {
                    let result = r#"{"content":[],"by":"a"}"#;
                    say(
                        0,
                        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
                    )
                })
                .collect(),
            _ => vec![asked.result(100, r#"{"content":[],"by":"b"}"#)],
        })
    });
    says(
        &mut sim,
        &[
            &request(1, "tools/call", r#"{"name":"b__t"}"#),
            &request(2, "tools/call", CALL),
        ],
    );
    assert_eq!(answer(&mut sim, 2)["result"]["by"], "a");
    assert!(!is_answered(&mut sim, 1), "only its own server answers it");
    let at = sim.now + 200;
    sim.run_to(at);
    assert_eq!(answer(&mut sim, 1)["result"]["by"], "b");
    assert_eq!(sim.leaf(0), Leaf::Ready);
}

#[test]
fn answers_that_nobody_waits_for_do_not_fill_the_log() {
    let mut sim = beside_a_good_one(|| {
        says_often(40_000, |_| {
            r#"{"jsonrpc":"2.0","id":8,"result":{"content":[]}}"#.to_owned()
        })
    });
    let logged = logged_during(&mut sim, |sim| {
        says(sim, &[&request(1, "tools/call", CALL)]);
    });
    assert!(is_answered(&mut sim, 1), "what is waited for is heard");
    assert!(logged < LOGGED_BYTES_MAX, "{logged} bytes");
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn lines_that_are_no_text_do_not_fill_the_log() {
    let mut sim = beside_a_good_one(|| {
        when_called(|asked| {
            let rubbish: &[u8] = b"\xff";
            let alive = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#.as_bytes();
            let lines = (0..20_000).flat_map(|_| [say(0, rubbish), say(0, alive)]);
            lines.chain([asked.result(0, NOTHING)]).collect()
        })
    });
    let logged = logged_during(&mut sim, |sim| {
        says(sim, &[&request(1, "tools/call", CALL)]);
    });
    assert!(is_answered(&mut sim, 1));
    assert!(logged < LOGGED_BYTES_MAX, "{logged} bytes");
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn a_line_that_is_no_text_is_the_last_error_of_its_server() {
    let mut sim = beside_a_good_one(|| when_called(|_| vec![say(0, b"\xff")]));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let error = LastError::Io {
        kind: IoErrorKind::InvalidText,
    };
    assert_eq!(sim.downstream(0).view().last_error, Some(error));
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn requests_that_the_client_can_not_answer_are_refused_and_not_logged_one_by_one() {
    let said = said_during(|| {
        let mut sim = gateway(2, |server| match server.0 {
            0 => says_often(20_000, |id| {
                let params = r#""params":{"messages":[]}"#;
                format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"method":"sampling/createMessage",{params}}}"#
                )
            }),
            _ => good(),
        });
        says(&mut sim, &[&initialize("{}")]);
        sim.run_to(500);
        let logged = logged_during(&mut sim, |sim| {
            says(sim, &[&request(1, "tools/call", CALL)]);
        });
        assert!(is_answered(&mut sim, 1));
        assert!(told(&mut sim, "sampling/createMessage").is_empty());
        let refused = sim.read_by(0);
        let refused = refused.iter().filter(|line| line.contains("-32601"));
        let refused = refused.count();
        assert_eq!(refused, 20_000);
        assert!(logged < LOGGED_BYTES_MAX, "{logged} bytes");
        assert_good_one_is_undisturbed(&mut sim, 9);
    });
    assert_eq!(about(&said, "a", "downstream.flood").len(), 1, "{said:?}");
}

#[test]
fn a_request_of_a_method_that_nobody_knows_reaches_only_a_client_that_can_be_asked() {
    let ask = r#"{"jsonrpc":"2.0","id":"q","method":"x/unknown"}"#;
    let mut sim = beside_a_good_one(move || when_called(move |_| vec![say(0, ask)]));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert_eq!(told(&mut sim, "x/unknown").len(), 1);
    assert_good_one_is_undisturbed(&mut sim, 9);

    let mut sim = gateway(1, move |_| when_called(move |_| vec![say(0, ask)]));
    says(&mut sim, &[&modern(900, "tools/list", "")]);
    sim.run_to(500);
    says(&mut sim, &[&modern(1, "tools/call", r#""name":"a__t""#)]);
    let refused = sim.read_by(0).pop().expect("an answer");
    assert!(refused.contains(r#""id":"q","error":{"code":-32601"#));
    assert!(!is_answered(&mut sim, 1), "the call goes on");
}

#[test]
fn a_flood_is_said_once_at_its_begin_and_once_at_its_end() {
    let said = said_during(|| {
        let mut sim = beside_a_good_one(|| {
            says_often(20_000, |_| {
                notification("notifications/message", r#"{"level":"info","data":"x"}"#)
            })
        });
        let logged = logged_during(&mut sim, |sim| {
            says(sim, &[&request(1, "tools/call", CALL)]);
        });
        assert!(logged < LOGGED_BYTES_MAX, "{logged} bytes");
        assert_good_one_is_undisturbed(&mut sim, 9);
        let at = sim.now + 10_000;
        sim.run_to(at);
        says(&mut sim, &[&request(2, "tools/call", CALL)]);
    });
    let begun = about(&said, "a", "downstream.flood");
    assert_eq!(begun.len(), 2, "one a call: {said:?}");
    let over = about(&said, "a", "downstream.flood_over");
    assert_eq!(over.len(), 1, "{said:?}");
    assert!(over[0].contains("dropped="), "{over:?}");
    assert!(about(&said, "b", "downstream.flood").is_empty());
}

#[test]
fn a_list_of_several_pages_arrives_in_spite_of_a_flood() {
    let mut sim = beside_a_good_one(|| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/list" if !asked.line.contains("cursor") => {
                let line = notification("notifications/message", r#"{"level":"info","data":"x"}"#);
                let mut does: Vec<Does> = (0..6_000).map(|_| say(0, &line)).collect();
                does.push(asked.result(0, r#"{"tools":[{"name":"one"}],"nextCursor":"2"}"#));
                does
            }
            "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"two"}]}"#)],
            _ => Vec::new(),
        })
    });
    says(&mut sim, &[&request(1, "tools/list", "{}")]);
    let listed = answer(&mut sim, 1);
    assert_eq!(
        listed["result"]["tools"],
        json!([{"name":"a__one"},{"name":"a__two"},{"name":"b__t"}])
    );
}

#[test]
fn a_server_that_tells_of_changes_unpromised_is_listened_to_once() {
    let mut sim = session(1, |_| {
        stateless(
            r#"{"tools":{},"resources":{"subscribe":true}}"#,
            |asked| match asked.method.as_str() {
                "tools/call" => (0..3)
                    .map(|second| {
                        let line = notification("notifications/tools/list_changed", "{}");
                        say(second * 2_000, line)
                    })
                    .collect(),
                _ => empty_list(asked).unwrap_or_default(),
            },
        )
    });
    says(
        &mut sim,
        &[
            &request(1, "resources/subscribe", r#"{"uri":"x://one"}"#),
            &request(2, "tools/call", CALL),
        ],
    );
    let at = sim.now + 10_000;
    sim.run_to(at);
    assert_eq!(read(&mut sim, 0, "tools/list").len(), 4);
    assert_eq!(read(&mut sim, 0, "subscriptions/listen").len(), 1);
}

#[test]
fn messages_that_nobody_wants_to_hear_crowd_out_none_that_somebody_does() {
    let mut sim = beside_a_good_one(|| {
        when_called(|asked| {
            let message = |level: &str| {
                let params = format!(r#"{{"level":"{level}","data":"x"}}"#);
                say(0, notification("notifications/message", &params))
            };
            let quiet = (0..10_000).map(|_| message("debug"));
            let loud = [message("error"), asked.result(0, NOTHING)];
            quiet.chain(loud).collect()
        })
    });
    says(
        &mut sim,
        &[
            &request(1, "logging/setLevel", r#"{"level":"error"}"#),
            &request(2, "tools/call", CALL),
        ],
    );
    assert_eq!(told(&mut sim, "notifications/message").len(), 1);
}
