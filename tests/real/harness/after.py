"""What has to hold after every test, whatever it did."""

import asyncio
import json
import subprocess
import time
from pathlib import Path

from .world import World

# A process that was killed is gone a moment after, not in the same instant.
DYING_SECONDS = 0.5


async def check(world: World) -> None:
    for witnessed in world.witnessed:
        code = await witnessed.exit_code()
        assert code == witnessed.expected_exit_code, f"the gateway's exit code is {code}"
        witnessed.messages()
        witnessed.log_lines()
    await _nothing_is_left(world)
    logs = event_logs(world)
    assert len(logs) >= len(world.witnessed), f"{len(world.witnessed)} gateways have left {len(logs)} logs"
    for log in logs:
        replay(world, log)


async def _nothing_is_left(world: World) -> None:
    end = time.monotonic() + DYING_SECONDS
    while left := world.living():
        assert time.monotonic() < end, f"left behind: {[(one.pid, one.command) for one in left]}"
        await asyncio.sleep(0.01)


def event_logs(world: World) -> list[Path]:
    return sorted((world.root / ".rea" / "events").glob("*.jsonl"))


def replay(world: World, log: Path) -> None:
    """`rea replay` decides every record of the log again, and exits with 0 if all are identical."""
    command = [str(world.installed.rea), "replay", str(log)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"rea replay exits with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}"


def states(world: World, server: str) -> list[str]:
    """The states that the server's machine was in, in order, as the logs tell."""
    # The log may be in the middle of being written.
    whole = (line for log in event_logs(world) for line in log.read_text().splitlines(True) if line.endswith("\n"))
    records = (json.loads(line) for line in whole)
    return [record["state"] for record in records if record.get("server") == server and "state" in record]
