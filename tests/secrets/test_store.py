"""Sealed secrets in the database."""

import pytest
from sqlalchemy import text

from remit.secrets import MasterKey, SealBrokenError, SecretBox, keep_secret, sealed_secret


def _keep(database, box, clock, secret: bytes, name: str = "audit-key") -> bytes:
    return database.run_now(lambda tx: keep_secret(tx, box, name, secret=secret, now=clock.now()))


def test_a_secret_is_kept_sealed(database, box, clock):
    assert _keep(database, box, clock, b"hunter2") == b"hunter2"
    assert database.read_now(lambda tx: sealed_secret(tx, box, "audit-key")) == b"hunter2"
    stored = database.read_now(
        lambda tx: tx.connection.execute(text("SELECT ciphertext FROM sealed_secrets")).scalar()
    )
    assert "hunter2" not in stored


def test_the_first_secret_of_a_name_stays(database, box, clock):
    _keep(database, box, clock, b"first")
    assert _keep(database, box, clock, b"second") == b"first"


def test_an_unknown_name_has_no_secret(database, box):
    assert database.read_now(lambda tx: sealed_secret(tx, box, "nothing")) is None


def test_another_master_key_does_not_open_it_and_does_not_replace_it(database, box, clock):
    _keep(database, box, clock, b"first")
    other = SecretBox(MasterKey(bytes(range(1, 33))))
    with pytest.raises(SealBrokenError):
        database.read_now(lambda tx: sealed_secret(tx, other, "audit-key"))
    with pytest.raises(SealBrokenError):
        _keep(database, other, clock, b"second")
    assert database.read_now(lambda tx: sealed_secret(tx, box, "audit-key")) == b"first"


def test_a_row_moved_under_another_name_does_not_open(database, box, clock):
    _keep(database, box, clock, b"first")
    database.run_now(
        lambda tx: tx.connection.execute(text("UPDATE sealed_secrets SET name = 'other'"))
    )
    with pytest.raises(SealBrokenError):
        database.read_now(lambda tx: sealed_secret(tx, box, "other"))
