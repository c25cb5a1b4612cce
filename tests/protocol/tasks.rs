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
    assert_eq!(id, r#""rea://b/y""#);
    says(
        &mut sim,
        &[&modern(2, "tasks/get", &format!(r#""taskId":{id}"#))],
    );
    assert!(is_answered(&mut sim, 2));
    assert_eq!(read(&mut sim, 1, "tasks/get").len(), 1);
    assert!(read(&mut sim, 0, "tasks/get").is_empty());
}

const TASKS: &str =
    r#"{"tools":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}}"#;
const WORKING: &str = r#"{"taskId":"1","status":"working"}"#;

/// Makes a task of every call and names all of them the same; tells of its progress beside the
/// answers to `tasks/get`, whose status the test says.
fn working(status: &'static str) -> Birth {
    let progress = |number: u32| {
        let params = format!(
            r#"{{"progressToken":"p","progress":{number},"_meta":{{"io.modelcontextprotocol/related-task":{{"taskId":"1"}}}}}}"#
        );
        say(0, notification("notifications/progress", &params))
    };
    legacy(TASKS, move |asked| match asked.method.as_str() {
        "tools/call" => vec![
            progress(1),
            asked.result(0, &format!(r#"{{"task":{WORKING}}}"#)),
            progress(2),
        ],
        "tasks/get" => {
            let task = format!(r#"{{"taskId":"1","status":"{status}"}}"#);
            vec![asked.result(0, &task), progress(3)]
        }
        "tasks/result" | "tasks/cancel" => vec![
            asked.result(
                0,
                r#"{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"1"}}}"#,
            ),
            progress(4),
        ],
        "tasks/list" if asked.line.contains("page-2") => {
            vec![asked.result(0, r#"{"tasks":[{"taskId":"2"}]}"#)]
        }
        "tasks/list" => vec![asked.result(
            0,
            &format!(r#"{{"tasks":[{WORKING}],"nextCursor":"page-2"}}"#),
        )],
        _ => empty_list(asked).unwrap_or_default(),
    })
}

fn call(id: u32, server: &str) -> String {
    request(
        id,
        "tools/call",
        &format!(r#"{{"name":"{server}__t","task":{{"ttl":1}},"_meta":{{"progressToken":"p"}}}}"#),
    )
}

fn progress(sim: &mut Sim) -> Vec<u64> {
    let told = told(sim, "notifications/progress");
    let number = |told: &Value| told["params"]["progress"].as_u64().expect("a number");
    told.iter().map(number).collect()
}

#[test]
fn progress_of_a_task_is_told_under_the_token_of_its_call() {
    let mut sim = session(1, |_| working("working"));
    says(&mut sim, &[&call(1, "a")]);
    says(&mut sim, &[&request(2, "tasks/get", r#"{"taskId":"1"}"#)]);
    assert_eq!(progress(&mut sim), [1, 2, 3]);
}

#[test]
fn until_the_client_knows_that_the_task_is_over() {
    for (method, status) in [
        ("tasks/get", "completed"),
        ("tasks/get", "failed"),
        ("tasks/get", "cancelled"),
        ("tasks/result", "working"),
        ("tasks/cancel", "working"),
    ] {
        let mut sim = session(1, move |_| working(status));
        says(&mut sim, &[&call(1, "a")]);
        says(&mut sim, &[&request(2, method, r#"{"taskId":"1"}"#)]);
        assert!(is_answered(&mut sim, 2));
        assert_eq!(progress(&mut sim), [1, 2], "{method} {status}");
    }
}

#[test]
fn a_server_that_says_that_a_task_is_over_tells_no_more_of_it() {
    let mut sim = session(1, |_| {
        legacy(TASKS, |asked| match asked.method.as_str() {
            "tools/call" => {
                let over = r#"{"taskId":"1","status":"completed"}"#;
                let after = r#"{"progressToken":"p","progress":9}"#;
                vec![
                    asked.result(0, &format!(r#"{{"task":{WORKING}}}"#)),
                    say(0, notification("notifications/tasks/status", over)),
                    say(0, notification("notifications/progress", after)),
                ]
            }
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&call(1, "a")]);
    assert_eq!(told(&mut sim, "notifications/tasks/status").len(), 1);
    assert!(progress(&mut sim).is_empty());
}

#[test]
fn a_call_that_only_said_it_had_a_token_tells_nothing_afterwards() {
    let mut sim = session(1, |_| {
        legacy(TASKS, |asked| match asked.method.as_str() {
            "tools/call" => {
                let after = r#"{"progressToken":"p","progress":9}"#;
                vec![
                    asked.result(0, r#"{"content":[],"task":{"taskId":"1"}}"#),
                    say(0, notification("notifications/progress", after)),
                ]
            }
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    let call = r#"{"name":"a__t","_meta":{"progressToken":"p"}}"#;
    says(&mut sim, &[&request(1, "tools/call", call)]);
    assert!(progress(&mut sim).is_empty());
}

#[test]
fn ids_of_one_server_pass_as_they_are() {
    let mut sim = session(1, |_| working("working"));
    says(&mut sim, &[&call(1, "a"), &request(2, "tasks/list", "{}")]);
    assert_eq!(answer(&mut sim, 1)["result"]["task"]["taskId"], "1");
    let listed = &answer(&mut sim, 2)["result"];
    assert_eq!(listed["tasks"][0]["taskId"], "1");
    assert_eq!(listed["nextCursor"], "page-2");
}

#[test]
fn the_same_id_of_two_servers_is_told_apart() {
    let mut sim = session(2, |server| working(["working", "failed"][server.index()]));
    says(&mut sim, &[&call(1, "a")]);
    says(&mut sim, &[&call(2, "b")]);
    assert_eq!(answer(&mut sim, 1)["result"]["task"]["taskId"], "rea://a/1");
    assert_eq!(answer(&mut sim, 2)["result"]["task"]["taskId"], "rea://b/1");
    let related = "io.modelcontextprotocol/related-task";
    let told = told(&mut sim, "notifications/progress");
    assert_eq!(told[0]["params"]["_meta"][related]["taskId"], "rea://a/1");
    for (id, server, status) in [(3, "a", "working"), (4, "b", "failed")] {
        let task = format!("rea://{server}/1");
        let params = format!(r#"{{"taskId":"{task}"}}"#);
        says(&mut sim, &[&request(id, "tasks/get", &params)]);
        let result = &answer(&mut sim, id)["result"];
        assert_eq!(result["taskId"], task);
        assert_eq!(result["status"], status);
        says(&mut sim, &[&request(id + 10, "tasks/result", &params)]);
        let result = &answer(&mut sim, id + 10)["result"];
        assert_eq!(result["_meta"][related]["taskId"], task);
    }
    let asked = read(&mut sim, 1, "tasks/get").remove(0);
    assert!(asked.contains(r#""taskId":"1""#), "{asked}");
}

#[test]
fn an_id_that_does_not_say_whose_it_is_is_refused_where_several_have_tasks() {
    let mut sim = session(2, |_| working("working"));
    for (id, task) in [(1, "1"), (2, "rea://c/1")] {
        let params = format!(r#"{{"taskId":"{task}"}}"#);
        says(&mut sim, &[&request(id, "tasks/get", &params)]);
        let error = &answer(&mut sim, id)["error"];
        assert_eq!(error["code"], -32_602);
        assert!(error["message"].to_string().contains(task), "{error}");
    }
    assert!(read(&mut sim, 0, "tasks/get").is_empty());
}

#[test]
fn tasks_of_several_servers_are_listed_one_after_the_other() {
    let mut sim = session(3, |server| match server {
        // It has tasks and does not list them.
        ServerId(1) => legacy(r#"{"tools":{},"tasks":{}}"#, |asked| {
            empty_list(asked).unwrap_or_default()
        }),
        _ => working("working"),
    });
    let (mut ids, mut cursor, mut id) = (Vec::new(), None, 1);
    loop {
        let params = cursor.map_or_else(
            || "{}".to_owned(),
            |cursor| json!({"x":1,"cursor":cursor}).to_string(),
        );
        says(&mut sim, &[&request(id, "tasks/list", &params)]);
        let page = answer(&mut sim, id)["result"].clone();
        let tasks = page["tasks"].as_array().expect("tasks");
        ids.extend(tasks.iter().map(|task| task["taskId"].clone()));
        id += 1;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(ids, ["rea://a/1", "rea://a/2", "rea://c/1", "rea://c/2"]);
    let asked = read(&mut sim, 2, "tasks/list").remove(0);
    assert!(asked.contains(r#""params":{"x":1}"#), "{asked}");
    says(&mut sim, &[&request(90, "tasks/list", r#"{"cursor":"d"}"#)]);
    assert_eq!(answer(&mut sim, 90)["error"]["code"], -32_602);
}

#[test]
fn a_question_about_a_task_names_it_as_each_side_knows_it() {
    const RELATED: &str = r#""_meta":{"io.modelcontextprotocol/related-task":{"taskId":"1"}}"#;
    let mut sim = session(2, |_| {
        legacy(TASKS, |asked| match asked.method.as_str() {
            "tools/call" => vec![
                asked.result(0, &format!(r#"{{"task":{WORKING}}}"#)),
                say(
                    0,
                    format!(
                        r#"{{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{{"message":"m",{RELATED}}}}}"#
                    ),
                ),
                say(
                    0,
                    notification(
                        "notifications/message",
                        &format!(r#"{{"level":"error",{RELATED}}}"#),
                    ),
                ),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&call(1, "b")]);
    let related = "io.modelcontextprotocol/related-task";
    let asked = told(&mut sim, "elicitation/create").remove(0);
    assert_eq!(asked["params"]["_meta"][related]["taskId"], "rea://b/1");
    let message = told(&mut sim, "notifications/message").remove(0);
    assert_eq!(message["params"]["_meta"][related]["taskId"], "rea://b/1");
    let id = &asked["id"];
    let shown = RELATED.replace(r#""1""#, r#""rea://b/1""#);
    let answer = format!(
        r#"{{"jsonrpc":"2.0","result":{{{shown},"action":"accept","content":{{}}}},"id":{id}}}"#
    );
    says(&mut sim, &[&answer]);
    let told = sim.read_by(1).pop().expect("an answer");
    assert_eq!(
        told,
        format!(
            r#"{{"jsonrpc":"2.0","result":{{{RELATED},"action":"accept","content":{{}}}},"id":"q"}}"#
        )
    );
}

#[test]
fn an_id_that_was_given_bare_stays_so_when_another_server_has_tasks_too() {
    let mut sim = session(2, |server| match server {
        ServerId(0) => working("working"),
        // It becomes ready when the client has got its first task.
        _ => Scripted::prompt()
            .on_any(|asked| match asked.method.as_str() {
                "initialize" => Some(vec![asked.result(
                    2_000,
                    &format!(r#"{{"protocolVersion":"2025-11-25","capabilities":{TASKS}}}"#),
                )]),
                "tools/call" => Some(vec![asked.result(0, &format!(r#"{{"task":{WORKING}}}"#))]),
                "server/discover" | "ping" | "notifications/initialized" => None,
                _ => Some(empty_list(asked).unwrap_or_default()),
            })
            .birth(),
    });
    says(&mut sim, &[&call(1, "a")]);
    assert_eq!(answer(&mut sim, 1)["result"]["task"]["taskId"], "1");
    sim.run_to(5_000);
    says(&mut sim, &[&request(2, "tasks/get", r#"{"taskId":"1"}"#)]);
    assert_eq!(answer(&mut sim, 2)["result"]["taskId"], "1");
    says(&mut sim, &[&call(3, "b")]);
    assert_eq!(answer(&mut sim, 3)["result"]["task"]["taskId"], "rea://b/1");
}
