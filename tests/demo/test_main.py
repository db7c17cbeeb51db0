"""`remit demo` as people run it: a process in a terminal."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from remit.demo import main
from remit.demo.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PATIENCE = 200
LAST_LINE = re.compile(r"audit log verified: \d+ records")

# A browser that does what the person in the story does; it reads the password off the terminal.
BROWSER = """
import asyncio, pathlib, re, sys
import httpx2
from remit.demo.person import Person
terminal, visits = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
url = sys.argv[3]
password = re.search(r"your password is (\\S+)", terminal.read_text())[1]
visits.write_text(visits.read_text() + "x" if visits.exists() else "x")
again = len(visits.read_text()) == 2
keeps = lambda scope: scope != "crm:accounts.write" and not again
redirect = re.search(r"redirect_uri=([^&]+)", url)[1].replace("%3A", ":").replace("%2F", "/")
dana = Person(username="dana", password=password, keeps=keeps)
httpx2.get(asyncio.run(dana.walk(url, redirect)))
"""


def _environment(**extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("REMIT_")}
    return {**kept, "COLUMNS": "200", "PYTHONUNBUFFERED": "1", **extra}


def _demo(*options: str) -> list[str]:
    return [sys.executable, "-m", "remit", "demo", *options]


@pytest.fixture
def tmp_path():
    """A folder with a short name: the path of a socket may have about a hundred characters."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


def test_the_demonstration_ends_with_a_verified_log_and_leaves_nothing(tmp_path):
    # A setting of the user's own must not reach the stage.
    environment = _environment(TMPDIR=str(tmp_path), REMIT_PORT="1", REMIT_HOST="192.0.2.1")
    done = subprocess.run(
        _demo(), env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert LAST_LINE.fullmatch(done.stdout.splitlines()[-1].strip())
    assert [int(n) for n in re.findall(r"^ ?(\d+)  \S", done.stdout, re.MULTILINE)] == list(
        range(1, 18)
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert list(tmp_path.glob("remit-demo-*")) == []


def test_a_demonstration_that_cannot_begin_fails_and_says_where_to_look(tmp_path):
    # Too long a path for the management socket.
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    done = subprocess.run(
        _demo(), env=_environment(TMPDIR=str(folder)), capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the demonstration failed: remit did not start" in done.stdout
    assert "everything it wrote is in" in done.stdout
    assert "audit log verified" not in done.stdout


def test_a_step_that_goes_otherwise_fails_the_demonstration(monkeypatch, capsys, tmp_path, serving):
    """A Remit that lets strangers in: the first step says so, and the exit code too."""

    @asynccontextmanager
    async def gullible(folder):
        async with serving(lambda *_: (200, {}, "welcome")) as url:
            yield Stage(folder=folder, url=url, username="d", password="p", ready_seconds=0)

    monkeypatch.setattr(main, "set_up", gullible)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert main.run_demo() == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "the demonstration failed: the story expected 401, got 200" in told
    assert "audit log verified" not in told
    (kept,) = tmp_path.glob("remit-demo-*")
    assert str(kept) in told.replace(" ", "")


def test_interrupted_before_the_end_it_has_shown_nothing(tmp_path):
    with _running(tmp_path) as process:
        _until(process, tmp_path / "terminal", "A stranger knocks")
        _press_ctrl_c(process)
        assert process.wait(PATIENCE) == 130
    assert "Traceback" not in (tmp_path / "terminal").read_text()
    assert list(tmp_path.glob("remit-demo-*")) == []


def test_a_person_of_flesh_walks_it_and_it_stays_until_it_is_told_to_end(tmp_path):
    script = tmp_path / "browser.py"
    script.write_text(BROWSER)
    terminal, visits = tmp_path / "terminal", tmp_path / "visits"
    browser = f"{sys.executable} {script} {terminal} {visits} %s"
    with _running(tmp_path, "--interactive", "--stay", BROWSER=browser) as process:
        _until(process, terminal, "Ctrl-C ends it all")
        told = terminal.read_text()
        assert visits.read_text() == "xxx"
        (crm,) = set(re.findall(r"claude mcp add --transport http crm (\S+)", told))
        assert f'"url": "{crm}"' in told
        assert "log in as dana with the password" in told
        assert httpx2.get(crm, timeout=30).status_code == 401
        _press_ctrl_c(process)
        assert process.wait(PATIENCE) == 0, terminal.read_text()
    with pytest.raises(httpx2.TransportError):
        httpx2.get(crm, timeout=30)
    assert LAST_LINE.fullmatch(terminal.read_text().splitlines()[-1].strip())
    assert list(tmp_path.glob("remit-demo-*")) == []


class _running:  # noqa: N801  used as a verb
    """A demonstration in the background, writing to the file `terminal`."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        with (folder / "terminal").open("wb") as output:
            self._process = subprocess.Popen(
                _demo(*options),
                env=_environment(TMPDIR=str(folder), **environment),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def __enter__(self) -> "subprocess.Popen[bytes]":
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            _press_ctrl_c(self._process)
            self._process.wait(PATIENCE)


def _press_ctrl_c(process: "subprocess.Popen[bytes]") -> None:
    """What a terminal does: the signal goes to the demonstration and to everything it started."""
    os.killpg(process.pid, signal.SIGINT)


def _until(process: "subprocess.Popen[bytes]", terminal: Path, words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while words not in terminal.read_text():
        assert process.poll() is None, terminal.read_text()
        assert time.monotonic() < deadline, terminal.read_text()
        time.sleep(0.05)
