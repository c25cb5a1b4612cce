"""Stands between a client and the gateway, and notes what a client can't see or doesn't tell.

    witness.py FOLDER COMMAND [ARGUMENT]...

FOLDER/pid      the gateway's process number
FOLDER/stdout   every byte of the gateway's standard output, those after the client lost interest too
FOLDER/stderr   its standard error
FOLDER/exit     its exit code (negative: the signal that ended it)

The gateway's standard input is the client's own pipe: no byte of it passes through here. Signals for the group reach the
gateway by themselves, and this process survives them to see the end.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

NAMES = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def default_signals() -> None:
    for name in NAMES:
        signal.signal(name, signal.SIG_DFL)


def main() -> int:
    folder = Path(sys.argv[1])
    for name in NAMES:
        signal.signal(name, signal.SIG_IGN)
    with (folder / "stderr").open("ab") as stderr:
        gateway = subprocess.Popen(
            sys.argv[2:], stdout=subprocess.PIPE, stderr=stderr, preexec_fn=default_signals
        )
    os.close(0)
    (folder / "pid.new").write_text(str(gateway.pid))
    (folder / "pid.new").rename(folder / "pid")
    assert gateway.stdout is not None
    with (folder / "stdout").open("ab", buffering=0) as record:
        while chunk := os.read(gateway.stdout.fileno(), 1 << 16):
            record.write(chunk)
            # A client that reads no more must not end the witness.
            with contextlib.suppress(BrokenPipeError):
                write_all(chunk)
    code = gateway.wait()
    (folder / "exit.new").write_text(str(code))
    (folder / "exit.new").rename(folder / "exit")
    return code if code >= 0 else 128 - code


def write_all(chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(1, left):]


if __name__ == "__main__":
    sys.exit(main())
