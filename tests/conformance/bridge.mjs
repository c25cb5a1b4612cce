/**
 * Streamable HTTP for the suite, in front of processes that speak over standard input and output.
 *
 * It does what HTTP asks of a server and stdio does not know: sessions, streams of events, status codes, and a look at the
 * host. Of the messages it changes the names alone (`names.mjs`); it invents none and repairs none.
 */

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { Conversation } from "./conversation.mjs";

const MODERN = "2026-07-28";

/** For an answer that is nobody's. */
const UNHEARD = { message() {}, answer() {}, fail() {} };

/** The modern revision wants the kind of an error to be seen in the status, too. */
const METHOD_NOT_FOUND = -32601;
const BAD_REQUESTS = [-32602, -32020, -32021, -32022];

/** One HTTP response: plain JSON if the answer comes first, else a stream of events that the answer ends. */
class Reply {
  #response;
  #statusOf;

  constructor(response, statusOf) {
    this.#response = response;
    this.#statusOf = statusOf;
  }

  message(line) {
    if (!this.#response.headersSent) this.#response.writeHead(200, { "Content-Type": "text/event-stream" });
    this.#response.write(`event: message\ndata: ${line}\n\n`);
  }

  answer(line, errorCode) {
    if (this.#response.headersSent) {
      this.message(line);
      this.#response.end();
    } else {
      this.#response.writeHead(this.#statusOf(errorCode), { "Content-Type": "application/json" }).end(line);
    }
  }

  /** The process has ended without an answer. */
  fail() {
    if (!this.#response.headersSent) this.#response.writeHead(502);
    this.#response.end();
  }
}

/** The legacy era: a session for each `initialize`, with a process of its own. */
class Sessions {
  #start;
  #sessions = new Map();

  constructor(start) {
    this.#start = start;
  }

  find(request, response, message) {
    const id = request.headers["mcp-session-id"];
    if (id === undefined && message?.method === "initialize") {
      const session = randomUUID();
      response.setHeader("Mcp-Session-Id", session);
      this.#sessions.set(session, this.#start());
      return this.#sessions.get(session);
    }
    const found = this.#sessions.get(id);
    if (!found) response.writeHead(id === undefined ? 400 : 404).end();
    return found;
  }

  get(request, response) {
    const conversation = this.find(request, response);
    if (!conversation) return;
    response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
    conversation.stand(new Reply(response));
  }

  async delete(request, response) {
    const conversation = this.find(request, response);
    if (!conversation) return;
    this.#sessions.delete(request.headers["mcp-session-id"]);
    response.writeHead(204).end();
    await conversation.end();
  }

  statusOf() {
    return 200;
  }

  /** A lost connection is no cancellation in this era. */
  lost(conversation, id) {
    conversation.forget(id);
  }

  async end() {
    await Promise.all([...this.#sessions.values()].map((one) => one.end()));
  }
}

/**
 * The modern era: no sessions, and one process for all.
 *
 * The first line of a stream decides its era, and HTTP has no first line: the suite begins with a request that is wrong on
 * purpose. So a right one goes before it, with what the suite's client can do; it is the one message of the bridge's own.
 */
class Stateless {
  #conversation;

  constructor(start) {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": MODERN,
      "io.modelcontextprotocol/clientCapabilities": { sampling: {}, elicitation: {}, roots: { listChanged: true } },
    };
    this.#conversation = start();
    this.#conversation.ask({ jsonrpc: "2.0", id: "era", method: "tools/list", params: { _meta } }, UNHEARD);
  }

  find() {
    return this.#conversation;
  }

  get(_request, response) {
    response.writeHead(405).end();
  }

  delete(_request, response) {
    response.writeHead(405).end();
  }

  statusOf(errorCode) {
    if (errorCode === METHOD_NOT_FOUND) return 404;
    return BAD_REQUESTS.includes(errorCode) ? 400 : 200;
  }

  /** To close the connection is how a request is cancelled over HTTP; over stdio it is said. */
  lost(conversation, id) {
    if (conversation.forget(id)) {
      conversation.tell({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
    }
  }

  async end() {
    await this.#conversation.end();
  }
}

async function post(era, request, response) {
  const message = JSON.parse(await text(request));
  const conversation = era.find(request, response, message);
  if (!conversation) return;
  if (message.method === undefined || message.id === undefined) {
    conversation.tell(message);
    response.writeHead(202).end();
  } else if (conversation.waitsFor(message.id)) {
    response.writeHead(409).end();
  } else {
    response.on("close", () => era.lost(conversation, message.id));
    conversation.ask(message, new Reply(response, era.statusOf));
  }
}

/** Listens on a free port; `server` says what is started for a conversation. */
export async function openBridge(server, revision) {
  const start = () => new Conversation(server);
  const era = revision >= MODERN ? new Stateless(start) : new Sessions(start);
  const http = createServer(async (request, response) => {
    // A page of a browser must not be able to reach it by a name of its own.
    const hosts = [`127.0.0.1:${http.address().port}`, `localhost:${http.address().port}`];
    const origin = request.headers.origin;
    if (!hosts.includes(request.headers.host) || (origin && !hosts.includes(new URL(origin).host))) {
      response.writeHead(403).end();
      return;
    }
    switch (request.method) {
      case "POST":
        return post(era, request, response).catch(() => response.writeHead(400).end());
      case "GET":
        return era.get(request, response);
      case "DELETE":
        return era.delete(request, response);
      default:
        response.writeHead(405).end();
    }
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${http.address().port}/mcp`,
    async close() {
      http.close();
      http.closeAllConnections();
      await era.end();
    },
  };
}
