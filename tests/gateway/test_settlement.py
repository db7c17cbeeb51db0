"""Every permit is settled once, with what the caller got."""

import hashlib

import pytest

from remit.audit.context import Context
from remit.canonical import canonical_bytes
from remit.gateway.jsonrpc import Response
from remit.gateway.settlement import Settlement
from remit.guard.call import Call
from remit.guard.outcome import Permit, RefusalReason
from remit.testing import FixedClock
from tests.gateway.doubles import DECISION, ListGuard, token_of

CALL = Call(server="crm", method="tools/call", authorization=(), context=Context())
PERMIT = Permit(decision_id="dec_1", token=token_of("dana"), decision=DECISION)


@pytest.fixture
def guard():
    return ListGuard()


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def settlement(guard, clock):
    return Settlement(guard, CALL, PERMIT, clock=clock)


async def test_the_account_holds_size_digest_and_time_of_what_was_sent(settlement, guard, clock):
    clock.advance(0.25)
    result = {"content": [{"text": "x"}]}
    assert await settlement.answered(Response(1, result=result), upstream_status=200) is None
    [(_, account)] = guard.completed
    body = canonical_bytes(result)
    assert (account.outcome, account.size, account.upstream_status) == ("ok", len(body), 200)
    assert account.output_digest == hashlib.sha256(body).hexdigest()
    assert account.micros == 250_000


async def test_it_is_settled_once(settlement, guard):
    await settlement.failed()
    await settlement.answered(Response(1, result={}), upstream_status=200)
    await settlement.given_up()
    assert guard.outcomes == ["upstream_failed"]


async def test_a_full_log_is_a_refusal(settlement, guard):
    guard.log_full = True
    refused = await settlement.answered(Response(1, result={}), upstream_status=200)
    assert refused.reason is RefusalReason.AUDIT_UNAVAILABLE


async def test_what_nobody_decided_has_no_account(guard, clock):
    settlement = Settlement(guard, CALL, None, clock=clock)
    await settlement.answered(Response(1, result={}), upstream_status=200)
    await settlement.given_up()
    assert guard.completed == []
