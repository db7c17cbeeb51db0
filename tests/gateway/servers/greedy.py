"""A server over standard streams that takes what it is told to take. One JSON object a line, `do` says what."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

_HELD = []


def _memory(megabytes: int) -> str:
    try:
        _HELD.append(bytearray(megabytes * 1024 * 1024))
    except MemoryError:
        return "refused"
    return "taken"


def _files(count: int) -> str:
    try:
        for _ in range(count):
            _HELD.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return "refused"
    return "taken"


def _children(count: int) -> str:
    for _ in range(count):
        _HELD.append(subprocess.Popen(["sleep", "300"]))
    return "taken"


def _orphan() -> int:
    """A child of a child whose parent is gone, and which holds the pipes open."""
    script = "import subprocess; print(subprocess.Popen(['sleep','300']).pid, flush=True)"
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(run.stdout.readline())
    run.wait()
    return pid


def _burn() -> None:
    while True:
        pass


def answer(asked: dict) -> object:
    match asked["do"]:
        case "memory":
            return _memory(asked["megabytes"])
        case "files":
            return _files(asked["count"])
        case "children":
            return _children(asked["count"])
        case "orphan":
            return _orphan()
        case "burn":
            _burn()
        case "surroundings":
            return {
                "environment": dict(os.environ),
                "files": sorted(int(one.name) for one in Path("/proc/self/fd").iterdir()),
                "session": os.getsid(0),
                "group": os.getpgid(0),
                "pid": os.getpid(),
                "folder": str(Path.cwd()),
                "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
                "ignored": signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN,
                "argv": sys.argv[1:],
            }
        case "exit":
            os._exit(asked.get("code", 3))
    return None


def say(value: object) -> None:
    sys.stdout.write(json.dumps({"answer": value}) + "\n")
    sys.stdout.flush()


for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "linger":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("lingering")
        while True:
            time.sleep(60)
    say(answer(asked))
