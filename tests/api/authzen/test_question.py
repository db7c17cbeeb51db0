"""Reading one question: every member that may be missing or of another type."""

import copy

import pytest

from remit.api.authzen.question import BadQuestionError, question_of
from remit.policy import ResourceKind

WHOLE = {
    "subject": {"type": "user", "id": "usr_1", "properties": {"access_token": "t.o.k"}},
    "action": {"name": "tools/call", "properties": {"arguments": {"amount": 5}}},
    "resource": {"type": "tool", "id": "refund", "properties": {"server": "payments"}},
    "context": {"ip": "192.0.2.7", "time": "1985-10-26T01:22-07:00"},
}


def changed(path, value):
    document = copy.deepcopy(WHOLE)
    holder = document
    for name in path[:-1]:
        holder = holder[name]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return document


def test_a_whole_question():
    question = question_of(WHOLE, server="payments")
    assert question.kind is ResourceKind.TOOL
    assert (question.subject_type, question.subject_id, question.token) == (
        "user",
        "usr_1",
        "t.o.k",
    )
    assert (question.action, question.name) == ("tools/call", "refund")
    assert question.arguments == {"amount": 5}
    assert question.ip == "192.0.2.7"
    assert question.proof is None
    assert question.justification is None
    told = changed(("context", "justification"), " ticket 7 ")
    assert question_of(told, server="payments").justification == "ticket 7"


def test_members_that_nobody_knows_are_ignored():
    document = changed(("context", "unheard_of"), [1]) | {"unheard_of": {}}
    assert question_of(document, server="payments") == question_of(WHOLE, server="payments")


def test_neither_the_token_nor_the_arguments_are_printed():
    printed = repr(question_of(WHOLE, server="payments"))
    assert "t.o.k" not in printed
    assert "amount" not in printed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("subject",), ...),
        (("subject",), "usr_1"),
        (("subject", "id"), ...),
        (("subject", "id"), 7),
        (("subject", "type"), ""),
        (("subject", "properties"), ...),
        (("subject", "properties"), []),
        (("subject", "properties", "access_token"), ""),
        (("subject", "properties", "access_token"), "two words"),
        (("subject", "properties", "access_token"), "t\u00f6ken"),
        (("action",), ...),
        (("action", "name"), None),
        (("action", "properties", "arguments"), [1]),
        (("resource",), ...),
        (("resource", "id"), ...),
        (("resource", "id"), "x" * 5_000),
        (("resource", "type"), 1),
        (("resource", "properties", "server"), "crm"),
        (("resource", "properties", "server"), None),
        (("context",), "now"),
        (("context", "ip"), "here"),
        (("context", "justification"), 7),
        (("context", "justification"), "two\nlines"),
        (("context", "justification"), "x" * 501),
        (("context", "ip"), 7),
        (("context", "dpop"), "proof"),
        (("context", "dpop"), {"proof": "p", "method": "POST"}),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_missing_or_of_another_type_is_a_bad_question(path, value):
    with pytest.raises(BadQuestionError):
        question_of(changed(path, value), server="payments")


@pytest.mark.parametrize(
    ("action", "kind", "known"),
    [
        ("tools/call", "tool", ResourceKind.TOOL),
        ("resources/read", "resource", ResourceKind.RESOURCE),
        ("prompts/get", "prompt", ResourceKind.PROMPT),
        ("completion/complete", "prompt", ResourceKind.PROMPT),
        ("tools/call", "prompt", None),
        ("tools/list", "tool", None),
        ("Tools/call", "tool", None),
        ("tools/call", "Tool", None),
        ("can_read", "document", None),
    ],
)
def test_an_action_fits_things_of_one_kind(action, kind, known):
    document = changed(("action", "name"), action)
    document["resource"]["type"] = kind
    assert question_of(document, server="payments").kind is known
