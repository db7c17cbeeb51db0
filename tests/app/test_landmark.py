"""A database that has come less far than a process remembers is not believed, however well its rows are signed."""

import json
import shutil

import pytest
from sqlalchemy import select

from remit.app import build
from remit.cli.bundle_source import bundle_in
from remit.deployment import BadSignatureError
from remit.deployment.activation_store import activations
from remit.deployment.trial_store import trials
from remit.settings import Policies

from .test_bundle_book import applied, apply_folder, rename, socket_of, sql

NOTE = "policies.in-force"


async def opened(settings, clock) -> str:
    """What decides when it opens."""
    async with build(settings, environ={}, clock=clock) as app:
        return app.directory.catalog.version


@pytest.fixture
async def deployed(settings, clock) -> str:
    async with build(settings, environ={}, clock=clock) as app:
        return await applied(app, settings)


async def altered(settings, clock, statement: str) -> None:
    """Somebody writes to the database while nothing runs."""
    folder = settings.model_copy(update={"policies": Policies.FOLDER})
    async with build(folder, environ={}, clock=clock) as app:
        await sql(app, statement)


@pytest.mark.parametrize(
    ("statement", "newest"),
    [
        ("DELETE FROM activations WHERE sequence = 2", "the newest in the database is 1"),
        ("DELETE FROM activations", "the newest in the database is 0"),
    ],
    ids=["the newest is gone", "all are gone"],
)
async def test_a_start_on_a_database_that_was_taken_back_is_refused(
    settings, clock, deployed, statement, newest
):
    await altered(settings, clock, statement)
    with pytest.raises(BadSignatureError, match=newest) as refused:
        await opened(settings, clock)
    note = settings.data / NOTE
    assert f"remove `{note.absolute()}`" in refused.value.detail
    note.unlink()
    assert await opened(settings, clock) != "", "whoever restored a backup says so"


async def test_the_same_number_for_another_activation_is_refused(settings, clock, deployed):
    """As after a restored backup, on which something else was applied since."""
    note = settings.data / NOTE
    kept = note.read_bytes()
    await altered(settings, clock, "DELETE FROM activations WHERE sequence = 2")
    note.unlink()
    rename(settings)
    path = settings.repo / "remit.yaml"
    path.write_text(path.read_text().replace("Remit of the tests", "Remit of others"))
    async with build(settings, environ={}, clock=clock) as app, socket_of(app) as management:
        assert (await apply_folder(management, repo=settings.repo))["state"] == "in_force"
    note.write_bytes(kept)
    with pytest.raises(BadSignatureError, match="activation 2 is another than it was here"):
        await opened(settings, clock)


@pytest.mark.parametrize("damage", ["another number", "half-written", "another key"])
async def test_a_note_that_this_installation_did_not_write_is_not_believed(
    settings, clock, deployed, damage
):
    note = settings.data / NOTE
    said = json.loads(note.read_bytes())
    match damage:
        case "another number":
            note.write_text(json.dumps(said | {"sequence": 1}))
        case "half-written":
            note.write_bytes(note.read_bytes()[:40])
        case _:
            note.write_text(json.dumps(said | {"seal": "A" * 86}))
    with pytest.raises(BadSignatureError, match="was not written by the installation"):
        await opened(settings, clock)
    folder = settings.model_copy(update={"policies": Policies.FOLDER})
    assert await opened(folder, clock) == deployed, "the way out stays open"


async def test_the_note_is_private_and_follows_what_is_in_force(settings, clock, deployed):
    note = settings.data / NOTE
    assert note.stat().st_mode & 0o077 == 0
    assert json.loads(note.read_bytes())["sequence"] == 2
    async with build(settings, environ={}, clock=clock) as app, socket_of(app) as management:
        await management.post("/api/v1/bundle-rollback", json={})
        assert json.loads(note.read_bytes())["sequence"] == 3
        assert (
            await app.database.read(
                lambda tx: len(list(tx.connection.execute(select(activations))))
            )
            == 3
        )


async def test_what_cannot_be_noted_does_not_come_into_force(settings, clock, app):
    before = app.directory.catalog.version
    rename(settings)
    note = settings.data / NOTE
    note.with_name(f".{NOTE}.part").mkdir()
    async with socket_of(app) as management:
        answer = await management.post(
            "/api/v1/proposals", json=bundle_in(settings.repo, None), timeout=120
        )
    assert answer.status_code == 400
    assert answer.json()["code"] == "data_folder"
    assert app.directory.catalog.version == before
    shutil.rmtree(note.with_name(f".{NOTE}.part"))
    await app.bundles.refresh()
    assert app.directory.catalog.version != before


async def test_a_trial_that_was_seen_to_end_is_not_taken_up_again_after_a_restart(settings, clock):
    """Its row and that of its proposal are put back as they were: both are signed."""
    rename(settings)
    async with build(settings, environ={}, clock=clock) as app, socket_of(app) as management:
        proposal = await apply_folder(management, repo=settings.repo, trial=50)
        assert proposal["state"] == "on_trial"
        trial = await app.database.read(
            lambda tx: tx.connection.execute(select(trials)).one()._asdict()
        )
        path = f"/api/v1/proposals/{proposal['id']}/reject"
        assert (await management.post(path, json={})).json()["state"] == "rejected"
        await app.database.run(
            lambda tx: tx.connection.execute(trials.update().values(**trial)) and None
        )
        with pytest.raises(BadSignatureError, match="was over, and runs again"):
            await app.bundles.refresh()
        assert app.desk.trial is None
    with pytest.raises(BadSignatureError, match="was over, and runs again"):
        await opened(settings, clock)
