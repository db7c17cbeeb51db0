import asyncio

import pytest
from structlog.testing import capture_logs

from remit.app.secret_refresh import INTERVAL, SecretRefresh
from remit.audit import Context
from remit.errors import UnavailableError
from remit.secrets import (
    KnownSecrets,
    MasterKey,
    NewSecret,
    SecretBox,
    SecretNotFoundError,
    drop_secret,
    store_secret,
)


@pytest.fixture
def box():
    return SecretBox(MasterKey(bytes(range(32))))


@pytest.fixture
def logged():
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def put(database, box, clock):
    def stored(name, value):
        database.run_now(
            lambda tx: store_secret(
                tx, box, NewSecret(name=name, value=value), now=clock.now(), context=Context()
            )
        )

    return stored


async def test_two_processes_agree_after_one_reading(database, box, put):
    known = KnownSecrets(env={})
    refresh = SecretRefresh(database, box, known)
    put("crm", "first")
    await refresh.now()
    assert known("stored:crm") == "first"
    put("crm", "second")
    await refresh.now()
    assert known("stored:crm") == "second"
    database.run_now(lambda tx: drop_secret(tx, "crm", reason="", context=Context()))
    await refresh.now()
    with pytest.raises(SecretNotFoundError):
        known("stored:crm")


async def test_one_that_does_not_open_is_named_once_and_its_value_never(database, box, put, logged):
    put("crm", "hunter2")
    known = KnownSecrets(env={})
    refresh = SecretRefresh(database, SecretBox(MasterKey(bytes(range(1, 33)))), known)
    await refresh.now()
    await refresh.now()
    [line] = logged
    assert (line["event"], line["names"]) == ("secrets_do_not_open", ["crm"])
    assert "hunter2" not in repr(line)


class _Broken:
    def __init__(self):
        self.asked = 0
        self.answers = asyncio.Event()

    async def read(self, _query):
        self.asked += 1
        if self.asked > 1:
            self.answers.set()
        raise UnavailableError("the database does not answer")


async def test_a_database_that_does_not_answer_changes_nothing_and_is_asked_again(box):
    known, database = KnownSecrets(env={}), _Broken()
    known.publish({"crm": box.seal("stored:crm", b"kept")}, box)
    task = asyncio.create_task(SecretRefresh(database, box, known).run())
    async with asyncio.timeout(30 * INTERVAL):
        await database.answers.wait()
    task.cancel()
    assert known("stored:crm") == "kept"
