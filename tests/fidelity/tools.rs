//! Tools in the client's list: every byte of the server's, but for the name.

use super::*;

fn listed(pages: &'static [&'static str]) -> String {
    let mut sim = Sim::new(
        Setup::of(vec![ServerSpec::named("a")]),
        Box::new(move |_, _| Scripted::prompt().pages(pages).birth()),
    );
    sim.says(&[
        INITIALIZE,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    ]);
    sim.run_to(3_000);
    let heard = sim.heard();
    heard.last().expect("a list").clone()
}

#[test]
fn a_tool_keeps_every_field_in_its_form() {
    let tool = r#"{ "title":"T\u0061", "name" : "work" ,"inputSchema":{"type":"object","properties":{"z":{"minimum":1e400},"a":{"const":1.0}},"required":["z"],"required":["a"]},"outputSchema":{"x":123456789012345678901234567890},"annotations":{"readOnlyHint":true,"vendorHint":[]},"icons":[{"src":"data:,\/"}],"execution":{"taskSupport":"optional"},"_meta":{"k":null},"future":"\ud800"}"#;
    assert_eq!(
        listed(&[
            r#"{ "title":"T\u0061", "name" : "work" ,"inputSchema":{"type":"object","properties":{"z":{"minimum":1e400},"a":{"const":1.0}},"required":["z"],"required":["a"]},"outputSchema":{"x":123456789012345678901234567890},"annotations":{"readOnlyHint":true,"vendorHint":[]},"icons":[{"src":"data:,\/"}],"execution":{"taskSupport":"optional"},"_meta":{"k":null},"future":"\ud800"}"#
        ]),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{}]}}}}"#,
            tool.replace("\"work\"", "\"a__work\"")
        )
    );
}

#[test]
fn tools_of_all_pages_stand_in_their_order() {
    let list = listed(&[
        r#"{"name":"z"},{"name":"a"}"#,
        r#"{"name":"m"}"#,
        r#"{"name":"0"}"#,
    ]);
    assert_eq!(
        list,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a__z"},{"name":"a__a"},{"name":"a__m"},{"name":"a__0"}]}}"#
    );
}

#[test]
fn names_with_escapes_lead_back_to_their_tool() {
    let list = listed(&[r#"{"name":"w\u006frk \"é\""}"#]);
    let list: serde_json::Value = serde_json::from_str(&list).expect("it is JSON");
    assert_eq!(list["result"]["tools"][0]["name"], "a__work \"é\"");
}
