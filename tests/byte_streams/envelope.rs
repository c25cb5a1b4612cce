//! One line. What the envelope says of it is what another reader of JSON sees in it, each value
//! stands where it says, and an edit changes nothing but what it replaces.

use crate::json::{self, Member, members};
use crate::model::{self, Invalid, Needed, Refused, Said};
use rea::protocol::bridge;
use rea::protocol::downstream_id::DownstreamId;
use rea::protocol::relay::{reply_to_client, request_to_server};
use rea::wire::envelope::{
    InvalidEnvelope, Message, Outcome, ParseError, Request, Response, parse,
};
use rea::wire::jsonrpc::{self, ErrorCode};
use rea::wire::params::{MemberError, Params, Text};
use rea::wire::raw::Raw;
use rea::wire::request_id::{Id, RequestId};
use rea_fsm::CallId;
use std::str::from_utf8;

/// The id that a request gets at its server.
const AT_SERVER: DownstreamId = DownstreamId::Call(CallId(21));
const AT_SERVER_TEXT: &str = "42";

pub(crate) fn check(line: &[u8]) {
    let expected = model::read(line);
    match parse(line) {
        Ok(Message::Request(request)) => {
            let params = request.params.map(|params| params.raw().text());
            let said = Said::Request {
                id: request.id.raw().text(),
                method: request.method.clone().into_owned(),
                params,
            };
            assert_eq!(Ok(said), expected);
            stands_in(line, request.id.raw());
            params_are_read(line, request.params.as_ref());
            it_passes_to_its_server(line, &request);
            it_crosses_the_bridge(line, &request);
        }
        Ok(Message::Notification(notification)) => {
            let said = Said::Notification {
                method: notification.method.clone().into_owned(),
                params: notification.params.map(|params| params.raw().text()),
            };
            assert_eq!(Ok(said), expected);
            params_are_read(line, notification.params.as_ref());
            if let Some(params) = &notification.params {
                it_stands_on_a_stream(line, params);
            }
        }
        Ok(Message::Response(response)) => the_answer_is_read(line, &response, &expected),
        Err(error) => it_is_refused(&error, &expected),
    }
}

fn stands_in(line: &[u8], raw: Raw<'_>) {
    assert_eq!(&line[raw.span()], raw.text().as_bytes(), "its place");
}

fn the_answer_is_read(
    line: &[u8],
    response: &Response<'_>,
    expected: &Result<Said<'_>, Refused<'_>>,
) {
    let id = response.id.map(Id::raw);
    let payload = match response.outcome {
        Outcome::Result {
            raw,
            is_error,
            result_type,
        } => {
            let id = id.expect("a result has an id").text();
            let result = raw.text();
            assert_eq!(Ok(Said::Result { id, result }), *expected);
            let failed = model::last(result, "isError") == Some("true");
            assert_eq!(is_error, failed, "isError");
            let kind = model::last(result, "resultType");
            assert_eq!(result_type.map(Raw::text), kind, "resultType");
            raw
        }
        Outcome::Error { raw, code } => {
            let (id, error) = (id.map(Raw::text), raw.text());
            assert_eq!(Ok(Said::Error { id, error }), *expected);
            let codes = json::named(&members(error).unwrap_or_default(), "code");
            let only = match codes.as_slice() {
                [code] => code.parse().ok(),
                _ => None,
            };
            assert_eq!(code, only, "code");
            raw
        }
    };
    stands_in(line, payload);
    everything_inside_is_found(payload);
    let Some(id) = id else {
        return;
    };
    stands_in(line, id);
    for of_client in ["7.0", r#""\u0061""#] {
        let mut out = Vec::new();
        let id_of_client = RequestId::from_json(of_client).expect("an id");
        reply_to_client(&mut out, line, id.span(), &id_of_client, Vec::new()).expect("its line");
        only_changed(line, &out, &[("id", of_client)]);
        assert!(matches!(parse(&out), Ok(Message::Response(_))));
    }
}

/// The members of an edited line are those of the line, but for these.
fn only_changed(line: &[u8], edited: &[u8], changes: &[(&str, &str)]) {
    let edited = from_utf8(edited).expect("text stays text");
    let mut expected = members(from_utf8(line).expect("text")).expect("an object");
    for member in &mut expected {
        for (name, value) in changes {
            if member.key == *name {
                member.value = value;
            }
        }
    }
    assert_eq!(members(edited), Some(expected));
}

/// Nothing around the replaced span has moved or changed.
fn only_replaced(line: &[u8], edited: &[u8], replaced: &[Raw<'_>]) {
    let first = replaced.iter().map(|raw| raw.span().start).min();
    let last = replaced.iter().map(|raw| raw.span().end).max();
    let (Some(first), Some(last)) = (first, last) else {
        panic!("something is replaced");
    };
    assert!(edited.starts_with(&line[..first]), "before the edit");
    assert!(edited.ends_with(&line[last..]), "behind the edit");
}

fn it_passes_to_its_server(line: &[u8], request: &Request<'_>) {
    let name = request
        .params
        .and_then(|params| params.name().ok().flatten());
    let own_name = "t\"\u{1}é";
    let written = jsonrpc::quoted(own_name);
    let renamed = name.as_ref().map(|name| (name.raw, written.as_str()));
    let mut out = Vec::new();
    request_to_server(&mut out, line, request, renamed, AT_SERVER).expect("its line");
    let mut replaced = vec![request.id.raw()];
    replaced.extend(name.as_ref().map(|name| name.raw));
    only_replaced(line, &out, &replaced);

    let Ok(Message::Request(passed)) = parse(&out) else {
        panic!("still a request: {}", String::from_utf8_lossy(&out));
    };
    assert_eq!(passed.method, request.method);
    let before = request.params.map(|params| params.raw().text());
    let after = passed.params.map(|params| params.raw().text());
    let mut changes = vec![("id", AT_SERVER_TEXT)];
    changes.extend(after.map(|after| ("params", after)));
    only_changed(line, &out, &changes);
    match (before, after, &name) {
        (Some(before), Some(after), Some(_)) => {
            let own_name = jsonrpc::quoted(own_name);
            only_changed(before.as_bytes(), after.as_bytes(), &[("name", &own_name)]);
        }
        (before, after, _) => assert_eq!(before, after, "params"),
    }
}

/// Members are added in front, or the gateway's own taken out of `_meta`; the rest stays.
fn it_crosses_the_bridge(line: &[u8], request: &Request<'_>) {
    let before = request.params.map_or("{}", |params| params.raw().text());
    let before = members(before).unwrap_or_default();
    let params_after = |out: &[u8]| {
        let Ok(Message::Request(bridged)) = parse(out) else {
            panic!("still a request: {}", String::from_utf8_lossy(out));
        };
        assert_eq!(bridged.id.raw().text(), request.id.raw().text());
        assert_eq!(bridged.method, request.method);
        let params = bridged.params.map(|params| params.raw().text().to_owned());
        params.unwrap_or_else(|| "{}".to_owned())
    };

    let mut out = Vec::new();
    bridge::with_params(&mut out, line, request, r#""k":1"#).expect("its line");
    let after = params_after(&out);
    let after = members(&after).expect("an object");
    assert_eq!(after[0].value, "1");
    assert_eq!(after[1..], before, "what was there");

    let mut out = Vec::new();
    bridge::with_meta(&mut out, line, request, r#""k":1"#).expect("its line");
    let after = params_after(&out);
    let last = before.iter().rfind(|member| member.key == "_meta");
    let stays = last.and_then(|meta| members(meta.value));
    let stays = others(stays.unwrap_or_default());
    let meta = model::last(&after, "_meta").expect("it was added");
    let meta = members(meta).expect("an object");
    assert_eq!((meta[0].key.as_str(), meta[0].value), ("k", "1"));
    assert_eq!(meta[1..], stays, "what was there");

    let mut out = Vec::new();
    bridge::without_meta(&mut out, line, request).expect("its line");
    let after = params_after(&out);
    let after = members(&after).unwrap_or_default();
    assert_eq!(after.len(), before.len());
    let last = before.iter().rposition(|member| member.key == "_meta");
    for (at, (before, after)) in before.iter().zip(&after).enumerate() {
        let (Some(meta), true) = (members(before.value), Some(at) == last) else {
            assert_eq!(before, after);
            continue;
        };
        assert_eq!(members(after.value), Some(others(meta)));
    }
}

/// The stream is named in every `_meta`, or in none; the rest stays.
fn it_stands_on_a_stream(line: &[u8], params: &Params<'_>) {
    const STREAM: &str = "io.modelcontextprotocol/subscriptionId";
    let Ok(Some(uri)) = params.uri() else {
        return;
    };
    let before = members(params.raw().text()).expect("it has a member");
    let params_after = |out: &[u8]| {
        let Ok(Message::Notification(told)) = parse(out) else {
            panic!("still a notification: {}", String::from_utf8_lossy(out));
        };
        let told = told.params.expect("params");
        let uri = told.uri().expect("once").expect("a URI");
        assert_eq!(uri.decoded, "y");
        told.raw().text().to_owned()
    };
    let rest = |all: Vec<Member<'_>>| -> Vec<(String, String)> {
        let rest = all.into_iter().filter(|member| member.key != STREAM);
        rest.map(|member| (member.key, member.value.to_owned()))
            .collect()
    };
    let renamed = Some((uri.raw, "y"));
    let stream = RequestId::from(7);

    let mut out = Vec::new();
    bridge::on_stream(&mut out, line, params.raw(), renamed, &stream).expect("its line");
    let after = params_after(&out);
    let after = members(&after).expect("an object");
    let metas = json::named(&after, "_meta");
    assert!(!metas.is_empty(), "it was added");
    for meta in metas {
        let meta = members(meta).expect("an object");
        let named = json::named(&meta, STREAM);
        assert!(!named.is_empty() && named.iter().all(|id| *id == "7"));
    }
    let added = after.len() - before.len();
    for (before, after) in before.iter().zip(&after[added..]) {
        match (before.key.as_str(), members(before.value)) {
            ("_meta", Some(meta)) => {
                assert_eq!(rest(members(after.value).expect("an object")), rest(meta));
            }
            ("_meta" | "uri", _) => {}
            (_, _) => assert_eq!(before, after),
        }
    }

    let mut out = Vec::new();
    bridge::off_stream(&mut out, line, params.raw(), renamed).expect("its line");
    let after = params_after(&out);
    let after = members(&after).expect("an object");
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        match (before.key.as_str(), members(before.value)) {
            ("_meta", Some(meta)) => {
                let left = members(after.value).expect("an object");
                assert!(json::named(&left, STREAM).is_empty());
                assert_eq!(rest(left), rest(meta));
            }
            ("uri", _) => {}
            (_, _) => assert_eq!(before, after),
        }
    }
}

/// What in `_meta` is nothing with which a request speaks for itself.
fn others(meta: Vec<Member<'_>>) -> Vec<Member<'_>> {
    let own = [
        "protocolVersion",
        "clientInfo",
        "clientCapabilities",
        "logLevel",
    ]
    .map(|name| format!("io.modelcontextprotocol/{name}"));
    let others = meta.into_iter();
    others.filter(|member| !own.contains(&member.key)).collect()
}

fn params_are_read(line: &[u8], params: Option<&Params<'_>>) {
    let Some(params) = params else {
        return;
    };
    let text = params.raw().text();
    stands_in(line, params.raw());
    everything_inside_is_found(params.raw());
    let strings = [
        (params.name(), model::text(text, "name")),
        (params.cursor(), model::text(text, "cursor")),
        (params.uri(), model::text(text, "uri")),
        (params.request_state(), model::text(text, "requestState")),
        (params.other("level"), model::text(text, "level")),
        (params.version(), model::version(text)),
    ];
    for (found, expected) in strings {
        if let Ok(Some(found)) = &found {
            stands_in(line, found.raw);
        }
        let meant = |text: Text<'_>| text.decoded.into_owned();
        assert_eq!(as_needed(found.map(|found| found.map(meant))), expected);
    }
    let raws = [
        (params.progress_token(), model::token(text, "progressToken")),
        (params.request_id(), model::token(text, "requestId")),
        (
            params.input_responses(),
            model::object(text, "inputResponses"),
        ),
    ];
    for (found, expected) in raws {
        if let Ok(Some(found)) = found {
            stands_in(line, found);
        }
        let found = found.map(|found| found.map(Raw::text));
        assert_eq!(as_needed(found), expected);
    }
    let is_there = !json::named(&members(text).unwrap_or_default(), "task").is_empty();
    assert_eq!(params.wants_task(), is_there, "task");
    let meta = match model::object(text, "_meta") {
        Needed::There(meta) => Some(meta),
        Needed::Absent | Needed::Twice | Needed::WrongKind => None,
    };
    assert_eq!(params.meta().map(Raw::text), meta, "_meta");
    let wanted = match (model::object(text, "_meta"), meta) {
        (Needed::Twice, _) => Needed::Twice,
        (_, Some(meta)) => model::token(meta, "progressToken"),
        (_, None) => Needed::Absent,
    };
    let found = params.wanted_progress_token();
    assert_eq!(as_needed(found.map(|found| found.map(Raw::text))), wanted);
}

fn as_needed<T>(found: Result<Option<T>, MemberError>) -> Needed<T> {
    match found {
        Ok(None) => Needed::Absent,
        Ok(Some(value)) => Needed::There(value),
        Err(MemberError::Duplicate(_)) => Needed::Twice,
        Err(MemberError::WrongKind { .. }) => Needed::WrongKind,
    }
}

/// Members and elements, level by level, are those that another reader sees.
fn everything_inside_is_found(outermost: Raw<'_>) {
    let mut unread = vec![outermost];
    while let Some(raw) = unread.pop() {
        let found: Vec<_> = raw.members().collect();
        let as_read = found.iter().map(|(key, value)| Member {
            key: key.clone().into_owned(),
            value: value.text(),
        });
        let expected = members(raw.text());
        assert_eq!(raw.is_object(), expected.is_some());
        assert_eq!(as_read.collect::<Vec<_>>(), expected.unwrap_or_default());
        unread.extend(found.into_iter().map(|(_, value)| value));

        let found: Vec<_> = raw.elements().collect();
        let expected = json::elements(raw.text());
        assert_eq!(raw.is_array(), expected.is_some());
        let as_read: Vec<_> = found.iter().map(|raw| raw.text()).collect();
        assert_eq!(as_read, expected.unwrap_or_default());
        unread.extend(found);

        assert_eq!(raw.as_str().map(String::from), json::string(raw.text()));
    }
}

fn it_is_refused(error: &ParseError, expected: &Result<Said<'_>, Refused<'_>>) {
    let invalid = |reason| match reason {
        InvalidEnvelope::Version => Invalid::Version,
        InvalidEnvelope::Id => Invalid::Id,
        InvalidEnvelope::Method => Invalid::Method,
        InvalidEnvelope::Ambiguous => Invalid::Ambiguous,
        InvalidEnvelope::Empty => Invalid::Empty,
        InvalidEnvelope::ResultWithoutId => Invalid::ResultWithoutId,
    };
    let id = error.id().map(RequestId::as_str);
    let refused = match error {
        ParseError::Blank => Refused::Blank,
        ParseError::NotUtf8 { .. } => Refused::NotUtf8,
        ParseError::Nul { .. } => Refused::Nul,
        ParseError::EmbeddedNewline { .. } => Refused::EmbeddedNewline,
        // What is too deep may be no JSON further on: nobody looks.
        ParseError::TooDeep if *expected == Err(Refused::NotJson) => Refused::NotJson,
        ParseError::NotJson { .. } => Refused::NotJson,
        ParseError::TooDeep => Refused::TooDeep,
        ParseError::Batch => Refused::Batch,
        ParseError::NotAnObject => Refused::NotAnObject,
        ParseError::Duplicate { member, .. } => Refused::Duplicate { member, id },
        ParseError::InvalidRequest { reason, .. } => Refused::Invalid {
            reason: invalid(*reason),
            id,
        },
    };
    assert_eq!(Err(refused), *expected);

    let answered = error.id().cloned().unwrap_or_else(RequestId::null);
    let mut out = Vec::new();
    let text = error.to_string();
    jsonrpc::error(
        &mut out,
        &answered,
        ErrorCode::ParseError,
        &text,
        jsonrpc::NONE,
    );
    let answer = from_utf8(&out).expect("text");
    let expected = refused.id().unwrap_or("null");
    assert_eq!(model::last(answer, "id"), Some(expected), "{answer}");
    assert!(json::value(answer).is_some(), "{answer}");
}
