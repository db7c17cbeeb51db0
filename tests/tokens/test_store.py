import pytest
from sqlalchemy import update

from remit.secrets import MasterKey, SealBrokenError, SecretBox
from remit.tokens import SigningKey
from remit.tokens.keys import UnusableKeyError
from remit.tokens.store import (
    add_key,
    open_keys,
    read_keys,
    reread_keys,
    retire_key,
    signing_keys,
)


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return SecretBox(MasterKey.load(folder, {}))


async def test_the_first_start_makes_a_key_and_the_next_finds_it(database, box, clock):
    first = await open_keys(database, box, clock)
    second = await open_keys(database, box, clock)
    assert first.signing.kid == second.signing.kid
    assert first.public_jwks() == second.public_jwks()


async def test_the_private_part_is_stored_sealed_alone(database, box, clock):
    keys = await open_keys(database, box, clock)
    row = database.read_now(lambda tx: tx.connection.execute(signing_keys.select()).one())
    stored = " ".join(str(value) for value in row)
    secret = keys.signing.key.as_dict(private=True)["d"]
    assert secret not in stored
    assert "PRIVATE KEY" not in stored
    assert row.kid == keys.signing.kid
    assert row.alg == "ES256"


async def test_after_a_rotation_both_keys_verify_and_the_new_one_signs(database, box, clock):
    keys = await open_keys(database, box, clock)
    old = keys.signing
    clock.advance(60)
    new = database.run_now(lambda tx: add_key(tx, box, now=clock.now()))
    await reread_keys(database, box, keys)
    assert keys.signing.kid == new.kid
    assert keys.find(old.kid) is not None


async def test_a_retired_key_is_gone_for_every_process_that_reads_again(database, box, clock):
    keys = await open_keys(database, box, clock)
    old = keys.signing.kid
    clock.advance(60)
    database.run_now(lambda tx: add_key(tx, box, now=clock.now()))
    assert database.run_now(lambda tx: retire_key(tx, old, now=clock.now())) is True
    assert database.run_now(lambda tx: retire_key(tx, old, now=clock.now())) is False
    await reread_keys(database, box, keys)
    assert keys.find(old) is None


async def test_keys_sealed_with_another_master_key_are_refused(database, box, clock, tmp_path):
    await open_keys(database, box, clock)
    elsewhere = tmp_path / "other"
    elsewhere.mkdir(mode=0o700)
    with pytest.raises(SealBrokenError):
        await open_keys(database, SecretBox(MasterKey.load(elsewhere, {})), clock)


async def test_a_key_that_was_swapped_for_another_is_refused(database, box, clock):
    """Whoever writes to the database cannot make us sign with a key sealed under another name."""
    keys = await open_keys(database, box, clock)
    kid = keys.signing.kid
    other = SigningKey.generate(clock.now())
    sealed = box.seal(f"signing_key:{kid}", other.private_pem)
    database.run_now(
        lambda tx: tx.connection.execute(update(signing_keys).values(sealed_private=sealed))
    )
    with pytest.raises(UnusableKeyError):
        database.read_now(lambda tx: read_keys(tx, box))
