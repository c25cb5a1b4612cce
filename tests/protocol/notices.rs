//! What servers tell, and how loud they are.

use super::*;

const LOUD: &str = r#"{"tools":{},"logging":{},"resources":{"subscribe":true}}"#;

/// Says these lines when it is called.
fn telling(lines: &'static [&'static str]) -> Birth {
    legacy(LOUD, move |asked| match asked.method.as_str() {
        "tools/call" => {
            let mut does: Vec<Does> = lines.iter().map(|line| say(0, line)).collect();
            does.push(asked.result(0, r#"{"content":[]}"#));
            does
        }
        _ => empty_list(asked).unwrap_or_else(|| vec![asked.result(0, "{}")]),
    })
}

const CALL: &str = r#"{"name":"a__t"}"#;

#[test]
fn what_a_server_tells_passes_as_it_stands() {
    const LINES: &[&str] = &[
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1e400, "x":"\ud800"}}"#,
        r#"{ "method":"notifications/new/thing","jsonrpc":"2.0","params":[1,{"k":1,"k":2}] }"#,
        r#"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"t"}}"#,
    ];
    let mut sim = session(1, |_| telling(LINES));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let heard = sim.heard();
    assert_eq!(heard[1..4], *LINES);
}

#[test]
fn the_level_goes_to_every_server_and_filters_what_comes() {
    const LINES: &[&str] = &[
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"quiet"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"loud"}}"#,
    ];
    let mut sim = session(2, |_| telling(LINES));
    says(
        &mut sim,
        &[
            &request(1, "logging/setLevel", r#"{"level":"warning"}"#),
            &request(2, "tools/call", CALL),
        ],
    );
    assert_eq!(answer(&mut sim, 1)["result"], json!({}));
    for server in [0, 1] {
        let asked = read(&mut sim, server, "logging/setLevel");
        assert_eq!(asked.len(), 1);
        assert!(asked[0].contains(r#""level":"warning""#));
    }
    let messages = told(&mut sim, "notifications/message");
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["params"]["data"], "loud");
    says(
        &mut sim,
        &[&request(3, "logging/setLevel", r#"{"level":"screaming"}"#)],
    );
    let error = answer(&mut sim, 3);
    assert_eq!(error["error"]["code"], -32_602);
    assert!(error["error"]["message"].to_string().contains("emergency"));
}

#[test]
fn a_changed_resource_is_told_under_the_uri_that_the_client_knows() {
    const LINES: &[&str] = &[
        r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:\/\/one","n":1e400}}"#,
    ];
    let mut sim = session(2, |server| {
        let listed = |asked: &Asked| match asked.method.as_str() {
            "resources/list" => {
                vec![asked.result(0, r#"{"resources":[{"uri":"x://one","name":"n"}]}"#)]
            }
            "tools/call" => {
                let mut does: Vec<Does> = LINES.iter().map(|line| say(0, line)).collect();
                does.push(asked.result(0, r#"{"content":[]}"#));
                does
            }
            _ => empty_list(asked).unwrap_or_else(|| vec![asked.result(0, "{}")]),
        };
        let _ = server;
        legacy(LOUD, listed)
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let line = sim.heard();
    assert_eq!(
        line[1],
        r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"rea://a/x://one","n":1e400}}"#
    );
}

#[test]
fn what_the_client_tells_goes_to_every_server() {
    let mut sim = session(2, |_| telling(&[]));
    let line = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed","x":1e400}"#;
    says(&mut sim, &[line]);
    for server in [0, 1] {
        let read = read(&mut sim, server, "notifications/roots/list_changed");
        assert_eq!(read, [line]);
    }
}

#[test]
fn a_flood_is_thinned_and_nobody_elses_trouble() {
    let mut sim = session(2, |server| {
        legacy(LOUD, move |asked| match asked.method.as_str() {
            "tools/call" if server.0 == 0 => {
                let line = notification("notifications/message", r#"{"level":"info","data":"x"}"#);
                let mut does: Vec<Does> = (0..20_000).map(|_| say(0, &line)).collect();
                does.push(asked.result(0, r#"{"content":[]}"#));
                does
            }
            _ => empty_list(asked).unwrap_or_else(|| vec![asked.result(0, r#"{"content":[]}"#)]),
        })
    });
    says(
        &mut sim,
        &[
            &request(1, "tools/call", CALL),
            &request(2, "tools/call", r#"{"name":"b__t"}"#),
        ],
    );
    assert!(is_answered(&mut sim, 1), "an answer is never dropped");
    assert!(is_answered(&mut sim, 2));
    let messages = told(&mut sim, "notifications/message").len();
    assert!((5_000..6_000).contains(&messages), "{messages} messages");
}

#[test]
fn lists_that_change_ten_times_a_second_are_asked_for_once_a_second() {
    let mut sim = session(1, |_| {
        legacy(LOUD, |asked| match asked.method.as_str() {
            "tools/call" => (0..100)
                .map(|tick| {
                    say(
                        tick * 100,
                        notification("notifications/tools/list_changed", "{}"),
                    )
                })
                .collect(),
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    sim.run_to(11_000);
    let lists = read(&mut sim, 0, "tools/list").len();
    assert!((8..=13).contains(&lists), "{lists} lists in ten seconds");
}
