//! Nothing grows without a bound: calls that wait, calls in flight, their bytes, lists, processes
//! that start.

use super::*;
use rea_fsm::{Leaf, Tuning};
use simulation::script::{DONE, Manner};

fn tuned(tune: impl FnOnce(&mut Tuning), server: impl Fn() -> Scripted + 'static) -> Sim {
    let mut spec = ServerSpec::named("a");
    tune(&mut spec.tuning);
    let mut sim = Sim::new(
        Setup::of(vec![spec]),
        Box::new(move |_, _| server().birth()),
    );
    sim.says(&[INITIALIZE]);
    sim
}

fn reasons(sim: &mut Sim, ids: impl Iterator<Item = u32>) -> Vec<String> {
    ids.map(|id| {
        let answers = answers(sim, &id.to_string());
        answers.first().map_or("none".to_owned(), |answer| {
            let reason = &answer["result"]["_meta"]["rea/failure"]["reason"];
            reason.as_str().unwrap_or("done").to_owned()
        })
    })
    .collect()
}

fn call_all(sim: &mut Sim, ids: std::ops::RangeInclusive<u32>) {
    for id in ids {
        sim.says(&[&call(&id.to_string(), "a__work")]);
    }
}

#[test]
fn more_calls_than_may_wait_are_refused_and_the_others_are_answered() {
    let mut sim = tuned(
        |tuning| tuning.queue_max = 3,
        || Scripted::prompt().handshake(Manner::After(500)),
    );
    call_all(&mut sim, 1..=5);
    let waiting = ["none", "none", "none", "queue_full", "queue_full"];
    assert_eq!(reasons(&mut sim, 1..=5), waiting);
    let refused = answer(&mut sim, "4");
    assert_eq!(facts(&refused)["executed"], "no");
    sim.run_to(3_000);
    let answered = ["done", "done", "done", "queue_full", "queue_full"];
    assert_eq!(reasons(&mut sim, 1..=5), answered);
    assert_eq!(sim.calls_read_by(0).len(), 3);
}

#[test]
fn more_calls_in_flight_than_may_be_are_refused_until_some_are_answered() {
    let mut sim = tuned(
        |tuning| tuning.in_flight_max = 2,
        || Scripted::prompt().on_call(|asked| vec![asked.result(300, DONE)]),
    );
    sim.run_to(100);
    call_all(&mut sim, 1..=3);
    assert_eq!(reasons(&mut sim, 1..=3), ["none", "none", "overloaded"]);
    sim.run_to(500);
    call_all(&mut sim, 4..=4);
    sim.run_to(1_000);
    assert_eq!(
        reasons(&mut sim, 1..=4),
        ["done", "done", "overloaded", "done"]
    );
    assert_eq!(sim.leaf(0), Leaf::Ready, "too much to do is no fault");
}

#[test]
fn bytes_of_calls_are_bounded_too() {
    let mut sim = tuned(
        |tuning| tuning.held_bytes_max = 2_000,
        || Scripted::prompt().on_call(|asked| vec![asked.result(300, DONE)]),
    );
    sim.run_to(100);
    let filler = "x".repeat(800);
    for id in 1..=3 {
        sim.says(&[&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"a__work","arguments":{{"x":"{filler}"}}}}}}"#
        )]);
    }
    assert_eq!(reasons(&mut sim, 1..=3), ["none", "none", "overloaded"]);
    sim.run_to(1_000);
    call_all(&mut sim, 4..=4);
    sim.run_to(2_000);
    assert_eq!(reasons(&mut sim, 4..=4), ["done"]);
}

#[test]
fn a_slow_call_holds_up_no_other() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| {
                let is_slow = asked.line.contains("work");
                vec![asked.result(if is_slow { 30_000 } else { 1 }, DONE)]
            })
            .birth()
    });
    sim.says(&[&call("1", "a__work")]);
    for id in 2..=50 {
        sim.says(&[&call(&id.to_string(), "a__other")]);
    }
    sim.run_to(200);
    assert!(answers(&mut sim, "1").is_empty());
    for id in 2..=50 {
        assert_eq!(text(&answer(&mut sim, &id.to_string())), "done");
    }
}

#[test]
fn an_answer_that_has_arrived_counts_more_than_a_timer_of_the_same_moment() {
    let mut spec = ServerSpec::named("a");
    spec.policy.timeout_ms = rea_fsm::Millis(200);
    spec.tuning.call_cap_ms = rea_fsm::Millis(500);
    let mut sim = Sim::new(
        Setup::of(vec![spec]),
        Box::new(|_, _| {
            Scripted::prompt()
                .on_call(|asked| vec![asked.result(500, DONE)])
                .birth()
        }),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(600);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
}

#[test]
fn so_many_lists_wait_and_no_more() {
    let mut sim = gateway(1, |_, _| {
        Scripted::prompt().handshake(Manner::Never).birth()
    });
    sim.says(&[INITIALIZE]);
    let lists: Vec<String> = (1..=1_001).map(list).collect();
    let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    sim.says(&lists);
    assert_eq!(sim.heard().len(), 1 + 1, "one too many is answered at once");
    sim.run_to(2_000);
    assert_eq!(sim.heard().len(), 1 + 1_001);
}

#[test]
fn so_many_servers_start_at_a_time_and_no_more() {
    let names = ["a", "b", "c"];
    let specs = names.iter().map(|name| ServerSpec::named(name)).collect();
    let mut setup = Setup::of(specs);
    setup.spawn_slots = 1;
    let mut sim = Sim::new(
        setup,
        Box::new(|_, _| Scripted::prompt().handshake(Manner::After(100)).birth()),
    );
    sim.says(&[INITIALIZE]);
    for at in 0..600 {
        sim.run_to(at);
        let begun: Vec<ServerId> = sim.world().processes.keys().map(|(id, _)| *id).collect();
        let count = begun
            .iter()
            .filter(|server| sim.leaf(server.0) == Leaf::Connecting)
            .count();
        assert!(count <= 1, "{count} start at {at}");
    }
    sim.run_to(2_000);
    for server in 0..3 {
        assert_eq!(sim.leaf(server), Leaf::Ready);
    }
}

#[test]
fn a_mute_server_keeps_its_place_no_longer_than_its_handshake_may_take() {
    let specs = ["a", "b"].iter().map(|name| ServerSpec::named(name));
    let mut setup = Setup::of(specs.collect());
    setup.spawn_slots = 1;
    let mut sim = Sim::new(
        setup,
        Box::new(|server, _| match server {
            ServerId(0) => Scripted::prompt().handshake(Manner::Never).birth(),
            _ => Scripted::prompt().birth(),
        }),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(60_000);
    assert_eq!(sim.leaf(1), Leaf::Ready);
}
