"""What annotations say, read, and when a question has it."""

from dataclasses import replace

import pytest

from remit.clock import EpochSeconds
from remit.policy.duties import (
    age_of,
    condition_of,
    is_met,
    is_observed,
    limit_of,
    obligations_of,
    strengths_of,
)
from remit.policy.evaluation import Elevation
from remit.policy.obligation import Obligation, ObligationKind


def one(kind, value):
    return Obligation(kind=ObligationKind(kind), value=value, rule="r")


def test_annotations_become_obligations_of_their_rule():
    said = {"id": "r", "redact": "a, b , a", "limit": " 10/1h ", "refusal": "no", "mode": "observe"}
    assert obligations_of(said, "r") == (
        one("redact", "a"), one("redact", "b"), one("limit", "10/1h"),
    )  # fmt: skip
    assert is_observed(said)
    assert not is_observed({"mode": "enforce"})
    assert not is_observed({})


@pytest.mark.parametrize(
    ("text", "calls", "window"),
    [("1/1s", 1, 1), ("10/1h", 10, 3600), ("999999/366d", 999999, 366 * 86400)],
)
def test_a_limit_is_calls_and_a_window(text, calls, window):
    limit = limit_of(text)
    assert (limit.calls, limit.window) == (calls, window)


@pytest.mark.parametrize("text", ["", "10", "1/h", "0/1h", "1/0h", "1/367d", "a/1h", "1/1w"])
def test_what_is_no_limit_is_none(text):
    assert limit_of(text) is None


def test_an_age_and_a_strength_are_told_apart():
    assert age_of("5m") == 300
    assert age_of("urn:remit:acr:mfa") is None
    assert strengths_of("urn:remit:acr:mfa") == ("urn:remit:acr:mfa", "urn:remit:acr:phr")
    assert strengths_of("5m") == ()


CONFIRMED = Elevation(acr="urn:remit:acr:mfa", confirmed_at=EpochSeconds(1))


@pytest.mark.parametrize(
    ("obligation", "changes", "met"),
    [
        (one("require_justification", "reason"), {}, False),
        (one("require_justification", "reason"), {"justification": "INC-7"}, True),
        (one("require_justification", "ticket"), {"justification": "INC-7"}, True),
        (one("require_justification", "ticket"), {"justification": '{"ticket":"INC-7"}'}, True),
        (one("require_justification", "ticket"), {"justification": '{"reason":"asked"}'}, False),
        (one("require_justification", "reason"), {"justification": '{"ticket":"reason"}'}, False),
        (one("require_justification", "account"), {}, True),
        (one("require_justification", "account"), {"arguments": {"account": ""}}, False),
        (one("require_justification", "account"), {"arguments": {"account": " \t"}}, False),
        (
            one("require_justification", "account"),
            {"arguments": {"account": "\x00\x1b\u200b"}},
            False,
        ),
        (
            one("require_justification", "account"),
            {"arguments": {"account": "\u3164\u2800 -."}},
            False,
        ),
        (one("require_justification", "account"), {"arguments": {"account": "7"}}, True),
        (one("require_justification", "account"), {"arguments": {"account": "理由"}}, True),
        (one("require_approval", "finance"), {}, False),
        (one("redact", "account"), {}, True),
        (one("limit", "1/1h"), {}, True),
        (one("require_approval", "finance"), {"elevation": Elevation(roles=("sales",))}, False),
        (one("require_approval", "finance"), {"elevation": Elevation(roles=("finance",))}, True),
        (one("require_scope", "crm:a.b"), {}, False),
        (one("require_scope", "crm:a.b"), {"elevation": Elevation(scopes=("crm:a.b",))}, True),
        (one("confirm", "urn:remit:acr:mfa"), {}, False),
        (one("confirm", "urn:remit:acr:mfa"), {"elevation": CONFIRMED}, True),
        (one("confirm", "urn:remit:acr:phr"), {"elevation": CONFIRMED}, False),
        (one("step_up", "urn:remit:acr:mfa"), {"elevation": CONFIRMED}, True),
        (one("step_up", "5m"), {}, False),
        (one("step_up", "urn:remit:acr:mfa"), {}, False),
    ],
)
def test_a_question_has_what_is_asked_for_or_has_not(desk, obligation, changes, met):
    assert is_met(obligation, desk.ask(**changes)) is met


@pytest.mark.parametrize(
    ("acr", "auth_time", "strong", "fresh"),
    [
        ("urn:remit:acr:phr", -300, True, True),
        ("urn:remit:acr:mfa", -301, True, False),
        ("urn:remit:acr:pwd", 0, False, True),
        ("gold", 60, False, True),
    ],
)
def test_a_log_in_is_strong_or_fresh_enough(desk, acr, auth_time, strong, fresh):
    asked = desk.ask()
    at = asked.context.now + auth_time
    asked = replace(asked, token=replace(asked.token, acr=acr, auth_time=at))
    assert is_met(one("step_up", "urn:remit:acr:mfa"), asked) is strong
    assert is_met(one("step_up", "5m"), asked) is fresh


def test_a_limit_is_no_condition_and_what_is_kept_out_of_the_log_asks_for_none():
    assert condition_of(one("limit", "1/1h")) is None
    assert condition_of(one("redact", "account")) == ""
