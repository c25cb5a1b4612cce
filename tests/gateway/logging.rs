//! What happens when the log can't be written, and what stands in it.

use super::*;
use rea::journal::Mode;
use rea_fsm::Leaf;
use simulation::said::said_during;
use simulation::world::Waiting;

fn ready_with_log(mode: Mode) -> Sim {
    let mut setup = Setup::of(vec![ServerSpec::named("a")]);
    setup.log.mode = mode;
    let mut sim = Sim::new(setup, Box::new(|_, _| Scripted::prompt().birth()));
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim
}

fn lines(log: &[Vec<u8>]) -> Vec<Value> {
    log.iter()
        .flat_map(|file| file.split(|byte| *byte == b'\n'))
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("whole lines are JSON"))
        .collect()
}

#[test]
fn a_full_disk_costs_records_and_no_call() {
    let mut sim = ready_with_log(Mode::On);
    sim.fill_disk(100);
    sim.says(&[&call("1", "a__work"), &call("2", "a__work")]);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert_eq!(text(&answer(&mut sim, "2")), "done");
    sim.empty_disk();
    sim.run_to(5_000);
    // The third is the first thing behind the pause: its turn ends the gap.
    sim.says(&[&call("3", "a__work")]);
    sim.says(&[&call("4", "a__work")]);
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    assert_eq!(left.replayed.gaps, 1);
    assert!(left.replayed.lost > 0);
    let lines = lines(&left.log);
    let gap = lines
        .iter()
        .position(|line| line["note"]["gap"].is_object())
        .expect("the gap is in the log");
    assert_eq!(lines[gap]["note"]["gap"]["reason"], "ENOSPC");
    let after: Vec<&Value> = lines[gap..]
        .iter()
        .filter(|line| line["event"]["submit"].is_object())
        .collect();
    assert_eq!(after.len(), 1, "the fourth call is logged again");
}

#[test]
fn a_log_that_can_not_be_written_is_said_once_and_so_is_its_return() {
    let said = said_during(|| {
        let mut sim = ready_with_log(Mode::On);
        sim.fill_disk(0);
        for id in 1..=3 {
            sim.says(&[&call(&id.to_string(), "a__work")]);
        }
        sim.empty_disk();
        sim.run_to(10_000);
        for id in 4..=6 {
            sim.says(&[&call(&id.to_string(), "a__work")]);
        }
    });
    let about =
        |word: &str| -> Vec<&String> { said.iter().filter(|line| line.contains(word)).collect() };
    let gap = about("gateway.log_gap");
    assert_eq!(gap.len(), 1, "{said:?}");
    assert!(gap[0].contains("ENOSPC"), "{gap:?}");
    assert_eq!(about("gateway.log_resumed").len(), 1, "{said:?}");
}

#[test]
fn a_log_that_is_required_refuses_calls_while_it_can_not_be_written() {
    let mut sim = ready_with_log(Mode::Required);
    sim.fill_disk(0);
    // The first finds the disk full after it was sent.
    sim.says(&[&call("1", "a__work")]);
    sim.says(&[&call("2", "a__work")]);
    let refused = answer(&mut sim, "2");
    assert_eq!(facts(&refused)["reason"], "not_logged");
    assert_eq!(facts(&refused)["executed"], "no");
    assert!(text(&refused).contains("ENOSPC"), "{refused}");
    assert!(text(&refused).contains("safe to repeat"), "{refused}");
    assert_eq!(sim.leaf(0), Leaf::Ready, "it is no fault of the server");
    sim.empty_disk();
    sim.run_to(5_000);
    // Whatever comes first behind the pause ends the gap.
    sim.says(&[&call("3", "a__work")]);
    sim.says(&[&call("4", "a__work")]);
    assert_eq!(text(&answer(&mut sim, "4")), "done");
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    assert_eq!(left.replayed.gaps, 1);
}

#[test]
fn arguments_and_results_never_reach_the_log() {
    let mut sim = ready_over(|_, _| {
        Scripted::prompt()
            .on_call(|asked| vec![asked.result(0, r#"{"content":[],"x":"in the result"}"#)])
            .birth()
    });
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":"the id","method":"tools/call","params":{"name":"a__work","arguments":{"x":"in the arguments"}}}"#,
    ]);
    assert_eq!(answers(&mut sim, "\"the id\"").len(), 1);
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    let log = String::from_utf8(left.log.concat()).expect("it is text");
    assert!(log.contains("\"tool\":\"work\""), "{log}");
    for word in ["in the result", "in the arguments", "the id"] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}

#[test]
fn a_secret_in_a_tools_name_does_not_reach_the_log() {
    use simulation::harness::SECRET;
    let mut sim = ready();
    sim.says(&[&call("1", &format!("a__{SECRET}"))]);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
    assert!(
        sim.calls_read_by(0)[0].contains(SECRET),
        "the server gets it"
    );
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    let log = String::from_utf8(left.log.concat()).expect("it is text");
    assert!(log.contains("[REDACTED]") && !log.contains(SECRET), "{log}");
}
