"""One at a time for each name, whoever gives up, and nothing is remembered of those who have gone."""

import asyncio

import pytest

from remit.turns import Turns


async def work(turns, name, at_it, *, steps=3):
    async with turns.of(name):
        assert name not in at_it, "two at a time"
        at_it.add(name)
        for _ in range(steps):
            await asyncio.sleep(0)
        at_it.remove(name)


async def test_those_who_come_while_others_wait_do_not_begin_beside_them():
    turns, at_it, coming = Turns(), set(), []
    for late in range(12):
        coming.append(asyncio.create_task(work(turns, "a", at_it)))
        for _ in range(late):
            await asyncio.sleep(0)
    await asyncio.gather(*coming)
    assert len(turns) == 0


async def test_another_name_waits_for_nobody():
    turns = Turns()
    async with turns.of("a"), turns.of("b"):
        assert len(turns) == 2
    assert len(turns) == 0


async def test_whoever_gives_up_or_fails_is_in_nobodys_way():
    turns, at_it = Turns(), set()
    async with turns.of("a"):
        waiting = [asyncio.create_task(work(turns, "a", at_it)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*waiting[1:])
    assert waiting[0].cancelled()
    with pytest.raises(RuntimeError):
        async with turns.of("a"):
            raise RuntimeError
    await work(turns, "a", at_it)
    assert len(turns) == 0
