"""What somebody sees who types `remit --help` for the first time."""

import re

import pytest
import typer.main

from remit.cli.main import app
from remit.cli.overview import SECTIONS, in_sections

COMMANDS = typer.main.get_command(app).commands


def test_every_command_stands_in_one_section_and_nothing_else_does():
    shown = [name for _, names in SECTIONS for name in names]
    assert sorted(shown) == sorted(COMMANDS)


def test_what_is_run_first_is_shown_first(cli):
    text = cli("--help").out
    titles = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert titles == ["Options", *(title for title, _ in SECTIONS)]
    order = re.findall(r"^  ([a-z-]+) {2,}\S", text, re.MULTILINE)
    assert [one for one in order if one in COMMANDS][:3] == ["demo", "init", "serve"]
    assert "To begin: remit demo" in text


def test_a_command_that_no_section_has_is_shown_all_the_same():
    assert list(in_sections(["demo", "new"]))[-1] == ("More", ["new"])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_line_is_one_sentence_and_shown_whole(cli, name):
    line = next(one for one in cli("--help").out.splitlines() if one.startswith(f"  {name} "))
    words = line.removeprefix(f"  {name}").strip()
    assert re.fullmatch(r"[A-Z][^.]*(\.(yaml|toml)[^.]*)?\.", words), words
    assert len(line) <= 78
