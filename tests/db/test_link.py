"""The way to the database, with a real server in front of it where it matters."""

import pytest
from sqlalchemy import text

from remit.db import UnsupportedDatabaseError
from remit.db.link import DatabaseLink


def one(tx):
    return tx.connection.execute(text("SELECT 1")).scalar()


@pytest.fixture
def link(database_url):
    link = DatabaseLink(database_url)
    yield link
    link.close()


@pytest.fixture
def server_url(request, postgres):
    return postgres.url(request.getfixturevalue("_migrated_postgres"))


@pytest.fixture
def server_link(server_url):
    link = DatabaseLink(server_url)
    yield link
    link.close()


def show(name):
    return lambda tx: tx.connection.execute(text(f"SHOW {name}")).scalar()


def test_work_is_done_alone_and_in_a_transaction(link):
    assert link.at_once(one) == 1
    assert link.run(one) == 1
    assert link.at_once(one) == 1


def test_a_transaction_that_fails_changes_nothing(link):
    def work(tx):
        tx.connection.execute(text("INSERT INTO throttle VALUES ('t',1,1)"))
        raise OSError("over")

    with pytest.raises(OSError, match="over"):
        link.run(work)
    count = text("SELECT count(*) FROM throttle")
    assert link.run(lambda tx: tx.connection.execute(count).scalar()) == 0


def test_what_a_database_says_is_what_a_disk_would_say(link):
    for do in (link.run, link.at_once):
        with pytest.raises(OSError, match="does not take it"):
            do(lambda tx: tx.connection.execute(text("SELECT * FROM nothing")))
    assert link.at_once(one) == 1, "and the next goes through"


@pytest.mark.parametrize("do", ["at_once", "run"])
def test_every_commit_waits_for_the_disk_whatever_the_server_is_told(server_link, do):
    """The test server is told not to: `synchronous_commit = off`."""
    assert getattr(server_link, do)(show("synchronous_commit")) == "on"


def test_a_server_that_does_not_sync_is_known_for_it(server_link):
    server_link.run(one)
    assert server_link.syncs is False


def test_a_connection_that_was_cut_is_made_anew(server_link, server_url):
    other = DatabaseLink(server_url)
    pid = server_link.at_once(
        lambda tx: tx.connection.execute(text("SELECT pg_backend_pid()")).scalar()
    )
    cut = text("SELECT pg_terminate_backend(:pid)")
    other.run(lambda tx: tx.connection.execute(cut, {"pid": pid}))
    other.close()
    with pytest.raises(OSError, match="does not take it"):
        server_link.at_once(one)
    assert server_link.at_once(one) == 1


def test_a_server_that_is_not_there_is_told_as_a_disk_that_fails():
    link = DatabaseLink("postgresql://127.0.0.1:1/remit")
    for do in (link.run, link.at_once):
        with pytest.raises(OSError, match="does not take it"):
            do(one)
    link.close()


def test_a_network_that_swallows_what_is_sent_is_given_up(server_url):
    link = DatabaseLink(server_url)
    assert dict(link._engine.url.query)["tcp_user_timeout"] == "10000"
    link.close()
    own = DatabaseLink(f"{server_url}&tcp_user_timeout=99")
    assert dict(own._engine.url.query)["tcp_user_timeout"] == "99"
    own.close()


def test_other_databases_are_refused():
    with pytest.raises(UnsupportedDatabaseError):
        DatabaseLink("mysql://localhost/remit")
