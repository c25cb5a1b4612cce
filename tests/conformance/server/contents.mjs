/** Tools that answer at once, one for each kind of content. */

import { fromJsonSchema } from "@modelcontextprotocol/server";
import { audio, embedded, image, said, text } from "./samples.mjs";

/** Every keyword here has to be found again in the listed tool. */
const SCHEMA_2020_12 = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};

export function registerContents(server) {
  const tool = (name, description, content) =>
    server.registerTool(name, { description }, () => ({ content }));

  tool("test_simple_text", "Answers with text", [text("This is a simple text response for testing.")]);
  tool("test_image_content", "Answers with an image", [image()]);
  tool("test_audio_content", "Answers with a sound", [audio()]);
  tool("test_embedded_resource", "Answers with a resource", [
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ]);
  tool("test_multiple_content_types", "Answers with text, an image and a resource", [
    text("Multiple content types test:"),
    image(),
    embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ]);

  server.registerTool("test_error_handling", { description: "Fails" }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
  server.registerTool(
    "json_schema_2020_12_tool",
    { description: "Tool with JSON Schema 2020-12 features", inputSchema: fromJsonSchema(SCHEMA_2020_12) },
    () => said("valid"),
  );
}
