"""What is wrong with a sink is said when the repository is checked, and not by a receiver that stays silent."""

import pytest

from remit.sinks.declared import DECLARED
from remit.sinks.opening import KINDS

from .conftest import Repository

SINK = "sinks: {one: {kind: %s, url: 'https://a.example/', %s}}\n"


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        ("splunk", "options: {index: audit, ack: required, begin: now}"),
        ("elastic", "form: ecs, options: {auth: basic}"),
        ("webhook", "form: cef, options: {confirm: true, timeout: 5}"),
        ("kafka", "options: {topic: audit}"),
        ("archive", "options: {every: 44}"),
        ("archive", "alert_after: 2m, options: {every: 60}"),
    ],
)
def test_what_a_sink_knows_is_admitted(repository: Repository, kind: str, rest: str) -> None:
    assert repository.write("audit.yaml", SINK % (kind, rest)).said() == []


@pytest.mark.parametrize(
    ("kind", "rest", "said"),
    [
        ("splunk", "options: {indx: audit}", "unknown option `indx`; did you mean `index`?"),
        ("webhook", "options: {confrim: true}", "did you mean `confirm`?"),
        ("otlp", "options: {confirm: true}", "unknown option `confirm`"),
        ("elastic", "form: cef", "`cef` is not taken there"),
        ("archive", "options: {every: 60}", "kept back for 60 s, and 45 s behind is an alert"),
        ("archive", "alert_after: 10s", "kept back for 30 s, and 10 s behind is an alert"),
    ],
)
def test_what_a_sink_does_not_know_is_refused(
    repository: Repository, kind: str, rest: str, said: str
) -> None:
    (found,) = repository.write("audit.yaml", SINK % (kind, rest)).said()
    assert said in found


def test_every_sink_of_ours_is_declared() -> None:
    assert set(DECLARED) == set(KINDS)
