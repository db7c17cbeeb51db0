"""What a process that is gone had under way is told by another one."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit.database_stream import DatabaseStream
from remit.audit.entry import Moment, Producer, draft
from remit.audit.events import CallCompleted, Decided
from remit.audit.left_behind import LeftBehind
from remit.audit.port import AuditUnavailableError
from remit.audit.signing import LocalSigner
from remit.db.link import DatabaseLink

LOG = "remit/a"
NOW = Moment.of(1_767_625_200_000)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def allowed(decision):
    return Decided(
        decision_id=decision, server="crm", method="tools/call", name="accounts.get",
        outcome="allow", reason="allowed",
    )  # fmt: skip


def ended(decision):
    return CallCompleted(
        decision_id=decision, server="crm", method="tools/call", name="accounts.get", outcome="ok"
    )


@pytest.fixture
def stream(database_url):
    """The log of a process that is about to die."""
    stream = DatabaseStream(
        DatabaseLink(database_url), LocalSigner(LOG, KEY), holder="there", wait=None
    )
    yield stream
    stream.close()


@pytest.fixture
def write(stream):
    def write(*events):
        stream.append([draft(event, Producer(), NOW) for event in events], NOW.text)

    return write


@pytest.fixture
def sql(database):
    def do(statement):
        database.run_now(lambda tx: tx.connection.execute(text(statement)))

    return do


@pytest.fixture
def die(sql):
    """The lease of the process is over."""
    return lambda: sql("UPDATE audit_logs SET held_until = 5")


@pytest.fixture
def behind(database, events):
    return LeftBehind(database, events, own=frozenset({"remit/b"}))


def told(events):
    return [(one.decision_id, one.outcome) for one in events.of(CallCompleted)]


def test_what_a_dead_process_left_is_told_once(write, stream, die, behind, events):
    write(allowed("dec_1"), allowed("dec_2"))
    stream.checkpoint()
    write(ended("dec_1"), allowed("dec_3"))
    die()
    assert [behind.look() for _ in range(4)] == [0, 2, 0, 0]
    assert told(events) == [("dec_2", "unknown"), ("dec_3", "unknown")]
    assert [one.reconciled["log"] for one in events.of(CallCompleted)] == [LOG, LOG]


def test_nothing_is_said_of_a_process_that_lives(write, behind, events):
    write(allowed("dec_1"))
    assert [behind.look() for _ in range(3)] == [0, 0, 0]
    assert told(events) == []


def test_nothing_is_said_of_one_that_comes_back_between_two_looks(
    write, die, stream, behind, events
):
    """A database that was away for a while has let every lease run out: nobody is dead for that."""
    write(allowed("dec_1"))
    die()
    behind.look()
    stream.confirm()
    assert [behind.look(), behind.look()] == [0, 0]
    die()
    behind.look()
    write(ended("dec_1"))
    assert behind.look() == 0
    assert told(events) == []


def test_the_own_log_is_not_looked_after(write, die, database, events):
    write(allowed("dec_1"))
    die()
    behind = LeftBehind(database, events, own=frozenset({LOG}))
    assert [behind.look() for _ in range(3)] == [0, 0, 0]


def test_what_cannot_be_recorded_is_told_later(write, die, behind, events):
    write(allowed("dec_1"))
    die()
    behind.look()
    events.failure = AuditUnavailableError("full")
    with pytest.raises(AuditUnavailableError):
        behind.look()
    events.failure = None
    assert [behind.look(), behind.look()] == [1, 0]
    assert told(events) == [("dec_1", "unknown")]


def test_whoever_takes_the_log_up_again_does_not_say_it_once_more(
    write, die, behind, stream, database_url
):
    write(allowed("dec_1"))
    die()
    behind.look()
    behind.look()
    link = DatabaseLink(database_url)
    again = DatabaseStream(link, LocalSigner(LOG, KEY), holder="there", wait=None)
    assert again.left == ()
    again.close()


def test_more_than_are_listed_are_found_all_the_same(
    write, stream, die, behind, events, monkeypatch
):
    monkeypatch.setattr("remit.audit.open_calls.MOST_LISTED", 2)
    monkeypatch.setattr("remit.audit.left_behind.MOST_LISTED", 2)
    write(*[allowed(f"dec_{n}") for n in range(5)])
    stream.checkpoint()
    write(ended("dec_3"))
    die()
    behind.look()
    behind.look()
    assert [one for one, _ in told(events)] == ["dec_0", "dec_1", "dec_2", "dec_4"]
