"""Tests of the real gateway with public servers and clients that nobody here wrote.

    run.py [--rea PATH] [--installed FOLDER] [--only NAME]... [--list] [--keep]

Every test has a world of its own: a temporary project folder, its registry, its processes. After each, whatever it did,
the gateway has ended with the expected exit code, standard output held JSON-RPC only, no process is left, and the event
log replays to the same decisions. One line for each test; the last line counts them. Exit code 1 if one failed.
"""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "target"
CHECKS_SECONDS = 60.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rea", type=Path, default=TARGET / "release" / "rea", help="the binary under test")
    parser.add_argument("--installed", type=Path, default=TARGET / "real", help="what setup.sh has filled")
    parser.add_argument("--only", action="append", default=[], help="tests whose name holds this; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the tests and their rules")
    parser.add_argument("--keep", action="store_true", help="keep the folders of tests that passed, too")
    options = parser.parse_args()
    # The servers run in folders of their own, where a relative path leads elsewhere.
    options.rea, options.installed = options.rea.resolve(), options.installed.resolve()
    return options


async def run_one(case, world, after) -> None:
    try:
        async with asyncio.timeout(case.limit_seconds):
            await case.body(world)
        async with asyncio.timeout(CHECKS_SECONDS):
            await after.check(world)
    finally:
        world.kill_all()


def why(error: BaseException) -> str:
    """The innermost reason: the client wraps what happens inside it in groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    place = traceback.extract_tb(error.__traceback__)
    line = next((frame for frame in reversed(place) if Path(frame.filename).is_relative_to(HERE)), None)
    where = f" ({Path(line.filename).name}:{line.lineno})" if line else ""
    return f"{type(error).__name__}: {error}{where}"


def tail(folder: Path) -> str:
    lines = [line for file in sorted(folder.glob("gateway*/stderr")) for line in file.read_text().splitlines()]
    return "".join(f"       | {line[:300]}\n" for line in lines[-12:])


def main() -> int:
    options = arguments()
    sys.path.insert(0, str(options.installed / "python"))
    # A server's death is what is tested here: the client's complaints about it are no findings.
    logging.disable(logging.CRITICAL)
    try:
        from harness import after, installed
        from harness.case import CASES
        from harness.world import World

        import cases.record, cases.calls, cases.deaths, cases.stops, cases.eras, cases.clients, cases.metrics, cases.inspector  # noqa: E401, F401
    except ModuleNotFoundError as missing:
        sys.exit(f"{missing}: run tests/real/setup.sh first")
    chosen = [case for case in CASES if not options.only or any(part in case.name for part in options.only)]
    if options.list:
        for case in chosen:
            print(f"{case.name}\n    {' '.join((case.body.__doc__ or '').split())}")
        return 0
    if not chosen:
        sys.exit(f"no test's name holds {' or '.join(options.only)}; --list names them")
    if not sys.platform.startswith("linux"):
        print("skipped: these tests look at processes through /proc, which is Linux")
        print(f"0 passed, 0 failed, {len(chosen)} skipped")
        return 0
    found = installed.find(options.rea, options.installed)
    failed = 0
    for case in chosen:
        folder = Path(tempfile.mkdtemp(prefix="rea-real-"))
        began = time.monotonic()
        try:
            asyncio.run(run_one(case, World(found, folder), after))
        except Exception as error:  # noqa: BLE001: whatever it is, it is this test's result
            failed += 1
            print(f"FAIL  {case.name}  {time.monotonic() - began:.2f} s\n       {why(error)}\n       kept: {folder}")
            print(tail(folder), end="", flush=True)
            continue
        print(f"ok    {case.name}  {time.monotonic() - began:.2f} s", flush=True)
        if not options.keep:
            shutil.rmtree(folder)
    print(f"{len(chosen) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
