//! Lists that fail, are late, or come in part: what a server has reaches clients all the same.

use super::*;
use rea_fsm::{ExitStatus, ProtocolVersion};
use simulation::child::die;
use std::cell::Cell;
use std::rc::Rc;

const TOOLS: &str = r#"{"tools":{"listChanged":true}}"#;
const BUSY: &str = r#"{"code":-32603,"message":"busy"}"#;

/// Lists one tool more with each listing; what the listing of a number is instead, the test says.
fn lists(
    instead: impl Fn(u32, &Asked) -> Option<Vec<Does>> + 'static,
) -> impl Fn(ServerId) -> Birth {
    let instead = Rc::new(instead);
    move |_| {
        let (instead, listings) = (Rc::clone(&instead), Cell::new(0));
        legacy(TOOLS, move |asked| match asked.method.as_str() {
            "tools/list" => {
                listings.set(listings.get() + 1);
                let number = listings.get();
                instead(number, asked).unwrap_or_else(|| {
                    let tools: Vec<String> = (1..=number)
                        .map(|number| format!(r#"{{"name":"t{number}"}}"#))
                        .collect();
                    let tools = tools.join(",");
                    vec![asked.result(0, &format!(r#"{{"tools":[{tools}]}}"#))]
                })
            }
            "tools/call" => vec![
                asked.result(0, r#"{"content":[]}"#),
                say(0, notification("notifications/tools/list_changed", "{}")),
            ],
            _ => Vec::new(),
        })
    }
}

fn listed(sim: &mut Sim, id: u32) -> Vec<String> {
    says(sim, &[&request(id, "tools/list", "{}")]);
    let listed = answer(sim, id);
    let tools = listed["result"]["tools"].as_array().expect("a list");
    let name = |tool: &Value| tool["name"].as_str().expect("a name").to_owned();
    tools.iter().map(name).collect()
}

fn changes(sim: &mut Sim) -> usize {
    told(sim, "notifications/tools/list_changed").len()
}

#[test]
fn a_first_list_that_fails_once_is_asked_for_again_and_told() {
    let mut sim = session(
        1,
        lists(|number, asked| (number == 1).then(|| vec![asked.error(0, BUSY)])),
    );
    assert!(listed(&mut sim, 1).is_empty());
    sim.run_to(3_000);
    assert_eq!(changes(&mut sim), 1);
    assert_eq!(listed(&mut sim, 2), ["a__t1", "a__t2"]);
    assert_eq!(read(&mut sim, 0, "tools/list").len(), 2);
}

#[test]
fn what_a_server_says_of_itself_is_known_although_it_does_not_list() {
    let mut sim = session(1, lists(|_, asked| Some(vec![asked.error(0, BUSY)])));
    says(&mut sim, &[&modern(9, "server/discover", "")]);
    let result = &answer(&mut sim, 9)["result"];
    assert_eq!(result["instructions"], "# a\n\nBe kind.");
    assert_eq!(
        result["capabilities"],
        json!({"tools":{"listChanged":true}})
    );
    let kept = sim.kept(0).expect("it is kept");
    assert_eq!(kept.offer.instructions.as_deref(), Some("Be kind."));
    assert!(kept.lists.is_empty(), "a list that never came is not empty");
    sim.run_to(130_000);
    let asked = read(&mut sim, 0, "tools/list").len();
    assert_eq!(asked, 8, "1, 2, 4, 8, 16, 32 and 60 seconds apart");
}

#[test]
fn a_changed_list_that_fails_once_is_asked_for_again_and_told() {
    let mut sim = session(
        1,
        lists(|number, asked| (number == 2).then(|| vec![asked.error(0, BUSY)])),
    );
    assert_eq!(listed(&mut sim, 1), ["a__t1"]);
    sim.run_to(2_000);
    says(
        &mut sim,
        &[&request(2, "tools/call", r#"{"name":"a__t1"}"#)],
    );
    sim.run_to(6_000);
    assert_eq!(changes(&mut sim), 1);
    assert_eq!(listed(&mut sim, 3), ["a__t1", "a__t2", "a__t3"]);
}

#[test]
fn a_changed_list_that_comes_too_late_counts() {
    // No request of the gateway's is answered in time but the first.
    let mut sim = session(
        1,
        lists(|number, asked| match number {
            1 => None,
            2 => Some(vec![asked.result(20_400, r#"{"tools":[{"name":"late"}]}"#)]),
            _ => Some(Vec::new()),
        }),
    );
    assert_eq!(listed(&mut sim, 1), ["a__t1"]);
    sim.run_to(2_000);
    says(
        &mut sim,
        &[&request(2, "tools/call", r#"{"name":"a__t1"}"#)],
    );
    sim.run_to(30_000);
    assert_eq!(changes(&mut sim), 1);
    assert_eq!(listed(&mut sim, 3), ["a__late"]);
    assert_eq!(read(&mut sim, 0, "tools/list").len(), 2);
}

#[test]
fn of_several_lists_only_the_missing_one_is_asked_for_again() {
    let mut sim = session(1, |_| {
        let failures = Cell::new(0);
        legacy(
            r#"{"tools":{},"prompts":{},"resources":{}}"#,
            move |asked| match asked.method.as_str() {
                "prompts/list" if failures.get() < 2 => {
                    failures.set(failures.get() + 1);
                    vec![asked.error(0, BUSY)]
                }
                "prompts/list" => vec![asked.result(0, r#"{"prompts":[{"name":"p"}]}"#)],
                // Many have resources and no templates. Asking again would not help.
                "resources/templates/list" => {
                    vec![asked.error(0, r#"{"code":-32601,"message":"no such method"}"#)]
                }
                _ => empty_list(asked).unwrap_or_default(),
            },
        )
    });
    says(&mut sim, &[&request(1, "prompts/list", "{}")]);
    sim.run_to(60_000);
    for (method, times) in [
        ("tools/list", 1),
        ("prompts/list", 3),
        ("resources/list", 1),
        ("resources/templates/list", 1),
    ] {
        assert_eq!(read(&mut sim, 0, method).len(), times, "{method}");
    }
    let changed = told(&mut sim, "notifications/prompts/list_changed");
    assert_eq!(changed.len(), 1);
}

/// A process that offers this, lists one tool and dies of a call.
fn mortal(capabilities: &'static str) -> Birth {
    legacy(capabilities, |asked| match asked.method.as_str() {
        "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"t"}]}"#)],
        "tools/call" => vec![die(0, ExitStatus::Code(1))],
        _ => Vec::new(),
    })
}

#[test]
fn what_the_next_process_says_of_itself_replaces_what_the_last_one_said() {
    let lives = Cell::new(0);
    let mut sim = session(1, move |_| {
        lives.set(lives.get() + 1);
        mortal(if lives.get() == 1 {
            r#"{"tools":{}}"#
        } else {
            r#"{"tools":{},"completions":{}}"#
        })
    });
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"a__t"}"#)]);
    sim.run_to(3_000);
    says(&mut sim, &[&modern(9, "server/discover", "")]);
    let capabilities = &answer(&mut sim, 9)["result"]["capabilities"];
    assert!(capabilities["completions"].is_object(), "{capabilities}");
    let kept = sim.kept(0).expect("it is kept").offer.capabilities;
    assert!(kept.completes());
    assert_eq!(changes(&mut sim), 0, "the list is the same");
}

#[test]
fn an_era_that_changes_within_a_run_is_kept() {
    let lives = Cell::new(0);
    let mut sim = session(1, move |_| {
        lives.set(lives.get() + 1);
        if lives.get() == 1 {
            return mortal(r#"{"tools":{}}"#);
        }
        stateless(r#"{"tools":{}}"#, |asked| match asked.method.as_str() {
            "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"t"}]}"#)],
            _ => Vec::new(),
        })
    });
    let version = |sim: &mut Sim| sim.kept(0).and_then(|kept| kept.version);
    assert_eq!(version(&mut sim), Some(ProtocolVersion::V2025_11_25));
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"a__t"}"#)]);
    // It refuses `initialize`, and is asked anew what it is.
    sim.run_to(120_000);
    assert_eq!(version(&mut sim), Some(ProtocolVersion::V2026_07_28));
}
