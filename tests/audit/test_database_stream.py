"""Both databases. What a log in the database refuses, and what it knows after trouble."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit.database_source import DatabaseSource
from remit.audit.database_stream import DatabaseStream
from remit.audit.entry import Moment, Producer, draft
from remit.audit.events import AuditQueried, CallCompleted, Decided, GrantRevoked
from remit.audit.recovery import AuditLogDamagedError
from remit.audit.signing import LocalSigner, SignerUnavailableError
from remit.audit.stream import AuditLogLockedError
from remit.db.link import DatabaseLink
from remit_audit_verify.note import open_checkpoint

ORIGIN = "remit/main"
NOW = Moment.of(1_767_625_200_000)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def drafts(*reasons):
    return [draft(GrantRevoked(reason=reason), Producer(), NOW) for reason in reasons]


def allowed(decision, **changes):
    event = Decided(
        decision_id=decision, server="crm", method="tools/call", name="accounts.get",
        **{"outcome": "allow", "reason": "allowed", **changes},
    )  # fmt: skip
    return draft(event, Producer(), NOW)


def ended(decision):
    event = CallCompleted(
        decision_id=decision, server="crm", method="tools/call", name="accounts.get", outcome="ok"
    )
    return draft(event, Producer(), NOW)


class BrokenLink(DatabaseLink):
    """A link that loses the answer to what it sends: after the database took it, or before."""

    def __init__(self, url):
        super().__init__(url)
        self.before = self.after = self.cut = self.deaf = False

    def at_once(self, work):
        if self.before:
            self.before = False
            raise OSError("lost on the way")
        result = super().at_once(work)
        if self.after or self.cut:
            self.after, self.deaf = False, self.cut
            raise OSError("lost on the way back")
        return result

    def run(self, work):
        if self.deaf:
            raise OSError("nobody answers")
        return super().run(work)


@pytest.fixture
def opened(database_url):
    """Opens the log; closes what a test leaves open."""
    streams = []

    def open_(*, holder="here", signer=None, link=None, wait=None):
        stream = DatabaseStream(
            link or DatabaseLink(database_url),
            signer or LocalSigner(ORIGIN, KEY),
            holder=holder,
            wait=wait,
        )
        streams.append(stream)
        return stream

    yield open_
    for stream in streams:
        stream.close()


@pytest.fixture
def sql(database_url):
    """Does what somebody with the database's password might."""

    def do(statement, **values):
        link = DatabaseLink(database_url)
        try:
            link.run(lambda tx: tx.connection.execute(text(statement), values))
        finally:
            link.close()

    return do


@pytest.fixture
def source(database):
    return DatabaseSource(database)


def reasons(source):
    return [one.entry()["body"].get("reason") for one in source.read(ORIGIN, 0, limit=100)]


def test_what_is_appended_is_read_at_once_and_signed_when_asked(opened, source):
    stream = opened()
    receipts = stream.append(drafts("one", "two"), NOW.text)
    assert [one.sequence for one in receipts] == [0, 1]
    assert reasons(source) == ["one", "two"]
    assert [one.leaf for one in source.read(ORIGIN, 0, limit=9)] == [one.leaf for one in receipts]
    assert stream.checkpointed == 0
    checkpoint = stream.checkpoint()
    assert open_checkpoint(source.checkpoint(ORIGIN), [LocalSigner(ORIGIN, KEY).verifier]) == (
        checkpoint
    )
    assert stream.checkpointed == stream.size == 2


def test_the_next_process_goes_on_where_the_last_one_was(opened, source):
    first = opened()
    first.append(drafts("one"), NOW.text)
    first.checkpoint()
    first.append(drafts("two"), NOW.text)
    first.close()
    second = opened(holder="elsewhere")
    assert (second.size, second.checkpointed) == (2, 1)
    second.append(drafts("three"), NOW.text)
    assert second.checkpoint().size == 3
    assert reasons(source) == ["one", "two", "three"]


def test_a_log_has_one_holder(opened):
    opened()
    with pytest.raises(AuditLogLockedError, match="another process"):
        opened(holder="elsewhere")


def test_whoever_waits_has_the_log_when_the_lease_of_the_other_is_over(opened, sql):
    gone = opened()
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            sql("UPDATE audit_logs SET held_until = 0")

    opened(holder="elsewhere", wait=wait).append(drafts("mine"), NOW.text)
    assert len(waits) == 3
    with pytest.raises(OSError, match="taken over"):
        gone.append(drafts("too late"), NOW.text)


def test_nobody_waits_for_ever(opened):
    opened()
    waits = []
    with pytest.raises(AuditLogLockedError):
        opened(holder="elsewhere", wait=waits.append)
    assert sum(waits) > 10, "longer than a lease"


def test_the_same_place_need_not_wait_for_itself(opened):
    """A process that was killed has not given its log up; the folder's lock says that it is gone."""
    opened().append(drafts("one"), NOW.text)
    assert opened().size == 1


@pytest.mark.parametrize("late", ["append", "confirm", "checkpoint"])
def test_whoever_was_taken_over_can_do_nothing_any_more(opened, source, late):
    gone = opened()
    gone.append(drafts("one"), NOW.text)
    opened().append(drafts("two"), NOW.text)
    act = {
        "append": lambda: gone.append(drafts("late"), NOW.text),
        "confirm": gone.confirm,
        "checkpoint": gone.checkpoint,
    }[late]
    for _ in range(2):
        with pytest.raises(OSError, match="taken over"):
            act()
    gone.close()
    assert reasons(source) == ["one", "two"]
    assert source.checkpoint(ORIGIN) is None


def test_closing_what_was_taken_over_takes_nothing_from_who_has_it(opened):
    gone = opened()
    opened()
    gone.close()
    with pytest.raises(AuditLogLockedError):
        opened(holder="elsewhere")


def test_what_the_database_took_and_did_not_say_counts(opened, source, database_url):
    link = BrokenLink(database_url)
    stream = opened(link=link)
    link.after = True
    (receipt,) = stream.append(drafts("taken"), NOW.text)
    assert receipt.sequence == 0
    stream.append(drafts("next"), NOW.text)
    assert stream.checkpoint().size == 2
    assert reasons(source) == ["taken", "next"]


def test_what_the_database_never_heard_of_is_refused_and_leaves_no_hole(
    opened, source, database_url
):
    link = BrokenLink(database_url)
    stream = opened(link=link)
    link.before = True
    with pytest.raises(OSError, match="on the way"):
        stream.append(drafts("lost"), NOW.text)
    stream.append(drafts("next"), NOW.text)
    assert reasons(source) == ["next"]


def test_while_nobody_answers_nothing_is_written_and_then_the_doubt_is_settled_first(
    opened, source, database_url
):
    link = BrokenLink(database_url)
    stream = opened(link=link)
    link.cut = True
    with pytest.raises(OSError, match="nobody answers"):
        stream.append(drafts("in doubt"), NOW.text)
    with pytest.raises(OSError, match="nobody answers"):
        stream.append(drafts("refused"), NOW.text)
    link.cut = link.deaf = False
    stream.append(drafts("next"), NOW.text)
    assert reasons(source) == ["in doubt", "next"], "a chain, the one in doubt in its place"
    assert stream.checkpoint().size == 2


def test_a_last_record_that_is_gone_is_noticed_before_the_next_is_acknowledged(opened, sql):
    stream = opened()
    stream.append(drafts("one", "two"), NOW.text)
    sql("DELETE FROM audit_records WHERE seq = 1")
    for act in (stream.confirm, lambda: stream.append(drafts("three"), NOW.text)):
        with pytest.raises(OSError, match="changed by another"):
            act()


def test_a_record_that_somebody_else_wrote_is_noticed(opened, sql):
    stream = opened()
    stream.append(drafts("one"), NOW.text)
    sql("UPDATE audit_logs SET size = size + 1")
    with pytest.raises(OSError, match="changed by another"):
        stream.append(drafts("two"), NOW.text)


@pytest.mark.parametrize(
    ("harm", "where"),
    [
        ("DELETE FROM audit_records WHERE seq >= 2", 2),
        ("DELETE FROM audit_records WHERE seq = 1", 1),
        ("DELETE FROM audit_records WHERE seq = 4", 4),
        ("DELETE FROM audit_records", 0),
        ("UPDATE audit_records SET line = CAST('{}' AS BYTEA) WHERE seq = 1", None),
        ("UPDATE audit_records SET line = CAST('{}' AS BYTEA) WHERE seq = 4", 4),
        ("UPDATE audit_logs SET size = 2", 2),
        ("UPDATE audit_checkpoints SET note = 'remit/main'", None),
        ("UPDATE audit_checkpoints SET size = 2", None),
        ("UPDATE audit_logs SET public_keys = 'nobody'", None),
        ("UPDATE audit_logs SET size = 9", 5),
    ],
)
def test_a_log_that_is_not_what_was_written_does_not_open(opened, sql, database_url, harm, where):
    stream = opened()
    stream.append(drafts("0", "1", "2"), NOW.text)
    stream.checkpoint()
    stream.append(drafts("3", "4"), NOW.text)
    stream.close()
    if database_url.startswith("sqlite"):
        harm = harm.replace("CAST('{}' AS BYTEA)", "CAST('{}' AS BLOB)")
    sql(harm)
    with pytest.raises(AuditLogDamagedError) as caught:
        opened()
    if where is not None:
        assert caught.value.sequence == where


def test_a_log_that_is_signed_by_another_key_does_not_open(opened):
    stream = opened()
    stream.append(drafts("one"), NOW.text)
    stream.checkpoint()
    stream.close()
    with pytest.raises(AuditLogDamagedError, match="another key"):
        opened(signer=LocalSigner(ORIGIN, Ed25519PrivateKey.generate()))


def test_a_log_is_shorter_than_its_checkpoint_only_by_harm_and_does_not_open(opened, sql):
    stream = opened()
    stream.append(drafts("0", "1", "2"), NOW.text)
    stream.checkpoint()
    stream.close()
    sql("DELETE FROM audit_records WHERE seq = 2")
    sql("UPDATE audit_logs SET size = 2")
    with pytest.raises(AuditLogDamagedError, match="3 are signed") as caught:
        opened()
    assert caught.value.sequence == 2


def test_a_signer_that_signs_another_log_is_not_believed(opened):
    class Liar(LocalSigner):
        def sign(self, before, leaves):
            return super().sign(before, [bytes(32)] * len(leaves))

    stream = opened(signer=Liar(ORIGIN, KEY))
    stream.append(drafts("one"), NOW.text)
    with pytest.raises(SignerUnavailableError, match="another log"):
        stream.checkpoint()
    assert stream.checkpointed == 0


def test_what_a_dead_process_left_is_known_to_the_next(opened):
    stream = opened()
    stream.append([allowed("dec_1"), allowed("dec_2"), allowed("dec_3", reason="listed")], NOW.text)
    stream.append([allowed("dec_4", outcome="deny"), ended("dec_1")], NOW.text)
    stream.checkpoint()
    stream.append([allowed("dec_5"), ended("dec_6")], NOW.text)
    # And is killed. What was open at the checkpoint is listed there; what came after is read.
    again = opened()
    assert [one.entry()["body"]["decision_id"] for one in again.left] == ["dec_2", "dec_5"]
    again.append([ended("dec_2"), ended("dec_5")], NOW.text)
    assert opened().left == ()


def test_what_others_said_the_end_of_is_not_left(opened, sql):
    stream = opened()
    stream.append([allowed("dec_1"), allowed("dec_2")], NOW.text)
    sql("UPDATE audit_logs SET settled = 1")
    assert [one.sequence for one in opened().left] == [1]


def test_nothing_is_torn_in_a_database(opened):
    assert opened().repaired_bytes == 0


def test_an_event_is_whole_or_not_there(opened, source):
    stream = opened()
    many = [draft(AuditQueried(query={"n": n}), Producer(), NOW) for n in range(2_500)]
    stream.append(many, NOW.text)
    assert source.bounds(ORIGIN) == (0, 2_500)
    read = [one.sequence for one in source.read(ORIGIN, 7, limit=2_400)]
    assert read == list(range(7, 2_407))
