"""Approvals and access: what nothing asks for, what is given too easily, what nobody hears of."""

import pytest

ASKING = '@id("ask") @require_approval("support") forbid (principal, action, resource);\n'


@pytest.mark.parametrize(
    ("written", "remark"),
    [
        (
            "rules:\n  - {name: a, role: support}\n",
            "unasked-rule approvals.yaml:2 nothing asks for the approval of `support`",
        ),
        (
            "justifications:\n  ticket: {}\n",
            "unasked-justification approvals.yaml:2 nothing asks for `ticket`",
        ),
        (
            "notifiers:\n  chat: {kind: slack, secret: 'env:X'}\n",
            "unused-notifier approvals.yaml:2 nothing is told to `chat`",
        ),
        (
            "emergency:\n  glass: {people: [erin], role: support, reviewer: support}\n",
            "quiet-emergency approvals.yaml:2 nobody is told when `glass` is used",
        ),
    ],
)
def test_what_is_for_nothing_or_unheard_is_remarked(tidy, said, written, remark):
    tidy.write("approvals.yaml", written)

    assert said(tidy) == [remark]


@pytest.mark.parametrize(
    "policy",
    [
        ASKING,
        (
            '@id("x") forbid (principal, action, resource)'
            ' unless { context.elevation.roles.contains("support") };\n'
        ),
    ],
)
def test_a_rule_that_a_policy_asks_for_is_not(tidy, said, policy):
    tidy.write("approvals.yaml", "rules: [{name: a, role: support}]\n")
    tidy.write("policies/ask.cedar", policy)

    assert said(tidy) == []


def test_a_role_that_policies_name_for_something_else_is(tidy, said):
    tidy.write("approvals.yaml", "rules: [{name: a, role: support}]\n")
    tidy.write(
        "policies/ask.cedar",
        '@id("x") permit (principal, action, resource) when { principal.roles.contains("support") };\n',
    )

    assert [one.split()[0] for one in said(tidy)] == ["unasked-rule"]


def test_a_rule_that_an_offer_asks_for_is_not(tidy, said):
    tidy.write(
        "approvals.yaml",
        "rules: [{name: a, role: support}]\n"
        "access: {one: {role: support, agents: [helper], approver: support}}\n",
    )

    assert said(tidy) == []


@pytest.mark.parametrize(
    "asking",
    [
        ("policies/ask.cedar", '@id("x") @require_justification("ticket") forbid (principal, action, resource);\n'),
        ("rules/r.yaml", "why: {require_justification: {what: ticket}}\n"),
    ],
    ids=["policy", "rule"],
)  # fmt: skip
def test_what_is_asked_for_is_not_remarked(tidy, said, asking):
    tidy.write("approvals.yaml", "justifications: {ticket: {}, reason: {}}\n")
    tidy.write(*asking)

    assert said(tidy) == []


def test_an_approval_with_a_password_alone_is_remarked(tidy, said):
    tidy.write("policies/ask.cedar", ASKING)
    tidy.write("approvals.yaml", "rules:\n  - {name: a, role: support, acr: 'urn:remit:acr:pwd'}\n")

    assert said(tidy) == ["weak-approval approvals.yaml:2 a password alone is enough here"]


@pytest.mark.parametrize("offer", ["scopes: [crm:accounts.delete]", "role: support"])
def test_high_risk_access_that_is_given_at_once_is_remarked(tidy, said, offer):
    tidy.edit(
        "scopes.yaml",
        "crm:accounts.delete: {title: Delete,",
        "crm:accounts.delete: {sensitivity: high, title: Delete,",
    )
    tidy.write("approvals.yaml", f"access:\n  one: {{{offer}, agents: [helper]}}\n")

    assert said(tidy) == [
        "unapproved-access approvals.yaml:2 `crm:accounts.delete` is given to whoever may ask, at once"
    ]


def test_harmless_access_and_access_that_is_approved_are_not(tidy, said):
    tidy.edit(
        "scopes.yaml",
        "crm:accounts.delete: {title: Delete,",
        "crm:accounts.delete: {sensitivity: high, title: Delete,",
    )
    tidy.write(
        "approvals.yaml",
        "access:\n"
        "  one: {scopes: [crm:accounts.read], agents: [helper]}\n"
        "  two: {scopes: [crm:accounts.delete], agents: [helper], approver: support}\n",
    )

    assert said(tidy) == []


def test_a_role_that_is_had_for_a_while_is_reached(tidy, said):
    tidy.append("roles.yaml", "  deployer: {scopes: [crm:notes.read, crm:accounts.read]}\n")
    tidy.write(
        "people.yaml",
        "passwords: false\nproviders:\n  okta:\n    title: Okta\n    issuer: https://okta.example\n"
        "    client_id: remit\n    tenant: acme\n    rules: [{claims: {groups: staff}, roles: [support]}]\n",
    )
    assert [one.split()[0] for one in said(tidy)] == ["unreachable-role"]

    tidy.write("approvals.yaml", "access: {one: {role: deployer, people_roles: [support]}}\n")
    assert said(tidy) == []


def test_nothing_is_said_where_there_is_no_such_file(tidy, said):
    assert said(tidy) == []
