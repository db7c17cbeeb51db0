"""A policy as it is evaluated: a forbid with what cures it as one more condition."""

import pytest

from remit.policy import PolicySource
from remit.policy.check import checked_policies
from remit.policy.engines.cedar_held import held

HEAD = '(principal, action in Remit::Action::"call", resource)'


def policy(text):
    policies, problems = checked_policies([PolicySource(text, "p.cedar")], None)
    assert problems == []
    (one,) = held(policies)
    return one


@pytest.mark.parametrize(
    ("annotation", "cure"),
    [
        ('@require_justification("reason")', "context has justification"),
        ('@step_up("5m")', "context.authentication.age_seconds <= 300"),
        ('@step_up("5m")', "context.elevation.age_seconds <= 300"),
        ('@step_up("urn:remit:acr:mfa")', '["urn:remit:acr:mfa", "urn:remit:acr:phr"]'),
        ('@confirm("urn:remit:acr:phr")', '["urn:remit:acr:phr"].contains(context.elevation.acr)'),
        ('@require_approval("boss")', 'context.elevation.roles.contains("boss")'),
        ('@require_scope("a:b.c")', 'context.token.scopes.contains("a:b.c")'),
        ('@require_scope("a:b.c")', 'context.elevation.scopes.contains("a:b.c")'),
    ],
)
def test_a_forbid_does_not_match_what_is_cured(annotation, cure):
    one = policy(f'@id("x") {annotation} forbid{HEAD};')
    assert cure in one.evaluated.text
    assert one.evaluated.tree.clauses
    assert cure not in one.written.text


@pytest.mark.parametrize(
    "text",
    [
        f'@id("x") @require_justification("reason") permit{HEAD};',
        f'@id("x") @redact("a") forbid{HEAD};',
        f'@id("x") forbid{HEAD};',
    ],
    ids=["permit", "redact", "plain"],
)
def test_what_no_question_can_cure_is_evaluated_as_it_is_written(text):
    one = policy(text)
    assert one.evaluated is one.written


def test_a_remark_at_the_end_hides_no_condition():
    one = policy(f'@id("x") @step_up("5m") forbid{HEAD} // until\n;')
    assert len(one.evaluated.tree.clauses) == 1


@pytest.mark.parametrize(
    ("annotation", "later"),
    [
        ('@step_up("5m")', True),
        ('@require_approval("b")', True),
        ('@confirm("urn:remit:acr:mfa")', True),
        ('@require_scope("a:b.c")', True),
        ('@require_justification("r")', False),
    ],
)
def test_what_a_list_cannot_tell_is_said(annotation, later):
    assert policy(f'@id("x") {annotation} forbid{HEAD};').is_cured_later is later
    assert not policy(f'@id("x") {annotation} permit{HEAD};').is_cured_later


def test_a_policy_on_trial_is_known():
    assert policy(f'@id("x") @mode("observe") forbid{HEAD};').on_trial
    assert not policy(f'@id("x") @mode("enforce") forbid{HEAD};').on_trial
