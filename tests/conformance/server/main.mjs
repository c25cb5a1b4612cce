/**
 * The server that the suite wants to find: tools, prompts and resources with the names and contents that its scenarios ask
 * for. Made with the official SDK, over standard input and output, in whichever era it is spoken to.
 */

import { randomBytes } from "node:crypto";
import { createRequestStateCodec, McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { registerAsking } from "./asking.mjs";
import { registerContents } from "./contents.mjs";
import { registerPrompts } from "./prompts.mjs";
import { registerResources } from "./resources.mjs";
import { registerTelling } from "./telling.mjs";

const states = createRequestStateCodec({ key: randomBytes(32) });

serveStdio(() => {
  const server = new McpServer(
    { name: "conformance", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: states.verify },
    },
  );
  registerContents(server);
  registerTelling(server);
  registerAsking(server, states);
  registerPrompts(server);
  registerResources(server);
  return server;
});
