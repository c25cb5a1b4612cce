//! In which modes a client is asked: a person may be asked in the client or on a page, a model may
//! be given tools.

use super::*;

const TOOLS: &str = r#"{"tools":{}}"#;
const URL: &str =
    r#"{"mode":"url","message":"\ud800","url":"https://x/?a=1","elicitationId":"e","n":1e400}"#;
const ACCEPTED: &str = r#"{"action":"accept","n":1e400}"#;

/// Asks for a visit when it is called, and answers the call with what it is told.
fn legacy_asking(method: &'static str, params: &'static str) -> Birth {
    let call = std::cell::RefCell::new(String::new());
    legacy(TOOLS, move |asked| match asked.method.as_str() {
        "tools/call" => {
            call.replace(asked.id.clone());
            let question =
                format!(r#"{{"jsonrpc":"2.0","id":"q","method":"{method}","params":{params}}}"#);
            vec![say(0, question)]
        }
        "" => {
            let told = serde_json::to_string(&asked.line).expect("text");
            let id = call.borrow();
            vec![say(
                0,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[],"told":{told}}}}}"#),
            )]
        }
        _ => empty_list(asked).unwrap_or_default(),
    })
}

fn stateless_asking(method: &'static str, params: &'static str) -> Birth {
    stateless(TOOLS, move |asked| {
        match asked.method.as_str() {
        "tools/call" if asked.line.contains("inputResponses") => {
            let told = serde_json::to_string(&asked.line).expect("text");
            let result = format!(r#"{{"resultType":"complete","content":[],"told":{told}}}"#);
            vec![asked.result(0, &result)]
        }
        "tools/call" => vec![asked.result(
            0,
            &format!(
                r#"{{"resultType":"input_required","inputRequests":{{"k":{{"method":"{method}","params":{params}}}}}}}"#
            ),
        )],
        _ => empty_list(asked).unwrap_or_default(),
    }
    })
}

/// A session with a client that can do this.
fn session_of(capabilities: &str, birth: impl Fn() -> Birth + 'static) -> Sim {
    let mut sim = gateway(1, move |_| birth());
    says(&mut sim, &[&initialize(capabilities)]);
    sim.run_to(500);
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"a__t"}"#)]);
    sim
}

/// The same without a session.
fn modern_of(capabilities: &str, birth: impl Fn() -> Birth + 'static) -> Sim {
    let mut sim = gateway(1, move |_| birth());
    let of = |line: String| line.replace(EVERYTHING, capabilities);
    says(&mut sim, &[&of(modern(900, "tools/list", ""))]);
    sim.run_to(500);
    says(
        &mut sim,
        &[&of(modern(1, "tools/call", r#""name":"a__t""#))],
    );
    sim
}

const BOTH: &str = r#"{"elicitation":{"form":{},"url":{}}}"#;

#[test]
fn a_person_is_sent_to_a_page_by_a_server_of_either_era() {
    for birth in [legacy_asking, stateless_asking] {
        let mut sim = session_of(BOTH, move || birth("elicitation/create", URL));
        let asked = sim.heard().pop().expect("a question");
        assert!(asked.contains(URL), "{asked}");
        let answer_to_it = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{ACCEPTED}}}"#);
        says(&mut sim, &[&answer_to_it]);
        let told = sim.heard().pop().expect("an answer");
        assert!(told.contains(&ACCEPTED.replace('"', "\\\"")), "{told}");
    }
}

#[test]
fn a_person_is_sent_to_a_page_without_a_session() {
    for (birth, key) in [
        (legacy_asking as fn(_, _) -> Birth, "question-1"),
        (stateless_asking, "k"),
    ] {
        let mut sim = modern_of(BOTH, move || birth("elicitation/create", URL));
        let asked = sim.heard().pop().expect("a question");
        assert!(asked.contains(URL), "{asked}");
        let state = answer(&mut sim, 1)["result"]["requestState"].clone();
        let state = if state.is_null() {
            String::new()
        } else {
            format!(r#","requestState":{state}"#)
        };
        let members = format!(r#""name":"a__t","inputResponses":{{"{key}":{ACCEPTED}}}{state}"#);
        let repeated = modern(2, "tools/call", &members).replace(EVERYTHING, BOTH);
        says(&mut sim, &[&repeated]);
        let told = sim.heard().pop().expect("an answer");
        assert!(told.contains(&ACCEPTED.replace('"', "\\\"")), "{told}");
    }
}

/// What can't be asked, the client that it can't be asked of, and what it lacks.
const UNASKABLE: [(&str, &str, &str, &str); 3] = [
    (
        "elicitation/create",
        URL,
        r#"{"elicitation":{}}"#,
        "elicitation.url",
    ),
    (
        "elicitation/create",
        r#"{"message":"m"}"#,
        r#"{"elicitation":{"url":{}}}"#,
        "elicitation.form",
    ),
    (
        "sampling/createMessage",
        r#"{"messages":[],"tools":[]}"#,
        r#"{"sampling":{}}"#,
        "sampling.tools",
    ),
];

#[test]
fn a_server_with_sessions_is_refused_what_the_client_has_not_declared() {
    for (method, params, capabilities, lacking) in UNASKABLE {
        let birth = move || legacy_asking(method, params);
        for mut sim in [
            session_of(capabilities, birth),
            modern_of(capabilities, birth),
        ] {
            assert!(told(&mut sim, method).is_empty());
            let refusal = sim.read_by(0).pop().expect("an answer");
            assert!(refusal.contains(lacking), "{refusal}");
            assert!(refusal.contains("-32602"), "{refusal}");
            assert!(answer(&mut sim, 1)["result"]["content"].is_array());
        }
    }
}

#[test]
fn a_call_comes_to_nothing_that_needs_what_the_client_has_not_declared() {
    for (method, params, capabilities, lacking) in UNASKABLE {
        let mut sim = session_of(capabilities, move || stateless_asking(method, params));
        assert!(told(&mut sim, method).is_empty());
        let text = answer(&mut sim, 1)["result"].to_string();
        assert!(text.contains(lacking), "{text}");
    }
}

#[test]
fn that_a_page_has_to_be_visited_first_passes_as_it_stands() {
    const ERROR: &str = r#"{"code":-32042,"message":"visit","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://x","message":"\ud800"}],"n":1e400}}"#;
    fn refuses(asked: &Asked) -> Vec<Does> {
        match asked.method.as_str() {
            "tools/call" => vec![asked.error(0, ERROR)],
            _ => empty_list(asked).unwrap_or_default(),
        }
    }
    let births: [fn() -> Birth; 2] = [|| legacy(TOOLS, refuses), || stateless(TOOLS, refuses)];
    for birth in births {
        for mut sim in [session_of(BOTH, birth), modern_of(BOTH, birth)] {
            let last = sim.heard().pop().expect("an answer");
            assert_eq!(
                last,
                format!(r#"{{"jsonrpc":"2.0","id":1,"error":{ERROR}}}"#)
            );
        }
    }
}
