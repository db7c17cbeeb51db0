"""Whether people have answered, as somebody asks who waits for it. Its store, `answered_store`, is tried here, too."""

import pytest

from remit.approvals.answered import DatabaseAnswers
from remit.approvals.request import Verdict


@pytest.fixture
def answers(office):
    return DatabaseAnswers(office.database, office.clock)


async def test_what_waits_is_not_answered(office, answers):
    request = await office.asked()
    assert await answers.answered(frozenset({request})) == frozenset()
    assert await answers.answered(frozenset()) == frozenset()


@pytest.mark.parametrize("verdict", [Verdict.APPROVED, Verdict.REFUSED])
async def test_what_somebody_said_is_answered_whatever_it_was(office, answers, verdict):
    request = await office.asked()
    waits = await office.asked(office.refund("700.00"))
    await office.answers("ada", request, verdict, reason="because")
    assert await answers.answered(frozenset({request, waits})) == {request}


async def test_what_has_expired_is_waited_for_no_more_before_anybody_has_ended_it(office, answers):
    request = await office.asked()
    office.later(3_600)
    assert await answers.answered(frozenset({request})) == {request}


async def test_what_nobody_knows_is_waited_for_no_more(answers):
    assert await answers.answered(frozenset({"apr_unknown", ""})) == {"apr_unknown", ""}
