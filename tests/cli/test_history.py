import json

import pytest

from remit.cli.exits import ExitCode
from remit.cli.history import length, worth

FACTS = "a_sum: {measure: sum, argument: amount, currency: USD, window: 1d}"


@pytest.fixture
def _declared(folder):
    root = folder / "policy" / "remit.yaml"
    text = root.read_text()
    if "\nhistory:\n" in text:
        root.write_text(text.replace("\nhistory:\n", f"\nhistory:\n  {FACTS}\n", 1))
    else:
        root.write_text(f"{text}\nhistory:\n  {FACTS}\n")


@pytest.mark.usefixtures("_declared")
def test_what_the_facts_come_to_is_shown_and_forgotten(cli, dana):
    whose = ("--agent", "support-assistant", "--user", dana)
    shown = cli("history", "show", *whose)
    assert "a_sum" in shown.out
    assert "0.00 USD" in shown.out
    found = json.loads(cli("history", "show", *whose, "--json").out)
    assert (found["tenant"], found["agent"]) == ("acme", "support-assistant")
    assert (
        cli("history", "forget", *whose, "--reason", "a mistake", "--yes").out
        == "0 uses forgotten\n"
    )


@pytest.mark.usefixtures("_declared")
def test_nobody_is_forgotten_unless_it_is_meant(cli, dana):
    assert cli("history", "show").code == ExitCode.USAGE
    assert cli("history", "show", "--tenant", "acme").code == ExitCode.USAGE
    assert cli("history", "forget", "--user", dana).code == ExitCode.USAGE
    assert cli("history", "forget", "--user", dana, "--reason", "x").code == ExitCode.FOUND_WRONG
    assert cli("history", "show", "--user", "nobody").code == ExitCode.FOUND_WRONG


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("4800.0000", "4,800.00 USD"),
        ("0.1234", "0.1234 USD"),
        ("1234567.8900", "1,234,567.89 USD"),
        (True, "yes"),
        (False, "no"),
        (1234, "1,234"),
        (["crm/get"], "crm/get"),
        ([], "nothing"),
        (None, "(not said whose)"),
    ],
    ids=str,
)
def test_values_are_written_as_people_write_them(value, words):
    assert worth({"value": value, "currency": "USD" if isinstance(value, str) else None}) == words


def test_lengths_are_written_as_the_repository_writes_them():
    assert [length(one) for one in (86_400, 3_600, 5_400, 90)] == ["1d", "1h", "90m", "90s"]
