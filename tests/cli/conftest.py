"""The command line in this process: `main()` with arguments, and what it printed."""

import asyncio
import io
import logging
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from remit.app import build
from remit.cli.main import main
from remit.repository import write_example
from remit.settings import Settings


@dataclass(frozen=True)
class Done:
    """What a command printed and how it exited."""

    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture(scope="session")
def _opened_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a migrated database and its keys."""
    folder = tmp_path_factory.mktemp("opened")
    write_example(folder / "policy")

    async def once() -> None:
        async with build(Settings(repo=folder / "policy", data=folder / "data"), environ={}):
            pass

    asyncio.run(once())
    return folder / "data"


@pytest.fixture
def folder(tmp_path: Path, _opened_once: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: `policy` is the example, `data` has been opened before."""
    write_example(tmp_path / "policy")
    (tmp_path / "data").mkdir(mode=0o700)
    for name in ("remit.sqlite3", "master.key"):
        shutil.copy(_opened_once / name, tmp_path / "data" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    for name in [name for name in os.environ if name.startswith("REMIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["remit", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
            structlog.reset_defaults()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err, printed.err
        return Done(code, printed.out, printed.err)

    return run


@pytest.fixture
def dana(cli: Cli, folder: Path) -> str:
    """A person who may log in; her name."""
    done = cli(
        "users", "add", "dana", "--tenant", "acme", "--role", "support", "--password-stdin",
        stdin="correct horse battery staple\n",
    )  # fmt: skip
    assert done.code == 0, done.err
    return "dana"
