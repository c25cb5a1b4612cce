use super::*;
use crate::wire::params::MemberError;

fn request(line: &str) -> Request<'_> {
    match parse(line.as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("expected a request: {other:?}"),
    }
}

fn response(line: &str) -> Response<'_> {
    match parse(line.as_bytes()) {
        Ok(Message::Response(response)) => response,
        other => panic!("expected a response: {other:?}"),
    }
}

fn params(members: &str) -> Params<'static> {
    let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{members}}}"#);
    request(Box::leak(line.into_boxed_str()))
        .params
        .expect("params")
}

fn refused(line: impl AsRef<[u8]>) -> ParseError {
    parse(line.as_ref()).expect_err("should be refused")
}

#[test]
fn a_call_gives_its_routing_data_with_their_places() {
    let line = r#" { "jsonrpc" : "2.0","params":{"name": "t__echo" ,"arguments":{"a":[1,{}]},"_meta":{"x":1,"progressToken":"p"}},"id":7,"method":"tools/call" }"#;
    let call = request(line);
    assert_eq!(call.method, "tools/call");
    assert_eq!(&line[call.id.raw().span()], "7");
    let params = call.params.expect("params");
    let name = params.name().expect("once").expect("there");
    assert_eq!(name.decoded, "t__echo");
    assert_eq!(&line[name.raw.span()], r#""t__echo""#);
    let token = params
        .wanted_progress_token()
        .expect("once")
        .expect("there");
    assert_eq!(&line[token.span()], r#""p""#);
    assert_eq!(&line[params.raw().span()], params.raw().text());
}

#[test]
fn ids_of_every_form_are_kept_as_written() {
    for id in [
        r#""abc""#,
        r#""""#,
        r#""\u0041\n""#,
        r#""\ud800""#,
        "0",
        "-0",
        "-7",
        "1.5",
        "4.0",
        "1e3",
        "9007199254740993",
        "18446744073709551615",
        "123456789012345678901234567890",
    ] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        assert_eq!(request(&line).id.to_owned().as_str(), id);
    }
}

#[test]
fn payloads_that_typed_parsers_refuse_pass() {
    for payload in [
        "1e400",
        "-1E-999",
        r#""\ud800""#,
        r#""\udc00\ud800x""#,
        "123456789012345678901234567890",
        r#"{"a":1,"a":2}"#,
        r#"{"\ud800":1}"#,
        "0.10000000000000000000000001",
    ] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"v": {payload} }}}}"#);
        let Outcome::Result { raw, .. } = response(&line).outcome else {
            panic!("a result")
        };
        assert_eq!(raw.text(), format!(r#"{{"v": {payload} }}"#));
    }
}

#[test]
fn names_written_with_escapes_are_compared_as_meant() {
    let line = r#"{"\u006asonrpc":"2\u002e0","\u0069d":1,"m\u0065thod":"tools\/call","params":{"n\u0061me":"\u0065cho"}}"#;
    let call = request(line);
    assert_eq!(call.method, "tools/call");
    let name = call.params.expect("params").name();
    assert_eq!(name.expect("once").expect("there").decoded, "echo");
}

#[test]
fn an_envelope_member_written_twice_is_refused_even_with_escapes() {
    for (member, line) in [
        ("id", r#"{"jsonrpc":"2.0","id":1,"\u0069d":1,"method":"m"}"#),
        (
            "method",
            r#"{"jsonrpc":"2.0","id":5,"method":"m","method":"n"}"#,
        ),
        (
            "params",
            r#"{"jsonrpc":"2.0","id":5,"method":"m","params":{},"params":{}}"#,
        ),
        (
            "result",
            r#"{"jsonrpc":"2.0","id":5,"result":1,"result":2}"#,
        ),
        ("error", r#"{"jsonrpc":"2.0","id":5,"error":1,"error":2}"#),
        (
            "jsonrpc",
            r#"{"jsonrpc":"2.0","id":5,"jsonrpc":"2.0","method":"m"}"#,
        ),
    ] {
        let error = refused(line);
        let ParseError::Duplicate { member: found, .. } = &error else {
            panic!("{line}: {error:?}")
        };
        assert_eq!(*found, member);
        let id = error.id().map(RequestId::as_str);
        assert_eq!(
            id,
            (member != "id").then_some("5"),
            "answered only if the id is certain"
        );
    }
}

#[test]
fn a_routing_member_written_twice_is_refused_when_asked_for_and_others_are_payload() {
    let twice =
        params(r#"{"name":"a","n\u0061me":"b","arguments":{"name":1,"name":2},"x":1,"x":2}"#);
    assert_eq!(twice.name(), Err(MemberError::Duplicate("name")));
    assert_eq!(twice.cursor(), Ok(None));
    let meta = params(r#"{"_meta":{"progressToken":1},"_meta":{}}"#);
    assert_eq!(
        meta.wanted_progress_token(),
        Err(MemberError::Duplicate("_meta"))
    );
    let token = params(r#"{"_meta":{"progressToken":1,"progressToken":2}}"#);
    assert_eq!(
        token.wanted_progress_token(),
        Err(MemberError::Duplicate("_meta.progressToken"))
    );
}

#[test]
fn routing_members_are_found_at_the_top_of_params_only() {
    let nested =
        params(r#"{"arguments":{"name":"x","cursor":"y","requestId":1,"progressToken":2}}"#);
    assert_eq!(nested.name(), Ok(None));
    assert_eq!(nested.cursor(), Ok(None));
    assert_eq!(nested.request_id(), Ok(None));
    assert_eq!(nested.progress_token(), Ok(None));
    let notice = params(r#"{"requestId":"r","progressToken":4.5}"#);
    let text =
        |found: Result<Option<Raw<'_>>, _>| found.expect("once").expect("there").text().to_owned();
    assert_eq!(text(notice.request_id()), r#""r""#);
    assert_eq!(text(notice.progress_token()), "4.5");
}

#[test]
fn routing_members_of_the_wrong_kind_are_named() {
    for name in ["1", "null", r#""\ud800""#, "{}"] {
        let members = format!(r#"{{"name":{name}}}"#);
        let found = params(&members).name();
        assert!(
            matches!(found, Err(MemberError::WrongKind { member: "name", .. })),
            "{name}"
        );
    }
    let token = params(r#"{"progressToken":[]}"#).progress_token();
    assert!(matches!(token, Err(MemberError::WrongKind { .. })));
}

#[test]
fn params_of_any_kind_pass_and_have_no_members() {
    for text in ["[1,2]", "null", "7"] {
        let params = params(text);
        assert_eq!(params.raw().text(), text);
        assert_eq!(params.name(), Ok(None));
    }
    assert!(
        request(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
            .params
            .is_none()
    );
}

#[test]
fn a_result_says_whether_it_is_a_tools_error() {
    let is_error = |result: &str| {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        matches!(
            response(&line).outcome,
            Outcome::Result { is_error: true, .. }
        )
    };
    assert!(is_error(r#"{"content":[],"isError":true}"#));
    assert!(is_error(r#"{"is\u0045rror": true ,"content":[]}"#));
    assert!(!is_error(r#"{"content":[],"isError":false}"#));
    assert!(!is_error(r#"{"content":[{"isError":true}]}"#));
    assert!(!is_error(r#"{"isError":"true"}"#));
    assert!(
        !is_error(r#"{"isError":true,"isError":false}"#),
        "the client reads the last one"
    );
    assert!(!is_error("[true]"));
}

#[test]
fn an_error_gives_its_code_and_its_bytes() {
    let code = |error: &str| {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#);
        match response(&line).outcome {
            Outcome::Error { raw, code } => {
                assert_eq!(raw.text(), error);
                code
            }
            Outcome::Result { .. } => panic!("an error"),
        }
    };
    assert_eq!(
        code(r#"{"code": -32602 ,"message":"m","data":{"code":1}}"#),
        Some(-32602)
    );
    assert_eq!(code(r#"{"message":"m"}"#), None);
    assert_eq!(code(r#"{"code":1e2}"#), None);
    assert_eq!(code(r#"{"code":1,"code":2}"#), None);
    assert_eq!(code(r#""text""#), None);
}

#[test]
fn an_error_may_lack_its_id_and_a_result_may_not() {
    for line in [
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700}}"#,
    ] {
        assert_eq!(response(line).id, None);
    }
    let invalid = |reason, seeming| ParseError::InvalidRequest {
        reason,
        seeming,
        id: None,
    };
    assert_eq!(
        refused(r#"{"jsonrpc":"2.0","result":{}}"#),
        invalid(InvalidEnvelope::ResultWithoutId, Seeming::Reply)
    );
    assert_eq!(
        refused(r#"{"jsonrpc":"2.0","id":null,"result":{}}"#),
        invalid(InvalidEnvelope::Id, Seeming::Reply)
    );
    assert_eq!(
        refused(r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#),
        invalid(InvalidEnvelope::Id, Seeming::Call)
    );
}

#[test]
fn an_object_that_is_no_message_says_why_and_for_which_id() {
    for (reason, line) in [
        (InvalidEnvelope::Version, r#"{"id":3,"method":"m"}"#),
        (
            InvalidEnvelope::Version,
            r#"{"jsonrpc":"1.0","id":3,"method":"m"}"#,
        ),
        (
            InvalidEnvelope::Version,
            r#"{"jsonrpc":2.0,"id":3,"method":"m"}"#,
        ),
        (
            InvalidEnvelope::Method,
            r#"{"jsonrpc":"2.0","id":3,"method":5}"#,
        ),
        (
            InvalidEnvelope::Method,
            r#"{"jsonrpc":"2.0","id":3,"method":"\ud800"}"#,
        ),
        (
            InvalidEnvelope::Ambiguous,
            r#"{"jsonrpc":"2.0","id":3,"method":"m","result":1}"#,
        ),
        (
            InvalidEnvelope::Ambiguous,
            r#"{"jsonrpc":"2.0","id":3,"error":{},"result":1}"#,
        ),
        (InvalidEnvelope::Empty, r#"{"jsonrpc":"2.0","id":3}"#),
    ] {
        let error = refused(line);
        assert_eq!(error.id().map(RequestId::as_str), Some("3"), "{line}");
        let ParseError::InvalidRequest { reason: found, .. } = error else {
            panic!("{line}: {error:?}")
        };
        assert_eq!(found, reason, "{line}");
    }
}

#[test]
fn what_is_no_object_is_told_apart() {
    assert_eq!(refused(""), ParseError::Blank);
    assert_eq!(refused(" \t "), ParseError::Blank);
    assert_eq!(refused("[]"), ParseError::Batch);
    assert_eq!(
        refused(r#"[{"jsonrpc":"2.0","id":1,"method":"m"}]"#),
        ParseError::Batch
    );
    assert_eq!(refused("42"), ParseError::NotAnObject);
    assert_eq!(refused(r#""text""#), ParseError::NotAnObject);
    assert_eq!(refused("[INFO] listening"), ParseError::NotJson { at: 1 });
    assert_eq!(refused("Server started"), ParseError::NotJson { at: 0 });
    assert_eq!(refused(b"{\"a\":\"\xff\"}"), ParseError::NotUtf8 { at: 6 });
    assert_eq!(refused(b"{\"a\":\"\0\"}"), ParseError::Nul { at: 6 });
}

#[test]
fn a_line_break_inside_the_line_is_refused_since_some_readers_end_the_message_there() {
    assert_eq!(
        refused("{\"jsonrpc\":\"2.0\",\r\"id\":1,\"method\":\"m\"}"),
        ParseError::EmbeddedNewline { at: 17 }
    );
    assert_eq!(refused("{\n}"), ParseError::EmbeddedNewline { at: 1 });
}

#[test]
fn broken_json_is_refused_wherever_it_breaks() {
    for payload in [
        "",
        "[",
        "{",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "{\"a\":1]",
        "[1}",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "tru",
        "nulll",
        "True",
        "NaN",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "'a'",
        "\"a\tb\"",
        "\"\u{1}\"",
        "1 2",
        "//c",
        "[[[]]",
        "{\"a\":{\"b\":[}}",
    ] {
        for line in [
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{payload}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"x":{payload}}}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"x":[{payload}]}}}}"#),
        ] {
            if payload.is_empty() && line.contains("[]") {
                continue;
            }
            let error = refused(&line);
            assert!(
                matches!(error, ParseError::NotJson { .. }),
                "{line}: {error:?}"
            );
        }
    }
    let trailing = r#"{"jsonrpc":"2.0","id":1,"method":"m"} x"#;
    assert!(matches!(refused(trailing), ParseError::NotJson { .. }));
}

#[test]
fn hostile_depth_is_refused_and_the_deepest_legal_one_passes() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{open}{close}}}"#)
    };
    request(&nested(MAX_DEPTH - 1));
    assert_eq!(refused(nested(MAX_DEPTH)), ParseError::TooDeep);
    assert_eq!(refused("[".repeat(10_000_000)), ParseError::TooDeep);
    let objects = format!(
        r#"{{"jsonrpc":"2.0","params":{}"#,
        r#"{"a":"#.repeat(1_000_000)
    );
    assert_eq!(refused(objects), ParseError::TooDeep);
}
