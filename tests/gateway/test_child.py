"""How a child process is started, and what of our own it sees."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.child import Child, Launch
from remit.gateway.upstream.process_limits import ProcessLimits, family_of
from tests.gateway.doubles import until


def test_the_child_sees_four_of_our_variables_and_those_it_was_given():
    launch = Launch(name="x", command=("python",), environment={"KEY": "v", "TZ": "UTC"})
    own = {
        "PATH": "/bin",
        "HOME": "/h",
        "LANG": "C",
        "TZ": "CET",
        "REMIT_MASTER_KEY": "k",
        "AWS_SECRET": "s",
    }
    assert launch.variables(own) == {
        "PATH": "/bin",
        "HOME": "/h",
        "LANG": "C",
        "TZ": "UTC",
        "KEY": "v",
    }


def test_python_as_first_word_is_the_interpreter_that_runs_remit():
    assert Launch(name="x", command=("python", "-m", "m")).argv() == (sys.executable, "-m", "m")


def test_another_program_is_started_as_it_is_named():
    assert Launch(name="x", command=("/opt/python", "python")).argv() == ("/opt/python", "python")


class Running:
    """`greedy.py`, told what to do line by line."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[dict] = asyncio.Queue()
        self.ended = asyncio.Event()
        self.child: Child | None = None

    async def start(self, **more) -> "Running":
        launch = Launch(name="greedy", command=("python", GREEDY), **more)
        self.child = await Child.start(
            launch,
            on_line=lambda line: self.lines.put_nowait(json.loads(line)),
            on_exit=self.ended.set,
        )
        return self

    async def do(self, what: str, **more):
        await self.child.write(json.dumps({"do": what, **more}).encode(), seconds=30)
        async with asyncio.timeout(60):
            return (await self.lines.get())["answer"]

    async def tell(self, what: str, **more) -> None:
        await self.child.write(json.dumps({"do": what, **more}).encode(), seconds=30)

    async def end(self) -> None:
        async with asyncio.timeout(60):
            await self.ended.wait()


@pytest.fixture
async def running():
    opened = Running()
    yield opened
    if opened.child is not None:
        await opened.child.stop()


def _is_there(pid: int) -> bool:
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


async def test_the_child_has_no_file_but_its_streams_and_leads_a_session(running, tmp_path):
    with (tmp_path / "open").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        await running.start(working_directory=str(tmp_path))
        seen = await running.do("surroundings")
    assert [one for one in seen["files"] if one > 3] == []  # the fourth is the folder it lists
    assert seen["session"] == seen["group"] == seen["pid"]
    assert seen["folder"] == str(tmp_path)
    assert (seen["core"], seen["argv"]) == (0, [])


async def test_the_environment_is_what_was_allowed_and_nothing_of_remits(running, monkeypatch):
    monkeypatch.setenv("REMIT_MASTER_KEY", "master")
    monkeypatch.setenv("REMIT_DATABASE_URL", "postgresql://u:p@h/d")
    monkeypatch.setenv("SOME_TOKEN", "t")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ca.pem")
    await running.start(
        environment={"OWN": "1"}, inherit=("SSL_CERT_FILE", "NOT_SET", "REMIT_MASTER_KEY")
    )
    environment = (await running.do("surroundings"))["environment"]
    assert environment["SSL_CERT_FILE"] == "/etc/ca.pem"
    assert set(environment) <= {"PATH", "HOME", "LANG", "TZ", "OWN", "SSL_CERT_FILE", "LC_CTYPE"}
    assert environment["OWN"] == "1"
    assert not {"master", "t", "postgresql://u:p@h/d"} & set(environment.values())


async def test_a_locale_that_was_given_stays(running):
    await running.start(environment={"LC_CTYPE": "C.UTF-8"})
    assert (await running.do("surroundings"))["environment"]["LC_CTYPE"] == "C.UTF-8"


async def test_memory_beyond_the_limit_is_refused_by_the_kernel(running):
    await running.start(limits=ProcessLimits(memory_bytes=512 * 1024 * 1024))
    assert await running.do("memory", megabytes=8) == "taken"
    assert await running.do("memory", megabytes=1024) == "refused"


async def test_files_beyond_the_limit_are_refused_by_the_kernel(running):
    await running.start(limits=ProcessLimits(open_files=32))
    assert await running.do("files", count=100) == "refused"


async def test_a_process_that_uses_up_its_time_ends_and_it_is_said_why(running):
    await running.start(limits=ProcessLimits(cpu_seconds=1))
    await running.tell("burn")
    await running.end()
    assert "processor time" in running.child.why_ended


async def test_a_family_that_grows_too_large_is_ended_to_the_last(running, caplog):
    await running.start(limits=ProcessLimits(processes=8))
    pid = (await running.do("surroundings"))["pid"]
    await running.tell("children", count=40)
    await running.end()
    await until(lambda: not family_of(pid))
    assert "too many" in running.child.why_ended
    assert "more than 8 processes" in caplog.text


async def test_a_family_within_its_limit_is_left_alone(running):
    await running.start(limits=ProcessLimits(processes=8))
    assert await running.do("children", count=3) == "taken"
    pid = (await running.do("surroundings"))["pid"]
    assert len(family_of(pid)) == 4


async def test_who_does_not_listen_is_killed_with_whom_they_left_behind(running):
    await running.start()
    orphan = await running.do("orphan")
    assert await running.do("linger") == "lingering"
    assert _is_there(orphan)
    await running.child.stop()
    await until(lambda: not _is_there(orphan))
    assert not running.child.running


async def test_who_ends_takes_along_whom_they_left_behind(running):
    await running.start()
    orphan = await running.do("orphan")
    await running.tell("exit")
    await running.end()
    await until(lambda: not _is_there(orphan))


async def test_the_child_dies_with_remit_however_remit_dies(tmp_path):
    """The parent is killed where it stands: nothing of it can tidy up."""
    remit = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, GREEDY, stdout=asyncio.subprocess.PIPE
    )
    pid = int(await remit.stdout.readline())
    assert _is_there(pid)
    remit.kill()
    await remit.wait()
    await until(lambda: not _is_there(pid))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"command": ("no-such-program",)}, "the program is not there"),
        ({"command": ("/no/such/program",)}, "the program is not there"),
        ({"command": ("./no-such-program",)}, "the program is not there"),
        ({"command": ("python",), "working_directory": "/no/such"}, "the working directory"),
    ],
    ids=["name", "path", "relative", "folder"],
)
async def test_what_cannot_be_started_is_said_without_a_path(more, says):
    with pytest.raises(UpstreamError, match=says) as refused:
        await Child.start(Launch(name="x", **more), on_line=lambda _: None, on_exit=lambda: None)
    assert "/" not in refused.value.detail


async def test_a_program_is_found_beneath_its_working_directory(running, tmp_path):
    program = tmp_path / "serve"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {GREEDY}\n")
    program.chmod(0o755)
    launch = Launch(name="x", command=("./serve",), working_directory=str(tmp_path))
    running.child = await Child.start(
        launch,
        on_line=lambda line: running.lines.put_nowait(json.loads(line)),
        on_exit=running.ended.set,
    )
    assert (await running.do("surroundings"))["folder"] == str(tmp_path)


GREEDY = str(Path(__file__).parent / "servers" / "greedy.py")
PARENT = """
import asyncio, json, sys
from remit.gateway.upstream.child import Child, Launch

async def main():
    lines = asyncio.Queue()
    child = await Child.start(
        Launch(name="x", command=("python", sys.argv[1])), on_line=lines.put_nowait, on_exit=lambda: None
    )
    await child.write(b'{"do": "surroundings"}', seconds=30)
    print(json.loads(await lines.get())["answer"]["pid"], flush=True)
    await child.write(b'{"do": "linger"}', seconds=30)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_stop_that_has_no_time_left_leaves_no_process_behind(running):
    await running.start()
    pid = (await running.do("surroundings"))["pid"]
    assert await running.do("linger") == "lingering"
    stopping = asyncio.create_task(running.child.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    assert stopping.cancelled()
    await until(lambda: not _is_there(pid))
