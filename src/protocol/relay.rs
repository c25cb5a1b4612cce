//! A message on its way through: what identifies it is exchanged, the rest is copied.
//!
//! Ids and the names of tools mean something on one side only. Progress tokens are the client's on
//! both sides: whoever sends progress sends the client's own token, and it passes untouched.

use crate::wire::envelope::Request;
use crate::wire::jsonrpc::quoted;
use crate::wire::params::MemberError;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, SpliceError, splice};

use super::downstream_id::DownstreamId;
use std::ops::Range;

/// Why a message can't be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// A member that routing depends on can't be used.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// A member that routing depends on isn't there.
    #[error("params must have `{0}`")]
    Missing(&'static str),
    /// The line is not the one that was parsed.
    #[error(transparent)]
    Splice(#[from] SpliceError),
}

/// Appends a client's `tools/call` as its server gets it: with the server's own name of the tool,
/// and the id there.
///
/// # Errors
/// The tool is uncertain; `out` is as it was.
pub fn call_to_server(
    out: &mut Vec<u8>,
    line: &[u8],
    request: &Request<'_>,
    tool: &str,
    id: DownstreamId,
) -> Result<(), RelayError> {
    let params = request.params.ok_or(RelayError::Missing("name"))?;
    let name = params.name()?.ok_or(RelayError::Missing("name"))?;
    let tool = quoted(tool);
    let id = id.request_id();
    let mut edits = [
        Edit::replace(request.id.raw(), id.as_str().as_bytes()),
        Edit::replace(name.raw, tool.as_bytes()),
    ];
    splice(line, &mut edits, out)?;
    Ok(())
}

/// Appends a server's reply, whose id stands at `id_at`, under the id that the client gave.
///
/// # Errors
/// The id's place is not in this line; `out` is as it was.
pub fn reply_to_client(
    out: &mut Vec<u8>,
    line: &[u8],
    id_at: Range<usize>,
    id_of_client: &RequestId,
) -> Result<(), SpliceError> {
    let edit = Edit {
        span: id_at,
        with: id_of_client.as_str().as_bytes(),
    };
    splice(line, &mut [edit], out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::envelope::{Message, parse};
    use rea_fsm::CallId;

    fn relayed(
        line: &str,
        relay: impl FnOnce(&mut Vec<u8>, &[u8], Message<'_>) -> Result<(), RelayError>,
    ) -> Result<String, RelayError> {
        let mut out = Vec::new();
        let message = parse(line.as_bytes()).expect("a message");
        relay(&mut out, line.as_bytes(), message)?;
        Ok(String::from_utf8(out).expect("text"))
    }

    fn call(line: &str) -> Result<String, RelayError> {
        relayed(line, |out, line, message| {
            let Message::Request(request) = message else {
                panic!("a request")
            };
            call_to_server(
                out,
                line,
                &request,
                "e\"cho",
                DownstreamId::Call(CallId(21)),
            )
        })
    }

    #[test]
    fn a_call_changes_in_id_and_name_only() {
        let line = r#"{"params":{"_meta":{"k":1e400,"progressToken":"mine"},"arguments":{"id":1, "name":"x"},"name":"s__e\"cho"},"x":[],"id":"a","jsonrpc":"2.0","method":"tools/call"}"#;
        let expected = r#"{"params":{"_meta":{"k":1e400,"progressToken":"mine"},"arguments":{"id":1, "name":"x"},"name":"e\"cho"},"x":[],"id":42,"jsonrpc":"2.0","method":"tools/call"}"#;
        assert_eq!(call(line).as_deref(), Ok(expected));
    }

    #[test]
    fn absent_arguments_stay_absent() {
        let line = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s__t"}}"#;
        let expected =
            r#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"e\"cho"}}"#;
        assert_eq!(call(line).as_deref(), Ok(expected));
    }

    #[test]
    fn a_call_whose_tool_is_uncertain_is_not_passed_on() {
        let line = |params| {
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#)
        };
        assert_eq!(
            call(&line(r#"{"arguments":{}}"#)),
            Err(RelayError::Missing("name"))
        );
        assert_eq!(call(&line("[]")), Err(RelayError::Missing("name")));
        let twice = call(&line(r#"{"name":"a","name":"b"}"#));
        assert_eq!(twice, Err(MemberError::Duplicate("name").into()));
    }

    #[test]
    fn a_reply_goes_back_under_the_clients_id() {
        let line = r#"{"result":{"id":42,"content":[ ]},"jsonrpc":"2.0","id":42}"#;
        let id = RequestId::from_json(r#""a\u0062""#).expect("an id");
        let reply = relayed(line, |out, line, message| {
            let Message::Response(response) = message else {
                panic!("a response")
            };
            let id_at = response.id.expect("an id").raw().span();
            Ok(reply_to_client(out, line, id_at, &id)?)
        });
        let expected = r#"{"result":{"id":42,"content":[ ]},"jsonrpc":"2.0","id":"a\u0062"}"#;
        assert_eq!(reply.as_deref(), Ok(expected));
    }
}
