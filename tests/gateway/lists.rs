//! The list of tools.

use super::*;
use crate::simulation::child::say;
use crate::simulation::script::{DONE, Manner};
use rea::gateway::HEALTH_TOOL;

fn names(answer: &Value) -> Vec<&str> {
    let tools = answer["result"]["tools"].as_array().expect("it is a list");
    tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("it has a name"))
        .collect()
}

fn changes(sim: &mut Sim) -> usize {
    let heard = sim.heard();
    let is_change = |line: &&String| line.contains("notifications/tools/list_changed");
    heard.iter().filter(is_change).count()
}

#[test]
fn a_list_waits_for_servers_that_are_starting() {
    let mut sim = gateway(2, |_, _| {
        Scripted::prompt().handshake(Manner::After(300)).birth()
    });
    sim.says(&[INITIALIZE, &list(1)]);
    assert!(answers(&mut sim, "1").is_empty());
    sim.run_to(1_000);
    let answer = answer(&mut sim, "1");
    assert_eq!(
        names(&answer),
        ["a__work", "a__other", "b__work", "b__other"]
    );
    assert_eq!(changes(&mut sim), 0, "the client has seen everything");
}

#[test]
fn b14_a_list_waits_no_longer_than_its_budget_and_what_comes_later_is_announced() {
    let mut sim = gateway(2, |server, _| match server {
        ServerId(0) => Scripted::prompt().listing(Manner::After(5_000)).birth(),
        _ => Scripted::prompt().birth(),
    });
    sim.says(&[INITIALIZE, &list(1)]);
    sim.run_to(1_999);
    assert!(answers(&mut sim, "1").is_empty());
    sim.run_to(2_000);
    assert_eq!(names(&answer(&mut sim, "1")), ["b__work", "b__other"]);
    assert_eq!(changes(&mut sim), 0);
    sim.run_to(6_000);
    assert_eq!(changes(&mut sim), 1);
    sim.says(&[&list(2)]);
    let answer = answer(&mut sim, "2");
    assert_eq!(
        names(&answer),
        ["a__work", "a__other", "b__work", "b__other"]
    );
}

#[test]
fn b14_every_page_arrives_with_every_field() {
    let first =
        r#"{"name":"one","title":"One","annotations":{"x":1},"icons":[],"_meta":{"k":1e400}}"#;
    let second = r#"{"outputSchema":{"b":1,"a":2},"name":"two"}"#;
    let mut sim = ready_over(move |_, _| Scripted::prompt().pages(&[first, second]).birth());
    sim.says(&[&list(1)]);
    let shown = sim.heard().pop().expect("the list");
    let first = first.replace("\"one\"", "\"a__one\"");
    let second = second.replace("\"two\"", "\"a__two\"");
    assert_eq!(
        shown,
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{first},{second}]}}}}"#)
    );
}

#[test]
fn a_cursor_that_comes_back_ends_the_list() {
    let mut sim = ready_over(|_, _| {
        // The second page leads to itself.
        Scripted::prompt()
            .pages(&[
                r#"{"name":"one"}"#,
                r#"{"name":"two"}],"nextCursor":"1","x":["#,
            ])
            .birth()
    });
    sim.says(&[&list(1)]);
    assert_eq!(names(&answer(&mut sim, "1"))[..2], ["a__one", "a__two"]);
}

#[test]
fn a_server_that_says_its_list_changed_is_asked_again_and_the_client_is_told_once() {
    let mut tools = vec![r#"{"name":"old"}"#, r#"{"name":"new"}"#];
    let mut sim = gateway(1, move |_, _| {
        let before = tools.remove(0);
        Scripted::prompt()
            .pages(&[before])
            .on_call(|asked| {
                vec![
                    asked.result(0, DONE),
                    say(
                        0,
                        r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
                    ),
                    say(
                        0,
                        r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
                    ),
                ]
            })
            .birth()
    });
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&list(1), &call("2", "a__old")]);
    sim.run_to(10_000);
    let asked = sim.read_by(0);
    let lists = asked.iter().filter(|line| line.contains("tools/list"));
    // At the start, once for both changes, and no more.
    assert_eq!(lists.count(), 2, "{asked:?}");
    assert_eq!(changes(&mut sim), 0, "the list is what it was");
}

#[test]
fn a_list_that_differs_after_a_restart_is_announced() {
    let mut sim = gateway(1, |_, generation| {
        let page = if generation == 1 {
            r#"{"name":"old"}"#
        } else {
            r#"{"name":"new"}"#
        };
        Scripted::prompt()
            .pages(&[page])
            .on_call(|_| vec![simulation::child::die(0, rea_fsm::ExitStatus::Code(1))])
            .birth()
    });
    sim.says(&[INITIALIZE, &list(1)]);
    sim.run_to(100);
    sim.says(&[&call("2", "a__old")]);
    sim.run_to(1_000);
    assert_eq!(changes(&mut sim), 1);
    sim.says(&[&list(3)]);
    assert_eq!(names(&answer(&mut sim, "3")), ["a__new"]);
}

#[test]
fn a_list_at_the_end_of_input_is_answered() {
    let mut sim = gateway(1, |_, _| {
        Scripted::prompt().handshake(Manner::Never).birth()
    });
    sim.says(&[INITIALIZE, &list(1)]);
    sim.happens(simulation::world::Waiting::ClientEnded);
    let left = sim.run_out(60_000);
    let text = left.world.client_text();
    assert!(
        text.contains(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{HEALTH_TOOL}]}}}}"#
        )),
        "{text}"
    );
}
