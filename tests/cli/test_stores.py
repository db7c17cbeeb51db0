import pytest

from remit.cli.checkup import Level
from remit.cli.checkup.stores import (
    examine_database,
    examine_database_of_server,
    examine_server,
)
from remit.secrets import resolve_secret
from remit.settings import Settings


def found(settings: Settings) -> dict[str, Level]:
    return {one.about: one.level for one in examine_database(settings, resolve_secret)}


def test_a_database_with_somebody_in_it_is_fine(cli, folder, dana):
    assert found(Settings(data=folder / "data")) == {"database": Level.FINE, "users": Level.FINE}


def test_nobody_who_may_log_in_is_worth_a_note(cli, folder):
    assert found(Settings(data=folder / "data"))["users"] is Level.NOTE


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    assert found(Settings(data=tmp_path)) == {"database": Level.NOTE}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["postgresql://127.0.0.1:1/remit", "env:NO_SUCH_VARIABLE", "file:/no/such/file"]
)
def test_a_database_out_of_reach_is_down(tmp_path, url):
    assert found(Settings(data=tmp_path, database_url=url)) == {"database": Level.DOWN}


def test_sqlite_for_several_processes_is_unsafe(cli, folder, dana):
    (folder / "data" / "audit" / "other").mkdir()
    levels = [one.level for one in examine_database(Settings(data=folder / "data"), resolve_secret)]
    assert Level.UNSAFE in levels


def test_a_running_server_tells_its_own_database_and_people(tmp_path):
    settings = Settings(data=tmp_path, database_url="postgresql://db/r")
    database, users = examine_database_of_server(settings, [{"state": "active"}])
    assert (database.level, database.text) == (Level.FINE, "PostgreSQL, the server's own")
    assert users.text == "1 may log in"
    *_, users = examine_database_of_server(settings, [{"state": "disabled"}])
    assert users.level is Level.NOTE


STATUS = {
    "version": "0", "public_url": "x", "audit_failure": None, "audit_synced": True, "guard_closed": False, "audit_records": 1, "self_test": 9,
}  # fmt: skip


def test_a_server_that_takes_no_events_is_unsafe():
    assert [one.level for one in examine_server(None)] == [Level.NOTE]
    assert [one.level for one in examine_server(STATUS)] == [Level.FINE] * 3
    untried = examine_server({**STATUS, "self_test": None})
    assert [one.level for one in untried] == [Level.FINE, Level.UNSAFE, Level.FINE]
    for wrong in ({"audit_failure": "no space left"}, {"guard_closed": True}):
        assert [one.level for one in examine_server({**STATUS, **wrong})][-1] is Level.UNSAFE


def test_a_database_that_does_not_wait_for_its_disk_is_unsafe_also_while_a_server_runs():
    (found,) = [
        one for one in examine_server(STATUS | {"audit_synced": False}) if one.about == "database"
    ]
    assert found.level is Level.UNSAFE
    assert "fsync" in found.text
