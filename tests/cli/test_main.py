import subprocess
import sys

import pytest

from remit.cli import main as room
from remit.cli.exits import ExitCode


def test_help_names_every_command(cli):
    done = cli("--help")
    assert done.code == 0
    for name in ("init", "serve", "users", "agents", "clients", "grants", "audit", "check", "demo",
                 "doctor", "reload", "version"):  # fmt: skip
        assert f"\n  {name} " in done.out


def test_help_imports_none_of_the_rooms_behind_the_commands():
    script = (
        "import sys; from remit.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'starlette', 'uvicorn', 'httpx2', 'pydantic', 'rich', 'cryptography',"
        " 'mcp', 'cedarpy', 'yaml', 'structlog'}\n"
        "found = heavy & {name.split('.')[0] for name in sys.modules}\n"
        "sys.exit(f'{sorted(found)}' if found else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["users", "add"], ["serve", "--prot", "1"]])
def test_a_command_line_that_cannot_be_understood_is_usage(cli, arguments):
    done = cli(*arguments)
    assert done.code == ExitCode.USAGE
    assert "Error" in done.err


def test_a_command_without_its_verb_shows_help(cli):
    assert "Commands:" in cli("users").out + cli("users").err


@pytest.mark.parametrize(
    "arguments",
    [("test", "--repo", "policy", "--junit"), ("bundles", "build", "--repo", "policy", "--out")],
    ids=["junit", "bundle"],
)
def test_a_file_that_cannot_be_written_is_no_defect(cli, folder, arguments):
    done = cli(*arguments, str(folder / "nowhere" / "file"))
    assert done.code == ExitCode.FOUND_WRONG
    assert "nowhere/" in done.err
    assert "`: no such file or directory\n  next: " in done.err
    assert "unforeseen" not in done.err


def test_what_nobody_foresaw_is_told_without_a_traceback(cli, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("a secret inside")

    monkeypatch.setattr(room, "app", broken)
    done = cli("version")
    assert done.code == ExitCode.DEFECT
    assert "RuntimeError" in done.err
    assert "secret" not in done.err


def test_an_interrupt_is_no_error_message(cli, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "app", interrupted)
    done = cli("version")
    assert (done.code, done.out, done.err) == (ExitCode.INTERRUPTED, "", "")
