//! What messages say of tasks, in the ways of both eras.

use crate::wire::raw::Raw;
use memchr::memmem;

/// Under which name servers without sessions offer tasks.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The id of the task that a call has become which was to become one. A server with sessions puts
/// the task into a member of its own.
pub fn created(result: Raw<'_>) -> Option<Raw<'_>> {
    said(result).or_else(|| id(result.member("task")?))
}

/// The id of the task that a result says it is, as results of servers without sessions do.
pub fn said(result: Raw<'_>) -> Option<Raw<'_>> {
    let kind = result.member("resultType").and_then(Raw::as_str)?;
    (kind == "task").then(|| id(result))?
}

/// A task's id.
pub fn id(task: Raw<'_>) -> Option<Raw<'_>> {
    task.member("taskId").filter(|id| id.is_string())
}

/// Under which name a message's `_meta` says which task it is about.
const RELATED: &str = "io.modelcontextprotocol/related-task";

/// Whether a line can be about a task, for those that need not be looked at closely. Some writers
/// escape the slash.
pub fn may_mention(line: &[u8]) -> bool {
    memmem::find(line, b"related-task").is_some()
}

/// The id of the task that a message's params or result are about.
pub fn related(object: Raw<'_>) -> Option<Raw<'_>> {
    id(object.member("_meta")?.member(RELATED)?)
}

/// Whether a task will never change again.
pub fn is_over(task: Raw<'_>) -> bool {
    let status = task.member("status").and_then(Raw::as_str);
    matches!(
        status.as_deref(),
        Some("completed" | "failed" | "cancelled")
    )
}

/// Where the tasks of several servers go on: at this server, at its own cursor or at its beginning.
pub fn cursor(server: &str, own: Option<&str>) -> String {
    match own {
        Some(own) => format!("{server}/{own}"),
        None => server.to_owned(),
    }
}

/// Takes such a cursor apart. Names of servers have no slash.
pub fn split_cursor(cursor: &str) -> (&str, Option<&str>) {
    match cursor.split_once('/') {
        Some((server, own)) => (server, Some(own)),
        None => (cursor, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Raw<'_> {
        Raw::parse(text).expect("valid")
    }

    #[test]
    fn a_message_says_which_task_it_is_about() {
        let text = r#"{"_meta":{"io.modelcontextprotocol\/related-task":{"taskId":"a"}}}"#;
        assert!(may_mention(text.as_bytes()));
        assert_eq!(related(raw(text)).map(Raw::text), Some("\"a\""));
        assert_eq!(related(raw(r#"{"_meta":{"x":1}}"#)), None);
    }

    #[test]
    fn a_task_that_works_or_waits_for_input_is_not_over() {
        for (status, over) in [
            ("working", false),
            ("input_required", false),
            ("completed", true),
            ("failed", true),
            ("cancelled", true),
        ] {
            let text = format!(r#"{{"status":"{status}"}}"#);
            assert_eq!(is_over(raw(&text)), over, "{status}");
        }
    }

    #[test]
    fn a_cursor_comes_apart_as_it_was_put_together() {
        for own in [None, Some(""), Some("x"), Some("a/b")] {
            assert_eq!(split_cursor(&cursor("s.1", own)), ("s.1", own));
        }
    }

    #[test]
    fn a_created_task_is_found_where_either_era_puts_it() {
        for (result, id) in [
            (
                r#"{"task":{"taskId":"1","status":"working"}}"#,
                Some("\"1\""),
            ),
            (r#"{"resultType":"task","taskId":"2"}"#, Some("\"2\"")),
            (r#"{"resultType":"complete","taskId":"2"}"#, None),
            (r#"{"task":{"taskId":3}}"#, None),
            (r#"{"content":[]}"#, None),
            ("[]", None),
        ] {
            assert_eq!(created(raw(result)).map(Raw::text), id, "{result}");
            let said = said(raw(result)).is_some();
            assert_eq!(said, result.contains("\"task\",\"taskId\""), "{result}");
        }
    }
}
