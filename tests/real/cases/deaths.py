"""Servers that die, hang or never answer: they come back by themselves, and no call is run twice that must not be."""

import asyncio
import os
import signal
import time

from harness.after import states
from harness.answers import facts, locked, lost, ok
from harness.case import case
from harness.world import World, stop, until, until_async

LONG = "everything__trigger-long-running-operation"
# What a client may have to wait for the gateway's own answer while some server is mute.
AT_ONCE_SECONDS = 2.0


def kill(process) -> None:
    os.kill(process.pid, signal.SIGKILL)


@case()
async def a_server_killed_while_idle_comes_back_without_any_call(world: World) -> None:
    """B9, B12: the first death is followed by a restart at once, and the next call works."""
    world.registry(world.everything(), world.time())
    async with world.gateway() as gateway:
        await gateway.listed("everything", "time")
        killed = {name: gateway.server(name) for name in ("everything", "time")}
        for process in killed.values():
            kill(process)
        for name, process in killed.items():
            await gateway.another(name, than=process)
        assert ok(await gateway.call("everything__echo", {"message": "again"})) == "Echo: again"
        assert '"UTC"' in ok(await gateway.call("time__get_current_time", {"timezone": "UTC"}))
        assert {"everything__echo", "time__convert_time"} <= await gateway.names()


@case()
async def an_unsafe_call_that_was_read_is_never_repeated(world: World) -> None:
    """B3: the server is killed in the middle of a call. The caller hears that it may have been executed, and the servers
    together have read it exactly once, although the next server is there and answers."""
    world.registry(world.everything(tee=True))
    async with world.gateway() as gateway:
        await gateway.listed("everything")
        before = gateway.server("everything")
        call = asyncio.create_task(gateway.call(LONG, {"duration": 20, "steps": 7}))
        await until("the call is with the server", lambda: world.read_lines("everything", '"duration":20'))
        kill(before)
        lost(await call)
        await gateway.another("everything", than=before)
        assert ok(await gateway.call("everything__echo", {"message": "next"})) == "Echo: next"
        assert world.read_lines("everything", '"duration":20') == 1
        assert world.read_lines("everything", '"next"') == 1


@case()
async def a_call_declared_safe_to_repeat_is_sent_again_once(world: World) -> None:
    """The registry says that the tool is read-only: the next process runs the call, and the caller notices nothing. Read
    twice, so the record of the previous rule can tell once from twice."""
    world.registry(world.everything(tee=True, tools={LONG.partition("__")[2]: {"retry": "read_only"}}))
    async with world.gateway() as gateway:
        await gateway.listed("everything")
        call = asyncio.create_task(gateway.call(LONG, {"duration": 1.5, "steps": 3}))
        await until("the call is with the server", lambda: world.read_lines("everything", '"duration":1.5'))
        kill(gateway.server("everything"))
        assert "completed" in ok(await call)
        assert world.read_lines("everything", '"duration":1.5') == 2


@case()
async def a_call_that_the_dead_server_never_read_is_run_by_the_next(world: World) -> None:
    """The call stood unread in the pipe of a server that was stopped and then killed: it can't have run, so it does now."""
    world.registry(world.crasher())
    async with world.gateway() as gateway:
        await gateway.listed("crasher")
        before = gateway.server("crasher")
        await stop(before)
        call = asyncio.create_task(gateway.call("crasher__echo", {"message": "unread"}))
        await asyncio.sleep(0.3)
        kill(before)
        assert ok(await call) == "unread"
        assert world.read_lines("crasher", '"unread"') == 1


@case()
async def a_crash_in_a_call_fails_that_call_and_no_other_server(world: World) -> None:
    """The server ends itself in the middle of a call, with others in flight at both servers."""
    world.registry(world.crasher(), world.everything())
    async with world.gateway() as gateway:
        await gateway.listed("crasher", "everything")
        innocent = asyncio.create_task(gateway.call(LONG, {"duration": 1, "steps": 1}))
        lost(await gateway.call("crasher__crash"))
        assert ok(await gateway.call("crasher__echo", {"message": "back"})) == "back"
        assert "completed" in ok(await innocent)
        assert world.read_lines("crasher", '"crash"') == 1


@case()
async def calls_during_a_restart_wait_for_one_new_process(world: World) -> None:
    """B6: many calls while there is no process start one process, not one each."""
    starts = world.folder / "starts"
    world.registry(world.crasher("--starts", str(starts)))
    async with world.gateway() as gateway:
        await gateway.listed("crasher")
        kill(gateway.server("crasher"))
        await until("the death was noticed", lambda: _left_ready(states(world, "crasher")))
        results = await asyncio.gather(*(gateway.call("crasher__echo", {"message": str(n)}) for n in range(20)))
        assert [ok(result) for result in results] == [str(n) for n in range(20)]
        assert len(starts.read_text().splitlines()) == 2
        assert len(world.processes("crasher")) == 1


def _left_ready(seen: list[str]) -> bool:
    return "ready" in seen and "connecting" in seen[seen.index("ready") :]


@case()
async def a_grandchild_that_holds_the_output_hides_no_death(world: World) -> None:
    """B17: the server dies, its grandchild still holds its standard output. The death is seen, the grandchild is ended."""
    world.registry(world.crasher())
    async with world.gateway() as gateway:
        await gateway.listed("crasher")
        before = gateway.leader("crasher")
        grandchild = int(ok(await gateway.call("crasher__spawn")))
        # Right after its birth its environment, by which it is known, may not be readable yet.
        await until("the grandchild is seen", lambda: grandchild in [one.pid for one in world.processes("crasher")])
        kill(before)
        await until("the server runs again", lambda: (now := gateway.leader("crasher")) and now.pid != before.pid)
        assert grandchild not in [one.pid for one in world.processes("crasher")]
        assert ok(await gateway.call("crasher__echo", {"message": "again"})) == "again"


@case()
async def a_crash_loop_is_locked_and_recovers_by_itself(world: World) -> None:
    """B11, B12: a server that dies at every start uses up its restarts. Calls are refused with the time of the next try,
    one process is started for each try, and when the server works again nobody has to do anything."""
    starts = world.folder / "starts"
    crashes = 3
    numbers = {"restart_window": "1s", "lock_base": "1s", "lock_max": "2s"}
    looping = world.crasher("--starts", str(starts), "--crash-first", str(crashes), **numbers)
    world.registry(looping, world.everything())
    async with world.gateway() as gateway, gateway.client.listen(tools_list_changed=True) as changes:
        await until("the machine is locked", lambda: "flap_locked" in states(world, "crasher"))
        locked(await gateway.call("crasher__echo", {"message": "refused"}))
        assert ok(await gateway.call("everything__echo", {"message": "other"})) == "Echo: other"

        async def listed() -> bool:
            return "crasher__echo" in await gateway.names()

        await until_async("the server is back, without a call", listed)
        assert ok(await gateway.call("crasher__echo", {"message": "back"})) == "back"
        assert len(starts.read_text().splitlines()) == crashes + 1
        assert world.read_lines("crasher", '"refused"') == 0
        # The client is told, since it listens.
        assert await asyncio.wait_for(anext(aiter(changes)), 15)


@case()
async def a_mute_server_delays_nobody(world: World) -> None:
    """B13, B14: neither `initialize`, nor the list of tools beyond its budget, nor calls of others wait for a server that
    never answers; a call to it is refused in time, as not executed."""
    world.registry(
        world.crasher("--mute", name="mute", handshake_timeout="2s", queue_timeout="1s"),
        world.everything(),
        list_budget="1s",
    )
    began = time.monotonic()
    async with world.gateway() as gateway:
        assert time.monotonic() - began < AT_ONCE_SECONDS
        asked = time.monotonic()
        assert not any(name.startswith("mute__") for name in await gateway.names())
        assert time.monotonic() - asked < 1 + AT_ONCE_SECONDS
        assert ok(await gateway.call("everything__echo", {"message": "hello"})) == "Echo: hello"
        assert facts(await gateway.call("mute__echo", {"message": "hello"}))["executed"] == "no"


@case()
async def a_hung_server_is_replaced_and_delays_nobody(world: World) -> None:
    """B4, B5: a stopped process answers neither its call nor the probe. It is ended and replaced; calls of another server
    go on meanwhile."""
    world.registry(
        world.everything(call_timeout="1s", liveness_timeout="500ms", stdin_close_grace="200ms", term_grace="200ms"),
        world.time(),
    )
    async with world.gateway() as gateway:
        await gateway.listed("everything", "time")
        before = gateway.server("everything")
        await stop(before)
        call = asyncio.create_task(gateway.call("everything__echo", {"message": "hung"}))
        while not call.done():
            assert '"UTC"' in ok(await gateway.call("time__get_current_time", {"timezone": "UTC"}))
            await asyncio.sleep(0.05)
        assert facts(await call)["executed"] in ("no", "maybe")
        await gateway.another("everything", than=before)
        assert ok(await gateway.call("everything__echo", {"message": "again"})) == "Echo: again"


@case()
async def a_slow_call_past_its_deadline_is_left_to_a_living_server(world: World) -> None:
    """B4: the deadline asks whether the server lives. It does, so the call goes on, and so do its neighbours."""
    world.registry(world.crasher(call_timeout="500ms", liveness_timeout="2s"))
    async with world.gateway() as gateway:
        await gateway.listed("crasher")
        before = gateway.server("crasher")
        slow = [asyncio.create_task(gateway.call("crasher__slow", {"seconds": s})) for s in (1.5, 2)]
        for result in await asyncio.gather(*slow):
            assert ok(result) == "done"
        assert gateway.server("crasher") == before
        assert "suspect" in states(world, "crasher")
