"""The record that other cases count by: it has to be right before they can be."""

import asyncio
import json
import os
import signal
import sys

from harness.case import case
from harness.installed import HERE
from harness.process import MARK
from harness.world import World, stop, until


@case()
async def the_tee_records_what_the_server_has_read_and_nothing_else(world: World) -> None:
    """A line that was written to a stopped server stands in its pipe: it isn't recorded then, nor when the server is
    killed. The server's own record says the same, and its end is the tee's."""
    record, own = world.record("tee"), world.record("own")
    server = [sys.executable, str(HERE / "crasher.py"), "--record", str(own)]
    tee = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / "tee.py"), str(record), *server),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, MARK: world.mark},
    )

    async def call(message: str) -> None:
        params = {"name": "echo", "arguments": {"message": message}}
        tee.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode() + b"\n")
        await tee.stdin.drain()

    await call("read")
    assert b'"read"' in await tee.stdout.readline()
    await until("it is recorded", lambda: world.read_lines("tee", '"read"'))
    (behind,) = [process for process in world.living() if process.parent == tee.pid]
    await stop(behind)
    await call("unread")
    await asyncio.sleep(0.3)
    assert world.read_lines("tee", '"unread"') == 0
    os.kill(behind.pid, signal.SIGKILL)
    assert await tee.wait() == -signal.SIGKILL
    assert record.read_text() == own.read_text()
    assert world.read_lines("tee", '"unread"') == 0
