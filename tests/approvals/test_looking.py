"""Looking at a request, and what is in whose inbox."""

from dataclasses import replace

import pytest

from remit.approvals import looking
from remit.approvals.desk import Desk
from remit.approvals.elevations import DatabaseElevations
from remit.approvals.errors import (
    AlreadyAnsweredError,
    NotAskedError,
    RequestEndedError,
    RequestExpiredError,
)
from remit.approvals.request import RequestState
from remit.approvals.who_may import Demand
from remit.audit.approval_events import ApprovalOpened
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, ApprovalRule
from remit.secrets import MasterKey, SecretBox


async def _inbox(office, name):
    return [one.id for one in await office.desk.inbox(await office.person(name))]


async def test_each_has_in_their_inbox_what_is_theirs_to_answer(office):
    confirm = await office.asked()
    office.later(1)
    approve = await office.asked(office.update())
    office.later(1)
    both = await office.asked(office.refund("6000.00"))
    assert await _inbox(office, "ada") == [confirm, both]
    assert await _inbox(office, "bob") == [approve, both]
    assert await _inbox(office, "eve") == []
    assert await _inbox(office, "fay") == []


async def test_however_much_waits_for_others_before_it_is_shown(office, monkeypatch):
    monkeypatch.setattr(looking, "_MOST", 2)
    for number in range(3):
        await office.asked(office.refund(f"60{number}.00"))
    mine = [await office.asked(office.update(name=f"name {number}")) for number in range(2)]
    assert sorted(await _inbox(office, "bob")) == sorted(mine)


async def test_what_is_answered_over_or_lapsed_is_in_nobodys(office):
    office.use_approvals(rules=(ApprovalRule(name="r", role="manager", quorum=2),))
    request_id = await office.asked(office.update())
    await office.answers("bob", request_id)
    assert await _inbox(office, "bob") == []
    assert await _inbox(office, "cyn") == [request_id]
    office.later(900)
    assert await _inbox(office, "cyn") == []


async def test_the_inbox_has_what_will_be_sent(office):
    await office.asked(office.refund("612.34"))
    (request,) = await office.desk.inbox(await office.person("ada"))
    assert request.arguments == {"amount": {"value": "612.34", "currency": "EUR"}}


async def test_a_list_for_administrators_has_no_arguments(office):
    await office.asked()
    office.later(1)
    second = await office.asked(office.update())
    every = await office.desk.requests("acme")
    assert [one.arguments for one in every] == [None, None]
    assert every[0].id == second
    last = (every[0].created_at, every[0].id)
    assert await office.desk.requests("acme", before=last) == (every[1],)
    assert await office.desk.requests("globex") == ()
    assert await office.desk.requests("acme", state=RequestState.REFUSED) == ()


async def test_what_does_not_open_keeps_nothing_else_from_an_inbox(office):
    await office.asked(office.update(name="sealed by another"))
    box = SecretBox(MasterKey(bytes(range(1, 33))))
    office.deps = replace(office.deps, box=box)
    office.desk, office.elevations = Desk(office.deps), DatabaseElevations(office.deps)
    office.guard = office.new_guard()
    legible = await office.asked(office.update(name="ours"))
    assert await _inbox(office, "bob") == [legible]


async def test_it_is_recorded_once_that_they_were_shown_the_same_words(office, events):
    request_id = await office.asked()
    ada = await office.person("ada")
    for shown in ("a", "a", "b"):
        await office.desk.opened(request_id, ada, shown=shown, context=office.context)
    assert [one.shown for one in events.of(ApprovalOpened)] == ["a", "b"]
    request = await office.desk.read(request_id, ada)
    assert request.opened_at == office.clock.now()


async def test_who_only_looks_on_opens_nothing(office, events):
    request_id = await office.asked(office.update())
    ada = await office.person("ada")
    await office.desk.opened(request_id, ada, shown="a", context=office.context)
    assert not events.of(ApprovalOpened)


async def test_how_they_have_to_log_in_is_told_before_they_answer(office):
    request_id = await office.asked(office.update())
    assert await office.desk.demand(request_id, await office.person("bob")) is None
    weak = await office.person("bob", acr=ACR_PASSWORD)
    demand = await office.desk.demand(request_id, weak)
    assert demand == Demand(acr=ACR_MULTI_FACTOR, max_age=None)
    with pytest.raises(NotAskedError):
        await office.desk.demand(request_id, await office.person("ada"))


async def test_nothing_is_demanded_of_who_cannot_answer_any_more(office):
    request_id = await office.asked(office.update())
    await office.answers("bob", request_id)
    with pytest.raises(AlreadyAnsweredError):
        await office.desk.demand(request_id, await office.person("bob"))
    with pytest.raises(RequestEndedError):
        await office.desk.demand(request_id, await office.person("cyn"))
    late = await office.asked(office.update(score=1))
    office.later(900)
    with pytest.raises(RequestExpiredError):
        await office.desk.demand(late, await office.person("bob"))
