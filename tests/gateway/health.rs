//! The gateway's own tool.

use super::*;
use rea::gateway::HEALTH_TOOL;
use rea_fsm::SpawnFailure;
use simulation::world::Waiting;

fn health(answer: &Value) -> Value {
    let said: Value = serde_json::from_str(text(answer)).expect("its text is JSON");
    assert_eq!(said, answer["result"]["structuredContent"]);
    said
}

#[test]
fn it_is_listed_first_whatever_else_is() {
    let listed = |sim: &mut Sim| {
        sim.says(&[&list(1)]);
        sim.run_to(5_000);
        let text = sim.world().client_text();
        let line = text
            .lines()
            .find(|line| line.contains(r#""id":1"#))
            .map(str::to_owned);
        line.expect("it is answered")
    };
    let with_a_server = listed(&mut ready());
    let head = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{HEALTH_TOOL}"#);
    let rest = with_a_server.strip_prefix(&head).expect("it is first");
    assert!(rest.starts_with(r#",{"name":"a__"#), "{rest}");
    let mut alone = gateway(0, |_, _| Scripted::prompt().birth());
    alone.says(&[INITIALIZE]);
    assert_eq!(listed(&mut alone), format!("{head}]}}}}"));
}

#[test]
fn it_tells_how_every_server_is() {
    let mut sim = gateway(2, |server, _| match server {
        ServerId(0) => Scripted::prompt().birth(),
        _ => Birth::Fails {
            after_ms: 0,
            failure: SpawnFailure::System { errno: 12 },
        },
    });
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "__rea__health")]);
    let health = health(&answer(&mut sim, "1"));
    assert_eq!(health["summary"]["registered"], 2);
    assert_eq!(health["summary"]["connected"], 1);
    assert_eq!(
        health["summary"]["total_tools"],
        health["downstreams"][0]["tools_count"]
    );
    assert_eq!(health["gateway"]["halt"], false);
    let [a, b] = [&health["downstreams"][0], &health["downstreams"][1]];
    assert_eq!((&a["name"], &a["enabled"]), (&"a".into(), &true.into()));
    assert_eq!(
        (&a["state"], &a["last_error"]),
        (&"ready".into(), &Value::Null)
    );
    assert_eq!(b["connected"], false);
    assert!(b["last_error"].is_string(), "{b}");
    assert!(sim.calls_read_by(0).is_empty(), "no server is asked");
}

#[test]
fn it_is_answered_while_the_gateway_is_frozen() {
    let mut sim = ready();
    sim.world().halted = Some("an incident".to_owned());
    sim.says(&[&call("1", "__rea__health")]);
    let health = health(&answer(&mut sim, "1"));
    assert_eq!(health["gateway"]["halt"], true);
    assert_eq!(health["gateway"]["halt_reason"], "an incident");
}

#[test]
fn other_names_of_the_gateways_own_are_refused_in_words() {
    let mut sim = ready();
    sim.says(&[&call("1", "__rea__restart"), &call("2", "__rea__")]);
    for id in ["1", "2"] {
        let refused = answer(&mut sim, id);
        let said = refused["error"]["message"].as_str().expect("an error");
        assert!(said.starts_with("reserved meta-namespace: "), "{said}");
        assert!(said.contains("__rea__health"), "{said}");
    }
}

#[test]
fn each_question_after_it_stands_in_the_log() {
    let mut sim = ready();
    sim.says(&[&call("1", "__rea__health")]);
    sim.happens(Waiting::Signalled);
    let left = sim.run_out(60_000);
    let text = String::from_utf8(left.log.concat()).expect("text");
    assert_eq!(
        text.matches(r#""tool":"__rea__health""#).count(),
        1,
        "{text}"
    );
}
