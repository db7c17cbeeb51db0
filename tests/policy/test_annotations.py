"""An annotation means something, of the policy that it stands on, or the policy is not loaded."""

import pytest

CALLS = '(principal, action in Remit::Action::"call", resource)'
REFUND = '(principal, action == Remit::Action::"payments/refund", resource)'


def said(desk, text):
    return [problem.message for problem in desk.check(text)]


@pytest.mark.parametrize(
    "annotations",
    [
        '@step_up("5m")', '@step_up("urn:remit:acr:phr")', '@require_approval("finance")',
        '@require_justification("patient_consent_id")', '@redact("amount")', '@redact("amount, urgent")',
        '@mode("enforce")', '@mode("observe") @require_justification("reason")',
        '@description("why") @owner("finance") @refusal("no")',
    ],
)  # fmt: skip
def test_what_says_something_is_taken(desk, annotations):
    assert said(desk, f'@id("x") {annotations} forbid{REFUND};') == []


def test_a_permit_may_be_limited(desk):
    assert said(desk, f'@id("x") @limit("10/1h") permit{REFUND};') == []


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ('@refusl("no")', "unknown annotation `refusl`; did you mean `refusal`?"),
        ('@step_up("soon")', "`@step_up` cannot be read: `soon`"),
        ('@step_up("urn:remit:acr:mfx")', "did you mean `urn:remit:acr:mfa`?"),
        ('@step_up("0m")', "cannot be read"),
        ('@step_up("900000d")', "cannot be read"),
        ('@require_approval("finanse")', "unknown role `finanse`; did you mean `finance`?"),
        ('@require_approval("")', "unknown role"),
        ('@require_justification("The reason")', "`@require_justification` cannot be read"),
        ('@require_justification("")', "cannot be read"),
        ('@redact("amuont")', "unknown argument `amuont`; did you mean `amount`?"),
        ('@redact("amount, account")', "unknown argument `account`"),
        ('@redact("")', "unknown argument"),
        ('@limit("10/1h")', "a `forbid` lets nothing through that could be limited"),
        ('@mode("observing")', "unknown `@mode` `observing`; did you mean `observe`?"),
    ],
)
def test_what_says_nothing_is_refused_with_what_was_meant(desk, annotations, message):
    (problem,) = desk.check(f'\n@id("x") {annotations}\nforbid{REFUND};')
    assert message in problem.message
    assert problem.line == 2


@pytest.mark.parametrize("value", ["10", "10/h", "0/1h", "10/0h", "1/9999999d", "10 / 1h", "-1/1h"])
def test_a_limit_is_so_many_calls_in_so_long(desk, value):
    (problem,) = desk.check(f'@id("x") @limit("{value}") permit{REFUND};')
    assert "`@limit` cannot be read" in problem.message
    assert "`10/1h`" in problem.expected


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ('@refusal("no")', "a `permit` refuses nothing, so its `@refusal` is never shown"),
        ('@mode("observe")', "a `permit` refuses nothing, so there is nothing to observe"),
    ],
)
def test_what_makes_no_sense_of_a_permit_is_refused(desk, annotation, message):
    assert said(desk, f'@id("x") {annotation} permit{REFUND};') == [message]


@pytest.mark.parametrize(
    "head",
    ["(principal, action, resource)", '(principal, action == Remit::Action::"issue", resource)'],
)
def test_nothing_is_asked_for_where_tokens_are_issued(desk, head):
    """No token would ever be: nobody justifies, approves or counts there."""
    (problem,) = desk.check(f'@id("x") @require_justification("reason") forbid{head};')
    assert "issuing tokens" in problem.message
    assert 'Remit::Action::"call"' in problem.expected


def test_a_policy_about_nothing_with_arguments_has_none_to_redact(desk):
    head = '(principal, action == Remit::Action::"crm/export_accounts", resource)'
    (problem,) = desk.check(f'@id("x") @redact("account") forbid{head};')
    assert "unknown argument `account`" in problem.message
    assert said(desk, f'@id("x") @redact("account") forbid{CALLS};') == []
