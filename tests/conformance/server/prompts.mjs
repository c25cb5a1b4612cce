/** The suite's prompts, and the completion of an argument. */

import { completable, inputRequired } from "@modelcontextprotocol/server";
import * as z from "zod";
import { untilAnswered } from "./asking.mjs";
import { embedded, image, text } from "./samples.mjs";

const CITIES = ["paris", "park", "party"];

const asUser = (...contents) => ({ messages: contents.map((content) => ({ role: "user", content })) });

export function registerPrompts(server) {
  server.registerPrompt("test_simple_prompt", { description: "One message" }, () =>
    asUser(text("This is a simple prompt for testing.")),
  );
  server.registerPrompt(
    "test_prompt_with_arguments",
    {
      description: "Repeats its arguments",
      argsSchema: z.object({
        arg1: completable(z.string(), (value) => CITIES.filter((city) => city.startsWith(value))),
        arg2: z.string(),
      }),
    },
    ({ arg1, arg2 }) => asUser(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "Holds a resource", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) =>
      asUser(
        embedded(resourceUri, "text/plain", "Embedded resource content for testing."),
        text("Please process the embedded resource above."),
      ),
  );
  server.registerPrompt("test_prompt_with_image", { description: "Holds an image" }, () =>
    asUser(image(), text("Please analyze the image above.")),
  );
  server.registerPrompt("test_input_required_result_prompt", { description: "Asks before it answers" }, (ctx) => {
    const user_context = inputRequired.elicit({
      message: "What context should the prompt use?",
      requestedSchema: { type: "object", properties: { context: { type: "string" } }, required: ["context"] },
    });
    return untilAnswered(ctx, { user_context }, (answers) => asUser(text(answers)));
  });
}
