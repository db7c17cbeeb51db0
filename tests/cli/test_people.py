import json

import pytest

from remit.cli import people
from remit.cli.exits import ExitCode

ADD = ("users", "add", "dana", "--tenant", "acme", "--password-stdin")
PASSWORD = "correct horse battery staple\n"


def test_nobody_yet_says_how_to_begin(cli, folder):
    done = cli("users", "list")
    assert (done.code, done.out) == (0, "")
    assert "remit users add NAME" in done.err


def test_a_person_is_added_and_listed(cli, dana):
    assert "dana" in cli("users", "list").out
    (user,) = json.loads(cli("users", "list", "--json").out)
    assert (user["username"], user["roles"], user["state"]) == ("dana", ["support"], "active")


def test_attributes_and_roles_are_kept(cli, folder):
    done = cli(
        *ADD, "--role", "support", "--role", "finance", "--attribute", "department=finance",
        "--display-name", "Dana Reyes", "--json", stdin=PASSWORD,
    )  # fmt: skip
    user = json.loads(done.out)
    assert user["attributes"] == {"department": "finance"}
    assert user["roles"] == ["support", "finance"]
    assert user["display_name"] == "Dana Reyes"


@pytest.mark.parametrize("pair", ["department", "=finance"])
def test_an_attribute_that_is_no_pair_is_refused(cli, folder, pair):
    assert cli(*ADD, "--attribute", pair, stdin=PASSWORD).code == ExitCode.USAGE


def test_a_password_is_never_an_argument(cli, folder):
    assert cli("users", "add", "dana", "--tenant", "acme", "--password", "x").code == ExitCode.USAGE


def test_without_a_terminal_the_password_must_be_asked_for_in_so_many_words(cli, folder):
    done = cli("users", "add", "dana", "--tenant", "acme", stdin=PASSWORD)
    assert done.code == ExitCode.FOUND_WRONG
    assert "--password-stdin" in done.err


def test_on_a_terminal_the_password_is_asked_for_hidden_and_twice(monkeypatch):
    asked = {}

    def prompt(text: str, **options: object) -> str:
        asked.update(options)
        return "typed"

    monkeypatch.setattr(people.sys, "stdin", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setattr(people.typer, "prompt", prompt)
    assert people._password(from_stdin=False) == "typed"
    assert asked == {"hide_input": True, "confirmation_prompt": True, "err": True}


@pytest.mark.parametrize(("stdin", "reason"), [("\n", "is empty"), ("short\n", "at least 12")])
def test_a_password_that_may_not_be_is_refused(cli, folder, stdin, reason):
    done = cli(*ADD, stdin=stdin)
    assert done.code == ExitCode.FOUND_WRONG
    assert reason in done.err


def test_disabled_and_enabled_again(cli, dana):
    assert cli("users", "disable", dana, "--reason", "left").out == "dana is disabled\n"
    again = cli("users", "disable", dana)
    assert again.code == ExitCode.FOUND_WRONG
    assert "disabled already" in again.err
    assert cli("users", "enable", dana).out == "dana is active\n"


def test_somebody_who_is_not_there_cannot_be_disabled(cli, folder):
    done = cli("users", "disable", "nobody")
    assert done.code == ExitCode.FOUND_WRONG
    assert "no such account" in done.err


def test_a_person_is_changed_and_a_change_that_contradicts_itself_is_not_made(cli, dana):
    done = cli(
        "users", "change", dana, "--role", "finance", "--no-role", "support",
        "--attribute", "floor=3", "--display-name", "Dana Reyes",
    )  # fmt: skip
    assert done.out == "dana is changed (Dana Reyes; finance; floor=3)\n", done.err
    done = cli("users", "change", dana, "--no-attribute", "floor", "--json")
    assert json.loads(done.out)["attributes"] == {}
    for wrong in (("--no-role", "support"), ("--role", "emperor"), ("--role", "finance"), ()):
        assert cli("users", "change", dana, *wrong).code == ExitCode.FOUND_WRONG
    contradiction = ("--attribute", "floor=3", "--no-attribute", "floor")
    assert cli("users", "change", dana, *contradiction).code == ExitCode.USAGE
    assert cli("users", "change", "nobody", "--role", "finance").code == ExitCode.FOUND_WRONG
