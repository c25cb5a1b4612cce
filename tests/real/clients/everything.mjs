/**
 * Everything that a client can ask of a server, and a server of its client, one observation a feature. The same programme
 * runs directly against the server and through the gateway; what it observes has to be the same.
 *
 * What differs from run to run (times, random numbers) is left out, and the gateway's prefix is taken off names.
 */

const ROOTS = [{ uri: "file:///work", name: "work" }];
const WAIT_MS = 10_000;
const TIMES = /\d{1,2}:\d{2}:\d{2}( [AP]M)?|\d{4}-\d{2}-\d{2}T[0-9:.]+Z/g;

/** A list of what has arrived, and a way to wait for the next that fits. */
export class Inbox {
  #arrived = [];
  #waiting = [];

  put(item) {
    this.#arrived.push(item);
    this.#waiting = this.#waiting.filter((wake) => !wake());
  }

  get all() {
    return [...this.#arrived];
  }

  async next(fits = () => true) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const at = this.#arrived.findIndex(fits);
        if (at < 0) return false;
        clearTimeout(timer);
        resolve(this.#arrived.splice(at, 1)[0]);
        return true;
      };
      const timer = setTimeout(() => reject(new Error("nothing has arrived")), WAIT_MS);
      if (!look()) this.#waiting.push(look);
    });
  }
}

/** What a client that can do everything answers. */
export function answersEverything(peer) {
  const state = { action: "accept", rootsAsked: 0 };
  peer.on("sampling/createMessage", ({ params }) => ({
    role: "assistant",
    model: "test-model",
    stopReason: "endTurn",
    content: { type: "text", text: `asked: ${JSON.stringify(params.messages)} at most ${params.maxTokens}` },
  }));
  peer.on("elicitation/create", ({ params }) => {
    if (state.action !== "accept") return { action: state.action };
    return params.mode === "url" ? { action: "accept" } : { action: "accept", content: { name: "Ada", check: true } };
  });
  peer.on("roots/list", () => {
    state.rootsAsked += 1;
    return { roots: ROOTS };
  });
  return state;
}

const steady = (value) => JSON.parse(JSON.stringify(value).replace(TIMES, "<time>"));

/** An error as its receiver sees it. */
async function refused(promise) {
  try {
    return { unexpected: await promise };
  } catch (error) {
    return { code: error.code, message: error.message.replace(/^MCP error -?\d+: /, "") };
  }
}

/** Whatever can be asked of a server; `own` takes the gateway's prefix off a name, `shown` puts it on. */
export async function everything(peer, prefix) {
  const { client } = peer;
  const shown = (name) => prefix + name;
  const own = (entries) => entries.filter((entry) => entry.name.startsWith(prefix)).map((entry) => ({ ...entry, name: entry.name.slice(prefix.length) }));
  const call = async (name, args = {}, options) => {
    const result = await client.callTool({ name: shown(name), arguments: args }, ...peer.callOptions(options));
    return steady(result);
  };
  const byName = (one, other) => (one.name < other.name ? -1 : 1);
  const state = answersEverything(peer);
  const updates = new Inbox();
  const messages = new Inbox();
  peer.notice("notifications/resources/updated", ({ params }) => updates.put(params.uri));
  peer.notice("notifications/message", ({ params }) => messages.put(params));
  await peer.connect();

  const seen = {};
  const tools = async () => own((await client.listTools()).tools).sort(byName);
  // Through the gateway a server offers what its client can do once it is up.
  let listed = await tools();
  for (let tries = 0; !listed.some((tool) => tool.name === "get-roots-list") && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    listed = await tools();
  }
  seen["tools are listed with every field"] = listed;
  seen["the server's instructions"] = client.getInstructions().replace(/^# everything\n\n/, "").trim();
  seen["text"] = await call("echo", { message: "h\u00e9 \ud83d\ude00" });
  seen["numbers"] = await call("get-sum", { a: 0.1, b: 1e21 });
  seen["an image"] = await call("get-tiny-image");
  seen["structured content"] = await call("get-structured-content", { location: "Chicago" });
  seen["annotations"] = await call("get-annotated-message", { messageType: "error", includeImage: true });
  seen["links to resources"] = await call("get-resource-links", { count: 3 });
  seen["a resource inside"] = await call("get-resource-reference", { resourceType: "Text", resourceId: 1 });
  seen["an argument that is wrong"] = await refused(call("get-sum", { a: "x" }));

  seen["prompts are listed"] = own((await client.listPrompts()).prompts).sort(byName);
  for (const [name, args] of [
    ["simple-prompt", undefined],
    ["args-prompt", { city: "Paris", state: "Texas" }],
    ["resource-prompt", { resourceType: "Text", resourceId: "1" }],
  ]) {
    seen[`the prompt ${name}`] = steady(await client.getPrompt({ name: shown(name), arguments: args }));
  }
  seen["a prompt that is not there"] = (await refused(client.getPrompt({ name: shown("none") }))).code;

  const complete = async (ref, argument, context) => (await client.complete({ ref, argument, context })).completion;
  seen["completion of a prompt's argument"] = await complete(
    { type: "ref/prompt", name: shown("completable-prompt") },
    { name: "department", value: "E" },
  );
  seen["completion with what is known already"] = await complete(
    { type: "ref/prompt", name: shown("completable-prompt") },
    { name: "name", value: "" },
    { arguments: { department: "Engineering" } },
  );
  const templates = (await client.listResourceTemplates()).resourceTemplates;
  seen["templates are listed"] = templates;
  seen["completion of a template"] = await complete(
    { type: "ref/resource", uri: templates[0].uriTemplate },
    { name: "resourceId", value: "7" },
  );
  const resources = (await client.listResources()).resources;
  seen["resources are listed"] = resources;
  seen["a resource"] = steady(await client.readResource({ uri: resources[0].uri }));
  seen["a resource of a template"] = steady(
    await client.readResource({ uri: templates[0].uriTemplate.replace("{resourceId}", "3") }),
  );
  seen["a resource that is not there"] = (await refused(client.readResource({ uri: "demo://none" }))).code;

  const steps = [];
  const worked = await call("trigger-long-running-operation", { duration: 0.3, steps: 3 }, {
    // A client without a session counts rounds of questions as progress, without a total.
    onprogress: ({ progress, total }) => total && steps.push([progress, total]),
  });
  // The SDK's 2.x line may lose a step that comes right before the result, directly too.
  seen["progress, in order, before the result"] = { steps: steps.slice(0, 2), worked };

  const giveUp = new AbortController();
  const slow = call("trigger-long-running-operation", { duration: 5, steps: 1 }, { signal: giveUp.signal });
  setTimeout(() => giveUp.abort("enough"), 200);
  seen["a call that is given up"] = await slow.then(() => "answered", () => "given up");
  seen["and the server is there"] = await call("echo", { message: "still" });

  seen["sampling"] = await call("trigger-sampling-request", { prompt: "The capital of France?", maxTokens: 7 });
  for (const action of ["accept", "decline", "cancel"]) {
    state.action = action;
    seen[`elicitation, ${action}`] = await call("trigger-elicitation-request");
  }
  state.action = "accept";
  seen["elicitation of a visit"] = await call("trigger-url-elicitation", { url: "https://example.org/x", elicitationId: "e" });
  seen["elicitation by an error"] = await refused(
    call("trigger-url-elicitation", { url: "https://example.org/y", elicitationId: "f", errorPath: true }),
  );
  seen["roots"] = await call("get-roots-list");

  seen["a resource that comes to be"] = await call("gzip-file-as-resource", {
    name: "a.gz",
    data: "data:text/plain;base64,aGVsbG8=",
    outputType: "resourceLink",
  });
  const uris = async () => (await client.listResources(...peer.fresh)).resources.map((resource) => resource.uri).sort();
  let listedUris = await uris();
  for (const until = Date.now() + WAIT_MS; !listedUris.some((uri) => uri.endsWith("a.gz")) && Date.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    listedUris = await uris();
  }
  seen["is in the list soon"] = listedUris;

  if (peer.era === "legacy") await ofSessions(peer, { seen, call, refused, updates, messages, state, resources });
  else await withoutSessions(peer, { seen, call, resources });
  await client.close();
  return seen;
}

/** What only a client with a session can ask for. */
async function ofSessions(peer, { seen, call, refused, updates, messages, state, resources }) {
  const { client } = peer;
  seen["it is there"] = await client.ping();
  seen["a method that nobody knows"] = (await refused(peer.request("x/unknown", {}))).code;
  await peer.setLevel("debug");
  await call("toggle-simulated-logging");
  const message = await messages.next();
  seen["a message"] = { fields: Object.keys(message).sort() };
  await call("toggle-simulated-logging");

  const { uri } = resources[0];
  await client.subscribeResource({ uri });
  await call("toggle-subscriber-updates");
  seen["a resource that is watched has changed"] = await updates.next();
  await call("toggle-subscriber-updates");
  seen["it is watched no more"] = await client.unsubscribeResource({ uri });

  const before = state.rootsAsked;
  await client.notification({ method: "notifications/roots/list_changed" });
  const until = Date.now() + WAIT_MS;
  while (state.rootsAsked === before && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  seen["roots are asked for again when they have changed"] = state.rootsAsked > before;

  const created = await peer.request("tools/call", {
    name: peer.prefix + "simulate-research-query",
    arguments: { topic: "tea" },
    task: { ttl: 60_000 },
  });
  const { taskId } = created.task;
  let task = created.task;
  const ends = Date.now() + WAIT_MS;
  while (!["completed", "failed", "cancelled"].includes(task.status) && Date.now() < ends) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    task = await peer.request("tasks/get", { taskId });
  }
  const result = await peer.request("tasks/result", { taskId });
  seen["a task"] = { status: task.status, content: result.content };
  seen["tasks are listed"] = (await peer.request("tasks/list", {})).tasks.map((listed) => listed.status);
}

/** What only a client without a session can. */
async function withoutSessions(peer, { seen, call, resources }) {
  const { client } = peer;
  seen["what the server is"] = Object.keys((await client.discover()).capabilities).sort();
  const { uri } = resources[0];
  const updates = new Inbox();
  peer.notice("notifications/resources/updated", ({ params }) => updates.put(params.uri));
  const stream = await client.listen({ resourceSubscriptions: [uri] });
  await call("toggle-subscriber-updates");
  seen["a resource that is watched has changed"] = await updates.next();
  await call("toggle-subscriber-updates");
  await stream.close();
}

/** Everything that our own server asks, in both eras. */
export async function asking(peer, prefix) {
  const { client } = peer;
  peer.on("sampling/createMessage", () => ({ role: "assistant", model: "m", content: { type: "text", text: "Paris" } }));
  peer.on("elicitation/create", () => ({ action: "accept", content: { name: "Ada" } }));
  peer.on("roots/list", () => ({ roots: ROOTS }));
  await peer.connect();
  const call = async (name, args = {}) => {
    const { content, isError } = await client.callTool({ name: prefix + name, arguments: args }, ...peer.callOptions());
    return { text: content[0].text, isError: isError ?? false };
  };
  const until = Date.now() + WAIT_MS;
  let names = [];
  while (names.length < 6 && Date.now() < until) {
    names = (await client.listTools()).tools.filter((tool) => tool.name.startsWith(prefix)).map((tool) => tool.name.slice(prefix.length)).sort();
  }
  const seen = { era: peer.era, names };
  for (const name of ["sample", "elicit", "roots", "steps"]) seen[name] = await call(name);
  const many = ["sample", "elicit", "roots"].flatMap((name) => Array(4).fill(name));
  seen.many = await Promise.all(many.map((name) => call(name)));
  seen.echo = await call("echo", { text: "h\u00e9" });
  seen.prompt = (await client.getPrompt({ name: prefix + "greet", arguments: { who: "Bo" } })).messages[0].content.text;
  seen.resource = (await client.readResource({ uri: "note://x" })).contents[0].text;
  await client.close();
  return seen;
}

/** A client that can do nothing: what needs it is not offered, or is refused. */
export async function bare(peer, prefix) {
  await peer.connect();
  const names = (await peer.client.listTools()).tools.filter((tool) => tool.name.startsWith(prefix)).map((tool) => tool.name.slice(prefix.length));
  const seen = { "tools that need nothing of a client": names.sort() };
  await peer.client.close();
  return seen;
}
