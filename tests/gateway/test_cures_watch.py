"""Who waits here until people have answered, and that nobody is asked while nobody waits."""

import asyncio
import logging

import pytest

from remit.errors import UnavailableError
from remit.gateway.cures_watch import Watch
from tests.gateway.doubles import until
from tests.gateway.people import Answered


@pytest.fixture
def answered():
    return Answered()


@pytest.fixture
async def watch(answered):
    made = Watch(answered, seconds=0.005)
    yield made
    await made.stop()


async def test_what_is_answered_already_is_not_waited_for(watch, answered):
    answered.requests.add("apr_1")
    assert await watch.until_answered("apr_1", seconds=60)
    assert (len(watch), answered.looks) == (0, 1)


async def test_what_nobody_answers_is_waited_for_so_long_and_no_longer(watch):
    assert not await watch.until_answered("apr_1", seconds=0.02)
    assert len(watch) == 0


async def test_all_who_wait_are_looked_up_together(watch, answered):
    waiting = [asyncio.create_task(watch.until_answered(name, seconds=60)) for name in "aab"]
    await until(lambda: answered.looks > 3)
    assert len(watch) == 2
    answered.requests |= {"a", "b"}
    assert await asyncio.gather(*waiting) == [True] * 3
    looks = answered.looks
    assert await watch.until_answered("b", seconds=60)
    assert answered.looks == looks + 1


async def test_whoever_is_told_hears_it_once_and_whoever_forgets_hears_nothing(watch, answered):
    heard = []
    watch.tell("apr_1", lambda: heard.append(1))
    watch.tell("apr_1", lambda: heard.append(2))()
    answered.requests.add("apr_1")
    await until(lambda: heard)
    assert (heard, len(watch)) == ([1], 0)


async def test_what_cannot_be_looked_up_goes_on_waiting(answered, caplog):
    failing = [True]

    class Away(Answered):
        async def answered(self, requests):
            if failing:
                failing.pop()
                raise UnavailableError("the database is away")
            return requests

    watch = Watch(Away(), seconds=0.005)
    with caplog.at_level(logging.WARNING, "remit.gateway"):
        assert await watch.until_answered("apr_1", seconds=60)
    assert "the database is away" in caplog.text
    await watch.stop()


async def test_once_it_is_stopped_nobody_is_held(watch, answered):
    held = asyncio.create_task(watch.until_answered("apr_1", seconds=60))
    await until(lambda: answered.looks)
    await watch.stop()
    assert await held is False
    assert await watch.until_answered("apr_1", seconds=60) is False
    watch.tell("apr_1", list)
    assert len(watch) == 0


async def test_where_nobody_can_be_asked_nobody_waits():
    watch = Watch(None, seconds=0.005)
    assert await watch.until_answered("apr_1", seconds=60)
    await watch.stop()
