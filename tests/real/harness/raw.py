"""A client that writes everything at once and closes its end, which no SDK does and every shell can."""

import asyncio
import json

from .world import World

LIMIT_SECONDS = 25.0


class Conversation:
    def __init__(self) -> None:
        self._lines: list[dict] = []
        hello = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        }
        self.ids: list[int] = []
        self.request("initialize", hello)
        self._lines.append({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def request(self, method: str, params: dict | None = None) -> int:
        number = len(self.ids) + 1
        self.ids.append(number)
        self._lines.append({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}})
        return number

    def call(self, name: str, arguments: dict) -> int:
        return self.request("tools/call", {"name": name, "arguments": arguments})

    async def run(self, world: World) -> dict[int, dict]:
        """The answers by their ids; fails if one is answered twice."""
        witnessed, command, environment = world.witness()
        client = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", **environment},
            start_new_session=True,
        )
        content = "".join(json.dumps(line) + "\n" for line in self._lines)
        await client.communicate(content.encode())
        await witnessed.exit_code(LIMIT_SECONDS)
        answers: dict[int, dict] = {}
        for message in witnessed.messages():
            if "method" not in message:
                assert message["id"] not in answers, f"answered twice: {message}"
                answers[message["id"]] = message
        return answers
