"""Both lines of both official SDKs, each in the eras that it speaks: the same programme directly and through the gateway."""

import asyncio
import json
import os
import shutil
import uuid
from dataclasses import dataclass

from harness.case import case
from harness.installed import HERE
from harness.world import World

PREFIX = "everything__"


@dataclass(frozen=True)
class Line:
    """A line of an SDK, in one of its eras."""

    language: str
    line: int
    era: str

    async def run(self, world: World, programme: str, prefix: str, command: list[str], environment: dict) -> dict:
        """What the programme has observed."""
        wanted = {"line": self.line, "era": self.era, "programme": programme, "prefix": prefix, "command": command}
        installed = world.installed
        if self.language == "python":
            packages = installed.python_packages if self.line == 2 else installed.python_1_packages
            started = [installed.python, str(HERE / "clients/everything.py"), json.dumps(wanted)]
            environment = {**environment, "PYTHONPATH": str(packages)}
        else:
            started = [str(installed.node), str(_scripts(world) / "run.mjs"), json.dumps(wanted)]
        # A file: a pipe would be waited for as long as a server that was left has it open.
        complaints = world.folder / f"complaints-{uuid.uuid4().hex}"
        with complaints.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *started, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=stderr
            )
            said, _ = await process.communicate()
        assert process.returncode == 0, f"{self}: exit code {process.returncode}\n{complaints.read_text()[-2000:]}"
        return json.loads(said)

    async def through(self, world: World, programme: str, prefix: str) -> dict:
        """The same through the gateway."""
        _, command, environment = world.witness()
        return await self.run(world, programme, prefix, command, environment)


def _scripts(world: World):
    """The programmes in JavaScript, where Node finds the packages."""
    folder = world.folder / "clients"
    if not folder.exists():
        folder.mkdir()
        for script in (HERE / "clients").glob("*.mjs"):
            shutil.copy(script, folder)
        (folder / "node_modules").symlink_to(world.installed.everything.parents[3])
    return folder


def _without_hints(value):
    """What only the era without sessions has, and what it has no longer."""
    if isinstance(value, dict):
        gone = ("ttlMs", "cacheScope", "execution")
        return {key: _without_hints(inner) for key, inner in value.items() if key not in gone}
    return [_without_hints(inner) for inner in value] if isinstance(value, list) else value


# What a client without a session can't ask for.
OF_SESSIONS = {
    "it is there",
    "a method that nobody knows",
    "a message",
    "it is watched no more",
    "roots are asked for again when they have changed",
    "a task",
    "tasks are listed",
}


async def _sees_the_same(world: World, line: Line) -> None:
    server = world.everything()
    world.registry(server)
    # What a server says of itself is known once it was there.
    await line.through(world, "bare", PREFIX)
    directly = Line(line.language, line.line, "legacy").run(
        world, "everything", "", [server["command"], *server["args"]], {}
    )
    expected, seen = await asyncio.gather(directly, line.through(world, "everything", PREFIX))
    if line.era == "modern":
        expected = {what: value for what, value in expected.items() if what not in OF_SESSIONS}
        expected, seen = _without_hints(expected), _without_hints(seen)
        assert seen.pop("what the server is", None) in (None, ["completions", "logging", "prompts", "resources", "tasks", "tools"])
    assert len(expected) >= 30, f"only {len(expected)} observations"
    differing = {what for what in expected | seen if expected.get(what) != seen.get(what)}
    assert not differing, "\n".join(
        f"{what}:\n  directly {json.dumps(expected.get(what))[:600]}\n  through  {json.dumps(seen.get(what))[:600]}"
        for what in sorted(differing)
    )


def _is_everything_asked(seen: dict, line: Line) -> None:
    texts = {"sample": "the model says Paris", "elicit": "the user is Ada", "roots": "file:///work", "steps": "done"}
    expected = {name: {"text": text, "isError": False} for name, text in texts.items()}
    many = [expected[name] for name in ("sample", "elicit", "roots") for _ in range(4)]
    assert seen == {
        "era": line.era,
        "names": ["echo", "elicit", "roots", "sample", "steps", "touch"],
        **expected,
        "many": many,
        "echo": {"text": "h\u00e9", "isError": False},
        "prompt": "Say hello to Bo",
        "resource": "a note on x",
    }, seen


async def _answers_whoever_asks(world: World, line: Line) -> None:
    for era in ("legacy", "modern"):
        world.registry(world.asking(protocol=era))
        _is_everything_asked(await line.through(world, "asking", "asking__"), line)


async def _is_offered_what_it_can_use(world: World, line: Line) -> None:
    server = world.everything()
    world.registry(server)
    directly = Line(line.language, line.line, "legacy").run(world, "bare", "", [server["command"], *server["args"]], {})
    expected, seen = await asyncio.gather(directly, line.through(world, "bare", PREFIX))
    assert seen == expected, f"directly {expected}, through {seen}"
    assert not any("sampling" in name or "elicitation" in name for name in seen["tools that need nothing of a client"])


LINES = {
    "the_python_sdk_1": Line("python", 1, "legacy"),
    "the_python_sdk_2_with_a_session": Line("python", 2, "legacy"),
    "the_python_sdk_2_without_a_session": Line("python", 2, "modern"),
    "the_typescript_sdk_1": Line("typescript", 1, "legacy"),
    "the_typescript_sdk_2_with_a_session": Line("typescript", 2, "legacy"),
    "the_typescript_sdk_2_without_a_session": Line("typescript", 2, "modern"),
}
RULES = {
    "sees_the_same": (_sees_the_same, "Whatever the server has, the client sees through the gateway as directly."),
    "answers_whoever_asks": (_answers_whoever_asks, "Sampling, elicitation and roots reach it from servers of both eras."),
    "is_offered_what_it_can_use": (_is_offered_what_it_can_use, "A client that can do nothing is offered no more."),
}


@case(limit_seconds=60)
async def a_gateway_behind_a_gateway_is_a_server_like_any_other(world: World) -> None:
    """Clients and servers of both eras, with two gateways between: each opens the states that are its own."""
    for server_era in ("legacy", "modern"):
        inner = world.gateway_behind(world.asking(protocol=server_era))
        world.registry(inner)
        for line in (Line("typescript", 2, "legacy"), Line("typescript", 2, "modern")):
            _is_everything_asked(await line.through(world, "asking", "inner__asking__"), line)


def _register(name: str, line: Line, body, rule: str) -> None:
    async def bound(world: World) -> None:
        await body(world, line)

    bound.__name__, bound.__doc__ = name, rule
    case(limit_seconds=60)(bound)


for _name, _line in LINES.items():
    for _rule, (_body, _says) in RULES.items():
        _register(f"{_name}_{_rule}", _line, _body, _says)
