"""What somebody else wrote into the database is not believed: bundles, activations, trials."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.deployment import BadSignatureError, bundle_bytes, kept_bundle, kept_bundles
from remit.deployment.activation_store import newest_activation
from remit.deployment.bundle_store import keep_bundle
from remit.deployment.sealing import InstallationKey
from remit.deployment.trial_store import running_trial
from remit.errors import NotFoundError

from .conftest import FORBID, bundle

ONE, OTHER = bundle(), bundle(FORBID)


@pytest.fixture
async def kept(database, key):
    await database.run(lambda tx: keep_bundle(tx, key, ONE, now=1, by="ada"))
    return database


async def sql(database, statement: str, **values: object) -> None:
    await database.run(lambda tx: tx.connection.execute(text(statement), values) and None)


async def test_what_was_kept_is_found_whole(kept, key):
    assert (await kept.read(lambda tx: kept_bundle(tx, key, ONE.digest))).contents == ONE.contents
    (listed,) = await kept.read(kept_bundles)
    assert (listed.digest, listed.files, listed.added_by) == (ONE.digest, len(ONE.contents), "ada")
    with pytest.raises(NotFoundError):
        await kept.read(lambda tx: kept_bundle(tx, key, OTHER.digest))


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE bundles SET content = replace(content, 'permit', 'Permit')", {}),
        ("UPDATE bundles SET content = :x", {"x": bundle_bytes(OTHER).decode()}),
        ("UPDATE bundles SET content = substr(content, 1, 100)", {}),
        ("UPDATE bundles SET content = ''", {}),
        ("UPDATE bundles SET seal = ''", {}),
        ("UPDATE bundles SET seal = :x", {"x": "A" * 86}),
    ],
    ids=["a word", "another whole bundle", "half of it", "nothing", "no seal", "another seal"],
)
async def test_a_bundle_that_was_altered_is_refused(kept, key, statement, values):
    await sql(kept, statement, **values)
    with pytest.raises(BadSignatureError):
        await kept.read(lambda tx: kept_bundle(tx, key, ONE.digest))


async def test_a_bundle_that_somebody_else_put_there_is_refused(database, key):
    stranger = InstallationKey(Ed25519PrivateKey.generate())
    await database.run(lambda tx: keep_bundle(tx, stranger, ONE, now=1, by=None))
    with pytest.raises(BadSignatureError, match="not signed by this installation"):
        await database.read(lambda tx: kept_bundle(tx, key, ONE.digest))


async def test_keeping_it_again_mends_it(kept, key):
    await sql(kept, "UPDATE bundles SET content = '', seal = ''")
    await kept.run(lambda tx: keep_bundle(tx, key, ONE, now=2, by="bob"))
    assert (await kept.read(lambda tx: kept_bundle(tx, key, ONE.digest))).digest == ONE.digest
    (listed,) = await kept.read(kept_bundles)
    assert listed.added_by == "ada"


@pytest.mark.parametrize(
    "change",
    [
        "bundle = 'x'", "previous = 'x'", "how = 'rollback'", "stage = 'prod'", "reason = 'x'",
        "activated_by = 'x'", "activated_at = 1", "seal = ''", "sequence = 7",
    ],
)  # fmt: skip
async def test_an_activation_that_was_altered_is_refused(process, database, key, change):
    await process.apply(OTHER)
    await sql(database, f"UPDATE activations SET {change} WHERE sequence = 2")
    with pytest.raises(BadSignatureError):
        await database.read(lambda tx: newest_activation(tx, key))
    with pytest.raises(BadSignatureError):
        await process.book.refresh()
    assert process.bundle == OTHER.digest, "what was in force stays"


@pytest.mark.parametrize(
    "change", ["bundle = 'x'", "share = 100", "refusals = 100", "until = 9", "seal = ''"]
)
async def test_a_trial_that_was_altered_is_refused(process, database, key, change):
    await process.apply(OTHER, share=10)
    await sql(database, f"UPDATE trials SET {change}")
    with pytest.raises(BadSignatureError):
        await database.read(lambda tx: running_trial(tx, key))
