"""What a guard believes of what it hears, and what it does not."""

import asyncio
from dataclasses import replace

import pytest

from remit.canonical import canonical_bytes
from remit.embedded.feed import ForeignSnapshotError, SnapshotFeed
from remit.embedded.remit_door import RemitUnavailableError
from remit.guard.codec import UnreadableError
from remit.guard.snapshot import PublicKey, snapshot_bytes, version_of
from remit.guard.statement import BadStatementError, Statement, sign_statement
from remit.testing.clock import FixedClock
from remit.tokens import SigningKey
from tests.guard.test_snapshot import snapshot

KEY = SigningKey.generate(FixedClock().now())
OTHER = SigningKey.generate(FixedClock().now())


def public(key):
    jwk = key.public_jwk
    return PublicKey(kid=key.kid, x=jwk["x"], y=jwk["y"])


SNAPSHOT = replace(snapshot(), keys=(public(KEY),))


class Door:
    """A Remit that answers whatever the test wants."""

    def __init__(self, snapshot=SNAPSHOT, *, key=KEY, published=(KEY,), **said):
        self.snapshot_in_force, self.key, self.published, self.said = snapshot, key, published, said
        self.content = snapshot_bytes(snapshot)
        self.questions = []

    async def snapshot(self, question, *, wait):
        self.questions.append(question)
        version = version_of(snapshot_bytes(self.snapshot_in_force))
        statement = Statement(
            **{
                "issuer": self.snapshot_in_force.issuer,
                "server": self.snapshot_in_force.server,
                "nonce": question["nonce"],
                "version": version,
                "age": 0,
                **self.said,
            }
        )
        line = sign_statement(statement, self.key)
        return line if question["after"] == version else line + b"\n" + self.content

    async def public_keys(self):
        return {"keys": [one.public_jwk for one in self.published]}


class Taken:
    def __init__(self):
        self.snapshots, self.heard = [], []

    async def take(self, snapshot, heard):
        self.snapshots.append(snapshot)
        self.heard.append(heard)

    def renew(self, heard):
        self.heard.append(heard)


def feed_of(door, clock=None):
    return SnapshotFeed(
        door, name="crm", instance="crm-1", release="1", clock=clock or FixedClock()
    )


async def once(feed, taken):
    await feed._once(taken.take, taken.renew)


async def test_what_remit_says_is_put_in_force_and_then_renewed():
    clock, taken = FixedClock(), Taken()
    door = Door(age=3)
    feed = feed_of(door, clock)
    await once(feed, taken)
    await once(feed, taken)
    assert taken.snapshots == [SNAPSHOT]
    assert [one.wall for one in taken.heard] == [clock.now() - 3] * 2
    assert [one["after"] for one in door.questions] == ["", version_of(snapshot_bytes(SNAPSHOT))]
    assert door.questions[0]["nonce"] != door.questions[1]["nonce"]


async def test_the_lease_counts_from_the_question_and_not_from_the_answer():
    clock, taken = FixedClock(), Taken()
    door = Door()
    asked = clock.now()
    answer = door.snapshot

    async def late(question, *, wait):
        clock.advance(20)
        return await answer(question, wait=wait)

    door.snapshot = late
    await once(feed_of(door, clock), taken)
    assert taken.heard[0].wall == asked


@pytest.mark.parametrize(
    ("door", "error"),
    [
        (Door(key=OTHER), BadStatementError),
        (Door(nonce="x" * 32), BadStatementError),
        (Door(version="0" * 64), BadStatementError),
        (Door(server="erp"), ForeignSnapshotError),
        (Door(issuer="https://evil.example"), ForeignSnapshotError),
        (Door(replace(SNAPSHOT, server="erp")), ForeignSnapshotError),
    ],
    ids=[
        "another key",
        "an earlier answer",
        "another snapshot",
        "another server's statement",
        "another issuer",
        "another server's snapshot",
    ],
)
async def test_what_is_not_remits_word_to_this_guard_changes_nothing(door, error):
    taken = Taken()
    with pytest.raises(error):
        await once(feed_of(door), taken)
    assert taken.snapshots == taken.heard == []


async def test_a_tampered_snapshot_is_not_even_parsed():
    door, taken = Door(), Taken()
    door.content = door.content.replace(b'"crm"', b'"erp"')
    with pytest.raises(BadStatementError, match="not the one"):
        await once(feed_of(door), taken)
    assert taken.snapshots == []


async def test_a_snapshot_of_a_version_that_knows_more_is_refused():
    door, taken = Door(), Taken()
    door.content = canonical_bytes({"$": "Snapshot", "forbid_all": True})
    door.said = {"version": version_of(door.content)}
    with pytest.raises(UnreadableError):
        await once(feed_of(door), taken)


async def test_keys_are_looked_up_again_when_the_known_ones_are_gone():
    door, taken = Door(), Taken()
    feed = feed_of(door)
    await once(feed, taken)
    door.key, door.published = OTHER, (OTHER,)
    await once(feed, taken)
    assert len(taken.heard) == 2


async def test_the_issuer_stays_what_it_first_was():
    door, taken = Door(), Taken()
    feed = feed_of(door)
    await once(feed, taken)
    door.snapshot_in_force = replace(SNAPSHOT, issuer="https://other.example")
    door.content = snapshot_bytes(door.snapshot_in_force)
    with pytest.raises(ForeignSnapshotError):
        await once(feed, taken)


async def test_what_cannot_be_put_in_force_is_asked_for_again():
    door, taken = Door(), Taken()
    feed = feed_of(door)

    async def refuse(snapshot, heard):
        raise UnreadableError("its policies do not parse")

    with pytest.raises(UnreadableError):
        await feed._once(refuse, taken.renew)
    await once(feed, taken)
    assert taken.snapshots == [SNAPSHOT]


async def test_a_remit_that_is_away_is_asked_again_and_again(monkeypatch):
    door, taken = Door(), Taken()
    answer, heard = door.snapshot, asyncio.Event()

    async def away(question, *, wait):
        if len(door.questions) < 3:
            door.questions.append(question)
            raise RemitUnavailableError("remit cannot be reached")
        heard.set()
        return await answer(question, wait=wait)

    door.snapshot = away
    monkeypatch.setattr("remit.embedded.feed._FIRST_PAUSE", 0.0)
    running = asyncio.create_task(feed_of(door).run(taken.take, taken.renew))
    await asyncio.wait_for(heard.wait(), 20)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(door.questions) >= 3


async def test_a_remit_that_answers_at_once_is_not_asked_without_end(monkeypatch):
    door, taken = Door(), Taken()
    monkeypatch.setattr("remit.embedded.feed._BREATH", 3600.0)
    running = asyncio.create_task(feed_of(door).run(taken.take, taken.renew))
    async with asyncio.timeout(60):
        while not taken.snapshots:  # noqa: ASYNC110  it is put in force on another thread's word
            await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(door.questions) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
