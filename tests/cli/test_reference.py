from pathlib import Path

from remit.cli.exits import ExitCode
from remit.cli.reference import render

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_commands_say():
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "run `python -m remit.cli.reference > docs/reference/cli.md`"
    )


def test_every_exit_code_is_on_the_page():
    page = render()
    for code in ExitCode:
        assert f"\n| {code.value} | " in page


def test_every_command_is_on_the_page():
    page = render()
    for command in (
        "serve",
        "users add NAME",
        "agents suspend AGENT",
        "audit verify DIR",
        "doctor",
    ):
        assert f"\n## `remit {command}`\n" in page


def test_every_option_on_the_page_says_what_it_does_and_what_it_takes():
    page = render()
    assert "|  |" not in page, "an option that nobody is told of is on no page"
    assert "| `--format FORMAT` | text, json, markdown or html. [default: text] |" in page
