//! Lists that no client could use as they are.

use super::*;
use rea_fsm::Leaf;
use simulation::said::{about, said_during};
use std::time::{Duration, Instant};

const TOOLS: &str = r#"{"tools":{"listChanged":true}}"#;

/// Far more than anything takes that does not grow with the square of what a server says.
const LONG: Duration = Duration::from_secs(30);

/// Lists this, and answers a call with the line that it got.
fn listing(tools: impl Into<String>) -> Birth {
    let tools = tools.into();
    legacy(TOOLS, move |asked| match asked.method.as_str() {
        "tools/list" => vec![asked.result(0, &tools)],
        "tools/call" => vec![asked.result(0, r#"{"content":[]}"#)],
        _ => Vec::new(),
    })
}

fn listed(sim: &mut Sim, id: u32) -> Vec<String> {
    says(sim, &[&request(id, "tools/list", "{}")]);
    let listed = answer(sim, id);
    let tools = listed["result"]["tools"].as_array().expect("a list");
    let name = |tool: &Value| tool["name"].as_str().expect("a name").to_owned();
    tools.iter().map(name).collect()
}

#[test]
fn what_is_no_list_is_none_and_its_server_is_named() {
    for garbage in [
        "null",
        "7",
        r#""tools""#,
        "[]",
        "{}",
        r#"{"tools":null}"#,
        r#"{"tools":{"name":"t"}}"#,
        r#"{"tools":"t"}"#,
    ] {
        let said = said_during(|| {
            let mut sim = beside_a_good_one(move || listing(garbage));
            assert_eq!(listed(&mut sim, 1), ["b__t"], "{garbage}");
            assert_eq!(sim.leaf(0), Leaf::Ready, "its calls are served");
            says(&mut sim, &[&request(2, "tools/call", r#"{"name":"a__t"}"#)]);
            assert!(is_answered(&mut sim, 2));
            assert_good_one_is_undisturbed(&mut sim, 9);
        });
        let named = about(&said, "a", "downstream.not_a_list");
        assert_eq!(named.len(), 1, "{garbage}: {said:?}");
    }
}

#[test]
fn an_answer_to_a_list_that_is_no_message_is_as_good_as_none() {
    for garbage in [
        r#""result":{"tools":[]},"error":{"code":1,"message":""}"#,
        r#""result":{"tools":[]},"result":{"tools":[]}"#,
    ] {
        let mut sim = beside_a_good_one(move || {
            legacy(TOOLS, move |asked| match asked.method.as_str() {
                "tools/list" => {
                    let id = &asked.id;
                    vec![say(
                        0,
                        format!(r#"{{"jsonrpc":"2.0","id":{id},{garbage}}}"#),
                    )]
                }
                _ => Vec::new(),
            })
        });
        assert_eq!(listed(&mut sim, 1), ["b__t"], "{garbage}");
        assert_eq!(sim.leaf(0), Leaf::Ready, "{garbage}");
        assert_good_one_is_undisturbed(&mut sim, 9);
    }
}

#[test]
fn tools_without_a_usable_name_are_left_out_and_counted_under_their_servers_name() {
    let said = said_during(|| {
        let mut sim = beside_a_good_one(|| {
            listing(
                r#"{"tools":[null,7,"t",[],{},{"name":null},{"name":""},{"name":["t"]},{"name":"\ud800"},{"name":"ok"}]}"#,
            )
        });
        assert_eq!(listed(&mut sim, 1), ["a__ok", "b__t"]);
        assert_good_one_is_undisturbed(&mut sim, 9);
    });
    let malformed = about(&said, "a", "downstream.malformed_entries");
    assert_eq!(malformed.len(), 1, "{said:?}");
    assert!(malformed[0].contains("9 entries"), "{malformed:?}");
}

#[test]
fn of_two_tools_of_one_name_one_is_listed_and_its_server_is_named() {
    let said = said_during(|| {
        let mut sim = beside_a_good_one(|| {
            listing(r#"{"tools":[{"name":"t","n":1},{"name":"other"},{"name":"\u0074","n":2}]}"#)
        });
        assert_eq!(listed(&mut sim, 1), ["a__t", "a__other", "b__t"]);
        assert_good_one_is_undisturbed(&mut sim, 9);
    });
    let named = about(&said, "a", "downstream.repeated_entries");
    assert_eq!(named.len(), 1, "{said:?}");
}

#[test]
fn odd_names_are_shown_and_called_as_their_server_wrote_them() {
    let long = "ü".repeat(300);
    let names = [
        "__",
        "a__t",
        "b__t",
        "_",
        "x__y__z",
        "a b",
        "\u{1}\n\u{7f}",
        "\u{202e}",
        &long,
    ];
    let tools: Vec<String> = names
        .iter()
        .map(|name| json!({ "name": name }).to_string())
        .collect();
    let tools = format!(r#"{{"tools":[{}]}}"#, tools.join(","));
    let mut sim = beside_a_good_one(move || listing(tools.as_str()));
    let shown = listed(&mut sim, 1);
    assert_eq!(shown.len(), names.len() + 1, "{shown:?}");
    for ((id, name), shown) in (10..).zip(names).zip(&shown) {
        assert!(shown.starts_with("a__"), "{shown:?}");
        assert!(shown.chars().count() <= 64, "{shown:?}");
        let params = json!({ "name": shown }).to_string();
        says(&mut sim, &[&request(id, "tools/call", &params)]);
        assert!(is_answered(&mut sim, id), "{shown:?}");
        let call = sim.calls_read_by(0).pop().expect("a call");
        let call: Value = serde_json::from_str(&call).expect("JSON");
        assert_eq!(call["params"]["name"], name);
    }
    assert_good_one_is_undisturbed(&mut sim, 9);
    assert_eq!(
        sim.calls_read_by(1).len(),
        1,
        "none of them was taken for the other server's"
    );
}

fn so_many(tools: u32) -> String {
    let tools = (0..tools).map(|number| format!(r#"{{"name":"t{number}"}}"#));
    let tools: Vec<String> = tools.collect();
    format!(r#"{{"tools":[{}]}}"#, tools.join(","))
}

#[test]
fn more_than_a_hundred_thousand_tools_are_none_and_their_server_is_named() {
    let said = said_during(|| {
        let mut sim = beside_a_good_one(|| listing(so_many(100_001)));
        assert_eq!(listed(&mut sim, 1), ["b__t"]);
        assert_good_one_is_undisturbed(&mut sim, 9);
    });
    assert_eq!(about(&said, "a", "downstream.endless_list").len(), 1);
}

#[test]
fn a_hundred_thousand_tools_are_listed_beside_the_others() {
    let began = Instant::now();
    let mut sim = beside_a_good_one(|| listing(so_many(100_000)));
    let shown = listed(&mut sim, 1);
    assert_eq!(shown.len(), 100_001);
    assert_eq!(shown[99_999], "a__t99999");
    assert_good_one_is_undisturbed(&mut sim, 9);
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
}

#[test]
fn capabilities_without_end_hold_nobody_up() {
    let began = Instant::now();
    let members: Vec<String> = (0..200_000).map(|n| format!(r#""x{n}":{{}}"#)).collect();
    let capabilities: &'static str = format!("{{{},\"tools\":{{}}}}", members.join(",")).leak();
    let mut sim = beside_a_good_one(move || {
        legacy(capabilities, |asked| empty_list(asked).unwrap_or_default())
    });
    says(&mut sim, &[&modern(1, "server/discover", "")]);
    assert!(is_answered(&mut sim, 1));
    assert_good_one_is_undisturbed(&mut sim, 9);
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
}

#[test]
fn a_change_of_lists_before_there_is_a_session_is_nothing() {
    let mut sim = beside_a_good_one(|| {
        Scripted::prompt()
            .on_any(|asked| match asked.method.as_str() {
                "initialize" => {
                    let changed = notification("notifications/tools/list_changed", "{}");
                    let offer = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}"#;
                    vec![say(0, &changed), say(0, changed), asked.result(1, offer)].into()
                }
                _ => None,
            })
            .birth()
    });
    let at = sim.now + 5_000;
    sim.run_to(at);
    assert_eq!(sim.leaf(0), Leaf::Ready);
    assert_eq!(read(&mut sim, 0, "tools/list").len(), 1);
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn a_list_that_nobody_has_asked_for_changes_nothing() {
    let mut sim = beside_a_good_one(|| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/list" => {
                let id = &asked.id;
                let other = format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tools":[{{"name":"other"}}]}}}}"#
                );
                vec![
                    asked.result(0, r#"{"tools":[{"name":"t"}]}"#),
                    say(0, other),
                ]
            }
            _ => Vec::new(),
        })
    });
    assert_eq!(listed(&mut sim, 1), ["a__t", "b__t"], "the first counts");
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn entries_without_a_name_are_said_once_a_list_however_many_pages_it_has() {
    let said = said_during(|| {
        let mut sim = beside_a_good_one(|| {
            let page = std::cell::Cell::new(0);
            legacy(TOOLS, move |asked| match asked.method.as_str() {
                "tools/list" => {
                    page.set(page.get() + 1);
                    let next = match page.get() {
                        100 => String::new(),
                        page => format!(r#","nextCursor":"{page}""#),
                    };
                    vec![asked.result(0, &format!(r#"{{"tools":[{{}},null]{next}}}"#))]
                }
                _ => Vec::new(),
            })
        });
        assert_eq!(listed(&mut sim, 1), ["b__t"]);
    });
    let malformed = about(&said, "a", "downstream.malformed_entries");
    assert_eq!(malformed.len(), 1, "{said:?}");
    assert!(malformed[0].contains("200 entries"), "{malformed:?}");
}

#[test]
fn a_change_of_lists_in_the_middle_of_a_flood_is_listed_when_it_is_over() {
    let mut sim = beside_a_good_one(|| {
        let listings = std::cell::Cell::new(0);
        legacy(TOOLS, move |asked| match asked.method.as_str() {
            "tools/list" => {
                listings.set(listings.get() + 1);
                let tools = format!(r#"{{"tools":[{{"name":"t{}"}}]}}"#, listings.get());
                vec![asked.result(0, &tools)]
            }
            "tools/call" => {
                let line = notification("notifications/message", r#"{"level":"info","data":"x"}"#);
                let mut does: Vec<Does> = (0..6_000).map(|_| say(0, &line)).collect();
                let changed = notification("notifications/tools/list_changed", "{}");
                does.extend([say(0, changed), asked.result(0, r#"{"content":[]}"#)]);
                does
            }
            _ => Vec::new(),
        })
    });
    says(
        &mut sim,
        &[&request(2, "tools/call", r#"{"name":"a__t1"}"#)],
    );
    let at = sim.now + 30_000;
    sim.run_to(at);
    assert_eq!(listed(&mut sim, 1), ["a__t2", "b__t"]);
}

#[test]
fn instructions_without_end_do_not_reach_the_client_whole() {
    let instructions = "x".repeat(8 << 20);
    let mut sim = beside_a_good_one(move || {
        let offer = format!(
            r#"{{"protocolVersion":"2025-11-25","capabilities":{{"tools":{{}}}},"instructions":"{instructions}"}}"#
        );
        Scripted::prompt()
            .on_any(move |asked| match asked.method.as_str() {
                "initialize" => Some(vec![asked.result(0, &offer)]),
                _ => None,
            })
            .birth()
    });
    says(&mut sim, &[&modern(1, "server/discover", "")]);
    let discovered = answer(&mut sim, 1);
    let instructions = discovered["result"]["instructions"].as_str().expect("text");
    assert!(
        instructions.contains("# b\n\nBe kind."),
        "the other's are there"
    );
    assert!(instructions.len() < 1 << 20, "{} bytes", instructions.len());
}
