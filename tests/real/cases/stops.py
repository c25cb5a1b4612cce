"""The end of the gateway: by a signal, by the end of its input, by force. Nothing may be left behind, and no call may be
started again on the way out."""

import asyncio
import os
import signal
import time

from harness.answers import FACTS, lost, ok
from harness.case import case
from harness.process import SERVER, Process
from harness.raw import Conversation
from harness.world import World, until

LONG = "everything__trigger-long-running-operation"
DRAIN_SECONDS = 1.0
# Closing stdin, TERM and KILL each have 2 s, and the machine that runs the tests is not the fastest.
LADDER_SECONDS = 6.0 + 1.5


def servers(world: World) -> list[Process]:
    return [one for one in world.living() if SERVER in one.environment]


async def ended_within(witnessed, seconds: float) -> None:
    began = time.monotonic()
    await witnessed.exit_code(seconds)
    assert time.monotonic() - began < seconds


@case()
async def sigterm_with_calls_in_flight_tells_each_caller_and_ends_everything(world: World) -> None:
    """B7: each call in flight is answered, as one that may have been executed; none is sent again; the exit code is 0."""
    world.registry(world.everything(tee=True), world.crasher(), stop_drain=f"{DRAIN_SECONDS:g}s")
    async with world.gateway() as gateway:
        await gateway.listed("everything", "crasher")
        calls = [
            asyncio.create_task(gateway.call(LONG, {"duration": 25, "steps": 1})),
            asyncio.create_task(gateway.call("crasher__slow", {"seconds": 25})),
        ]
        await until("the first is with its server", lambda: world.read_lines("everything", '"duration":25'))
        await until("the second is with its server", lambda: world.read_lines("crasher", '"slow"'))
        os.kill(gateway.pid, signal.SIGTERM)
        for result in await asyncio.gather(*calls):
            lost(result)
        await ended_within(gateway.witnessed, DRAIN_SECONDS + LADDER_SECONDS)
    assert world.read_lines("everything", '"duration":25') == 1
    assert world.read_lines("crasher", '"slow"') == 1


@case()
async def sigterm_lets_calls_finish_that_need_less_than_the_drain(world: World) -> None:
    """The drain is for them: they get their server's own answer."""
    world.registry(world.crasher(), stop_drain="5s")
    async with world.gateway() as gateway:
        await gateway.listed("crasher")
        call = asyncio.create_task(gateway.call("crasher__slow", {"seconds": 1}))
        await until("the call is with the server", lambda: world.read_lines("crasher", '"slow"'))
        os.kill(gateway.pid, signal.SIGTERM)
        assert ok(await call) == "done"
        # The drain ends with the last call.
        await ended_within(gateway.witnessed, 3)


@case()
async def sigterm_ends_servers_that_ignore_everything_but_kill(world: World) -> None:
    """A server that stays when its input ends and when TERM comes, and its grandchild, are gone with the gateway."""
    world.registry(world.crasher("--stubborn"))
    async with world.gateway() as gateway:
        await gateway.listed("crasher")
        ok(await gateway.call("crasher__spawn"))
        assert len(world.processes("crasher")) == 2
        os.kill(gateway.pid, signal.SIGTERM)
        await ended_within(gateway.witnessed, DRAIN_SECONDS + LADDER_SECONDS)


@case()
async def sigterm_right_after_a_start_leaves_no_orphan(world: World) -> None:
    """The same when the gateway may not have seen yet that there is a process."""
    world.registry(world.crasher("--mute", "--stubborn"))
    async with world.gateway() as gateway:
        await until("there is a process", lambda: gateway.leader("crasher"))
        os.kill(gateway.pid, signal.SIGTERM)
        await ended_within(gateway.witnessed, DRAIN_SECONDS + LADDER_SECONDS)


@case()
async def a_second_sigterm_ends_everything_now(world: World) -> None:
    """No patience with stubborn servers then, and still nothing is left."""
    world.registry(world.crasher("--stubborn"))
    async with world.gateway() as gateway:
        await gateway.listed("crasher")
        os.kill(gateway.pid, signal.SIGTERM)
        await asyncio.sleep(0.2)
        os.kill(gateway.pid, signal.SIGTERM)
        await ended_within(gateway.witnessed, 1.5)


@case()
async def sigterm_during_a_handshake_leaves_no_orphan(world: World) -> None:
    """B8: a server that has not answered yet is a process like any other."""
    starts = world.folder / "starts"
    world.registry(world.crasher("--mute", "--stubborn", "--starts", str(starts)))
    async with world.gateway() as gateway:
        await until("the server was started", starts.exists)
        await asyncio.sleep(0.2)
        os.kill(gateway.pid, signal.SIGTERM)
        await ended_within(gateway.witnessed, DRAIN_SECONDS + LADDER_SECONDS)


@case()
async def what_was_asked_before_the_input_ended_is_answered(world: World) -> None:
    """B28: requests with the end of input right behind them, while the servers still start: each is answered exactly
    once, then the gateway ends."""
    world.registry(world.everything(), world.time(), input_end_grace="15s")
    talk = Conversation()
    listing = talk.request("tools/list")
    echo = talk.call("everything__echo", {"message": "piped"})
    tokyo = talk.call("time__get_current_time", {"timezone": "Asia/Tokyo"})
    unknown = talk.request("no/such/method")
    answers = await talk.run(world)
    assert sorted(answers) == talk.ids, sorted(answers)
    assert "tools" in answers[listing]["result"]
    assert answers[echo]["result"]["content"][0]["text"] == "Echo: piped"
    assert "Asia/Tokyo" in answers[tokyo]["result"]["content"][0]["text"]
    assert answers[unknown]["error"]["code"] == -32601


@case()
async def a_call_that_outlasts_the_end_of_input_is_answered_as_lost(world: World) -> None:
    """The client is told before it kills: within the grace and well before the 2 s after which SDKs send TERM, unless the
    server has to be ended by force."""
    world.registry(world.crasher(), input_end_grace="500ms")
    talk = Conversation()
    slow = talk.call("crasher__slow", {"seconds": 25})
    began = time.monotonic()
    answers = await talk.run(world)
    assert time.monotonic() - began < 500e-3 + LADDER_SECONDS
    result = answers[slow]["result"]
    assert result["isError"] and result["_meta"][FACTS]["executed"] in ("no", "maybe"), result


@case()
async def a_killed_gateway_leaves_a_log_that_replays(world: World) -> None:
    """What was acted on was written before. Its servers end with their input."""
    world.registry(world.everything(), world.crasher())
    async with world.gateway(exit_code=-signal.SIGKILL) as gateway:
        await gateway.listed("everything", "crasher")
        assert ok(await gateway.call("crasher__echo", {"message": "last"})) == "last"
        assert len(servers(world)) == 2
        os.kill(gateway.pid, signal.SIGKILL)
        await until("its servers have ended", lambda: not servers(world))
