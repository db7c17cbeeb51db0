"""What `remit doctor` says of logs in the database."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit.database_log import DatabaseAuditLog
from remit.audit.events import GrantRevoked
from remit.cli.checkup.finding import Level
from remit.cli.checkup.log_database import examine_log_database

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def log(database_url, clock):
    log = DatabaseAuditLog(database_url, KEY, origin="remit/main", holder="h", clock=clock)
    log.record([GrantRevoked(reason="over")])
    yield log
    log.close()


def said(url):
    """Of logs; that the test server does not sync is said of the database."""
    return [(one.level, one.text) for one in examine_log_database(url) if one.about == "audit log"]


def test_a_log_that_ends_as_it_was_written_is_fine(log, database_url):
    log.close()
    ((level, what),) = said(database_url)
    assert level is Level.FINE
    assert "`remit/main`: 3 records, and it ends as it was written" in what


def test_a_log_that_a_process_holds_is_left_to_it(log, database_url):
    ((level, what),) = said(database_url)
    assert level is Level.FINE
    assert "held by a process" in what


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM audit_records WHERE seq = 2",
        "UPDATE audit_logs SET public_keys = 'nobody'",
        "UPDATE audit_checkpoints SET note = 'none'",
    ],
)
def test_a_log_that_was_harmed_is_not(log, database, database_url, harm):
    log.close()
    database.run_now(lambda tx: tx.connection.execute(text(harm)))
    ((level, _),) = said(database_url)
    assert level is Level.UNSAFE


def test_a_server_that_does_not_sync_is_unsafe(request, postgres):
    """As the server of these tests is told not to."""
    url = postgres.url(request.getfixturevalue("_migrated_postgres"))
    assert "database" in {
        one.about for one in examine_log_database(url) if one.level is Level.UNSAFE
    }


def test_a_database_that_does_not_answer_is_told_and_nothing_else():
    (found,) = examine_log_database("postgresql://127.0.0.1:1/remit")
    assert found.level is Level.NOTE
