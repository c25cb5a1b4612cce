"""The official Inspector's command line as the client, with a configuration file as people have it."""

import asyncio
import json

from harness.case import case
from harness.world import World


async def inspect(world: World, *arguments: str) -> dict:
    """One run of the Inspector, which starts a gateway of its own; its answer."""
    _, command, environment = world.witness()
    config = world.folder / "mcp.json"
    config.write_text(
        json.dumps({"mcpServers": {"rea": {"command": command[0], "args": command[1:], "env": environment}}})
    )
    inspector = await asyncio.create_subprocess_exec(
        str(world.installed.node),
        str(world.installed.inspector),
        *("--cli", "--config", str(config), "--server", "rea", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=world.folder,
    )
    out, error = await inspector.communicate()
    assert inspector.returncode == 0, f"exit code {inspector.returncode}: {out[-300:]!r} {error[-300:]!r}"
    return json.loads(out)


@case(limit_seconds=60)
async def the_inspector_lists_and_calls_the_tools_of_both_servers(world: World) -> None:
    """Another client than the SDK in Python, with another implementation of the protocol."""
    world.registry(world.everything(), world.time(), list_budget="20s")
    names = {tool["name"] for tool in (await inspect(world, "--method", "tools/list"))["tools"]}
    assert {"everything__echo", "time__get_current_time"} <= names, names
    call = ("--method", "tools/call", "--tool-name")
    told = await inspect(world, *call, "everything__echo", "--tool-arg", "message=inspected")
    assert told["content"][0]["text"] == "Echo: inspected", told
    told = await inspect(world, *call, "time__get_current_time", "--tool-arg", "timezone=UTC")
    assert '"UTC"' in told["content"][0]["text"], told
