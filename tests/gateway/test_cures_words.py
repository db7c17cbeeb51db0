"""What is said in words where nobody can be shown a page; a link only while it leads to something."""

import pytest

from remit.clock import EpochSeconds
from remit.gateway.cures_words import said_in_words
from remit.gateway.jsonrpc import Request
from remit.gateway.protocol import Era
from remit.guard.challenge import refusal_response
from remit.guard.elevations import Asked, AskedState
from remit.guard.outcome import Deny, RefusalReason
from tests.gateway.people import APPROVE, CONFIRM, PAGE


def words(*needs, method="tools/call", era=Era.MODERN, **changes):
    fields = {
        "id": "apr_1", "state": AskedState.WAITING, "url": PAGE,
        "expires_at": EpochSeconds(1_800_000_000), "alone": True,
    }  # fmt: skip
    asked = Asked(**{**fields, **changes})
    deny = Deny(
        decision_id="dec_1", reason=RefusalReason.APPROVAL_NEEDED, detail="not without a yes.",
        needs=needs, asked=asked,
    )  # fmt: skip
    refusal = refusal_response(deny, resource_metadata_url="https://x")
    return said_in_words(Request(7, method, {}), refusal, asked, era=era)


def text_of(answer):
    return answer.result["content"][0]["text"]


@pytest.mark.parametrize("era", list(Era))
def test_of_a_tool_it_is_its_result_with_all_that_a_program_wants_to_know(era):
    result = words(CONFIRM, era=era).result
    assert (result["isError"], result.get("resultType")) == (
        True,
        "complete" if era is Era.MODERN else None,
    )
    data = result["_meta"]["remit/refusal"]
    assert data["reason"] == "approval_needed"
    assert data["missing"] == {"confirm": "urn:remit:acr:mfa"}
    assert data["decision"] == "dec_1"
    assert data["request"]["url"] == PAGE


def test_it_says_what_to_do_and_until_when():
    text = text_of(words(CONFIRM))
    assert text.startswith("not without a yes. Ask the person")
    assert PAGE in text
    assert "2027-01-15 08:00 UTC" in text
    other = text_of(words(APPROVE, alone=False))
    assert "Somebody else was asked" in other
    assert PAGE in other


@pytest.mark.parametrize("state", [AskedState.REFUSED, AskedState.EXHAUSTED])
def test_where_nothing_is_to_be_had_any_more_there_is_no_link(state):
    answer = words(CONFIRM, state=state)
    assert PAGE.encode() not in answer.to_bytes()
    assert "do not repeat it" in text_of(answer)


def test_a_reason_is_repeated_on_one_line_and_not_at_any_length():
    text = text_of(words(CONFIRM, state=AskedState.REFUSED, reason="no\r\n\u202e" + "x" * 999))
    assert text.isprintable()
    assert "`nox" in text
    assert len(text) < 400
    assert "()" not in text_of(words(CONFIRM, state=AskedState.REFUSED, reason=" \n"))


@pytest.mark.parametrize("method", ["resources/read", "prompts/get", "completion/complete"])
def test_of_anything_else_it_is_an_error_of_the_protocol(method):
    answer = words(APPROVE, method=method)
    assert (answer.error["code"], answer.result) == (1021, None)
    assert answer.error["data"]["request"]["url"] == PAGE
