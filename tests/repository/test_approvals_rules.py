import pytest

from .conftest import Repository

SERVER = """\
title: Payments
owner: pay@acme.example
shared: true
environment: dev
upstream: {http: {url: 'https://pay.example/mcp'}}
tools:
  refund:
    operation: write
    scopes: [crm:accounts.write]
    sensitivity: low
    arguments: {amount: {type: money, currency: USD}, score: {type: decimal}}
  ping: {operation: read, scopes: [crm:accounts.read], sensitivity: low}
"""
RULE = "{name: %s, role: support%s}"


@pytest.fixture
def paying(repository: Repository) -> Repository:
    repository.write("servers/payments.yaml", SERVER)
    return repository.edit("roles.yaml", "roles:\n", "roles:\n  boss: {scopes: []}\n")


def rules(*written: str) -> str:
    return "rules:\n" + "".join(
        f"  - {RULE % (f'r{place}', f', {one}' if one else '')}\n"
        for place, one in enumerate(written)
    )


@pytest.mark.parametrize(
    "written",
    [
        rules("tools: [payments/refund], above: 100, currency: USD", ""),
        rules("above: 100, currency: USD", "above: 5, currency: USD"),
        rules("above: 1", "servers: [crm]"),
        rules("servers: [crm]", "servers: [crm, payments]"),
        rules("environments: [dev]", "environments: [prod]"),
        rules("escalation: {after: 1m, role: boss}"),
        "access: {one: {role: support, people_roles: [support], justification: [reason]}}\n",
        (
            "justifications: {ticket: {}}\n"
            "access: {one: {role: support, people_roles: [support], justification: [ticket]}}\n"
        ),
        "notifiers: {one: {kind: webhook, url: 'http://127.0.0.1:8/x', secret: 'env:X', private_network: true}}\n",
        "notifiers: {one: {kind: webhook, url: 'https://10.0.0.1/x', secret: 'env:X', private_network: true}}\n",
    ],
)
def test_what_can_hold_is_admitted(paying: Repository, written: str) -> None:
    assert paying.write("approvals.yaml", written).said() == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (rules("tools: [payments/refnd]"), "2 unknown thing `payments/refnd`; did you mean"),
        (rules("tools: [refund]"), "2 unknown thing `refund`"),
        (rules("servers: [crm], tools: [payments/refund]"), "2 no call is one of these"),
        (rules("servers: [crm], environments: [dev]"), "2 no call is one of these"),
        (rules("servers: [crm], above: 5, currency: USD"), "an argument that is money in USD"),
        (rules("above: 5, currency: EUR"), "an argument that is money in EUR"),
        (rules("servers: [crm], above: 5"), "an argument that is a decimal"),
        (rules("", ""), "3 the rule `r0` leaves nothing to this one"),
        (rules("servers: [crm, payments]", "servers: [crm]"), "3 the rule `r0` leaves nothing"),
        (rules("", "above: 5, currency: USD"), "3 the rule `r0` leaves nothing"),
        (
            rules("above: 5, currency: USD", "above: 5, currency: USD, servers: [payments]"),
            "3 the rule `r0` leaves nothing",
        ),
        (
            rules("escalation: {after: 1m, role: support}"),
            "2 those with the role `support` are asked already",
        ),
        (
            "access: {one: {scopes: ['crm:accounts.write'], agents: [helper]}}\n",
            "1 `helper` may not hold the scope `crm:accounts.write`",
        ),
        ("rules: [{name: a, role: support}, {name: a, role: boss}]\n", "`a` stands here twice"),
        (
            "access: {one: {role: support, people_roles: [support], justification: [ticket]}}\n",
            "1 unknown justification `ticket`",
        ),
        (
            "emergency: {one: {people: [a], role: support, reviewer: support, justification: [reson]}}\n",
            "did you mean `reason`?",
        ),
        (
            "notifiers: {one: {kind: webhook, url: 'http://hooks.example/x', secret: 'env:X'}}\n",
            "in the clear",
        ),
        (
            "notifiers: {one: {kind: webhook, url: 'http://127.0.0.1/x', secret: 'env:X'}}\n",
            "in the clear",
        ),
        (
            "notifiers: {one: {kind: slack, url: 'https://192.168.0.1/x'}}\n",
            "is a private address",
        ),
    ],
)
def test_what_cannot_is_refused_once(paying: Repository, written: str, said: str) -> None:
    found = paying.write("approvals.yaml", written).said()

    assert [said in one for one in found] == [True], found


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("rules: [{name: a, role: suport}]\n", "unknown role `suport`; did you mean `support`?"),
        ("rules: [{name: a, role: support, servers: [crn]}]\n", "unknown server `crn`"),
        ("rules: [{name: a, role: support, environments: [qa]}]\n", "unknown environment `qa`"),
        ("rules: [{name: a, role: support, notify: [x]}]\n", "unknown notifier `x`"),
        (
            "rules: [{name: a, role: support, escalation: {after: 1m, role: x}}]\n",
            "unknown role `x`",
        ),
        ("access: {a: {role: x, people_roles: [support]}}\n", "unknown role `x`"),
        ("access: {a: {role: support, people_roles: [x]}}\n", "unknown role `x`"),
        ("access: {a: {role: support, agents: [x]}}\n", "unknown agent `x`"),
        ("access: {a: {role: support, agents: [helper], approver: x}}\n", "unknown role `x`"),
        ("access: {a: {scopes: ['crm:x.read'], agents: [helper]}}\n", "unknown scope `crm:x.read`"),
        ("access: {a: {role: support, agents: [helper], servers: [x]}}\n", "server `x`"),
        ("emergency: {a: {people: [p], role: x, reviewer: support}}\n", "unknown role `x`"),
        ("emergency: {a: {people: [p], role: support, reviewer: x}}\n", "unknown role `x`"),
        (
            "emergency: {a: {people: [p], role: support, reviewer: support, notify: [x]}}\n",
            "unknown notifier `x`",
        ),
    ],
)
def test_a_name_that_nothing_declares_is_refused(
    paying: Repository, written: str, said: str
) -> None:
    found = paying.write("approvals.yaml", written).problems()

    assert [said in one.message for one in found] == [True], found
    assert found[0].code == "reference"


def test_a_server_that_cannot_be_read_is_not_taken_for_nothing(paying: Repository) -> None:
    paying.write("servers/payments.yaml", "title: [\n")
    found = paying.write("approvals.yaml", rules("tools: [payments/refund]")).problems()

    assert {one.file for one in found} == {"servers/payments.yaml"}


def test_what_is_wrong_has_the_code_of_its_kind(paying: Repository) -> None:
    found = paying.write("approvals.yaml", rules("", "")).problems()

    assert [one.code for one in found] == ["approval"]
