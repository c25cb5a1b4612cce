/** Tools that tell something while they run, and tools that change what is listed. */

import { setTimeout as sleep } from "node:timers/promises";
import { said, text } from "./samples.mjs";

const BETWEEN_MILLISECONDS = 50;

export function registerTelling(server) {
  const logging = async (ctx) => {
    for (const words of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await ctx.mcpReq.log("info", words);
      await sleep(BETWEEN_MILLISECONDS);
    }
    return said("logged");
  };
  // One for each revision of the suite.
  server.registerTool("test_tool_with_logging", { description: "Logs three times" }, logging);
  server.registerTool("test_logging_tool", { description: "Logs three times" }, logging);

  server.registerTool("test_tool_with_progress", { description: "Tells of its progress" }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      await sleep(BETWEEN_MILLISECONDS);
    }
    return said("done");
  });

  // The SDK tells of each change by itself.
  const changingTool = server.registerTool("test_changing_tool", { description: "Comes and goes" }, () => said("here"));
  const changingPrompt = server.registerPrompt("test_changing_prompt", { description: "Comes and goes" }, () => ({
    messages: [{ role: "user", content: text("here") }],
  }));
  const change = (entry) => () => {
    entry.update({ enabled: !entry.enabled });
    return said("changed");
  };
  server.registerTool("test_trigger_tool_change", { description: "Changes the tools" }, change(changingTool));
  server.registerTool("test_trigger_prompt_change", { description: "Changes the prompts" }, change(changingPrompt));
}
