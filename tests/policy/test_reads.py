"""What a policy looks at is told from its text; what cannot be told counts as everything."""

import pytest
from cedarpy import PolicySet

from remit.policy.reads import EVERYTHING, Reads, path_of, reads_of, union_of


def tree(condition, head="principal, action, resource"):
    text = f"permit({head}) when {{ {condition} }};"
    return next(iter(PolicySet.from_str(text).to_pst().static_policies.values()))


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        ("true", set()),
        ('resource.owner == "x" && action == action', set()),
        ("principal is Remit::User", set()),
        ('principal == Remit::User::"x"', {("principal",)}),
        ('[principal].contains(Remit::User::"x")', {("principal",)}),
        ('principal.roles.contains("x")', {("principal", "roles")}),
        ('principal.hasTag("x") && principal.getTag("x") == "y"', {("principal", "()")}),
        (
            "principal.hasTag(context.token.purpose)",
            {("principal", "()"), ("context", "token", "purpose")},
        ),
        ("context.time.hour > 1", {("context", "time", "hour")}),
        ("context.token has acr", {("context", "token", "acr")}),
        ("context has ip", {("context", "ip")}),
        (
            'if context.ip.isLoopback() then context.agent.id == "a" else -context.time.minute < 0',
            {("context", "ip"), ("context", "agent", "id"), ("context", "time", "minute")},
        ),
        ('{"a": context.time.hour} == {"a": 1}', {("context", "time", "hour")}),
        (
            'context.agent == {"id": "a", "class": "b", "owner": "c"}',
            {("context", "agent", name) for name in ("id", "class", "owner")},
        ),
        ('context.agent.owner like "a*"', {("context", "agent", "owner")}),
    ],
)
def test_what_is_read_is_told(condition, facts):
    reads = reads_of(tree(condition))
    assert reads == Reads(facts=frozenset(facts))


@pytest.mark.parametrize(
    "condition",
    [
        'Remit::User::"x".id == "x"',
        'Remit::User::"x" has roles',
        'Remit::User::"x".hasTag("y")',
        "(if true then principal else resource).id == principal.id",
        "{a: principal}.a.id == principal.id",
        'context.weather == "wet"',
        "context == context",
        "principal.shoes == 42",
    ],
)
def test_what_is_not_understood_reads_everything(condition):
    everything = reads_of(tree(condition)) | EVERYTHING
    assert reads_of(tree(condition)) == everything == EVERYTHING


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("context.arguments.a == context.arguments.b.c", {"a", "b"}),
        ("context.arguments has a", {"a"}),
        ("context has arguments.a", None),
        ("context has arguments", None),
        ("context.arguments == {}", None),
    ],
)
def test_arguments_are_told_by_name(condition, names):
    reads = reads_of(tree(condition))
    assert reads.arguments == (None if names is None else frozenset(names))
    assert reads.facts == {("context", "arguments")}


@pytest.mark.parametrize(
    ("head", "facts"),
    [
        ("principal, action, resource", set()),
        ("principal is Remit::User, action, resource", set()),
        ('principal == Remit::User::"x", action, resource', {("principal",)}),
        ('principal in Remit::User::"x", action, resource', {("principal",)}),
        ('principal is Remit::User in Remit::User::"x", action, resource', {("principal",)}),
        ('principal, action, resource in Remit::Server::"x"', set()),
    ],
)
def test_a_head_reads_who_it_is_if_it_says_who(head, facts):
    assert reads_of(tree("true", head)).facts == facts


def test_unless_reads_like_when():
    text = "permit(principal, action, resource) unless { context.time.hour > 1 };"
    (policy,) = PolicySet.from_str(text).to_pst().static_policies.values()
    assert reads_of(policy).facts == {("context", "time", "hour")}


def test_several_read_what_any_of_them_reads():
    one, other = (
        reads_of(tree(text)) for text in ("context.arguments.a == 1", "context.arguments == {}")
    )
    assert union_of([one]).arguments == {"a"}
    assert union_of([one, other]).arguments is None
    assert union_of([]) == Reads()


def test_a_path_begins_with_a_variable():
    (clause,) = tree("context.time.hour == 1").clauses
    assert path_of(clause.expr.left) == ("context", "time", "hour")
    assert path_of(clause.expr.right) is None
