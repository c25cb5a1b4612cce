"""One test's world: its folder, its registry, its gateways and their processes."""

import asyncio
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from mcp import Client
from mcp.client.stdio import StdioServerParameters

from . import process
from .installed import HERE, Installed
from .witnessed import Witnessed

WAIT_SECONDS = 15.0


async def until(what: str, condition: Callable[[], object], seconds: float = WAIT_SECONDS):
    """Waits for the condition and returns what it returned; the failure says what was waited for."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:g} s still not: {what}")
        await asyncio.sleep(0.01)
    return value


async def until_async(what: str, condition: Callable[[], Awaitable[object]], seconds: float = WAIT_SECONDS):
    """The same for a condition that has to ask somebody."""
    end = time.monotonic() + seconds
    while not (value := await condition()):
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:g} s still not: {what}")
        await asyncio.sleep(0.05)
    return value


async def stop(one: process.Process) -> None:
    """Stops a process with SIGSTOP, and returns when it can read no more."""
    os.kill(one.pid, signal.SIGSTOP)
    await until(f"process {one.pid} has stopped", lambda: process.is_stopped(one.pid))


class Gateway:
    """A running gateway and the official client that started it."""

    def __init__(self, world: "World", client: Client, witnessed: Witnessed, notifications: list) -> None:
        self.world = world
        self.client = client
        self.witnessed = witnessed
        self.notifications = notifications

    @property
    def pid(self) -> int:
        return self.witnessed.pid

    async def call(self, name: str, arguments: dict | None = None, **options):
        return await self.client.call_tool(name, arguments or {}, **options)

    async def names(self) -> set[str]:
        return {tool.name for tool in (await self.client.list_tools(cache_mode="bypass")).tools}

    async def listed(self, *servers: str) -> set[str]:
        """Waits until the tools of these servers are listed; the names of all tools."""

        async def names() -> set[str] | None:
            found = await self.names()
            return found if {name.split("__")[0] for name in found} >= set(servers) else None

        return await until_async(f"the tools of {servers} are listed", names)

    def leader(self, server: str) -> process.Process | None:
        """The process that the gateway itself started for the server."""
        mine = (one for one in self.world.processes(server) if one.parent == self.pid)
        return next(mine, None)

    def server(self, server: str) -> process.Process | None:
        """The server itself: what stands behind the tee, if there is one."""
        leader = self.leader(server)
        behind = (one for one in self.world.processes(server) if leader is not None and one.parent == leader.pid)
        return next(behind, leader)

    async def another(self, server: str, than: process.Process) -> process.Process:
        """Waits until the server runs in another process."""
        return await until(
            f"{server} runs in another process than {than.pid}",
            lambda: (now := self.server(server)) is not None and now.pid != than.pid and now,
        )


class World:
    """The folder and the processes of one test."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        self.installed = installed
        self.folder = folder
        self.root = folder / "project"
        self.mark = uuid.uuid4().hex
        self.witnessed: list[Witnessed] = []
        (self.root / ".rea").mkdir(parents=True)

    # The registry

    def registry(self, *servers: dict, **gateway: object) -> None:
        """Writes `.rea/registry.yaml`. JSON is YAML, and needs no rules of quoting."""
        self._write_registry(self.root, servers, gateway)

    def _write_registry(self, root: Path, servers: tuple[dict, ...], gateway: dict) -> None:
        for server in servers:
            server.setdefault("env", {}).update({process.MARK: self.mark, process.SERVER: server["name"]})
        content = {"version": "1", **gateway, "servers": list(servers)}
        (root / ".rea" / "registry.yaml").write_text(json.dumps(content, indent=2) + "\n")

    def gateway_behind(self, *servers: dict) -> dict:
        """A gateway in front of these servers, as a server of another one."""
        root = self.folder / "inner"
        (root / ".rea").mkdir(parents=True, exist_ok=True)
        self._write_registry(root, servers, {})
        return self._server("inner", [str(self.installed.rea), "serve", "--root", str(root)], False, {})

    def everything(self, *, tee: bool = False, **numbers: object) -> dict:
        """The official server in TypeScript that exercises the whole protocol."""
        return self._server("everything", [str(self.installed.node), str(self.installed.everything), "stdio"], tee, numbers)

    def time(self, **numbers: object) -> dict:
        """The official server in Python that tells the time."""
        server = self._server("time", [self.installed.python, "-m", "mcp_server_time"], False, numbers)
        return {**server, "env": {"PYTHONPATH": str(self.installed.python_packages)}}

    def crasher(self, *options: str, name: str = "crasher", **numbers: object) -> dict:
        """Our own server that misbehaves when told; see `crasher.py`."""
        command = [self.installed.python, str(HERE / "crasher.py"), "--record", str(self.record(name)), *options]
        return self._server(name, command, False, numbers)

    def asking(self, **numbers: object) -> dict:
        """A server of ours, made with the official SDK, that asks its client for everything; see `asking.py`."""
        server = self._server("asking", [self.installed.python, str(HERE / "asking.py")], False, numbers)
        return {**server, "env": {"PYTHONPATH": str(self.installed.python_packages)}}

    def _server(self, name: str, command: list[str], tee: bool, numbers: dict) -> dict:
        if tee:
            command = [self.installed.python, str(HERE / "tee.py"), str(self.record(name)), *command]
        return {"name": name, "command": command[0], "args": command[1:], **numbers}

    # What servers have read

    def record(self, server: str) -> Path:
        return self.folder / f"{server}.read"

    def read_lines(self, server: str, holding: str) -> int:
        """How many recorded lines hold the text: how often the server read that message."""
        record = self.record(server)
        return sum(holding in line for line in record.read_text().splitlines()) if record.exists() else 0

    # Processes

    def processes(self, server: str) -> list[process.Process]:
        return [one for one in process.marked(self.mark) if one.environment.get(process.SERVER) == server]

    def living(self) -> list[process.Process]:
        return process.marked(self.mark)

    def kill_all(self) -> None:
        for one in self.living():
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)

    # Gateways

    def witness(self, *, exit_code: int = 0) -> tuple[Witnessed, list[str], dict[str, str]]:
        """How a client starts a gateway here: what will be known about it, the command, and the environment."""
        folder = self.folder / f"gateway{len(self.witnessed)}"
        folder.mkdir()
        witnessed = Witnessed(folder, exit_code)
        self.witnessed.append(witnessed)
        gateway = [str(self.installed.rea), "serve", "--root", str(self.root)]
        environment = {process.MARK: self.mark, "HOME": str(self.folder)}
        return witnessed, [sys.executable, str(HERE / "witness.py"), str(folder), *gateway], environment

    @asynccontextmanager
    async def gateway(
        self, *, exit_code: int = 0, variables: dict[str, str] | None = None, **options: object
    ) -> AsyncIterator[Gateway]:
        """A gateway, started and driven by the official Python SDK as any client would; `options` are the client's."""
        witnessed, command, environment = self.witness(exit_code=exit_code)
        notifications: list = []

        async def note(message) -> None:
            notifications.append(message)

        parameters = StdioServerParameters(
            command=command[0], args=command[1:], env={**environment, **(variables or {})}, cwd=self.root
        )
        async with Client(parameters, message_handler=note, cache=None, **options) as client:
            yield Gateway(self, client, witnessed, notifications)
