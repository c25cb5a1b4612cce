//! Messages of `rea`'s own, and the error codes it uses.
//!
//! Each function appends one message without line break. What it carries is a small typed struct;
//! payloads of others never come through here but as raw JSON.

use serde::Serialize;
use serde_json::Value;

use super::request_id::RequestId;

/// The error with which a server of the era without a handshake refuses a revision.
pub const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;

/// The codes of errors that `rea` itself answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum ErrorCode {
    /// The line was not JSON.
    ParseError = -32700,
    /// It was no JSON-RPC message.
    InvalidRequest = -32600,
    /// Nobody here knows the method.
    MethodNotFound = -32601,
    /// The method's params don't fit.
    InvalidParams = -32602,
    /// The message or its reply was over the line limit.
    TooLarge = -32005,
    /// The server's reply could not be taken for a message.
    Unreadable = -32008,
    /// The server did not answer: it is not there, or went away, or takes too long.
    Unavailable = -32000,
    /// Nobody has answered a server's question in time.
    Unanswered = -32001,
    /// The revision that the client asks for is not spoken here.
    UnsupportedVersion = UNSUPPORTED_PROTOCOL_VERSION,
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> i64 {
        self as i64
    }
}

#[derive(Serialize)]
struct Request<'a, P> {
    jsonrpc: &'static str,
    id: &'a RequestId,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<P>,
}

#[derive(Serialize)]
struct Notification<'a, P> {
    jsonrpc: &'static str,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<P>,
}

#[derive(Serialize)]
struct ResultResponse<'a, R> {
    jsonrpc: &'static str,
    id: &'a RequestId,
    result: R,
}

#[derive(Serialize)]
struct ErrorResponse<'a, D> {
    jsonrpc: &'static str,
    id: &'a RequestId,
    error: ErrorObject<'a, D>,
}

#[derive(Serialize)]
struct ErrorObject<'a, D> {
    code: i64,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<D>,
}

/// Params or data that are not there.
pub const NONE: Option<&()> = None;

const VERSION: &str = "2.0";

/// Appends a request.
pub fn request(out: &mut Vec<u8>, id: &RequestId, method: &str, params: Option<&impl Serialize>) {
    append(
        out,
        &Request {
            jsonrpc: VERSION,
            id,
            method,
            params,
        },
    );
}

/// Appends a notification.
pub fn notification(out: &mut Vec<u8>, method: &str, params: Option<&impl Serialize>) {
    append(
        out,
        &Notification {
            jsonrpc: VERSION,
            method,
            params,
        },
    );
}

/// Appends the result of a request.
pub fn result(out: &mut Vec<u8>, id: &RequestId, result: &impl Serialize) {
    append(
        out,
        &ResultResponse {
            jsonrpc: VERSION,
            id,
            result,
        },
    );
}

/// Appends the refusal of a request.
pub fn error(
    out: &mut Vec<u8>,
    id: &RequestId,
    code: ErrorCode,
    message: &str,
    data: Option<&impl Serialize>,
) {
    append(
        out,
        &ErrorResponse {
            jsonrpc: VERSION,
            id,
            error: ErrorObject {
                code: code.number(),
                message,
                data,
            },
        },
    );
}

/// Appends a result that says nothing, as the answer to a ping.
pub fn empty_result(out: &mut Vec<u8>, id: &RequestId) {
    #[derive(Serialize)]
    struct Empty {}
    result(out, id, &Empty {});
}

/// A string as JSON text, with its quotes.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Only a map with keys that aren't strings can fail to be written, and no message of ours has
/// one; should one appear, a test finds it here and `out` stays a sequence of whole messages.
fn append(out: &mut Vec<u8>, message: &impl Serialize) {
    let before = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, message) {
        debug_assert!(false, "a message of our own can't be written: {error}");
        out.truncate(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(build: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        build(&mut out);
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn ids_are_written_as_they_came() {
        for id in [
            "7",
            "7.0",
            "-1e2",
            "18446744073709551616",
            r#""\u0041""#,
            r#""""#,
        ] {
            let id = RequestId::from_json(id).expect("an id");
            let written = text(|out| result(out, &id, &[1]));
            assert_eq!(
                written,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":[1]}}"#)
            );
        }
    }

    #[test]
    fn absent_params_and_data_stay_absent() {
        let ping = text(|out| request(out, &RequestId::from(3), "ping", NONE));
        assert_eq!(ping, r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#);
        let notice = text(|out| notification(out, "n", NONE));
        assert_eq!(notice, r#"{"jsonrpc":"2.0","method":"n"}"#);
        let refusal = text(|out| error(out, &RequestId::null(), ErrorCode::ParseError, "no", NONE));
        assert_eq!(
            refusal,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#
        );
    }

    #[test]
    fn only_strings_and_numbers_are_ids() {
        for text in ["null", "true", "{}", "[1]", "", "1 2", "\"a", "01"] {
            assert_eq!(RequestId::from_json(text), None, "{text}");
        }
    }

    #[test]
    fn codes_of_our_own_stay_in_the_range_that_the_specification_leaves_free() {
        for code in [ErrorCode::TooLarge, ErrorCode::Unreadable] {
            assert!((-32019..=-32000).contains(&code.number()), "{code:?}");
        }
    }
}
