//! A message on its way through: what identifies it is exchanged, the rest is copied.
//!
//! Ids and the names of tools mean something on one side only. Progress tokens are the client's on
//! both sides: whoever sends progress sends the client's own token, and it passes untouched.

use super::bridge::with_params;
use super::downstream_id::DownstreamId;
use crate::wire::envelope::{Message, Request, parse};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, SpliceError, splice};
use std::ops::Range;

/// Appends a client's request as its server gets it: with the id there, and with JSON text in the
/// place of a value that means something to the client alone, such as a name.
///
/// # Errors
/// The edits are not of this line; `out` is as it was.
pub fn request_to_server(
    out: &mut Vec<u8>,
    line: &[u8],
    request: &Request<'_>,
    replaced: Option<(Raw<'_>, &str)>,
    id: DownstreamId,
) -> Result<(), SpliceError> {
    let id = id.request_id();
    let mut edits = vec![Edit::replace(request.id.raw(), id.as_str().as_bytes())];
    edits.extend(replaced.map(|(raw, with)| Edit::replace(raw, with.as_bytes())));
    splice(line, &mut edits, out)
}

/// Appends a request that a server has had before, under another id and with these members added
/// to its params.
///
/// # Errors
/// It is no request.
pub fn repeated(
    out: &mut Vec<u8>,
    line: &[u8],
    id: DownstreamId,
    members: &str,
) -> Result<(), NotARequest> {
    let Ok(Message::Request(request)) = parse(line) else {
        return Err(NotARequest);
    };
    let mut renumbered = Vec::new();
    request_to_server(&mut renumbered, line, &request, None, id).map_err(|_| NotARequest)?;
    if members.is_empty() {
        out.extend_from_slice(&renumbered);
        return Ok(());
    }
    let Ok(Message::Request(request)) = parse(&renumbered) else {
        return Err(NotARequest);
    };
    with_params(out, &renumbered, &request, members).map_err(|_| NotARequest)
}

/// A line that should be a request is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the line is no request")]
pub struct NotARequest;

/// Appends a server's reply, whose id stands at `id_at`, under the id that the client gave, and
/// with these other changes.
///
/// # Errors
/// They are not of this line; `out` is as it was.
pub fn reply_to_client<'a>(
    out: &mut Vec<u8>,
    line: &[u8],
    id_at: Range<usize>,
    id_of_client: &'a RequestId,
    mut edits: Vec<Edit<'a>>,
) -> Result<(), SpliceError> {
    edits.push(Edit {
        span: id_at,
        with: id_of_client.as_str().as_bytes(),
    });
    splice(line, &mut edits, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rea_fsm::CallId;

    const ID: DownstreamId = DownstreamId::Call(CallId(21));

    fn call(line: &str) -> String {
        let Ok(Message::Request(request)) = parse(line.as_bytes()) else {
            panic!("a request")
        };
        let name = request
            .params
            .and_then(|params| params.name().ok().flatten());
        let renamed = name.map(|name| (name.raw, r#""e\"cho""#));
        let mut out = Vec::new();
        request_to_server(&mut out, line.as_bytes(), &request, renamed, ID).expect("its line");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_call_changes_in_id_and_name_only() {
        let line = r#"{"params":{"_meta":{"k":1e400,"progressToken":"mine"},"arguments":{"id":1, "name":"x"},"name":"s__e\"cho"},"x":[],"id":"a","jsonrpc":"2.0","method":"tools/call"}"#;
        let expected = r#"{"params":{"_meta":{"k":1e400,"progressToken":"mine"},"arguments":{"id":1, "name":"x"},"name":"e\"cho"},"x":[],"id":42,"jsonrpc":"2.0","method":"tools/call"}"#;
        assert_eq!(call(line), expected);
    }

    #[test]
    fn absent_arguments_stay_absent() {
        let line = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s__t"}}"#;
        let expected =
            r#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"e\"cho"}}"#;
        assert_eq!(call(line), expected);
        let line = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/list"}"#;
        let expected = r#"{"jsonrpc":"2.0","id":42,"method":"tasks/list"}"#;
        assert_eq!(call(line), expected);
    }

    #[test]
    fn a_repeated_request_has_another_id_and_the_answers() {
        let line =
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","x":1.0}}"#;
        let mut out = Vec::new();
        repeated(&mut out, line.as_bytes(), ID, r#""requestState":"s""#).expect("a request");
        assert_eq!(
            String::from_utf8_lossy(&out),
            r#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"requestState":"s","name":"t","x":1.0}}"#
        );
        assert_eq!(repeated(&mut Vec::new(), b"{}", ID, ""), Err(NotARequest));
    }

    #[test]
    fn a_reply_goes_back_under_the_clients_id() {
        let line = r#"{"result":{"id":42,"content":[ ]},"jsonrpc":"2.0","id":42}"#;
        let id = RequestId::from_json(r#""a\u0062""#).expect("an id");
        let Ok(Message::Response(response)) = parse(line.as_bytes()) else {
            panic!("a response")
        };
        let id_at = response.id.expect("an id").raw().span();
        let mut out = Vec::new();
        reply_to_client(&mut out, line.as_bytes(), id_at, &id, Vec::new()).expect("its line");
        let expected = r#"{"result":{"id":42,"content":[ ]},"jsonrpc":"2.0","id":"a\u0062"}"#;
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
