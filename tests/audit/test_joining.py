"""The log in which stands how far the others have come."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit.database_source import DatabaseSource
from remit.audit.database_stream import DatabaseStream
from remit.audit.entry import Moment, Producer, draft
from remit.audit.events import GrantRevoked
from remit.audit.joining import LogJoiner
from remit.audit.signing import LocalSigner
from remit.db.link import DatabaseLink
from remit_audit_verify.note import open_checkpoint

JOINED = "remit/joined"
NOW = Moment.of(1_767_625_200_000)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def opened(database_url):
    streams = []

    def open_(log, *, holder="here"):
        signer = LocalSigner(log, KEY)
        stream = DatabaseStream(DatabaseLink(database_url), signer, holder=holder, wait=None)
        streams.append(stream)
        return stream

    yield open_
    for stream in streams:
        stream.close()


@pytest.fixture
def joiner(opened, database, clock):
    joiners = []

    def make(*, holder="here"):
        joiners.append(
            LogJoiner(
                JOINED,
                lambda: opened(JOINED, holder=holder),
                database=database,
                producer=Producer(),
                clock=clock,
            )
        )
        return joiners[-1]

    yield make
    for one in joiners:
        one.close()


def write(stream, count=1):
    event = GrantRevoked(reason="over")
    stream.append([draft(event, Producer(), NOW) for _ in range(count)], NOW.text)
    return stream.checkpoint()


def said(database):
    """What the joined log says, record by record: sizes by log."""
    records = DatabaseSource(database).read(JOINED, 0, limit=1_000)
    return [
        {one["log"]: one["size"] for one in record.entry()["body"]["logs"]} for record in records
    ]


def test_size_and_root_of_each_log_are_said_and_signed(opened, joiner, database):
    first = write(opened("remit/a"), 3)
    write(opened("remit/b"), 1)
    assert joiner().join()
    (record,) = DatabaseSource(database).read(JOINED, 0, limit=9)
    assert record.entry()["kind"] == "logs.joined"
    assert record.entry()["body"]["logs"][0] == {
        "log": "remit/a", "size": 3, "root": first.root.hex(),
    }  # fmt: skip
    note = DatabaseSource(database).checkpoint(JOINED)
    assert open_checkpoint(note, [LocalSigner(JOINED, KEY).verifier]).size == 1


def test_only_what_has_grown_is_said_again(opened, joiner, database):
    one, other = opened("remit/a"), opened("remit/b")
    write(one)
    write(other)
    joins = joiner()
    joins.join()
    joins.join()
    write(other)
    joins.join()
    assert said(database) == [{"remit/a": 1, "remit/b": 1}, {"remit/b": 2}]


def test_one_process_writes_it_and_another_when_that_is_gone(opened, joiner, database):
    write(opened("remit/a"))
    first, second = joiner(), joiner(holder="elsewhere")
    assert first.join()
    assert not second.join()
    first.close()
    assert second.join()
    assert not first.join()
    assert said(database) == [{"remit/a": 1}, {"remit/a": 1}]


def test_whoever_was_taken_over_says_nothing_more(opened, joiner, database):
    log = opened("remit/a")
    write(log)
    first, second = joiner(), joiner()
    first.join()
    second.join()
    write(log)
    with pytest.raises(OSError, match="taken over"):
        first.join()
    second.join()
    assert said(database)[-1] == {"remit/a": 2}


def test_a_log_that_its_own_key_does_not_sign_is_not_joined(opened, joiner, database, database_url):
    write(opened("remit/a"))
    write(opened("remit/b"))
    link = DatabaseLink(database_url)
    forged = "UPDATE audit_checkpoints SET note = replace(note, 'remit/a', 'remit/c')"
    link.run(lambda tx: tx.connection.execute(text(forged + " WHERE log = 'remit/a'")))
    link.close()
    joiner().join()
    assert said(database) == [{"remit/b": 1}]


def test_more_logs_than_fit_in_one_record_are_said_in_several(opened, joiner, database):
    for number in range(70):
        stream = opened(f"remit/log-{number:02}")
        write(stream)
        stream.close()
    joiner().join()
    assert [len(one) for one in said(database)] == [64, 6]


def test_nothing_is_written_where_there_is_nothing_to_say(joiner, database):
    joiner().join()
    assert said(database) == []
    assert DatabaseSource(database).bounds(JOINED) == (0, 0)
