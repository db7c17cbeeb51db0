"""A guard without a memory asks whoever has one; what it is not told it does not decide."""

import asyncio

import pytest

from remit.api.guards import HistoryAnswers
from remit.api.guards.history import BadUseError
from remit.embedded.remit_door import RemitUnavailableError
from remit.embedded.remote_past import RemotePast
from remit.guard import Deny, Permit, RefusalReason
from tests.guard.conftest import URL
from tests.history.conftest import AT_MOST, THREE_AN_HOUR, Remembering


class Door:
    """Remit's own answers, without a wire; `away` and `says` are what else may come."""

    def __init__(self, world):
        self.answers = HistoryAnswers(
            directory=world.directory,
            verifier=world.verifier,
            past=world.past,
            clock=world.clock,
            public_url=URL,
        )
        self.world, self.away, self.says = world, False, None
        self.asked = []

    async def history(self, question):
        self.asked.append(question["do"])
        if self.away:
            raise RemitUnavailableError("remit cannot be reached")
        if self.says is not None:
            return self.says
        server = "payments" if question["name"] == "refund" else "crm"
        try:
            return await self.answers.answer(self.world.directory.catalog.servers[server], question)
        except BadUseError as error:
            raise RemitUnavailableError("remit refused", status=400, cause=error) from error


@pytest.fixture
def world(clock, database):
    return Remembering(clock, database)


@pytest.fixture
def door(world):
    found = Door(world)
    world.guard = world.guard_of(RemotePast(found))
    return found


async def test_what_a_guard_counts_and_what_the_gateway_counts_is_one(world, door):
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("3000"), Permit)
    assert isinstance(await world.refunds("2000.5"), Deny)
    assert world.last.history == {"refunded": "5000.5000"}
    assert door.asked == ["count", "count", "take_back"]
    world.restart()
    assert isinstance(await world.refunds("2000"), Permit)
    assert isinstance(await world.refunds("0.0001"), Deny)


async def test_who_depends_on_nothing_is_decided_without_remit(world, door):
    world.declare(world.directory.catalog.history["refunded"])
    world.use_policies(AT_MOST)
    door.away = True
    assert isinstance(await world.uses("get_account"), Permit)
    assert door.asked == []


async def test_a_refusal_is_answered_though_remit_does_not_say_that_it_took_it_back(world, door):
    world.use_policies(AT_MOST)
    past, go = RemotePast(door, back_within=0.01), asyncio.Event()
    world.guard, answer = world.guard_of(past), door.history

    async def slow(question):
        if question["do"] == "take_back":
            await go.wait()
        return await answer(question)

    door.history = slow
    assert isinstance(await world.refunds("5001"), Deny)
    assert isinstance(await world.refunds("5000"), Deny), "until it is taken back it counts"
    go.set()
    await asyncio.gather(*past._taking_back)
    assert isinstance(await world.refunds("5000"), Permit)


async def test_without_remit_what_depends_on_it_is_refused_and_recorded(world, door):
    world.use_policies(AT_MOST)
    door.away = True
    refused = await world.refunds("1")
    assert refused.reason is RefusalReason.ENGINE_ERROR
    assert (world.last.engine, world.last.engine_errors) == (
        "history",
        ("remit cannot be reached",),
    )
    door.away = False
    assert isinstance(await world.refunds("5000"), Permit)


@pytest.mark.parametrize(
    "says",
    [{}, {"history": None}, {"history": {}}, {"history": {"writes": None}},
     {"history": {"writes": 1, "more": 2}}],
    ids=["nothing", "null", "no fact", "no value", "too much"],
)  # fmt: skip
async def test_what_is_no_answer_to_the_question_is_a_refusal(world, door, says):
    world.use_policies(THREE_AN_HOUR)
    door.says = says
    refused = await world.uses("update_account")
    assert refused.reason is RefusalReason.ENGINE_ERROR


async def test_a_guard_of_other_facts_than_remit_is_refused(world, door):
    world.use_policies(AT_MOST)
    catalog = world.directory.catalog

    class Elsewhere:
        def __init__(self):
            self.catalog = Remembering.without_history(catalog)

    door.answers = HistoryAnswers(
        directory=Elsewhere(),
        verifier=world.verifier,
        past=world.past,
        clock=world.clock,
        public_url=URL,
    )
    refused = await world.refunds("1")
    assert refused.reason is RefusalReason.ENGINE_ERROR
