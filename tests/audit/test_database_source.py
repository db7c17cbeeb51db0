"""The logs in the database, read by number."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit.database_log import DatabaseAuditLog
from remit.audit.database_source import DatabaseSource
from remit.audit.events import GrantRevoked
from remit.errors import NotFoundError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def source(database, database_url, clock):
    for name, count in (("remit/b", 2_100), ("remit/a", 1)):
        log = DatabaseAuditLog(database_url, KEY, origin=name, holder="here", clock=clock)
        log.record([GrantRevoked(reason=f"reason {n}") for n in range(count)])
        log.close()
    return DatabaseSource(database)


def test_all_logs_are_there_by_name(source):
    assert source.logs() == ("remit/a", "remit/b")
    assert source.bounds("remit/a") == (0, 3)
    assert source.bounds("remit/b") == (0, 2_102)


@pytest.mark.parametrize(
    ("start", "limit", "wanted"),
    [
        (0, 2, range(2)),
        (7, 1_000, range(7, 1_007)),
        (5, 2_000, range(5, 2_005)),
        (2_100, 100, range(2_100, 2_102)),
        (2_102, 5, range(0)),
        (9_999, 5, range(0)),
        (3, 0, range(0)),
    ],
)
def test_records_are_read_from_any_number_on(source, start, limit, wanted):
    found = list(source.read("remit/b", start, limit=limit))
    assert [one.sequence for one in found] == list(wanted)
    assert all(one.entry()["seq"] == one.sequence and one.log == "remit/b" for one in found)


@pytest.mark.parametrize(("first", "last"), [(0, 1), (7, 1_500), (2_100, 2_102), (2_102, 2_102)])
def test_the_leaf_hashes_are_those_of_the_records(source, first, last):
    found = [bytes.fromhex(one.leaf) for one in source.read("remit/b", first, limit=last - first)]
    assert source.leaves("remit/b", first, last) == found
    assert len(found) == last - first


def test_after_a_hole_there_are_no_leaf_hashes(source, database):
    gone = "DELETE FROM audit_records WHERE seq = 9"
    database.run_now(lambda tx: tx.connection.execute(text(gone)))
    assert len(source.leaves("remit/b", 5, 20)) == 4
    assert len(source.leaves("remit/b", 2_100, 2_110)) == 2


def test_the_newest_note_is_the_checkpoint(source):
    assert source.checkpoint("remit/b").startswith("remit/b\n2102\n")


@pytest.mark.parametrize(
    "ask",
    [
        lambda source: source.bounds("remit/none"),
        lambda source: source.read("remit/none", 0, limit=1),
        lambda source: source.leaves("remit/none", 0, 1),
        lambda source: source.checkpoint("remit/none"),
    ],
)
def test_a_log_that_is_not_there_is_not_found(source, ask):
    with pytest.raises(NotFoundError):
        ask(source)


def test_a_database_that_does_not_answer_is_a_disk_that_does_not(source, database):
    database.close()
    with pytest.raises(OSError, match="closed"):
        source.logs()
