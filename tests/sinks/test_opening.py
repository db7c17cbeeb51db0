"""One of ours, or the plug-in that is named; and nothing that merely lies around."""

import dataclasses
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from remit.clock import SystemClock
from remit.errors import NotFoundError
from remit.model import SinkRules
from remit.sinks import opening
from remit.sinks.opening import KINDS, open_sink, settings_of
from remit.sinks.port import BatchRules
from remit.sinks.receivers.options import SinkMisdeclaredError
from tests.sinks.made import settings

URLS = {"syslog": "tls://localhost:6514", "archive": "/srv/archive"}


class Kept:
    """A plug-in. `told` is what each of them was told."""

    told: ClassVar = []

    def __init__(self, settings):
        self.told.append(settings)

    @property
    def batch(self):
        return BatchRules()

    async def send(self, shipments): ...

    async def close(self): ...


def broken(settings):
    raise RuntimeError("a secret: hunter2")


def misdeclared(settings):
    raise SinkMisdeclaredError("it wants a url")


def no_sink(settings):
    return object()


@pytest.fixture
def installed(monkeypatch):
    """Have these plug-ins be installed: names and what they lead to in this module."""

    def install(*pairs):
        found = [EntryPoint(name, f"{__name__}:{target}", opening.GROUP) for name, target in pairs]
        monkeypatch.setattr(
            opening, "entry_points", lambda group, name: [e for e in found if e.name == name]
        )
        targets = {"Kept": Kept, "broken": broken, "no_sink": no_sink, "misdeclared": misdeclared}
        monkeypatch.setattr(EntryPoint, "load", lambda self: targets[self.attr])

    return install


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_ours_is_opened_by_its_name(kind):
    form = "json"
    sink = open_sink(kind, settings(URLS.get(kind, "https://localhost/"), form=form))
    assert sink.batch.records > 0


async def test_a_plug_in_is_told_what_the_repository_says_of_it(installed):
    installed(("kept", "Kept"))
    sink = open_sink("kept", settings("kept://x", colour="red"))
    assert sink.batch == BatchRules()
    assert Kept.told[-1].options["colour"] == "red"
    assert Kept.told[-1].read_secret() == "b3f1-token"
    await sink.close()


def test_ours_are_not_replaced_by_what_is_installed(installed):
    installed(("webhook", "Kept"))
    assert not isinstance(open_sink("webhook", settings("https://localhost/")), Kept)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ((), "no sink `kept` is known"),
        ((("kept", "Kept"), ("kept", "broken")), "more than one"),
        ((("kept", "broken"),), "RuntimeError"),
        ((("kept", "no_sink"),), "is no sink"),
        ((("kept", "misdeclared"),), "it wants a url"),
    ],
)
def test_what_is_no_plug_in_is_refused_without_its_words(installed, pairs, said):
    installed(*pairs)
    with pytest.raises(SinkMisdeclaredError, match=said) as raised:
        open_sink("kept", settings("kept://x"))
    assert "hunter2" not in str(raised.value)


def test_a_form_that_there_is_not_is_refused():
    rules = SinkRules(name="siem", kind="webhook", form="leef")
    with pytest.raises(SinkMisdeclaredError, match="form"):
        settings_of(rules, read_secret=lambda _: "x", clock=SystemClock())


def test_a_secret_is_read_each_time_and_stands_in_no_repr():
    secrets = iter(("one", "two"))
    rules = SinkRules(name="siem", kind="webhook", secret="env:X")
    made = settings_of(rules, read_secret=lambda _: next(secrets), clock=SystemClock())
    assert (made.read_secret(), made.read_secret()) == ("one", "two")
    assert "env:X" not in repr(made)
    none = settings_of(
        dataclasses.replace(rules, secret=None), read_secret=_never, clock=SystemClock()
    )
    assert none.read_secret() is None


def _never(_):
    raise NotFoundError("nobody asked for a secret")
