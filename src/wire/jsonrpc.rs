//! Messages of our own, built from small typed parts. Each is one line without its newline.

use serde::Serialize;

/// An error's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// The line is not JSON.
    ParseError = -32_700,
    /// It is JSON, but no message.
    InvalidRequest = -32_600,
    /// There is no such method.
    MethodNotFound = -32_601,
    /// The parameters are not what the method takes.
    InvalidParams = -32_602,
    /// A server's answer was longer than the limit.
    OversizedAnswer = -32_001,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: i32,
    message: &'a str,
}

/// Appends an answer with a result to `out`. `id` is JSON text.
pub fn result<T: Serialize>(id: &str, result: &T, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(br#","result":"#);
    append(result, out);
    out.push(b'}');
}

/// Appends an answer with an error to `out`. `id` is JSON text.
pub fn error(id: &str, code: Code, message: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(br#","error":"#);
    append(
        &ErrorBody {
            code: code as i32,
            message,
        },
        out,
    );
    out.push(b'}');
}

/// A request.
pub fn request<T: Serialize>(id: u64, method: &str, params: &T) -> Vec<u8> {
    let mut out =
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":"#).into_bytes();
    append(params, &mut out);
    out.push(b'}');
    out
}

/// A notification with parameters.
pub fn notification<T: Serialize>(method: &str, params: &T) -> Vec<u8> {
    let mut out = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":"#).into_bytes();
    append(params, &mut out);
    out.push(b'}');
    out
}

/// A notification without parameters.
pub fn bare_notification(method: &str) -> Vec<u8> {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#).into_bytes()
}

/// Writing to memory fails only if a value refuses to be serialised, and ours don't; a value that
/// did would leave `null` where it should stand rather than half a message.
fn append<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}
