/** The last 1.x line of the TypeScript SDK. Arguments: what `run.mjs` says. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import * as types from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const REQUESTS = {
  "sampling/createMessage": types.CreateMessageRequestSchema,
  "elicitation/create": types.ElicitRequestSchema,
  "roots/list": types.ListRootsRequestSchema,
};
const NOTICES = {
  "notifications/resources/updated": types.ResourceUpdatedNotificationSchema,
  "notifications/message": types.LoggingMessageNotificationSchema,
};

export function peer({ command, prefix, capabilities }) {
  const client = new Client({ name: "line-1", version: "1" }, { capabilities });
  return {
    client,
    prefix,
    era: "legacy",
    on: (method, answer) => client.setRequestHandler(REQUESTS[method], answer),
    notice: (method, take) => client.setNotificationHandler(NOTICES[method], take),
    request: (method, params) => client.request({ method, params }, z.looseObject({})),
    setLevel: (level) => client.setLoggingLevel(level),
    fresh: [],
    callOptions: (options) => [undefined, options],
    connect: () => client.connect(new StdioClientTransport({ command: command[0], args: command.slice(1), env: process.env, stderr: "ignore" })),
  };
}
