"""Calls that go well, and calls that are answered with an error: neither may disturb a server."""

import asyncio
import json
import time

import anyio
from mcp.shared.exceptions import MCPError

from harness.answers import ok, text
from harness.case import case
from harness.world import World, until

# More than the faults that open a breaker.
ERRORS = 7
CONCURRENT_CALLS = 200
RESULT_BYTES = 5 * 1024 * 1024


@case()
async def tools_of_all_servers_are_listed_and_called_by_their_prefixed_names(world: World) -> None:
    """Each server's tools appear as `<server>__<tool>`, and calls reach the right one."""
    world.registry(world.everything(), world.time())
    async with world.gateway() as gateway:
        names = await gateway.listed("everything", "time")
        assert {"everything__echo", "everything__get-sum", "time__get_current_time", "time__convert_time"} <= names, names
        assert ok(await gateway.call("everything__echo", {"message": "hello"})) == "Echo: hello"
        assert "30" in ok(await gateway.call("everything__get-sum", {"a": 10, "b": 20}))
        told = await gateway.call("time__get_current_time", {"timezone": "Asia/Tokyo"})
        assert '"Asia/Tokyo"' in ok(told) and told.structured_content["timezone"] == "Asia/Tokyo", told


@case()
async def the_fields_of_a_tool_arrive_as_the_server_gave_them(world: World) -> None:
    """Title, description, annotations, and both schemas are the server's own."""
    world.registry(world.everything(), world.time())
    async with world.gateway() as gateway:
        await gateway.listed("everything", "time")
        tools = {tool.name: tool for tool in (await gateway.client.list_tools(cache_mode="bypass")).tools}
        echo, current = tools["everything__echo"], tools["time__get_current_time"]
        assert (echo.title, echo.description) == ("Echo Tool", "Echoes back the input string"), echo
        assert echo.annotations.read_only_hint and echo.annotations.idempotent_hint, echo
        assert "message" in echo.input_schema["properties"], echo
        assert "is_dst" in current.output_schema["properties"], current


@case()
async def an_error_reply_does_not_disturb_the_server(world: World) -> None:
    """B1, B2: after JSON-RPC errors and error results, whatever they say, the same process answers the next call, each
    call ran once, and the tools are still listed."""
    world.registry(world.crasher(), world.time())
    async with world.gateway() as gateway:
        assert ok(await gateway.call("crasher__echo", {"message": "before"})) == "before"
        before = gateway.server("crasher"), gateway.server("time")
        for _ in range(ERRORS):
            code = await _error_code(gateway, "crasher__rpc_error")
            assert code == -32602, code
            failed = await gateway.call("crasher__tool_error")
            assert failed.is_error and text(failed).startswith("Not connected"), failed
            failed = await gateway.call("time__get_current_time", {"timezone": "Nowhere/At_All"})
            assert failed.is_error, failed
        assert ok(await gateway.call("crasher__echo", {"message": "after"})) == "after"
        assert '"UTC"' in ok(await gateway.call("time__get_current_time", {"timezone": "UTC"}))
        assert (gateway.server("crasher"), gateway.server("time")) == before
        assert world.read_lines("crasher", '"rpc_error"') == ERRORS
        assert {"crasher__echo", "time__convert_time"} <= await gateway.names()


async def _error_code(gateway, name: str) -> int:
    try:
        result = await gateway.call(name)
    except MCPError as error:
        return error.code
    raise AssertionError(f"{name} answered without an error: {result}")


@case()
async def two_hundred_calls_at_once_each_get_their_own_answer(world: World) -> None:
    """No answer is lost or exchanged; each call is read by its server once."""
    world.registry(world.everything(tee=True), world.time())
    async with world.gateway() as gateway:
        # While a server starts, its calls wait in a queue that is shorter than this.
        await gateway.listed("everything", "time")

        async def echo(number: int) -> None:
            assert ok(await gateway.call("everything__echo", {"message": f"<{number}>"})) == f"Echo: <{number}>"

        async def convert(number: int) -> None:
            at = {"source_timezone": "UTC", "time": f"10:{number % 60:02}", "target_timezone": "Asia/Tokyo"}
            assert f"T19:{number % 60:02}:00" in ok(await gateway.call("time__convert_time", at))

        calls = [(convert if number % 4 == 0 else echo)(number) for number in range(CONCURRENT_CALLS)]
        await asyncio.gather(*calls)
        for number in range(CONCURRENT_CALLS):
            assert world.read_lines("everything", f"<{number}>") == (number % 4 != 0), number


@case()
async def a_slow_call_does_not_hold_up_others_of_the_same_server(world: World) -> None:
    """No head-of-line blocking: answers come in the order in which servers give them."""
    world.registry(world.crasher())
    async with world.gateway() as gateway:
        slow = asyncio.create_task(gateway.call("crasher__slow", {"seconds": 1.5}))
        await until("the slow call is with the server", lambda: world.read_lines("crasher", '"slow"'))
        for number in range(20):
            assert ok(await gateway.call("crasher__echo", {"message": str(number)})) == str(number)
        assert not slow.done()
        assert ok(await slow) == "done"


@case()
async def five_megabytes_go_there_and_back(world: World) -> None:
    """Neither a large argument nor a large result is cut or changed, and other calls go on meanwhile."""
    world.registry(world.everything(), world.crasher())
    message = "".join(chr(97 + number % 26) for number in range(RESULT_BYTES))
    async with world.gateway() as gateway:
        large = asyncio.create_task(gateway.call("everything__echo", {"message": message}))
        assert ok(await gateway.call("crasher__echo", {"message": "small"})) == "small"
        assert ok(await large) == f"Echo: {message}"
        assert ok(await gateway.call("crasher__big", {"bytes": RESULT_BYTES})) == "x" * RESULT_BYTES


@case()
async def progress_reaches_the_caller_in_order_and_before_the_result(world: World) -> None:
    """Two calls with progress at once: each hears of its own only."""
    world.registry(world.everything())
    async with world.gateway() as gateway:

        async def run(steps: int) -> None:
            heard: list[tuple[float, float | None]] = []

            async def hear(progress: float, total: float | None, _message: str | None) -> None:
                heard.append((progress, total))

            arguments = {"duration": 0.6, "steps": steps}
            result = await gateway.call(
                "everything__trigger-long-running-operation", arguments, progress_callback=hear
            )
            assert heard == [(step, steps) for step in range(1, steps + 1)], heard
            assert "completed" in ok(result)

        await asyncio.gather(run(3), run(5))


@case()
async def a_cancelled_call_is_cancelled_at_its_server(world: World) -> None:
    """The server gets the cancellation with the id that it knows the call by, and serves the next call."""
    world.registry(world.crasher())
    async with world.gateway() as gateway:
        assert ok(await gateway.call("crasher__echo", {"message": "before"})) == "before"
        before = gateway.server("crasher")
        started = time.monotonic()
        with anyio.move_on_after(0.3):
            await gateway.call("crasher__slow", {"seconds": 20})
        await until("the cancellation is with the server", lambda: world.read_lines("crasher", "notifications/cancelled"))
        assert time.monotonic() - started < 5
        lines = world.record("crasher").read_text().splitlines()
        call, cancellation = _parsed(lines, '"slow"'), _parsed(lines, "notifications/cancelled")
        assert cancellation["params"]["requestId"] == call["id"], lines
        assert ok(await gateway.call("crasher__echo", {"message": "after"})) == "after"
        assert gateway.server("crasher") == before


def _parsed(lines: list[str], holding: str) -> dict:
    (line,) = [line for line in lines if holding in line]
    return json.loads(line)
