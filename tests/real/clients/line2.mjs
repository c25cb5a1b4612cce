/** The 2.x line of the TypeScript SDK, in either era. Arguments: what `run.mjs` says. */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { z } from "zod";

export function peer({ command, prefix, capabilities, era }) {
  const mode = era === "modern" ? "auto" : "legacy";
  const client = new Client({ name: "line-2", version: "1" }, { capabilities, versionNegotiation: { mode } });
  return {
    client,
    prefix,
    era,
    on: (method, answer) => client.setRequestHandler(method, answer),
    notice: (method, take) => client.setNotificationHandler(method, take),
    request: (method, params) => client.request({ method, params }, z.looseObject({})),
    setLevel: (level) => client.setLoggingLevel(level),
    fresh: [undefined, { cacheMode: "bypass" }],
    callOptions: (options) => [options],
    connect: async () => {
      await client.connect(new StdioClientTransport({ command: command[0], args: command.slice(1), env: process.env, stderr: "ignore" }));
      const found = client.getProtocolEra();
      if (found !== era) throw new Error(`the client speaks the ${found} era, not the ${era} one`);
    },
  };
}
