"""A small MCP server that misbehaves when told, for what official servers can't be made to do.

    crasher.py [--record FILE] [--starts FILE] [--crash-first N] [--mute] [--stubborn]

--record FILE     append each `tools/call` and `notifications/cancelled` line that was read
--starts FILE     append one line at each start
--crash-first N   end with exit code 3 at once, as long as --starts holds at most N lines
--mute            read everything, answer nothing
--stubborn        stay alive when the input ends and when TERM comes

Tools: `echo`, `crash` (ends in the middle of the call), `slow` (`seconds`, with `steps` progress notifications), `big`
(`bytes`), `rpc_error` (JSON-RPC error -32602), `tool_error` (a result with `isError`), `spawn` (starts a grandchild that
holds the output open). Calls run beside each other.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time

CRASH_EXIT_CODE = 3
MISERY = "Not connected: the database is away"

parser = argparse.ArgumentParser()
parser.add_argument("--record")
parser.add_argument("--starts")
parser.add_argument("--crash-first", type=int, default=0)
parser.add_argument("--mute", action="store_true")
parser.add_argument("--stubborn", action="store_true")
options = parser.parse_args()

output = threading.Lock()
cancelled: set[str] = set()


def append(path: str | None, line: bytes) -> None:
    if path is not None:
        with open(path, "ab", buffering=0) as file:
            file.write(line)


def send(message: dict) -> None:
    with output:
        sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        sys.stdout.buffer.flush()


def text(value: str, *, is_error: bool = False) -> dict:
    result: dict = {"content": [{"type": "text", "text": value}]}
    return {**result, "isError": True} if is_error else result


def tool(name: str, **properties: str) -> dict:
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    return {"name": name, "description": f"{name} of the crasher", "inputSchema": schema}


TOOLS = [
    tool("echo", message="string"),
    tool("crash"),
    tool("slow", seconds="number", steps="integer"),
    tool("big", bytes="integer"),
    tool("rpc_error"),
    tool("tool_error"),
    tool("spawn"),
]


def slow(key: str, arguments: dict, token: object) -> dict | None:
    steps = int(arguments.get("steps", 1))
    for step in range(1, steps + 1):
        time.sleep(float(arguments.get("seconds", 1)) / steps)
        if key in cancelled:
            return None
        if token is not None:
            progress = {"progressToken": token, "progress": step, "total": steps}
            send({"method": "notifications/progress", "params": progress})
    return text("done")


def call(request: dict) -> None:
    params = request["params"]
    arguments = params.get("arguments") or {}
    match params["name"]:
        case "echo":
            result = text(str(arguments.get("message", "")))
        case "crash":
            os._exit(CRASH_EXIT_CODE)
        case "slow":
            result = slow(json.dumps(request["id"]), arguments, params.get("_meta", {}).get("progressToken"))
        case "big":
            result = text("x" * int(arguments["bytes"]))
        case "tool_error":
            result = text(MISERY, is_error=True)
        case "spawn":
            result = text(str(subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL).pid))
        case name:
            reason = MISERY if name == "rpc_error" else f"no tool {name}"
            send({"id": request["id"], "error": {"code": -32602, "message": reason}})
            return
    if result is not None:
        send({"id": request["id"], "result": result})


def initialized(params: dict) -> dict:
    return {
        "protocolVersion": params["protocolVersion"],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "crasher", "version": "1"},
    }


def handle(line: bytes) -> None:
    message = json.loads(line)
    method, params = message.get("method"), message.get("params") or {}
    if method in ("tools/call", "notifications/cancelled"):
        append(options.record, line)
    match method:
        case "initialize":
            send({"id": message["id"], "result": initialized(params)})
        case "ping":
            send({"id": message["id"], "result": {}})
        case "tools/list":
            send({"id": message["id"], "result": {"tools": TOOLS}})
        case "tools/call":
            threading.Thread(target=call, args=(message,), daemon=True).start()
        case "notifications/cancelled":
            cancelled.add(json.dumps(params["requestId"]))
        case _ if "id" in message and "method" in message:
            send({"id": message["id"], "error": {"code": -32601, "message": "unknown method"}})


def main() -> None:
    append(options.starts, b"%d\n" % os.getpid())
    if options.starts is not None:
        with open(options.starts, "rb") as file:
            if len(file.readlines()) <= options.crash_first:
                os._exit(CRASH_EXIT_CODE)
    if options.stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        if not options.mute:
            handle(line)
    while options.stubborn:
        time.sleep(60)
    # At once: calls may still be running in threads.
    os._exit(0)


if __name__ == "__main__":
    main()
