//! Prompts, resources and templates are listed like tools, and capabilities are what servers have.

use super::*;

const ALL: &str =
    r#"{"tools":{},"prompts":{},"resources":{"subscribe":true},"completions":{},"logging":{}}"#;

/// Lists one of each; its resource is `URI`.
fn library(uri: &'static str) -> Birth {
    legacy(ALL, move |asked| {
        let result = match asked.method.as_str() {
            "tools/list" => r#"{"tools":[{"name":"work"}]}"#.to_owned(),
            "prompts/list" => r#"{"prompts":[{"name":"greet","x":1e400}]}"#.to_owned(),
            "resources/list" => {
                format!(r#"{{"resources":[{{"uri":"{uri}","name":"n", "y":1.0}}]}}"#)
            }
            "resources/templates/list" => {
                r#"{"resourceTemplates":[{"uriTemplate":"note://{name}","name":"t"}]}"#.to_owned()
            }
            _ => return Vec::new(),
        };
        vec![asked.result(0, &result)]
    })
}

#[test]
fn every_kind_is_listed_with_every_field() {
    let mut sim = session(1, |_| library("x://one"));
    says(
        &mut sim,
        &[
            &request(1, "prompts/list", "{}"),
            &request(2, "resources/list", "{}"),
            &request(3, "resources/templates/list", "{}"),
            &request(4, "tools/list", "{}"),
        ],
    );
    let lines = sim.heard();
    let shown = &lines[lines.len() - 4..];
    assert_eq!(
        shown,
        [
            r#"{"jsonrpc":"2.0","id":1,"result":{"prompts":[{"name":"a__greet","x":1e400}]}}"#,
            r#"{"jsonrpc":"2.0","id":2,"result":{"resources":[{"uri":"x://one","name":"n", "y":1.0}]}}"#,
            r#"{"jsonrpc":"2.0","id":3,"result":{"resourceTemplates":[{"uriTemplate":"note://{name}","name":"t"}]}}"#,
            r#"{"jsonrpc":"2.0","id":4,"result":{"tools":[{"name":"a__work"}]}}"#,
        ]
    );
}

#[test]
fn a_uri_that_two_servers_have_says_which() {
    let mut sim = session(2, |_| library("x://one"));
    says(&mut sim, &[&request(1, "resources/list", "{}")]);
    let listed = &answer(&mut sim, 1)["result"]["resources"];
    assert_eq!(listed[0]["uri"], "rea://a/x://one");
    assert_eq!(listed[1]["uri"], "rea://b/x://one");
}

#[test]
fn a_uri_that_looks_like_ours_says_which_too() {
    let mut sim = session(1, |_| library("rea://b/x"));
    says(&mut sim, &[&request(1, "resources/list", "{}")]);
    let listed = &answer(&mut sim, 1)["result"]["resources"];
    assert_eq!(listed[0]["uri"], "rea://a/rea://b/x");
}

#[test]
fn before_a_server_is_known_everything_is_promised() {
    let mut sim = gateway(1, |_| Birth::NeverKnown);
    says(&mut sim, &[&initialize("{}")]);
    let promised = &answer(&mut sim, 0)["result"]["capabilities"];
    for name in ["tools", "prompts", "resources", "completions", "logging"] {
        assert!(promised[name].is_object(), "{name} in {promised}");
    }
    assert_eq!(promised["prompts"]["listChanged"], true);
}

#[test]
fn what_is_known_is_promised_and_instructions_are_passed_on() {
    let mut sim = session(2, |server| match server {
        ServerId(0) => legacy(r#"{"tools":{},"experimental":{"k":{"v":1}}}"#, |asked| {
            empty_list(asked).unwrap_or_default()
        }),
        _ => legacy(r#"{"prompts":{}}"#, |asked| {
            empty_list(asked).unwrap_or_default()
        }),
    });
    // Another client of the same gateway would be told so.
    says(&mut sim, &[&modern(9, "server/discover", "")]);
    let result = &answer(&mut sim, 9)["result"];
    assert_eq!(
        result["capabilities"],
        json!({"tools":{"listChanged":true},"prompts":{"listChanged":true},"experimental":{"k":{"v":1}}})
    );
    assert_eq!(result["instructions"], "# a\n\nBe kind.\n\n# b\n\nBe kind.");
}

#[test]
fn only_what_a_server_offers_is_asked_for() {
    let mut sim = session(1, |_| {
        legacy(r#"{"prompts":{}}"#, |asked| {
            empty_list(asked).unwrap_or_default()
        })
    });
    assert_eq!(read(&mut sim, 0, "prompts/list").len(), 1);
    assert!(read(&mut sim, 0, "tools/list").is_empty());
    assert!(read(&mut sim, 0, "resources/list").is_empty());
}

#[test]
fn a_change_of_one_list_asks_for_that_list_and_is_told_as_that() {
    let mut sim = session(1, |_| {
        let listings = std::cell::Cell::new(0);
        legacy(ALL, move |asked| match asked.method.as_str() {
            "prompts/list" => {
                listings.set(listings.get() + 1);
                let name = format!(r#"{{"prompts":[{{"name":"p{}"}}]}}"#, listings.get());
                vec![asked.result(0, &name)]
            }
            "tools/call" => vec![
                asked.result(0, r#"{"content":[]}"#),
                say(0, notification("notifications/prompts/list_changed", "{}")),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(
        &mut sim,
        &[
            &request(1, "prompts/list", "{}"),
            &request(2, "tools/call", r#"{"name":"a__t"}"#),
        ],
    );
    sim.run_to(5_000);
    assert_eq!(read(&mut sim, 0, "prompts/list").len(), 2);
    assert_eq!(read(&mut sim, 0, "resources/list").len(), 1);
    assert_eq!(
        told(&mut sim, "notifications/prompts/list_changed").len(),
        1
    );
    assert!(told(&mut sim, "notifications/tools/list_changed").is_empty());
}

#[test]
fn a_list_that_one_server_can_not_give_is_no_others_trouble() {
    let mut sim = session(1, |_| {
        legacy(ALL, |asked| match asked.method.as_str() {
            "resources/list" => vec![asked.error(0, r#"{"code":-32603,"message":"no"}"#)],
            "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"work"}]}"#)],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(
        &mut sim,
        &[
            &request(1, "tools/list", "{}"),
            &request(2, "resources/list", "{}"),
        ],
    );
    assert_eq!(answer(&mut sim, 1)["result"]["tools"][0]["name"], "a__work");
    assert_eq!(answer(&mut sim, 2)["result"]["resources"], json!([]));
}

#[test]
fn an_endless_list_is_given_up_and_the_rest_served() {
    let mut sim = session(1, |_| {
        let page = std::cell::Cell::new(0_u32);
        legacy(ALL, move |asked| match asked.method.as_str() {
            "prompts/list" => {
                page.set(page.get() + 1);
                let result = format!(r#"{{"prompts":[],"nextCursor":"{}"}}"#, page.get());
                vec![asked.result(0, &result)]
            }
            "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"work"}]}"#)],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    sim.run_to(3_000);
    says(&mut sim, &[&request(1, "tools/list", "{}")]);
    assert_eq!(answer(&mut sim, 1)["result"]["tools"][0]["name"], "a__work");
    assert_eq!(read(&mut sim, 0, "prompts/list").len(), 1_001);
}

#[test]
fn what_a_server_offers_stays_listed_for_a_while_after_it_has_gone() {
    let births = std::cell::Cell::new(0);
    let mut sim = session(1, move |_| {
        births.set(births.get() + 1);
        if births.get() > 1 {
            return Birth::Fails {
                after_ms: 0,
                failure: rea_fsm::SpawnFailure::Blocked(rea_fsm::BlockReason::Untrusted),
            };
        }
        legacy(r#"{"tools":{}}"#, |asked| match asked.method.as_str() {
            "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"work"}]}"#)],
            _ => vec![simulation::child::die(0, rea_fsm::ExitStatus::Code(1))],
        })
    });
    says(&mut sim, &[&request(1, "tools/list", "{}")]);
    says(
        &mut sim,
        &[&request(2, "tools/call", r#"{"name":"a__work"}"#)],
    );
    let gone = sim.now;
    sim.run_to(gone + 59_000);
    says(&mut sim, &[&request(3, "tools/list", "{}")]);
    let listed = answer(&mut sim, 3);
    assert_eq!(listed["result"]["tools"][0]["name"], "a__work");
    says(
        &mut sim,
        &[&request(4, "tools/call", r#"{"name":"a__work"}"#)],
    );
    let refused = answer(&mut sim, 4);
    let facts = &refused["result"]["_meta"]["rea/failure"];
    assert_eq!(
        (&facts["reason"], &facts["executed"]),
        (&json!("blocked"), &json!("no"))
    );

    sim.run_to(gone + 61_000);
    assert_eq!(
        told(&mut sim, "notifications/tools/list_changed").len(),
        1,
        "when it is taken away"
    );
    says(&mut sim, &[&request(5, "tools/list", "{}")]);
    assert_eq!(answer(&mut sim, 5)["result"]["tools"], json!([]));
}
