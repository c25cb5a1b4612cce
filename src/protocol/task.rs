//! What messages say of tasks, in the ways of both eras.

use crate::wire::raw::Raw;

/// Under which name servers without sessions offer tasks.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The id of the task that a call has become, if its result says so. A server with sessions puts
/// the task into a member of its own; one without says of what kind its result is.
pub fn created(result: Raw<'_>) -> Option<Raw<'_>> {
    let kind = result.member("resultType").and_then(Raw::as_str);
    let task = match kind.as_deref() {
        Some("task") => result,
        Some(_) | None => result.member("task")?,
    };
    task.member("taskId").filter(|id| id.is_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let raw = Raw::parse(result).expect("valid");
            assert_eq!(created(raw).map(Raw::text), id, "{result}");
        }
    }
}
