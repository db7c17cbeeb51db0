from contextlib import AsyncExitStack

import pytest

from remit.app.data_folder import DataFolderInUseError
from remit.app.stores import open_stores
from remit.audit import verify_log
from remit.clock import SystemClock
from remit.db import MigrationError
from remit.secrets import SecretNotFoundError
from remit.settings import Settings


def is_server(name: str) -> bool:
    return name == "crm"


async def opened(settings: Settings, environ=None):
    async with AsyncExitStack() as stack:
        stores = await open_stores(
            settings, is_server, environ=environ or {}, clock=SystemClock(), stack=stack
        )
        await stores.database.ping()
        return stores


async def test_what_was_opened_is_closed_in_good_order(settings):
    stores = await opened(settings)
    report = verify_log(stores.folder.audit)
    assert report.exit_code == 0
    assert stores.log.status().failure == "closed"
    again = await opened(settings)
    assert again.log.status().size > 1


async def test_what_clients_keep_for_the_gateway_opens_after_a_restart(settings):
    keys = (await opened(settings)).handle_keys
    assert (await opened(settings)).handle_keys == keys
    assert keys.tasks != keys.states, "a handle of one kind is none of the other"
    assert repr(keys) == "HandleKeys()"


async def test_the_database_may_be_named_by_a_secret(settings, tmp_path):
    url = f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"
    named = settings.model_copy(update={"database_url": "env:THE_URL"})
    await opened(named, {"THE_URL": url})
    assert (tmp_path / "elsewhere.sqlite3").exists()


async def test_a_secret_that_is_not_there_is_told_and_nothing_stays_locked(settings):
    named = settings.model_copy(update={"database_url": "env:NO_SUCH_URL"})
    with pytest.raises(SecretNotFoundError, match="NO_SUCH_URL"):
        await opened(named)
    await opened(settings)


async def test_a_database_out_of_reach_is_told_and_nothing_stays_locked(settings):
    away = settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/remit"})
    with pytest.raises(MigrationError):
        await opened(away)
    await opened(settings)


async def test_the_folder_is_locked_before_anything_is_touched(settings):
    async with AsyncExitStack() as stack:
        await open_stores(settings, is_server, environ={}, clock=SystemClock(), stack=stack)
        with pytest.raises(DataFolderInUseError):
            await opened(settings)
