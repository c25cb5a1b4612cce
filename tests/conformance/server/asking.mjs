/**
 * Tools that ask their client before they answer. Written once for both eras: the SDK sends what is asked for as requests
 * to a legacy client, and as `input_required` to a modern one.
 */

import { CLIENT_CAPABILITIES_META_KEY, inputRequired, inputResponse } from "@modelcontextprotocol/server";
import * as z from "zod";
import { said, text } from "./samples.mjs";

const string = { type: "string" };
const boolean = { type: "boolean" };

const form = (message, properties, required = Object.keys(properties)) =>
  inputRequired.elicit({ message, requestedSchema: { type: "object", properties, required } });
const sample = (words, maxTokens) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: text(words) }], maxTokens });
const roots = () => inputRequired.listRoots();

const DEFAULTS = {
  name: { ...string, default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { ...string, enum: ["active", "inactive", "pending"], default: "active" },
  verified: { ...boolean, default: true },
};

const OPTIONS = ["option1", "option2", "option3"];
const TITLED = ["1", "2", "3"].map((n) => ({ const: `value${n}`, title: `Option ${n}` }));
const CHOICES = {
  untitledSingle: { ...string, enum: OPTIONS },
  titledSingle: { ...string, oneOf: TITLED },
  legacyEnum: { ...string, enum: ["opt1", "opt2", "opt3"], enumNames: ["Option One", "Option Two", "Option Three"] },
  untitledMulti: { type: "array", items: { ...string, enum: OPTIONS } },
  titledMulti: { type: "array", items: { anyOf: TITLED } },
};

const isAnswered = (ctx, name) => inputResponse(ctx.mcpReq.inputResponses, name).kind !== "missing";

/** Asks until everything is answered, and then says what the answers were. */
export function untilAnswered(ctx, questions, finish, requestState) {
  return Object.keys(questions).every((name) => isAnswered(ctx, name))
    ? finish(JSON.stringify(ctx.mcpReq.inputResponses))
    : inputRequired({ inputRequests: questions, requestState });
}

/** What the client of this request can be asked for. */
function capabilities(server, ctx) {
  return ctx.mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? server.server.getClientCapabilities() ?? {};
}

export function registerAsking(server, states) {
  const tool = (name, questions, options = {}) =>
    server.registerTool(name, { description: "Asks the client, and repeats the answer" }, async (ctx) =>
      untilAnswered(ctx, questions, said, options.state && (await states.mint(options.state))),
    );

  server.registerTool(
    "test_sampling",
    { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, ctx) => untilAnswered(ctx, { answer: sample(prompt, 100) }, said),
  );
  server.registerTool(
    "test_elicitation",
    { description: "Asks the client's user", inputSchema: z.object({ message: z.string() }) },
    ({ message }, ctx) => untilAnswered(ctx, { answer: form(message, { username: string, email: string }) }, said),
  );
  tool("test_elicitation_sep1034_defaults", { answer: form("Please check", DEFAULTS, []) });
  tool("test_elicitation_sep1330_enums", { answer: form("Please choose", CHOICES, []) });
  tool("test_streaming_elicitation", { answer: form("Go on?", { ok: boolean }) });

  const name = form("What is your name?", { name: string });
  const confirm = form("Please confirm", { ok: boolean });
  tool("test_input_required_result_elicitation", { user_name: name });
  tool("test_input_required_result_sampling", { capital_question: sample("What is the capital of France?", 100) });
  tool("test_input_required_result_list_roots", { client_roots: roots() });
  tool("test_input_required_result_request_state", { confirm }, { state: "asked" });
  tool("test_input_required_result_tampered_state", { confirm }, { state: "asked" });
  tool(
    "test_input_required_result_multiple_inputs",
    { user_name: name, greeting: sample("Generate a greeting", 50), client_roots: roots() },
    { state: "asked" },
  );

  server.registerTool("test_input_required_result_multi_round", { description: "Asks twice" }, async (ctx) => {
    const isFirstAnswered = ctx.mcpReq.requestState() === "second" || isAnswered(ctx, "step1");
    return isFirstAnswered
      ? untilAnswered(ctx, { step2: form("Which colour?", { color: string }) }, said, await states.mint("second"))
      : untilAnswered(ctx, { step1: name }, said, await states.mint("first"));
  });

  server.registerTool("test_input_required_result_capabilities", { description: "Asks for what it may" }, (ctx) => {
    const can = capabilities(server, ctx);
    const questions = {
      ...(can.elicitation && { user_name: name }),
      ...(can.sampling && { greeting: sample("Generate a greeting", 50) }),
    };
    return untilAnswered(ctx, questions, said);
  });

  // The SDK refuses it for a client without sampling, which is what the suite wants to see.
  tool("test_missing_capability", { answer: sample("Anything", 10) });
}
