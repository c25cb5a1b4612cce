//! The servers behind the gateway that a stream is written to. What a tool is called says what
//! calling it does.

use crate::model::last;
use crate::simulation::child::{Birth, Does, die, say};
use crate::simulation::script::{Asked, DONE, Manner, Scripted};
use rea::engine::ServerId;
use rea_fsm::ExitStatus;
use std::cell::RefCell;

/// One with sessions, one without, and one that never says a word.
pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];
pub(crate) const WITH_SESSIONS: ServerId = ServerId(0);
const WITHOUT_SESSIONS: ServerId = ServerId(1);

pub(crate) fn birth(server: ServerId) -> Birth {
    match server {
        WITH_SESSIONS => with_sessions(),
        WITHOUT_SESSIONS => without_sessions(),
        ServerId(_) => Scripted::prompt().handshake(Manner::Never).birth(),
    }
}

fn member(line: &str, name: &str) -> Option<String> {
    last(last(line, "params")?, name).map(str::to_owned)
}

fn listed(asked: &Asked, resources: &str) -> Option<Vec<Does>> {
    let result = match asked.method.as_str() {
        "tools/list" => r#"{"tools":[{"name":"work"},{"name":"ask"}]}"#,
        "prompts/list" => r#"{"prompts":[{"name":"p"}]}"#,
        "resources/list" => resources,
        "resources/templates/list" => {
            r#"{"resourceTemplates":[{"uriTemplate":"y://{z}","name":"n"}]}"#
        }
        _ => return None,
    };
    Some(vec![asked.result(0, result)])
}

fn with_sessions() -> Birth {
    const RESOURCES: &str = r#"{"resources":[{"uri":"x://one","name":"n"}]}"#;
    const OFFER: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"prompts":{},"resources":{"subscribe":true},"logging":{},"completions":{},"tasks":{}},"serverInfo":{"name":"s","version":"1"}}"#;
    // The number of the last question, and the call that waits for its answer.
    let asking: RefCell<(u32, Option<Asked>)> = RefCell::default();
    let on_any = move |asked: &Asked| match asked.method.as_str() {
        "initialize" => Some(vec![asked.result(0, OFFER)]),
        "server/discover" | "ping" => None,
        "tools/call" => Some(match member(&asked.line, "name").as_deref() {
            Some(r#""ask""#) => {
                let mut asking = asking.borrow_mut();
                asking.0 += 1;
                asking.1 = Some(Asked {
                    id: asked.id.clone(),
                    method: asked.method.clone(),
                    line: asked.line.clone(),
                });
                let number = asking.0;
                vec![say(
                    0,
                    format!(
                        r#"{{"jsonrpc":"2.0","id":"q{number}","method":"elicitation/create","params":{{"message":"\ud800","_meta":{{"progressToken":{number}}}}}}}"#
                    ),
                )]
            }
            Some(r#""die""#) => vec![die(0, ExitStatus::Code(3))],
            Some(r#""never""#) => Vec::new(),
            Some(r#""tell""#) => told(asked),
            _ => vec![asked.result(0, DONE)],
        }),
        // Nothing is asked by an answer.
        "" => {
            let waits = asking.borrow_mut().1.take();
            Some(waits.map_or_else(Vec::new, |call| vec![call.result(0, DONE)]))
        }
        notification if notification.starts_with("notifications/") => Some(Vec::new()),
        _ => Some(
            listed(asked, RESOURCES)
                .unwrap_or_else(|| vec![asked.result(0, r#"{"contents":[],"x":1e400}"#)]),
        ),
    };
    Scripted::prompt().on_any(on_any).birth()
}

/// What a server may say of its own accord, and then the answer.
fn told(asked: &Asked) -> Vec<Does> {
    let mut does = vec![
        say(
            0,
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#,
        ),
        say(
            0,
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://one"}}"#,
        ),
        say(
            0,
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
        ),
        say(
            0,
            format!(
                r#"{{"jsonrpc":"2.0","id":"p{}","method":"ping"}}"#,
                asked.id
            ),
        ),
        say(0, "rubbish"),
    ];
    let meta = member(&asked.line, "_meta");
    if let Some(token) = meta.as_deref().and_then(|meta| last(meta, "progressToken")) {
        let params = format!(r#"{{"progressToken":{token},"progress":1}}"#);
        does.push(say(
            0,
            format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}"#),
        ));
    }
    does.push(asked.result(1, DONE));
    does
}

fn without_sessions() -> Birth {
    const RESOURCES: &str = r#"{"resources":[{"uri":"z://two","name":"n"}]}"#;
    const OFFER: &str = r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"resources":{"subscribe":true}},"ttlMs":0,"cacheScope":"private"}"#;
    const QUESTION: &str = r#"{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"m"}}},"requestState":"theirs"}"#;
    let on_any = |asked: &Asked| {
        let answers = member(&asked.line, "inputResponses");
        Some(match asked.method.as_str() {
            "server/discover" => vec![asked.result(0, OFFER)],
            "initialize" => vec![asked.error(0, r#"{"code":-32022,"message":"no sessions"}"#)],
            "tools/call" => match member(&asked.line, "name").as_deref() {
                Some(r#""ask""#) if answers.is_none() => vec![asked.result(0, QUESTION)],
                Some(r#""die""#) => vec![die(0, ExitStatus::Signal(9))],
                Some(r#""never""#) => Vec::new(),
                _ => vec![asked.result(0, r#"{"resultType":"complete","x":1e400}"#)],
            },
            "" | "subscriptions/listen" => Vec::new(),
            notification if notification.starts_with("notifications/") => Vec::new(),
            _ => listed(asked, RESOURCES)
                .unwrap_or_else(|| vec![asked.result(0, r#"{"resultType":"complete"}"#)]),
        })
    };
    Scripted::prompt().on_any(on_any).birth()
}
