"""Processes as the kernel shows them. A process of a test is known by a variable in its environment, which it can't lose
by changing its parent, its group or its session."""

import os
from dataclasses import dataclass
from pathlib import Path

MARK = "REA_REAL_TEST"
SERVER = "REA_REAL_SERVER"


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    group: int
    command: str
    environment: dict[str, str]


def marked(mark: str) -> list[Process]:
    """Every living process of the test `mark`; a zombie has no environment and is none of them."""
    return [process for process in _all() if process.environment.get(MARK) == mark]


def is_stopped(pid: int) -> bool:
    """Whether the kernel has stopped it. A stop signal alone says nothing: until then the process may still read."""
    return (Path("/proc") / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "T"


def _all() -> list[Process]:
    found = (_read(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [process for process in found if process is not None]


def _read(pid: int) -> Process | None:
    folder = Path("/proc") / str(pid)
    try:
        if folder.stat().st_uid != os.getuid():
            return None
        # After the name in parentheses, which may hold anything: state, parent, group.
        fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        pairs = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None  # It ended meanwhile.
    environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    return Process(pid, int(fields[1]), int(fields[2]), command, environment)
