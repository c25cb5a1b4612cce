"""The same as `everything.mjs`, with one of the lines of the Python SDK.

    everything.py '{"line": 1, "programme": "everything", "era": "legacy", "prefix": "", "command": [...]}'

Prints what it has observed as one JSON object.
"""

import asyncio
import json
import os
import re
import sys
import time
import warnings
from contextlib import AsyncExitStack

WANTED = json.loads(sys.argv[1])
PREFIX, LINE, ERA = WANTED["prefix"], WANTED["line"], WANTED["era"]
WAIT_SECONDS = 10.0
# What a newer revision has not is asked for on purpose.
warnings.simplefilter("ignore")
TIMES = re.compile(r"\d{1,2}:\d{2}:\d{2}( [AP]M)?|\d{4}-\d{2}-\d{2}T[0-9:.]+Z")

from mcp.client.stdio import StdioServerParameters  # noqa: E402

if LINE == 1:
    from mcp import ClientSession, types
    from mcp.client.stdio import stdio_client
    from mcp.shared.exceptions import McpError as Refused

    def uri(text: str):
        from pydantic import AnyUrl

        return AnyUrl(text)
else:
    import mcp_types as types
    from mcp import Client
    from mcp.shared.exceptions import MCPError as Refused

    def uri(text: str):
        return text


def plain(value):
    """As the protocol writes it, without what differs from run to run."""
    dumped = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.loads(TIMES.sub("<time>", json.dumps(dumped)))


class Answers:
    """What a client that can do everything answers, and what it has heard."""

    def __init__(self) -> None:
        self.action = "accept"
        self.roots_asked = 0
        self.messages: list = []
        self.updates: list[str] = []

    async def model(self, context, params):
        text = f"asked: {json.dumps([plain(message) for message in params.messages])} at most {params.maxTokens if LINE == 1 else params.max_tokens}"
        content = types.TextContent(type="text", text=text)
        return types.CreateMessageResult(role="assistant", content=content, model="test-model")

    async def user(self, context, params):
        if self.action != "accept":
            return types.ElicitResult(action=self.action)
        if params.mode == "url":
            return types.ElicitResult(action="accept")
        return types.ElicitResult(action="accept", content={"name": "Ada", "check": True})

    async def folders(self, context):
        self.roots_asked += 1
        return types.ListRootsResult(roots=[types.Root(uri="file:///work", name="work")])

    async def log(self, params):
        self.messages.append(params)

    async def hear(self, message):
        root = getattr(message, "root", message)
        if isinstance(root, types.ResourceUpdatedNotification):
            self.updates.append(str(root.params.uri))


async def connected(stack: AsyncExitStack, answers: Answers | None):
    command = WANTED["command"]
    parameters = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    options = {}
    if answers is not None:
        options = {
            "sampling_callback": answers.model,
            "elicitation_callback": answers.user,
            "list_roots_callback": answers.folders,
            "logging_callback": answers.log,
            "message_handler": answers.hear,
        }
    if LINE == 1:
        errors = stack.enter_context(open(os.devnull, "w"))
        streams = await stack.enter_async_context(stdio_client(parameters, errlog=errors))
        client = await stack.enter_async_context(ClientSession(*streams, **options))
        instructions = (await client.initialize()).instructions
    else:
        mode = "legacy" if ERA == "legacy" else "auto"
        client = await stack.enter_async_context(Client(parameters, mode=mode, cache=None, **options))
        instructions = client.instructions
        version = "2025-11-25" if ERA == "legacy" else "2026-07-28"
        assert client.protocol_version == version, client.protocol_version
    return client, instructions


async def until(what: str, condition):
    end = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, f"still not: {what}"
        await asyncio.sleep(0.02)
    return found


async def refused(call):
    try:
        return {"unexpected": plain(await call)}
    except Refused as error:
        return {"code": error.error.code, "message": error.error.message}


def own(entries) -> list:
    dumped = [plain(entry) for entry in entries if entry.name.startswith(PREFIX)]
    return sorted(({**entry, "name": entry["name"].removeprefix(PREFIX)} for entry in dumped), key=lambda one: one["name"])


async def everything(stack: AsyncExitStack) -> dict:
    answers = Answers()
    client, instructions = await connected(stack, answers)
    seen: dict = {}

    async def call(name: str, arguments: dict | None = None, **options):
        return plain(await client.call_tool(PREFIX + name, arguments or {}, **options))

    end = time.monotonic() + WAIT_SECONDS
    while True:
        tools = own((await client.list_tools()).tools)
        if any(tool["name"] == "get-roots-list" for tool in tools) or time.monotonic() > end:
            break
        await asyncio.sleep(0.05)
    seen["tools are listed with every field"] = tools
    seen["the server's instructions"] = instructions.removeprefix("# everything\n\n").strip()
    seen["text"] = await call("echo", {"message": "h\u00e9 \U0001f600"})
    seen["numbers"] = await call("get-sum", {"a": 0.1, "b": 1e21})
    seen["an image"] = await call("get-tiny-image")
    seen["structured content"] = await call("get-structured-content", {"location": "Chicago"})
    seen["annotations"] = await call("get-annotated-message", {"messageType": "error", "includeImage": True})
    seen["links to resources"] = await call("get-resource-links", {"count": 3})
    seen["a resource inside"] = await call("get-resource-reference", {"resourceType": "Text", "resourceId": 1})
    seen["an argument that is wrong"] = await call("get-sum", {"a": "x"})

    seen["prompts are listed"] = own((await client.list_prompts()).prompts)
    for name, arguments in [
        ("simple-prompt", None),
        ("args-prompt", {"city": "Paris", "state": "Texas"}),
        ("resource-prompt", {"resourceType": "Text", "resourceId": "1"}),
    ]:
        seen[f"the prompt {name}"] = plain(await client.get_prompt(PREFIX + name, arguments))
    seen["a prompt that is not there"] = (await refused(client.get_prompt(PREFIX + "none")))["code"]

    prompt = types.PromptReference(type="ref/prompt", name=PREFIX + "completable-prompt")
    seen["completion of a prompt's argument"] = plain(
        await client.complete(prompt, {"name": "department", "value": "E"})
    )
    seen["completion with what is known already"] = plain(
        await client.complete(prompt, {"name": "name", "value": ""}, {"department": "Engineering"})
    )
    listed = await client.list_resource_templates()
    templates = [plain(one) for one in (listed.resourceTemplates if LINE == 1 else listed.resource_templates)]
    seen["templates are listed"] = templates
    template = templates[0]["uriTemplate"]
    reference = types.ResourceTemplateReference(type="ref/resource", uri=template)
    seen["completion of a template"] = plain(await client.complete(reference, {"name": "resourceId", "value": "7"}))
    resources = [plain(one) for one in (await client.list_resources()).resources]
    seen["resources are listed"] = resources
    first = uri(resources[0]["uri"])
    seen["a resource"] = plain(await client.read_resource(first))
    seen["a resource of a template"] = plain(await client.read_resource(uri(template.replace("{resourceId}", "3"))))
    seen["a resource that is not there"] = (await refused(client.read_resource(uri("demo://none"))))["code"]

    steps: list = []

    async def step(progress, total, message) -> None:
        if total:
            steps.append([progress, total])

    worked = await call("trigger-long-running-operation", {"duration": 0.3, "steps": 3}, progress_callback=step)
    seen["progress, in order, before the result"] = {"steps": list(steps), "worked": worked}
    slow = asyncio.create_task(call("trigger-long-running-operation", {"duration": 5, "steps": 1}))
    await asyncio.sleep(0.2)
    slow.cancel()
    await asyncio.wait([slow])
    seen["a call that is given up"] = slow.cancelled()
    seen["and the server is there"] = await call("echo", {"message": "still"})

    seen["sampling"] = await call("trigger-sampling-request", {"prompt": "The capital of France?", "maxTokens": 7})
    for answers.action in ("accept", "decline", "cancel"):
        seen[f"elicitation, {answers.action}"] = await call("trigger-elicitation-request")
    answers.action = "accept"
    visit = {"url": "https://example.org/x", "elicitationId": "e"}
    seen["elicitation of a visit"] = await call("trigger-url-elicitation", visit)
    seen["elicitation by an error"] = await refused(
        client.call_tool(PREFIX + "trigger-url-elicitation", {**visit, "elicitationId": "f", "errorPath": True})
    )
    seen["roots"] = await call("get-roots-list")

    if ERA == "legacy":
        seen["it is there"] = plain(await client.send_ping())
        await client.set_logging_level("debug")
        await call("toggle-simulated-logging")
        message = await until("a message", lambda: answers.messages)
        seen["a message"] = sorted(plain(message[0]))
        await call("toggle-simulated-logging")
        await client.subscribe_resource(first)
        await call("toggle-subscriber-updates")
        seen["a resource that is watched has changed"] = await until("an update", lambda: answers.updates)
        await call("toggle-subscriber-updates")
        seen["it is watched no more"] = plain(await client.unsubscribe_resource(first))
        before = answers.roots_asked
        await client.send_roots_list_changed()
        await until("roots are asked for again", lambda: answers.roots_asked > before)
    else:
        async with client.listen(resource_subscriptions=[str(first)]) as events:
            await call("toggle-subscriber-updates")
            event = await asyncio.wait_for(anext(aiter(events)), WAIT_SECONDS)
            seen["a resource that is watched has changed"] = [str(event.uri)]
            await call("toggle-subscriber-updates")
    return seen


async def asking(stack: AsyncExitStack) -> dict:
    answers = Answers()

    async def paris(context, params):
        content = types.TextContent(type="text", text="Paris")
        return types.CreateMessageResult(role="assistant", content=content, model="m")

    async def ada(context, params):
        return types.ElicitResult(action="accept", content={"name": "Ada"})

    answers.model, answers.user = paris, ada
    client, _ = await connected(stack, answers)

    async def call(name: str, arguments: dict | None = None) -> dict:
        result = plain(await client.call_tool(PREFIX + name, arguments or {}))
        return {"text": result["content"][0]["text"], "isError": result.get("isError", False)}

    names: list = []
    end = time.monotonic() + WAIT_SECONDS
    while len(names) < 6 and time.monotonic() < end:
        names = sorted(tool.name.removeprefix(PREFIX) for tool in (await client.list_tools()).tools if tool.name.startswith(PREFIX))
    seen = {"era": ERA, "names": names}
    for name in ("sample", "elicit", "roots", "steps"):
        seen[name] = await call(name)
    many = [name for name in ("sample", "elicit", "roots") for _ in range(4)]
    seen["many"] = await asyncio.gather(*(call(name) for name in many))
    seen["echo"] = await call("echo", {"text": "h\u00e9"})
    prompt = await client.get_prompt(PREFIX + "greet", {"who": "Bo"})
    seen["prompt"] = prompt.messages[0].content.text
    seen["resource"] = (await client.read_resource(uri("note://x"))).contents[0].text
    return seen


async def bare(stack: AsyncExitStack) -> dict:
    client, _ = await connected(stack, None)
    names = sorted(tool.name.removeprefix(PREFIX) for tool in (await client.list_tools()).tools if tool.name.startswith(PREFIX))
    return {"tools that need nothing of a client": names}


async def main() -> None:
    programmes = {"everything": everything, "asking": asking, "bare": bare}
    async with AsyncExitStack() as stack:
        print(json.dumps(await programmes[WANTED["programme"]](stack)), flush=True)
        # The 1.x line fails when anything arrives while it closes; how it closes is not what is tried here.
        os._exit(0)


asyncio.run(main())
