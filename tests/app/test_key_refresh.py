import asyncio

import pytest

from remit.app.key_refresh import INTERVAL, KeyRefresh
from remit.audit import Context
from remit.clock import Seconds
from remit.errors import UnavailableError
from remit.secrets import MasterKey, SecretBox
from remit.tokens.rotation import LONGEST_TOKEN, open_keys, rotate_key


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return SecretBox(MasterKey.load(folder, {}))


@pytest.fixture
def lifetime():
    return {"seconds": Seconds(0)}


@pytest.fixture
def start(database, box, clock, lifetime):
    """Starts another process on the database: its keys, and what keeps them in step."""

    async def started():
        keys = await open_keys(database, box, clock)
        refresh = KeyRefresh(database, box, keys, clock=clock, lifetime=lambda: lifetime["seconds"])
        return keys, refresh

    return started


def _rotate(database, box, clock, *, at_once=False):
    return database.run_now(
        lambda tx: rotate_key(tx, box, at_once=at_once, now=clock.now(), context=Context())
    )


async def test_two_processes_agree_after_one_reading(start, database, box, clock):
    (mine, _), (others, refresh) = await start(), await start()
    old = mine.signing_at(clock.now()).kid
    new = _rotate(database, box, clock)
    await refresh.now()
    assert others.find(new.kid) is not None
    assert others.signing_at(clock.now()).kid == old
    assert others.signing_at(new.signs_from).kid == new.kid


async def test_a_key_retired_elsewhere_is_let_go_of_within_a_second(start, database, box, clock):
    keys, refresh = await start()
    old = keys.signing_at(clock.now()).kid
    assert INTERVAL <= 0.5
    running = asyncio.create_task(refresh.run())
    try:
        _rotate(database, box, clock, at_once=True)
        async with asyncio.timeout(60):
            while keys.find(old) is not None:  # noqa: ASYNC110  a key set tells nobody
                await asyncio.sleep(0.02)
    finally:
        running.cancel()


async def test_keys_are_replaced_by_age_and_retire_by_themselves(start, clock, lifetime):
    keys, refresh = await start()
    old = keys.signing_at(clock.now()).kid
    lifetime["seconds"] = Seconds(86_400)
    clock.advance(86_399)
    await refresh.now()
    assert len(keys.public_jwks()["keys"]) == 1
    clock.advance(1)
    await refresh.now()
    assert len(keys.public_jwks()["keys"]) == 2
    clock.advance(600)
    assert keys.signing_at(clock.now()).kid != old
    clock.advance(LONGEST_TOKEN)
    await refresh.now()
    assert keys.find(old) is None
    assert len(keys.public_jwks()["keys"]) == 1


async def test_keys_that_cannot_be_read_stay_and_are_read_later(
    start, database, clock, monkeypatch
):
    keys, refresh = await start()
    kid = keys.signing_at(clock.now()).kid
    read = type(database).read
    tried = asyncio.Event()
    failing = True

    async def fail(self, work):
        if failing:
            tried.set()
            raise UnavailableError("the database does not answer")
        return await read(self, work)

    monkeypatch.setattr(type(database), "read", fail)
    running = asyncio.create_task(refresh.run())
    async with asyncio.timeout(60):
        await tried.wait()
    assert keys.find(kid) is not None
    failing = False
    await refresh.now()
    assert not running.done()
    running.cancel()
