//! What a message of one era needs in the other. Members are added; taken away is only what the
//! other era refuses: servers with a session answer no request that speaks for itself.
//!
//! | from | to | what is added |
//! |---|---|---|
//! | a client with a session | a server without handshakes | `_meta`: revision, client, capabilities |
//! | a client without one | a server with a session | nothing; those members are taken away |
//! | a server with a session | a client without one | `resultType`, and for what may be cached `ttlMs`, `cacheScope` |
//! | a client with a session | such a server, once more | `inputResponses`, `requestState` |
//! | a server | a stream of a client without one | `_meta`: which stream |

use super::introduction::{META_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL, META_VERSION};
use crate::wire::envelope::Request;
use crate::wire::jsonrpc::quoted;
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, SpliceError, splice};

/// With what a request speaks for itself.
const META_OF_REQUESTS: [&str; 4] = [
    META_VERSION,
    META_CLIENT_INFO,
    META_CAPABILITIES,
    META_LOG_LEVEL,
];

/// What says that a result is one.
pub const COMPLETE: &str = r#""resultType":"complete""#;

/// What says that a result may change at any time, and is this client's alone.
pub const NOT_CACHED: &str = r#""ttlMs":0,"cacheScope":"private""#;

/// Members at the beginning of an object that may be empty.
pub fn members_first(object: Raw<'_>, members: &str) -> String {
    if object.members().next().is_some() {
        format!("{members},")
    } else {
        members.to_owned()
    }
}

/// Appends a request that speaks for itself with these members in its params' `_meta`. They stand
/// in place of what its sender said of itself there, and of a `_meta` that is no object.
///
/// # Errors
/// The line is not the one that was parsed.
pub fn with_meta(
    out: &mut Vec<u8>,
    line: &[u8],
    request: &Request<'_>,
    members: &str,
) -> Result<(), SpliceError> {
    let params = request.params.map(|params| params.raw());
    let Some(meta) = params.and_then(|params| params.member("_meta")) else {
        return with_params(out, line, request, &format!(r#""_meta":{{{members}}}"#));
    };
    let rest = meta
        .is_object()
        .then(|| without(meta, &META_OF_REQUESTS))
        .and_then(|rest| rest.strip_prefix('{').map(str::to_owned))
        .filter(|rest| rest.trim_matches([' ', '\t']) != "}")
        .map_or_else(|| "}".to_owned(), |rest| format!(",{rest}"));
    let meta_said = format!("{{{members}{rest}");
    splice(line, &mut [Edit::replace(meta, meta_said.as_bytes())], out)
}

/// Appends a request without the members of `_meta` with which it speaks for itself.
///
/// # Errors
/// The line is not the one that was parsed.
pub fn without_meta(
    out: &mut Vec<u8>,
    line: &[u8],
    request: &Request<'_>,
) -> Result<(), SpliceError> {
    let meta = request
        .params
        .and_then(|params| params.raw().member("_meta"))
        .filter(|meta| meta.is_object());
    match meta {
        Some(meta) => {
            let rest = without(meta, &META_OF_REQUESTS);
            splice(line, &mut [Edit::replace(meta, rest.as_bytes())], out)
        }
        None => splice(line, &mut [], out),
    }
}

/// An object without these members; everything else as it stands.
pub fn without(object: Raw<'_>, names: &[&str]) -> String {
    let object = object.rebased();
    let text = object.text();
    let mut rest = String::from("{");
    let (mut end, mut is_first) = (1, true);
    for (key, value) in object.members() {
        // With the comma and the space before it.
        let member = &text[end..value.span().end];
        end = value.span().end;
        if names.contains(&key.as_ref()) {
            continue;
        }
        rest.push_str(if is_first {
            member.trim_start_matches([' ', '\t', ','])
        } else {
            member
        });
        is_first = false;
    }
    rest.push_str(&text[end..]);
    rest
}

/// Names the stream that a notification stands on.
const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Appends a notification of a server's as it stands on this stream of the client's, with the URI
/// that the client knows, if it is another.
///
/// # Errors
/// The line is not the one that was parsed.
pub fn on_stream(
    out: &mut Vec<u8>,
    line: &[u8],
    params: Raw<'_>,
    renamed: Option<(Raw<'_>, &str)>,
    stream: &RequestId,
) -> Result<(), SpliceError> {
    let uri = renamed.map(|(_, uri)| quoted(uri));
    let member = format!(r#""{META_SUBSCRIPTION}":{stream}"#);
    let object = format!("{{{member}}}");
    let first = members_first(params, &format!(r#""_meta":{object}"#));
    let mut edits = Vec::new();
    let mut metas = members_named(params, "_meta").peekable();
    if metas.peek().is_none() {
        edits.push(Edit::insert(params.span().start + 1, first.as_bytes()));
    }
    let metas: Vec<(Raw<'_>, String)> = metas
        .map(|meta| (meta, members_first(meta, &member)))
        .collect();
    for (meta, first) in &metas {
        let mut named = members_named(*meta, META_SUBSCRIPTION).peekable();
        if !meta.is_object() {
            edits.push(Edit::replace(*meta, object.as_bytes()));
        } else if named.peek().is_none() {
            edits.push(Edit::insert(meta.span().start + 1, first.as_bytes()));
        }
        edits.extend(named.map(|id| Edit::replace(id, stream.as_str().as_bytes())));
    }
    edits.extend(uri_edit(renamed, uri.as_deref()));
    splice(line, &mut edits, out)
}

/// Appends such a notification as it is told to a session, which knows no streams.
///
/// # Errors
/// The line is not the one that was parsed.
pub fn off_stream(
    out: &mut Vec<u8>,
    line: &[u8],
    params: Raw<'_>,
    renamed: Option<(Raw<'_>, &str)>,
) -> Result<(), SpliceError> {
    let uri = renamed.map(|(_, uri)| quoted(uri));
    let is_on_stream = |meta: &Raw<'_>| members_named(*meta, META_SUBSCRIPTION).next().is_some();
    let metas: Vec<(Raw<'_>, String)> = members_named(params, "_meta")
        .filter(is_on_stream)
        .map(|meta| (meta, without(meta, &[META_SUBSCRIPTION])))
        .collect();
    let edits = metas.iter();
    let edits = edits.map(|(meta, rest)| Edit::replace(*meta, rest.as_bytes()));
    let mut edits: Vec<_> = edits.chain(uri_edit(renamed, uri.as_deref())).collect();
    splice(line, &mut edits, out)
}

fn uri_edit<'a>(renamed: Option<(Raw<'_>, &str)>, uri: Option<&'a str>) -> Option<Edit<'a>> {
    let ((raw, _), uri) = renamed.zip(uri)?;
    Some(Edit::replace(raw, uri.as_bytes()))
}

/// Every value under a name that may be written more than once.
fn members_named<'a>(object: Raw<'a>, name: &'static str) -> impl Iterator<Item = Raw<'a>> {
    let members = object.members();
    members.filter_map(move |(key, value)| (key == name).then_some(value))
}

/// Appends a request with these members in its params.
///
/// # Errors
/// The line is not the one that was parsed.
pub fn with_params(
    out: &mut Vec<u8>,
    line: &[u8],
    request: &Request<'_>,
    members: &str,
) -> Result<(), SpliceError> {
    match request.params.map(|params| params.raw()) {
        Some(params) if params.is_object() => {
            let first = members_first(params, members);
            let at = params.span().start + 1;
            splice(line, &mut [Edit::insert(at, first.as_bytes())], out)
        }
        // Params of another kind mean nothing in this protocol.
        Some(params) => {
            let object = format!("{{{members}}}");
            splice(line, &mut [Edit::replace(params, object.as_bytes())], out)
        }
        None => {
            let at = line.iter().rposition(|byte| *byte == b'}');
            let at = at.unwrap_or(line.len());
            let params = format!(r#","params":{{{members}}}"#);
            splice(line, &mut [Edit::insert(at, params.as_bytes())], out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::envelope::{Message, parse};

    fn updated(params: &str, uri: Option<&str>, stream: Option<&RequestId>) -> String {
        let line = format!(r#"{{ "params":{params} ,"jsonrpc":"2.0","method":"m"}}"#);
        let Ok(Message::Notification(notification)) = parse(line.as_bytes()) else {
            panic!("a notification: {line}")
        };
        let params = notification.params.expect("params");
        let raw = params.uri().ok().flatten().expect("a URI").raw;
        let renamed = uri.map(|uri| (raw, uri));
        let mut out = Vec::new();
        match stream {
            Some(stream) => on_stream(&mut out, line.as_bytes(), params.raw(), renamed, stream),
            None => off_stream(&mut out, line.as_bytes(), params.raw(), renamed),
        }
        .expect("its line");
        let text = String::from_utf8(out).expect("text");
        let params = text.strip_prefix(r#"{ "params":"#);
        let params =
            params.and_then(|rest| rest.strip_suffix(r#" ,"jsonrpc":"2.0","method":"m"}"#));
        params.expect("nothing else is touched").to_owned()
    }

    #[test]
    fn a_notification_on_a_stream_names_the_stream_and_keeps_everything_else() {
        const ID: &str = "io.modelcontextprotocol/subscriptionId";
        let stream = RequestId::from_json(r#""s\u0031""#).expect("an id");
        for (params, expected) in [
            (
                r#"{"uri":"x:\/\/a","n":1e400}"#.to_owned(),
                format!(r#"{{"_meta":{{"{ID}":"s\u0031"}},"uri":"x:\/\/a","n":1e400}}"#),
            ),
            (
                format!(r#"{{"_meta":{{"k":1.0, "{ID}" : 7}} , "uri":"x:\/\/a"}}"#),
                format!(r#"{{"_meta":{{"k":1.0, "{ID}" : "s\u0031"}} , "uri":"x:\/\/a"}}"#),
            ),
            (
                r#"{"uri":"x:\/\/a","_meta":{ }}"#.to_owned(),
                format!(r#"{{"uri":"x:\/\/a","_meta":{{"{ID}":"s\u0031" }}}}"#),
            ),
            (
                r#"{"uri":"x:\/\/a","_meta":{"k":1}}"#.to_owned(),
                format!(r#"{{"uri":"x:\/\/a","_meta":{{"{ID}":"s\u0031","k":1}}}}"#),
            ),
            (
                format!(r#"{{"_meta":[7],"uri":"x:\/\/a","_meta":{{"{ID}":1,"{ID}":2}}}}"#),
                format!(
                    r#"{{"_meta":{{"{ID}":"s\u0031"}},"uri":"x:\/\/a","_meta":{{"{ID}":"s\u0031","{ID}":"s\u0031"}}}}"#
                ),
            ),
        ] {
            assert_eq!(updated(&params, None, Some(&stream)), expected);
            assert_eq!(
                updated(&params, Some("y"), Some(&stream)),
                expected.replace(r#""x:\/\/a""#, r#""y""#)
            );
        }
    }

    #[test]
    fn a_session_is_told_of_no_stream() {
        const ID: &str = "io.modelcontextprotocol/subscriptionId";
        let with = format!(r#"{{"uri":"x:\/\/a","_meta":{{"k":1.0, "{ID}":7, "n":1e400}}}}"#);
        let without = r#"{"uri":"x:\/\/a","_meta":{"k":1.0, "n":1e400}}"#;
        assert_eq!(updated(&with, None, None), without);
        assert_eq!(updated(without, None, None), without);
        let renamed = without.replace(r#""x:\/\/a""#, r#""y""#);
        assert_eq!(updated(&with, Some("y"), None), renamed);
    }

    fn request(line: &str, add: impl Fn(&mut Vec<u8>, &[u8], &Request<'_>)) -> String {
        let Ok(Message::Request(request)) = parse(line.as_bytes()) else {
            panic!("a request: {line}")
        };
        let mut out = Vec::new();
        add(&mut out, line.as_bytes(), &request);
        let text = String::from_utf8(out).expect("text");
        parse(text.as_bytes()).expect("still a message");
        text
    }

    fn meta(line: &str) -> String {
        request(line, |out, line, request| {
            with_meta(out, line, request, r#""k":1"#).expect("the same line");
        })
    }

    #[test]
    fn meta_is_added_wherever_there_is_none_yet() {
        assert_eq!(
            meta(r#"{"jsonrpc":"2.0","id":1,"method":"m" } "#),
            r#"{"jsonrpc":"2.0","id":1,"method":"m" ,"params":{"_meta":{"k":1}}} "#
        );
        assert_eq!(
            meta(r#"{"params":{ },"jsonrpc":"2.0","id":1,"method":"m"}"#),
            r#"{"params":{"_meta":{"k":1} },"jsonrpc":"2.0","id":1,"method":"m"}"#
        );
        assert_eq!(
            meta(r#"{"params":{"a":1e400},"jsonrpc":"2.0","id":1,"method":"m"}"#),
            r#"{"params":{"_meta":{"k":1},"a":1e400},"jsonrpc":"2.0","id":1,"method":"m"}"#
        );
    }

    #[test]
    fn what_stands_in_meta_stays() {
        assert_eq!(
            meta(
                r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"progressToken":7},"x":[]}}"#
            ),
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"k":1,"progressToken":7},"x":[]}}"#
        );
        assert_eq!(
            meta(r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{}}}"#),
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"k":1}}}"#
        );
    }

    #[test]
    fn what_a_sender_said_of_itself_and_what_means_nothing_is_replaced() {
        let level = r#""io.modelcontextprotocol/logLevel":"debug""#;
        assert_eq!(
            meta(&format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"_meta":{{"x":1, {level} }}}}}}"#
            )),
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"k":1,"x":1 }}}"#
        );
        assert_eq!(
            meta(&format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"_meta":{{{level}}}}}}}"#
            )),
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"k":1}}}"#
        );
        assert_eq!(
            meta(r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":[7],"x":[]}}"#),
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"k":1},"x":[]}}"#
        );
    }

    #[test]
    fn what_a_session_knows_is_taken_out_of_meta_and_nothing_else() {
        let strip = |meta: &str| {
            let line = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"_meta":{meta},"a":1e400}}}}"#
            );
            let stripped = request(&line, |out, line, request| {
                without_meta(out, line, request).expect("the same line");
            });
            let rest = stripped.split_once(r#""_meta":"#).expect("meta").1;
            rest.strip_suffix(r#","a":1e400}}"#)
                .expect("the rest")
                .to_owned()
        };
        let version = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
        let capabilities = r#""io.modelcontextprotocol\/clientCapabilities" : {"x":[1,2]}"#;
        assert_eq!(strip(&format!("{{{version}}}")), "{}");
        assert_eq!(
            strip(&format!(
                r#"{{ {version} , "progressToken" : 1,{capabilities}, "k\u0061":1e400 }}"#
            )),
            r#"{"progressToken" : 1, "k\u0061":1e400 }"#
        );
        assert_eq!(strip(r#"{"k":1}"#), r#"{"k":1}"#);
        assert_eq!(strip("[1]"), "[1]");
    }

    #[test]
    fn answers_stand_beside_the_params_that_were_there() {
        let line = r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"t"}}"#;
        let repeated = request(line, |out, line, request| {
            with_params(out, line, request, r#""requestState":"s""#).expect("the same line");
        });
        assert_eq!(
            repeated,
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"requestState":"s","name":"t"}}"#
        );
    }
}
