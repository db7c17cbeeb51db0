"""Where the log of a process is kept, and that it is never begun twice."""

from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.app.audit_store import AuditLogElsewhereError, log_place, open_log, source_of
from remit.app.data_folder import DataFolder
from remit.audit import AuditLogLockedError
from remit.audit.events import CallCompleted, Decided
from remit.audit.signing import LocalSigner
from remit.db import Database
from remit.settings import AuditStore, Settings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = LocalSigner("remit/main", KEY)
ALLOWED = Decided(
    decision_id="dec_1", server="crm", method="tools/call", name="accounts.get", outcome="allow",
    reason="allowed",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    return DataFolder(tmp_path / "data")


@pytest.fixture
def server_url(request, postgres):
    name = request.getfixturevalue("_migrated_postgres")
    postgres.empty(name)
    return postgres.url(name)


@pytest.fixture
def sqlite_url(request, tmp_path):
    (tmp_path / "remit.sqlite3").write_bytes(
        request.getfixturevalue("_migrated_sqlite").read_bytes()
    )
    return f"sqlite:///{tmp_path / 'remit.sqlite3'}"


def settings(store=AuditStore.AUTO):
    return Settings(audit_store=store)


def write(place, *events):
    with open_log(settings(), place, SIGNER) as log:
        if events:
            log.record(events)


def kinds(folder, url):
    """All kinds in the log, in order."""
    with closing(Database.open(url, pool=1)) as database:
        source = source_of(folder, database, is_server=not url.startswith("sqlite"))
        return [one.entry()["kind"] for one in source.read("remit/main", 0, limit=100)]


def test_beside_sqlite_the_log_is_files(folder, sqlite_url):
    place = log_place(settings(), folder, sqlite_url)
    assert not place.in_database
    write(place)
    assert list((folder.audit / "main").glob("*.jsonl"))
    assert kinds(folder, sqlite_url) == ["audit.started", "audit.stopped"]


def test_beside_postgresql_the_log_is_in_the_database(folder, server_url):
    place = log_place(settings(), folder, server_url)
    assert place.in_database
    write(place)
    assert not folder.audit.exists()
    assert kinds(folder, server_url) == ["audit.started", "audit.stopped"]


def test_a_log_that_began_in_files_goes_on_there(folder, server_url):
    files = log_place(settings(AuditStore.FILES), folder, server_url)
    write(files)
    again = log_place(settings(), folder, server_url)
    assert not again.in_database
    write(again)
    assert kinds(folder, server_url) == ["audit.started", "audit.stopped"] * 2


def test_a_log_is_not_begun_anew_in_the_database(folder, server_url):
    write(log_place(settings(AuditStore.FILES), folder, server_url))
    with pytest.raises(AuditLogElsewhereError, match="set audit_store to `files`"):
        log_place(settings(AuditStore.DATABASE), folder, server_url)


def test_a_log_is_not_begun_anew_in_files(folder, server_url):
    write(log_place(settings(), folder, server_url))
    with pytest.raises(AuditLogElsewhereError, match="set audit_store to `database`"):
        log_place(settings(AuditStore.FILES), folder, server_url)


@pytest.mark.parametrize("store", AuditStore)
def test_a_log_that_is_in_two_places_is_opened_in_neither(folder, server_url, sqlite_url, store):
    write(log_place(settings(), folder, server_url))
    write(log_place(settings(), folder, sqlite_url))
    with pytest.raises(AuditLogElsewhereError, match="both in"):
        log_place(settings(store), folder, server_url)


def test_two_data_folders_do_not_write_one_log(folder, server_url, tmp_path, monkeypatch):
    monkeypatch.setattr("remit.audit.database_stream._BETWEEN", 0.0)
    other = DataFolder(tmp_path / "other")
    other.path.mkdir(mode=0o700)
    here, there = (log_place(settings(), one, server_url) for one in (folder, other))
    assert here.holder != there.holder
    with (
        open_log(settings(), here, SIGNER),
        pytest.raises(AuditLogLockedError),
        open_log(settings(), there, SIGNER),
    ):
        pass
    write(there)


def test_the_name_of_a_holder_stays_and_is_nobody_elses(folder, server_url):
    first, second = (log_place(settings(), folder, server_url).holder for _ in range(2))
    assert first == second
    assert (folder.path / "holder").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kept", ["database", "files"])
def test_what_the_process_before_left_is_told_before_anything_else(
    folder, server_url, sqlite_url, kept
):
    url = server_url if kept == "database" else sqlite_url
    place = log_place(settings(), folder, url)
    with open_log(settings(), place, SIGNER) as dying:
        dying.record([ALLOWED])
        # As a process that is killed leaves it: the writer is gone, and nothing was written at the end.
        dying._finish = lambda: None
        dying.close()
        dying._give_back()
    with open_log(settings(), place, SIGNER):
        pass
    assert kinds(folder, url)[2:] == ["audit.started", "call.completed", "audit.stopped"]
    with closing(Database.open(url, pool=1)) as database:
        source = source_of(folder, database, is_server=kept == "database")
        records = [one.entry() for one in source.read("remit/main", 0, limit=100)]
    (told,) = [one for one in records if one["kind"] == CallCompleted.kind]
    assert (told["body"]["decision_id"], told["body"]["outcome"]) == ("dec_1", "unknown")


def test_what_ended_is_not_told_again(folder, server_url):
    ended = CallCompleted(
        decision_id="dec_1", server="crm", method="tools/call", name="accounts.get", outcome="ok"
    )
    place = log_place(settings(), folder, server_url)
    write(place, ALLOWED, ended)
    write(place)
    assert kinds(folder, server_url).count("call.completed") == 1
