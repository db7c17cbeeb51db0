import pytest
from sqlalchemy import update

from remit.clock import EpochSeconds
from remit.secrets import MasterKey, SealBrokenError, SecretBox
from remit.tokens import SigningKey
from remit.tokens.keys import UnusableKeyError
from remit.tokens.rotation import open_keys
from remit.tokens.store import list_keys, mark_retired, read_keys, set_retirement, signing_keys


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return SecretBox(MasterKey.load(folder, {}))


async def test_the_private_part_is_stored_sealed_alone(database, box, clock):
    keys = await open_keys(database, box, clock)
    row = database.read_now(lambda tx: tx.connection.execute(signing_keys.select()).one())
    stored = " ".join(str(value) for value in row)
    secret = keys.signing_at(clock.now()).key.as_dict(private=True)["d"]
    assert secret not in stored
    assert "PRIVATE KEY" not in stored
    assert row.kid == keys.signing_at(clock.now()).kid
    assert row.alg == "ES256"


async def test_a_retired_key_is_listed_without_what_it_could_sign_with(database, box, clock):
    keys = await open_keys(database, box, clock)
    kid = keys.signing_at(clock.now()).kid
    clock.advance(5)
    assert database.run_now(lambda tx: mark_retired(tx, kid, now=clock.now())) is True
    assert database.run_now(lambda tx: mark_retired(tx, kid, now=clock.now())) is False
    (listed,) = database.read_now(list_keys)
    assert (listed.kid, listed.retired_at) == (kid, clock.now())
    assert database.read_now(lambda tx: list_keys(tx, retired=False)) == ()
    assert database.read_now(lambda tx: read_keys(tx, box)) == ()
    row = database.read_now(lambda tx: tx.connection.execute(signing_keys.select()).one())
    assert row.sealed_private == ""


async def test_when_a_key_retires_is_said_once(database, box, clock):
    keys = await open_keys(database, box, clock)
    kid = keys.signing_at(clock.now()).kid
    database.run_now(lambda tx: set_retirement(tx, [kid], at=EpochSeconds(100)))
    database.run_now(lambda tx: set_retirement(tx, [kid], at=EpochSeconds(200)))
    assert database.read_now(list_keys)[0].retires_at == 100


async def test_keys_sealed_with_another_master_key_are_refused(database, box, clock, tmp_path):
    await open_keys(database, box, clock)
    elsewhere = tmp_path / "other"
    elsewhere.mkdir(mode=0o700)
    with pytest.raises(SealBrokenError):
        await open_keys(database, SecretBox(MasterKey.load(elsewhere, {})), clock)


async def test_a_key_that_was_swapped_for_another_is_refused(database, box, clock):
    """Whoever writes to the database cannot make us sign with a key sealed under another name."""
    keys = await open_keys(database, box, clock)
    kid = keys.signing_at(clock.now()).kid
    other = SigningKey.generate(clock.now())
    sealed = box.seal(f"signing_key:{kid}", other.private_pem)
    database.run_now(
        lambda tx: tx.connection.execute(update(signing_keys).values(sealed_private=sealed))
    )
    with pytest.raises(UnusableKeyError):
        database.read_now(lambda tx: read_keys(tx, box))
