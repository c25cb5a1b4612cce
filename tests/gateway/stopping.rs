//! How it ends.

use super::*;
use crate::simulation::child::{Does, Mind};
use crate::simulation::script::{DONE, Manner};
use crate::simulation::world::{Act, Waiting};
use rea_fsm::{Leaf, Signal};

/// Does its handshake, answers no call, and ends for nothing and nobody.
struct Undying(Scripted);

impl Mind for Undying {
    fn hear(&mut self, line: &str) -> Vec<Does> {
        self.0.hear(line)
    }

    fn end_of_input(&mut self) -> Vec<Does> {
        Vec::new()
    }

    fn signalled(&mut self, _: Signal) -> Vec<Does> {
        Vec::new()
    }
}

fn undying() -> Birth {
    Birth::Lives {
        after_ms: 0,
        mind: Box::new(Undying(Scripted::prompt().on_call(|_| Vec::new()))),
    }
}

fn slow(after_ms: u64) -> impl FnMut(ServerId, u32) -> Birth {
    move |_, _| {
        Scripted::prompt()
            .on_call(move |asked| vec![asked.result(after_ms, DONE)])
            .birth()
    }
}

fn acts(left: &simulation::harness::Remainder) -> Vec<&Act> {
    let acts = left.world.acts.iter().map(|(_, _, act)| act);
    acts.filter(|act| !matches!(act, Act::Write(..))).collect()
}

#[test]
fn requests_with_the_end_of_input_right_behind_them_are_answered() {
    let mut sim = gateway(1, |_, _| {
        Scripted::prompt().handshake(Manner::After(100)).birth()
    });
    let mut bytes = INITIALIZE.as_bytes().to_vec();
    bytes.extend_from_slice(format!("\n{}\n{}", list(1), call("2", "a__work")).as_bytes());
    // The last line has no newline at all.
    sim.world().at(0, Waiting::Client(bytes));
    sim.world().at(0, Waiting::ClientEnded);
    let left = sim.run_out(60_000);
    let heard = left.world.client_text();
    assert_eq!(heard.lines().count(), 3, "{heard}");
    assert!(
        heard.contains("a__work") && heard.contains("done"),
        "{heard}"
    );
    assert!(left.ended_at < 1_500, "{}", left.ended_at);
    assert_eq!(acts(&left), [&Act::Spawn, &Act::CloseStdin]);
}

#[test]
fn an_input_that_ends_before_it_began_ends_the_gateway() {
    let mut sim = gateway(1, |_, _| Scripted::prompt().birth());
    sim.happens(Waiting::ClientEnded);
    let left = sim.run_out(10);
    assert!(left.world.acts.is_empty());
}

#[test]
fn a_silent_client_gets_its_servers_too() {
    let mut sim = gateway(1, |_, _| Scripted::prompt().birth());
    sim.run_to(999);
    assert!(sim.world().acts.is_empty());
    sim.run_to(1_000);
    assert_eq!(sim.world().acts.len(), 1);
}

#[test]
fn after_the_end_of_input_what_was_accepted_has_its_time_and_no_more() {
    for (after_ms, is_answered) in [(1_400, true), (1_600, false)] {
        let mut sim = ready_over(slow(after_ms));
        sim.says(&[&call("1", "a__work")]);
        sim.happens(Waiting::ClientEnded);
        let left = sim.run_out(60_000);
        let heard = left.world.client_text();
        assert_eq!(heard.lines().count(), 2, "{heard}");
        assert_eq!(heard.contains("done"), is_answered, "{heard}");
        assert_eq!(
            heard.contains(r#""executed":"maybe""#),
            !is_answered,
            "{heard}"
        );
    }
}

#[test]
fn nothing_is_taken_behind_the_end_of_input() {
    let mut sim = ready_over(slow(300));
    sim.says(&[&call("1", "a__work")]);
    sim.happens(Waiting::ClientEnded);
    sim.says(&[&call("2", "a__work")]);
    let left = sim.run_out(60_000);
    assert!(!left.world.client_text().contains(r#""id":2"#));
}

#[test]
fn a_signal_lets_calls_in_flight_finish_for_a_second() {
    for (after_ms, is_answered) in [(900, true), (1_100, false)] {
        let mut sim = ready_over(slow(after_ms));
        sim.says(&[&call("1", "a__work")]);
        sim.happens(Waiting::Signalled);
        let left = sim.run_out(60_000);
        let heard = left.world.client_text();
        assert_eq!(heard.contains("done"), is_answered, "{heard}");
        assert_eq!(heard.lines().count(), 2, "{heard}");
    }
}

#[test]
fn the_polite_shutdown_is_stdin_then_term_then_kill() {
    let mut sim = ready_over(|_, _| {
        let mut server = Scripted::prompt();
        server.ignores_end = true;
        server.birth()
    });
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    assert_eq!(
        acts(&left),
        [
            &Act::Spawn,
            &Act::CloseStdin,
            &Act::Signal(Signal::Term),
            &Act::Signal(Signal::Kill)
        ]
    );
    assert_eq!(left.ended_at, 100 + 4_000);
    assert!(left.orphans.is_empty());
}

#[test]
fn a_second_signal_kills_at_once() {
    let mut sim = ready_over(|_, _| {
        let mut server = Scripted::prompt().on_call(|_| Vec::new());
        server.ignores_end = true;
        server.birth()
    });
    sim.says(&[&call("1", "a__work")]);
    sim.happens(Waiting::Signalled);
    sim.run_to(300);
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    assert_eq!(left.ended_at, 300);
    assert!(left.world.living().is_empty());
    assert!(left.world.client_text().contains(r#""executed":"maybe""#));
}

#[test]
fn a_process_that_nothing_ends_is_said_to_be_left() {
    let mut sim = ready_over(|_, _| undying());
    sim.says(&[&call("1", "a__work")]);
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    assert_eq!(left.ended_at, 100 + 1_000 + 6_000);
    assert_eq!(left.orphans, [ServerId(0)]);
    let heard = left.world.client_text();
    assert!(heard.contains(r#""executed":"maybe""#), "{heard}");
}

#[test]
fn after_a_second_signal_a_process_that_nothing_ends_is_left_and_its_call_answered() {
    let mut sim = ready_over(|_, _| undying());
    sim.says(&[&call("1", "a__work")]);
    sim.happens(Waiting::Signalled);
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    assert_eq!(left.ended_at, 100 + 500);
    assert_eq!(left.leaves, [Leaf::Terminating]);
    let heard = left.world.client_text();
    assert!(
        heard.contains(r#""executed":"maybe""#),
        "every call is answered: {heard}"
    );
}

#[test]
fn nobody_waits_for_answers_that_nobody_reads() {
    let mut sim = ready_over(slow(60_000));
    sim.says(&[&call("1", "a__work")]);
    sim.happens(Waiting::ClientGone);
    let left = sim.run_out(60_000);
    assert_eq!(left.ended_at, 100);
}

#[test]
fn b7_a_stop_with_a_call_in_flight_starts_nothing() {
    let mut sim = ready_over(slow(60_000));
    sim.says(&[&call("1", "a__work")]);
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    assert_eq!(left.world.processes.len(), 1);
    assert!(left.world.living().is_empty());
}

#[test]
fn b8_a_stop_while_a_server_starts_leaves_no_orphan() {
    for at in [0, 1, 50] {
        let mut sim = gateway(1, |_, _| Birth::Lives {
            after_ms: 20,
            mind: Box::new(Scripted::prompt().handshake(Manner::Never)),
        });
        sim.says(&[INITIALIZE]);
        sim.run_to(at);
        sim.happens(Waiting::Signalled);
        let left = sim.run_out(60_000);
        assert!(left.world.living().is_empty(), "at {at}");
        assert!(left.orphans.is_empty(), "at {at}");
    }
}
