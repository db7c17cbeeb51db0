"""What the guides show: files that check, and commands that exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from remit.cli.main import app
from remit.repository import check_repository, write_example

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs/guides").glob("*.md"))
_FENCE = re.compile(r'^```yaml title="([^"]+)"\n(.*?)^```', re.DOTALL | re.MULTILINE)
_CONSOLE = re.compile(r"^ *```console\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def _sections(text: str) -> dict[str, str]:
    """The top-level keys of a YAML text, each with all that stands below it."""
    parts = re.split(r"^(?=[^\s#][^\n]*:)", text, flags=re.MULTILINE)
    return {re.split(r":\s", part)[0]: part for part in parts}


def _put(path: Path, text: str) -> None:
    """`text` in place of what the file has under the same keys; the rest of the file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    there = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text("\n".join((there | _sections(text)).values()), encoding="utf-8")


def _named(page: Path) -> list[tuple[str, str]]:
    return _FENCE.findall(page.read_text(encoding="utf-8"))


def _remit_commands(page: Path) -> Iterator[list[str]]:
    for block in _CONSOLE.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
            words = [one for one in words if not re.match(r"[A-Z_]+=", one)]
            words = words[1:] if words[:1] == ["uvx"] else words
            if line.strip().startswith("$ ") and words[:1] == ["remit"]:
                yield words[1:]


@pytest.mark.parametrize("page", [one for one in GUIDES if _named(one)], ids=lambda one: one.stem)
def test_every_file_that_a_guide_shows_checks_within_the_example(page, tmp_path):
    """All of a page together, and then each block once more: a page may show one file twice."""
    write_example(tmp_path / "policy")
    for name, text in _named(page):
        _put(tmp_path / "policy" / name, text)
    for name, text in _named(page):
        _put(tmp_path / "policy" / name, text)
        problems = check_repository(tmp_path / "policy").problems
        assert [f"{one.file}:{one.line} {one.message}" for one in problems] == [], name


@pytest.mark.parametrize(
    "page", [one for one in GUIDES if any(_remit_commands(one))], ids=lambda one: one.stem
)
def test_every_command_that_a_guide_shows_exists_with_its_options(page):
    for words in _remit_commands(page):
        command, rest = typer.main.get_command(app), list(words)
        while hasattr(command, "commands"):
            assert rest, words
            assert rest[0] in command.commands, words
            command = command.commands[rest.pop(0)]
        options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        assert {one.split("=")[0] for one in rest if one.startswith("--")} <= options, words
