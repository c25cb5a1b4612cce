/** The suite's resources. */

import { ResourceTemplate } from "@modelcontextprotocol/server";
import { PNG } from "./samples.mjs";

export function registerResources(server) {
  const resource = (name, uri, mimeType, content) =>
    server.registerResource(name, uri, { description: name, mimeType }, () => ({
      contents: [{ uri, mimeType, ...content }],
    }));

  resource("static-text", "test://static-text", "text/plain", {
    text: "This is the content of the static text resource.",
  });
  resource("static-binary", "test://static-binary", "image/png", { blob: PNG });
  resource("watched-resource", "test://watched-resource", "text/plain", { text: "Watched resource content" });

  const mimeType = "application/json";
  server.registerResource(
    "template",
    new ResourceTemplate("test://template/{id}/data", { list: undefined }),
    { description: "template", mimeType },
    (uri, { id }) => ({
      contents: [{ uri: uri.href, mimeType, text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }],
    }),
  );

  // The SDK serves subscriptions of the modern era by itself. Nothing here changes, so there is nothing to tell.
  server.server.setRequestHandler("resources/subscribe", () => ({}));
  server.server.setRequestHandler("resources/unsubscribe", () => ({}));
}
