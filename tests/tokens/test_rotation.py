import pytest

from remit.audit import Context
from remit.audit.events import SigningKeyAdded, SigningKeyRetired
from remit.clock import Seconds
from remit.errors import ConflictError, NotFoundError
from remit.secrets import MasterKey, SealBrokenError, SecretBox
from remit.tokens import InvalidTokenError, KeySet, TokenVerifier
from remit.tokens.rotation import (
    JWKS_LIFETIME,
    LONGEST_TOKEN,
    keep_keys,
    open_keys,
    reread_keys,
    retire_key,
    rotate_key,
)
from remit.tokens.store import list_keys
from tests.tokens.conftest import ISSUER, Mint

NEVER = Seconds(0)


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return SecretBox(MasterKey.load(folder, {}))


class Process:
    """One of several on a database: keys of its own, and a verifier."""

    def __init__(self, database, box, clock, keys):
        self.database, self.box, self.clock, self.keys = database, box, clock, keys
        self.mint = Mint(clock=clock, keys=keys, verifier=TokenVerifier(keys, ISSUER, clock))

    @classmethod
    async def start(cls, database, box, clock):
        return cls(database, box, clock, await open_keys(database, box, clock))

    def published(self):
        return {jwk["kid"] for jwk in self.keys.public_jwks()["keys"]}

    async def reread(self):
        return await reread_keys(self.database, self.box, self.keys)

    def rotate(self, *, at_once=False):
        return self.database.run_now(
            lambda tx: rotate_key(
                tx, self.box, at_once=at_once, now=self.clock.now(), context=Context()
            )
        )

    def retire(self, kid, reason="lost"):
        return self.database.run_now(
            lambda tx: retire_key(tx, kid, reason=reason, now=self.clock.now(), context=Context())
        )

    def keep(self, lifetime=NEVER):
        return self.database.run_now(
            lambda tx: keep_keys(tx, self.box, lifetime=lifetime, now=self.clock.now())
        )


@pytest.fixture
async def one(database, box, clock):
    return await Process.start(database, box, clock)


@pytest.fixture
async def other(one, database, box, clock):
    return await Process.start(database, box, clock)


def test_the_first_start_makes_a_key_and_the_next_finds_it(one, other, events):
    assert one.published() == other.published()
    (added,) = events.of(SigningKeyAdded)
    assert {added.key_id} == one.published()


async def test_a_client_that_cached_the_keys_never_meets_an_unknown_one(one, clock):
    """Whatever was published at most a cache lifetime ago names the key of every token."""
    seen = [(clock.now(), one.published())]
    one.rotate()
    for _ in range(60):
        await one.reread()
        seen.append((clock.now(), one.published()))
        kid = one.keys.signing_at(clock.now()).kid
        assert all(kid in kids for at, kids in seen if clock.now() - at <= JWKS_LIFETIME)
        clock.advance(20)
    assert len({one.keys.signing_at(at).kid for at, _ in seen}) == 2


async def test_every_token_outlives_the_rotation_of_its_key(one, clock):
    old = one.keys.signing_at(clock.now()).kid
    new = one.rotate()
    clock.advance(new.signs_from - clock.now() - 1)
    await one.reread()
    last = one.mint.raw(exp=clock.now() + 3_600)
    clock.advance(3_599)
    assert one.keep() is False
    await one.reread()
    one.mint.verifier.verify(last, audience=one.mint.audience)
    clock.advance(LONGEST_TOKEN)
    assert one.keep() is True
    await one.reread()
    assert old not in one.published()
    assert one.keep() is False


async def test_after_a_compromise_everything_the_old_key_signed_is_refused_everywhere(
    one, other, events
):
    raw = one.mint.raw()
    other.mint.verifier.verify(raw, audience=one.mint.audience)
    new = one.rotate(at_once=True)
    await other.reread()
    assert other.published() == {new.kid}
    with pytest.raises(InvalidTokenError):
        other.mint.verifier.verify(raw, audience=one.mint.audience)
    assert len(events.of(SigningKeyRetired)) == 1
    fresh = other.mint.raw(jti="fresh")
    await one.reread()
    one.mint.verifier.verify(fresh, audience=one.mint.audience)


def test_two_processes_that_rotate_at_once_make_one_key(one, other):
    one.rotate()
    with pytest.raises(ConflictError, match="waits already"):
        other.rotate()
    assert len(one.database.read_now(list_keys)) == 2


def test_an_emergency_does_not_wait_for_a_key_that_waits(one):
    waiting = one.rotate()
    new = one.rotate(at_once=True)
    active = one.database.read_now(lambda tx: list_keys(tx, retired=False))
    assert [key.kid for key in active] == [new.kid] != [waiting.kid]


def test_the_only_key_that_signs_is_not_retired(one, clock):
    kid = one.keys.signing_at(clock.now()).kid
    with pytest.raises(ConflictError, match="no other key signs"):
        one.retire(kid)
    new = one.rotate()
    with pytest.raises(ConflictError, match="no other key signs"):
        one.retire(kid)
    clock.advance(new.signs_from - clock.now())
    assert one.retire(kid).retired_at == clock.now()
    with pytest.raises(ConflictError, match="already"):
        one.retire(kid)


def test_a_key_nobody_has_is_not_retired(one):
    with pytest.raises(NotFoundError):
        one.retire("nothing")


def test_keys_are_changed_by_age_once_and_in_peace(one, other, clock):
    assert one.keep(Seconds(1_000)) is False
    clock.advance(1_000)
    assert one.keep(NEVER) is False
    assert one.keep(Seconds(1_000)) is True
    assert other.keep(Seconds(1_000)) is False
    first, second = one.database.read_now(list_keys)
    assert first.signs_from > clock.now()
    assert second.retires_at == first.signs_from + LONGEST_TOKEN


async def test_what_another_process_retired_is_refused_even_if_its_new_key_cannot_be_opened(
    one, database, clock, tmp_path
):
    elsewhere = tmp_path / "other"
    elsewhere.mkdir(mode=0o700)
    stranger = Process(database, SecretBox(MasterKey.load(elsewhere, {})), clock, KeySet())
    stranger.rotate(at_once=True)
    with pytest.raises(SealBrokenError):
        await one.reread()
    assert one.published() == set()
