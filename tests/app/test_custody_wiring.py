"""What is done by the clock of a whole Remit: records are kept for their time and no longer, wherever the log is."""

import asyncio

import pytest

from remit.app import build
from remit.app.custody_wiring import end_what_is_over
from remit.audit import verify_log
from remit.audit.database_source import DatabaseSource
from remit.audit.dump import dump_logs
from remit.audit.events import AuditStopped
from remit.clock import SystemClock
from remit.db import Database

DAY = 86_400
LOG = "remit/main"


@pytest.fixture
def server_url(request, postgres):
    name = request.getfixturevalue("_migrated_postgres")
    postgres.empty(name)
    return postgres.url(name)


async def grown(app, size):
    """Records, and what signs them."""
    await asyncio.to_thread(app.audit.record, [AuditStopped()] * size)
    while (signed := app.proofs.tiled.checkpoint(LOG)) is None or signed.size < size:
        await app.proofs.tile()


async def test_records_in_the_database_go_when_their_time_is_over(
    settings, server_url, clock, tmp_path
):
    clock.set(SystemClock().now())
    in_database = settings.model_copy(update={"database_url": server_url})
    async with build(in_database, environ={}, clock=clock) as app:
        await grown(app, 600)
        custody, directory = app.keep_custody.args
        source = DatabaseSource(custody.database)
        await end_what_is_over(custody, directory)
        assert source.bounds(LOG)[0] == 0
        clock.advance(366 * DAY)
        await end_what_is_over(custody, directory)
        assert source.bounds(LOG)[0] >= 512
        await asyncio.to_thread(app.audit.record, [AuditStopped()])  # it goes on
    database = Database.open(server_url)
    dump_logs(database, tmp_path / "copy")
    database.close()
    report = verify_log(tmp_path / "copy")
    assert report.exit_code == 0
    assert [stream.first >= 512 for stream in report.streams if stream.origin == LOG] == [True]


async def test_of_a_log_on_files_the_segment_that_grows_stays(settings, clock):
    clock.set(SystemClock().now())
    async with build(settings, environ={}, clock=clock) as app:
        await grown(app, 600)
        clock.advance(366 * DAY)
        await end_what_is_over(*app.keep_custody.args)
        assert app.proofs.tiled.checkpoint(LOG).size >= 600
    assert verify_log(settings.data / "audit").streams[0].first == 0
