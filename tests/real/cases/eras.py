"""Clients and servers of both eras of the protocol, each with each: everything that one can ask of the other."""

import asyncio

import mcp_types as types

from harness.answers import ok
from harness.case import case
from harness.world import Gateway, World, until

ANSWERS = {"sample": "the model says Paris", "elicit": "the user is Ada", "roots": "file:///work"}


async def _model(context, params):
    return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text="Paris"), model="m")


async def _user(context, params):
    return types.ElicitResult(action="accept", content={"name": "Ada"})


async def _folders(context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///work")])


def _asking(world: World, era: str) -> dict:
    return world.asking(protocol=era)


def _client(world: World, era: str):
    """An official client of that era that can answer everything."""
    mode = "legacy" if era == "legacy" else "auto"
    return world.gateway(
        mode=mode, sampling_callback=_model, elicitation_callback=_user, list_roots_callback=_folders
    )


async def _everything(gateway: Gateway, client_era: str) -> None:
    client = gateway.client
    version = "2025-11-25" if client_era == "legacy" else "2026-07-28"
    assert client.protocol_version == version, client.protocol_version
    assert "asking__echo" in await gateway.listed("asking")
    assert ok(await gateway.call("asking__echo", {"text": "h\u00e9"})) == "h\u00e9"
    for tool, answer in ANSWERS.items():
        assert ok(await gateway.call(f"asking__{tool}")) == answer
    # All at once: no answer reaches another call.
    calls = [tool for tool in ANSWERS for _ in range(5)]
    results = await asyncio.gather(*(gateway.call(f"asking__{tool}") for tool in calls))
    assert [ok(result) for result in results] == [ANSWERS[tool] for tool in calls]

    steps: list[float] = []

    async def step(progress, total, message) -> None:
        steps.append(progress)

    options = {} if client_era == "legacy" else {"meta": {"io.modelcontextprotocol/logLevel": "info"}}
    assert ok(await gateway.call("asking__steps", progress_callback=step, **options)) == "done"
    assert steps == [1, 2, 3]

    prompts = (await client.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == ["asking__greet"]
    prompt = await client.get_prompt("asking__greet", {"who": "Bo"})
    assert prompt.messages[0].content.text == "Say hello to Bo"
    resources = (await client.list_resources()).resources
    assert [str(resource.uri) for resource in resources] == ["fixed://one"]
    assert (await client.read_resource("fixed://one")).contents[0].text == "the one"
    templates = (await client.list_resource_templates()).resource_templates
    assert [template.uri_template for template in templates] == ["note://{name}"]
    assert (await client.read_resource("note://x")).contents[0].text == "a note on x"
    reference = types.PromptReference(type="ref/prompt", name="asking__greet")
    completed = await client.complete(reference, {"name": "who", "value": "B"})
    assert completed.completion.values == ["B!"]


@case()
async def a_legacy_client_and_a_legacy_server(world: World) -> None:
    """Sampling, elicitation and roots pass as requests; everything else as it is."""
    world.registry(_asking(world, "legacy"))
    async with _client(world, "legacy") as gateway:
        await _everything(gateway, "legacy")


@case()
async def a_modern_client_and_a_legacy_server(world: World) -> None:
    """The server's requests come in the answers to calls, and the repeated calls go on."""
    world.registry(_asking(world, "legacy"))
    async with _client(world, "modern") as gateway:
        await _everything(gateway, "modern")


@case()
async def a_legacy_client_and_a_modern_server(world: World) -> None:
    """What the server wants to know in its answers becomes requests to the client."""
    world.registry(_asking(world, "modern"))
    async with _client(world, "legacy") as gateway:
        await _everything(gateway, "legacy")


@case()
async def a_modern_client_and_a_modern_server(world: World) -> None:
    """Nothing is translated, and a stream tells of a changed resource."""
    world.registry(_asking(world, "modern"))
    async with _client(world, "modern") as gateway:
        await _everything(gateway, "modern")
        async with gateway.client.listen(resource_subscriptions=["fixed://one"]) as events:
            assert ok(await gateway.call("asking__touch")) == "touched"
            event = await asyncio.wait_for(anext(aiter(events)), 10)
            assert str(event.uri) == "fixed://one"


@case()
async def the_era_is_found_out_by_asking_and_remembered(world: World) -> None:
    """`protocol: auto`: the first session asks, the second knows, and serves the list before any server is up."""
    world.registry(_asking(world, "auto"))
    async with _client(world, "modern") as gateway:
        await gateway.listed("asking")
    kept = world.root / ".rea" / "catalogue" / "asking.json"
    await until("the catalogue is kept", kept.exists)
    async with _client(world, "modern") as gateway:
        assert "asking__echo" in await gateway.names()
        assert gateway.client.instructions == "# asking\n\nAsk me anything; I ask back."
