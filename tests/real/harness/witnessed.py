"""What the witness wrote about one run of the gateway."""

import asyncio
import json
import time
from pathlib import Path


class Witnessed:
    def __init__(self, folder: Path, exit_code: int) -> None:
        self.folder = folder
        self.expected_exit_code = exit_code

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text())

    async def exit_code(self, seconds: float = 8.0) -> int:
        """Waits for the gateway's end. Its output has to end too: nobody may hold it open."""
        end = time.monotonic() + seconds
        while not (self.folder / "exit").exists():
            assert time.monotonic() < end, f"the gateway has not ended by itself within {seconds:g} s"
            await asyncio.sleep(0.01)
        return int((self.folder / "exit").read_text())

    def messages(self) -> list[dict]:
        """What was written to standard output; fails on anything that is no JSON-RPC message."""
        content = (self.folder / "stdout").read_bytes()
        assert content == b"" or content.endswith(b"\n"), f"stdout ends inside a line: {content[-200:]!r}"
        return [_message(line) for line in content.splitlines()]

    def log_lines(self) -> list[dict]:
        """What was written to standard error; fails on anything that is no JSON object."""
        return [_object(line, "stderr") for line in (self.folder / "stderr").read_bytes().splitlines()]


def _object(line: bytes, where: str) -> dict:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    assert isinstance(value, dict), f"{where} holds a line that is no JSON object: {line[:200]!r}"
    return value


def _message(line: bytes) -> dict:
    message = _object(line, "stdout")
    is_answer = "id" in message and ("result" in message) != ("error" in message)
    assert message.get("jsonrpc") == "2.0" and ("method" in message) != is_answer, f"no JSON-RPC: {line[:200]!r}"
    return message
