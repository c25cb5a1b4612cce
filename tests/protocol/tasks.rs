//! Calls that become tasks, and what is asked and told of them.

use super::*;

const EXTENSION: &str = r#"{"tools":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;

fn ready(count: usize, birth: impl Fn(ServerId) -> Birth + 'static) -> Sim {
    let mut sim = gateway(count, birth);
    says(&mut sim, &[&modern(900, "tools/list", "")]);
    sim.run_to(500);
    sim
}

/// Makes a task named after it of every call.
fn extended(id: &'static str) -> Birth {
    stateless(EXTENSION, move |asked| match asked.method.as_str() {
        "tools/call" => vec![asked.result(
            0,
            &format!(r#"{{"resultType":"task","taskId":"{id}","status":"working"}}"#),
        )],
        _ => empty_list(asked)
            .unwrap_or_else(|| vec![asked.result(0, r#"{"resultType":"complete"}"#)]),
    })
}

#[test]
fn a_task_of_the_modern_era_is_asked_after_told_and_cancelled() {
    let mut sim = ready(1, |_| extended("t"));
    says(&mut sim, &[&modern(1, "tools/call", r#""name":"a__t""#)]);
    assert_eq!(answer(&mut sim, 1)["result"]["taskId"], "t");
    for (id, method) in [(2, "tasks/get"), (3, "tasks/update"), (4, "tasks/cancel")] {
        says(&mut sim, &[&modern(id, method, r#""taskId":"t""#)]);
        assert_eq!(answer(&mut sim, id)["result"]["resultType"], "complete");
        assert_eq!(read(&mut sim, 0, method).len(), 1, "{method}");
    }
}

#[test]
fn of_two_servers_with_tasks_of_the_modern_era_the_maker_is_asked() {
    let mut sim = ready(2, |server| extended(["x", "y"][server.index()]));
    says(&mut sim, &[&modern(1, "tools/call", r#""name":"b__t""#)]);
    let id = answer(&mut sim, 1)["result"]["taskId"].to_string();
    says(
        &mut sim,
        &[&modern(2, "tasks/get", &format!(r#""taskId":{id}"#))],
    );
    assert!(is_answered(&mut sim, 2));
    assert_eq!(read(&mut sim, 1, "tasks/get").len(), 1);
    assert!(read(&mut sim, 0, "tasks/get").is_empty());
}
