import json

import pytest

from remit.cli import confirmation
from remit.cli.confirmation import NotConfirmedError, confirm
from remit.cli.exits import ExitCode


class Terminal:
    def isatty(self):
        return True


def test_without_a_terminal_it_takes_a_word(cli, folder):
    done = cli("keys", "rotate", "--now")
    assert done.code == ExitCode.FOUND_WRONG
    assert "--yes" in done.err
    (key,) = json.loads(cli("keys", "list", "--json").out)
    assert key["state"] == "signs"


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_the_person_is_asked(monkeypatch, answer):
    monkeypatch.setattr(confirmation.sys, "stdin", Terminal())
    monkeypatch.setattr(confirmation.typer, "confirm", lambda *_, **__: answer)
    if answer:
        confirm("Really?", yes=False)
    else:
        with pytest.raises(NotConfirmedError):
            confirm("Really?", yes=False)
