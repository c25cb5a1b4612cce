//! While the gateway is frozen nothing new reaches a server, and what is under way goes on.

use super::*;
use rea_fsm::Leaf;
use simulation::world::Waiting;

fn ready_and_slow() -> Sim {
    ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| {
                vec![asked.result(500, r#"{"content":[{"type":"text","text":"done"}]}"#)]
            })
            .birth()
    })
}

fn freeze(sim: &mut Sim, reason: &str) {
    sim.world().halted = Some(reason.to_owned());
}

#[test]
fn every_call_is_refused_with_the_reason_and_none_reaches_a_server() {
    let mut sim = ready_and_slow();
    freeze(&mut sim, "an incident");
    sim.says(&[
        &call("1", "a__work"),
        r#"{"jsonrpc":"2.0","id":2,"method":"prompts/get","params":{"name":"a__p"}}"#,
    ]);
    sim.run_to(2_000);
    let refused = answer(&mut sim, "1");
    assert_eq!(facts(&refused)["reason"], "halted");
    assert_eq!(facts(&refused)["executed"], "no");
    assert!(
        text(&refused).starts_with("Kill switch active: an incident. "),
        "{refused}"
    );
    assert!(text(&refused).contains("rea unfreeze"), "{refused}");
    let refused = answer(&mut sim, "2");
    let said = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(
        said.starts_with("Kill switch active: an incident. "),
        "{refused}"
    );
    let read = sim.read_by(0).join("\n");
    for method in ["tools/call", "prompts/get"] {
        assert!(!read.contains(method), "{read}");
    }
    assert_eq!(sim.leaf(0), Leaf::Ready, "it is no fault of the server");
}

#[test]
fn calls_in_flight_finish_and_later_ones_pass_when_it_is_lifted() {
    let mut sim = ready_and_slow();
    sim.says(&[&call("1", "a__work")]);
    sim.run_to(200);
    freeze(&mut sim, "wait");
    sim.says(&[&call("2", "a__work")]);
    sim.run_to(1_000);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert_eq!(facts(&answer(&mut sim, "2"))["reason"], "halted");
    sim.world().halted = None;
    sim.says(&[&call("3", "a__work")]);
    sim.run_to(2_000);
    assert_eq!(text(&answer(&mut sim, "3")), "done");
}

#[test]
fn each_refusal_is_a_note_in_the_log() {
    let mut sim = ready_and_slow();
    freeze(&mut sim, "an incident");
    sim.says(&[&call("1", "a__work")]);
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    let notes: Vec<Value> = left
        .log
        .iter()
        .flat_map(|file| file.split(|byte| *byte == b'\n'))
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice::<Value>(line).expect("whole lines are JSON"))
        .filter(|line| line["note"]["refused"].is_object())
        .collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0]["note"]["refused"]["tool"], "work");
    assert_eq!(notes[0]["note"]["refused"]["reason"], "halted");
}
