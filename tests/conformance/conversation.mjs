/**
 * One process that speaks lines of JSON, and the HTTP responses that wait for what it says.
 *
 * Over standard output everything comes in one stream, over HTTP each message belongs to a response: an answer to its
 * request, progress to the request with its token, what a subscription brings to its `subscriptions/listen`, and anything
 * else to the request that came last and has no answer yet. With none open it goes to the stream that the client opened with
 * GET, or waits for one.
 */

import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { named, unnamed } from "./names.mjs";

const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";
const ENDS_WITHIN_MILLISECONDS = 10_000;

export class Conversation {
  #prefix;
  #child;
  #wire;
  /** By the request's id: its method, its token, and the reply that waits. */
  #open = new Map();
  #standing = null;
  #undelivered = [];

  constructor({ command, args, prefix, wire }) {
    this.#prefix = prefix;
    this.#wire = createWriteStream(wire, { flags: "a" });
    this.#child = spawn(command, args);
    this.#child.stderr.on("data", (data) => this.#wire.write(data));
    // That nobody reads any more is noticed by the requests that stay without an answer.
    this.#child.stdin.on("error", () => {});
    this.#child.on("exit", () => this.#open.forEach(({ reply }) => reply.fail()));
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#receive(line));
  }

  get #hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Hands a request on; `reply` gets everything that belongs to it. */
  ask(request, reply) {
    if (this.#hasEnded) return reply.fail();
    this.#open.set(request.id, { method: request.method, token: request.params?._meta?.progressToken, reply });
    this.tell(request);
  }

  /** Hands on what wants no answer: a notification, or the answer to a question. */
  tell(message) {
    const line = JSON.stringify(named(this.#prefix, message));
    this.#wire.write(`--> ${line}\n`);
    this.#child.stdin.write(`${line}\n`);
  }

  /** Whether a request with that id waits for its answer. */
  waitsFor(id) {
    return this.#open.has(id);
  }

  /** The client has gone away: nobody waits for this answer any more. */
  forget(id) {
    return this.#open.delete(id);
  }

  /** The stream for what belongs to no request. */
  stand(reply) {
    this.#standing = reply;
    this.#undelivered.splice(0).forEach((line) => reply.message(line));
  }

  async end() {
    if (this.#hasEnded) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    const late = setTimeout(() => this.#child.kill("SIGKILL"), ENDS_WITHIN_MILLISECONDS);
    this.#child.stdin.end();
    await ended;
    clearTimeout(late);
  }

  #receive(line) {
    this.#wire.write(`<-- ${line}\n`);
    const message = JSON.parse(line);
    if (message.method === undefined) {
      const asked = this.#open.get(message.id);
      this.#open.delete(message.id);
      const shown = unnamed(this.#prefix, asked?.method, message);
      asked?.reply.answer(shown === message ? line : JSON.stringify(shown), message.error?.code);
      return;
    }
    const reply = this.#belongsTo(message)?.reply ?? this.#standing;
    if (reply) reply.message(line);
    else this.#undelivered.push(line);
  }

  #belongsTo({ method, params }) {
    const subscription = params?._meta?.[SUBSCRIPTION];
    if (subscription !== undefined) {
      return [...this.#open].find(([id]) => String(id) === String(subscription))?.[1];
    }
    const open = [...this.#open.values()];
    return method === "notifications/progress"
      ? open.find(({ token }) => token === params.progressToken)
      : open.findLast((one) => one.method !== "subscriptions/listen");
  }
}
