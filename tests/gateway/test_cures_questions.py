"""What a client is asked to put before its person, and what of its answers is ours."""

import pytest

from remit.clock import EpochSeconds
from remit.gateway.cures_questions import (
    declined,
    form_of,
    from_form,
    justifications_wanted,
    page_first,
    page_of,
    without_mode,
    without_ours,
)
from remit.gateway.jsonrpc import Request
from remit.gateway.questions import problem_with
from remit.guard.elevations import Asked, AskedState
from remit.guard.outcome import Deny, RefusalReason
from remit.model import JustificationField
from tests.gateway.doubles import server_of
from tests.gateway.people import APPROVE, CONFIRM, PAGE, WHY

BOTH = {"elicitation": {"url": {}, "form": {}}}


def asked(**changes):
    fields = {
        "id": "apr_1", "state": AskedState.WAITING, "url": PAGE, "expires_at": EpochSeconds(9),
        "alone": True,
    }  # fmt: skip
    return Asked(**{**fields, **changes})


def call(**params):
    return Request(1, "tools/call", {"name": "pay", "arguments": {"iban": "DE00"}, **params})


@pytest.mark.parametrize("alone", [True, False])
def test_a_page_is_asked_for_without_a_word_of_the_arguments(alone):
    question = page_of(asked(alone=alone), call(), server_of())
    assert problem_with(question["method"], question["params"], BOTH) is None
    assert "`pay` of CRM" in question["params"]["message"]
    assert "DE00" not in str(question)
    assert ("somebody else" in question["params"]["message"]) != alone


def test_what_a_thing_is_called_is_shown_inert():
    read = Request(1, "resources/read", {"uri": "notes://\u202egpj.exe\n" + "x" * 99})
    message = page_of(asked(), read, server_of())["params"]["message"]
    assert message.isprintable()
    assert message.isascii()
    assert len(message) < 200


def test_the_error_of_2025_names_the_page_and_its_request():
    question = page_of(asked(), call(), server_of())
    answer = page_first(call(), question, asked(), detail="d", data={"reason": "r"})
    assert answer.error["code"] == -32042
    [page] = answer.error["data"]["elicitations"]
    assert page == {**question["params"], "elicitationId": "apr_1"}


def test_a_form_asks_for_what_policies_want_to_be_told():
    fields = {
        "ticket": JustificationField(name="ticket", title="Ticket", pattern="T-[0-9]+", longest=9),
        "long": JustificationField(name="long", longest=9_999),
    }
    question = form_of(("reason", "ticket", "long"), fields)
    assert problem_with(question["method"], question["params"], BOTH) is None
    schema = question["params"]["requestedSchema"]
    assert schema["required"] == ["reason", "ticket", "long"]
    assert schema["properties"]["reason"] == {
        "type": "string", "title": "reason", "minLength": 1, "maxLength": 500,
    }  # fmt: skip
    assert schema["properties"]["ticket"]["maxLength"] == 9
    assert "T-[0-9]+" in schema["properties"]["ticket"]["description"]
    assert schema["properties"]["long"]["maxLength"] == 500
    assert "mode" not in without_mode(question)


def test_what_is_wanted_is_named_once():
    deny = Deny(
        decision_id="d", reason=RefusalReason.APPROVAL_NEEDED, detail="",
        needs=(APPROVE, WHY, CONFIRM, WHY),
    )  # fmt: skip
    assert justifications_wanted(deny) == ("reason",)


@pytest.mark.parametrize(
    "answer",
    [
        None, [], "accept", {}, {"action": "decline"}, {"action": "cancel"},
        {"action": ["accept"], "content": {"a": "b"}}, {"action": "decline", "content": {"a": "b"}},
    ],
)  # fmt: skip
def test_what_is_not_accepted_is_declined(answer):
    assert declined(answer)
    assert from_form(answer) is None


@pytest.mark.parametrize("content", [None, {}, [], "x"])
def test_an_empty_form_says_nothing(content):
    assert from_form({"action": "accept", "content": content}) is None
    assert from_form({"action": "accept", "content": {"a": "b"}}) == {"a": "b"}


def test_our_answers_are_taken_out_of_what_goes_up():
    own = {"remit/approval": {"action": "accept"}, "remit/justification": {}}
    request, answers = without_ours(call(inputResponses={**own, "colour": {}}))
    assert (request.params["inputResponses"], answers) == ({"colour": {}}, own)
    request, answers = without_ours(call(inputResponses=own))
    assert "inputResponses" not in request.params
    for none in (call(), call(inputResponses=[]), call(inputResponses={"colour": {}})):
        assert without_ours(none) == (none, {})
