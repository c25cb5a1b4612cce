"""Stands in front of a real server and records every `tools/call` line that the server has read.

    tee.py RECORD COMMAND [ARGUMENT]...

"Read" is not "written to": a line is recorded when the pipe to the server holds no byte of it any more, which the
kernel tells (FIONREAD on the writing end). After the server's death the pipe is asked once more, so that a line which
died unread in the pipe is never recorded, and one that was read always is.

The server's output and error streams are this process's own, handed on: no byte of them passes through here. Signals
that a group gets are the server's to answer, so they are ignored here; the server's end becomes this process's end.
"""

import array
import fcntl
import os
import signal
import subprocess
import sys
import termios
import threading
from collections import deque

POLL_SECONDS = 0.0005


def unread_bytes(pipe: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


class Recorder:
    """Keeps the lines on their way, and writes those that have arrived."""

    def __init__(self, record: str, pipe: int) -> None:
        self.record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.pipe = pipe
        self.lock = threading.Lock()
        self.accepted = 0
        self.on_their_way: deque[tuple[int, bytes]] = deque()

    def note(self, accepted: int, line: bytes) -> None:
        """Remembers a line whose last byte is the `accepted`th; told before it is written."""
        with self.lock:
            self.on_their_way.append((accepted, line))

    def written(self, count: int) -> None:
        with self.lock:
            self.accepted += count

    def collect(self) -> None:
        with self.lock:
            if not self.on_their_way:
                return
            # `accepted` grows after a write returns, so the difference can only be too small, never too large.
            read = self.accepted - unread_bytes(self.pipe)
            while self.on_their_way and self.on_their_way[0][0] <= read:
                line = self.on_their_way.popleft()[1]
                if b'"tools/call"' in line:
                    os.write(self.record, line)


def forward(recorder: Recorder) -> None:
    total = 0
    try:
        for line in sys.stdin.buffer:
            total += len(line)
            recorder.note(total, line)
            left = memoryview(line)
            while left:
                count = os.write(recorder.pipe, left)
                recorder.written(count)
                left = left[count:]
        # What is still unread is looked at before the pipe goes, because nobody can ask afterwards.
        while unread_bytes(recorder.pipe) > 0:
            threading.Event().wait(POLL_SECONDS)
        recorder.collect()
        with recorder.lock:
            recorder.on_their_way.clear()
            os.close(recorder.pipe)
    except BrokenPipeError:
        pass  # The server is gone: the main thread sees it.


def main() -> None:
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    reading, writing = os.pipe()
    server = subprocess.Popen(sys.argv[2:], stdin=reading, preexec_fn=default_signals)
    os.close(reading)
    recorder = Recorder(sys.argv[1], writing)
    threading.Thread(target=forward, args=(recorder,), daemon=True).start()
    while server.poll() is None:
        recorder.collect()
        threading.Event().wait(POLL_SECONDS)
    recorder.collect()
    if server.returncode < 0:
        default_signals()
        os.kill(os.getpid(), -server.returncode)
    # At once: the forwarding thread may be waiting for input.
    os._exit(server.returncode)


def default_signals() -> None:
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)


if __name__ == "__main__":
    main()
