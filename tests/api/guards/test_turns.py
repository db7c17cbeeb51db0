"""Deliveries are taken one at a time, and no server keeps the others out."""

import asyncio

import pytest

from remit.api.guards.turns import NotItsTurnError, Turns


async def test_one_delivers_at_a_time():
    turns, inside, most = Turns(), [], []

    async def deliver():
        async with turns.turn("crm"):
            inside.append(1)
            most.append(len(inside))
            await asyncio.sleep(0)
            inside.pop()

    await asyncio.gather(*[deliver() for _ in range(4)])
    assert most == [1, 1, 1, 1]


async def test_of_one_server_a_few_wait_and_another_gets_its_turn():
    turns, done = Turns(), []

    async def deliver(server):
        async with turns.turn(server):
            await asyncio.sleep(0)
        done.append(server)

    async with turns.turn("payments"):
        waiting = [asyncio.create_task(deliver("crm")) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(NotItsTurnError, match="wait to be taken"):
            await deliver("crm")
        other = asyncio.create_task(deliver("erp"))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting, other)
    assert done == ["crm"] * 4 + ["erp"]
    await deliver("crm")


async def test_who_waited_too_long_is_refused_and_in_nobodys_way():
    turns = Turns(patience=0.01)
    async with turns.turn("payments"):
        with pytest.raises(NotItsTurnError, match="are being taken"):
            async with turns.turn("crm"):
                pass
    async with turns.turn("crm"):
        pass


async def test_a_delivery_that_fails_gives_its_turn_back():
    turns = Turns()
    with pytest.raises(RuntimeError):
        async with turns.turn("crm"):
            raise RuntimeError
    async with turns.turn("crm"):
        pass
