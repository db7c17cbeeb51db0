"""What is in force follows the database, and stays when the database says something that cannot be believed."""

import asyncio

import httpx2
import pytest
import structlog
from sqlalchemy import text

from remit.app import build
from remit.app import bundle_book as room
from remit.app.beginning import NoBundleError
from remit.app.reload import BundleDecidesError
from remit.cli.bundle_source import bundle_in
from remit.deployment import BadSignatureError
from remit.errors import UnavailableError
from remit.repository import RepositoryInvalidError
from remit.settings import Policies


def rename(settings) -> None:
    """A change that nobody has to look at."""
    path = settings.repo / "remit.yaml"
    path.write_text(path.read_text().replace("name: Remit example", "name: Remit of the tests"))


async def apply_folder(management, **members: object):
    repo = members.pop("repo")
    answer = await management.post(
        "/api/v1/proposals", json=bundle_in(repo, None) | members, timeout=120
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sql(app, statement: str) -> None:
    await app.database.run(lambda tx: tx.connection.execute(text(statement)) and None)


def socket_of(app):
    transport = httpx2.ASGITransport(app.management)
    return httpx2.AsyncClient(transport=transport, base_url="http://remit")


async def applied(app, settings) -> str:
    rename(settings)
    async with socket_of(app) as management:
        proposal = await apply_folder(management, repo=settings.repo)
    assert proposal["state"] == "in_force", proposal
    return proposal["bundle"]


async def test_after_a_restart_the_bundle_decides_and_not_the_folder(settings, clock):
    async with build(settings, environ={}, clock=clock) as app:
        digest = await applied(app, settings)
        assert app.directory.catalog.version == digest
    (settings.repo / "remit.yaml").write_text("nonsense: [")
    async with build(settings, environ={}, clock=clock) as app:
        assert app.directory.catalog.version == digest
        assert app.bundles.present.sequence == 2
        with pytest.raises(BundleDecidesError, match="remit apply"):
            await app.reload()
    nowhere = settings.model_copy(update={"repo": settings.repo / "nowhere"})
    async with build(nowhere, environ={}, clock=clock) as app:
        assert app.directory.catalog.version == digest


async def test_the_operator_may_say_which_of_the_two_decides(settings, clock):
    only_bundles = settings.model_copy(update={"policies": Policies.BUNDLE})
    with pytest.raises(NoBundleError, match="no bundle was ever put in force"):
        async with build(only_bundles, environ={}, clock=clock):
            pytest.fail("it opened")
    async with build(settings, environ={}, clock=clock) as app:
        folder = app.directory.catalog.version
        digest = await applied(app, settings)
    text_of = (settings.repo / "remit.yaml").read_text()
    (settings.repo / "remit.yaml").write_text(
        text_of.replace("Remit of the tests", "Remit example")
    )
    async with build(only_bundles, environ={}, clock=clock) as app:
        assert app.directory.catalog.version == digest
    only_folder = settings.model_copy(update={"policies": Policies.FOLDER})
    async with build(only_folder, environ={}, clock=clock) as app:
        assert app.directory.catalog.version == folder
        await app.bundles.refresh()
        assert app.directory.catalog.version == folder
        async with socket_of(app) as management:
            refused = await management.post("/api/v1/bundle-rollback", json={})
            assert (refused.status_code, refused.json()["code"]) == (409, "folder_decides")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE bundles SET content = replace(content, 'forbid', 'permit')",
        "UPDATE bundles SET content = substr(content, 1, 500)",
        "UPDATE activations SET reason = 'another'",
    ],
    ids=["altered", "half-written", "another activation"],
)
async def test_a_start_on_what_was_altered_is_refused(settings, clock, change):
    async with build(settings, environ={}, clock=clock) as app:
        await applied(app, settings)
        await sql(app, change)
    with pytest.raises(BadSignatureError):
        async with build(settings, environ={}, clock=clock):
            pytest.fail("it opened")


async def test_a_bundle_altered_before_another_process_reads_it_leaves_the_old_one_there(
    settings, clock, app
):
    before = app.directory.catalog.version
    rename(settings)
    async with socket_of(app) as management:
        await apply_folder(management, repo=settings.repo)
        await management.post("/api/v1/bundle-rollback", json={"bundle": before})
    present = app.bundles.present.sequence
    await sql(app, "UPDATE bundles SET content = ''")
    async with socket_of(app) as management:
        refused = await management.post("/api/v1/bundle-rollback", json={})
    assert refused.status_code in {404, 422}
    assert app.directory.catalog.version == before
    assert app.bundles.present.sequence == present


async def test_a_sequence_that_has_become_shorter_changes_nothing_and_is_said(settings, app):
    digest = await applied(app, settings)
    await sql(app, "DELETE FROM activations WHERE sequence = 2")
    with pytest.raises(BadSignatureError, match="no longer in the database"):
        await app.bundles.refresh()
    assert app.directory.catalog.version == digest


async def test_a_database_that_is_down_keeps_what_is_in_force_and_it_is_said(
    settings, app, monkeypatch
):
    digest = await applied(app, settings)
    monkeypatch.setattr(room, "INTERVAL", 0.0)
    looked, enough = [], asyncio.Event()

    async def label(_self):
        looked.append(1)
        if len(looked) > 3:
            enough.set()
        raise UnavailableError("the database does not answer")

    with structlog.testing.capture_logs() as logs, monkeypatch.context() as patch:
        patch.setattr(room.Shelf, "label", label)
        task = asyncio.create_task(app.bundles.run())
        async with asyncio.timeout(20):
            await enough.wait()
        task.cancel()
    assert [line["event"] for line in logs] == ["bundles_unreadable"]
    assert app.directory.catalog.version == digest


async def test_a_bundle_with_a_mistake_never_comes_into_force(settings, app):
    before = app.directory.catalog.version
    (settings.repo / "policies" / "broken.cedar").write_text("permit(")
    async with socket_of(app) as management:
        refused = await management.post("/api/v1/proposals", json=bundle_in(settings.repo, None))
    assert (refused.status_code, refused.json()["code"]) == (422, RepositoryInvalidError.code)
    assert app.directory.catalog.version == before
    records = next((settings.data / "audit" / "main").glob("*.jsonl")).read_text()
    assert records.count('"kind":"bundle.refused"') == 1
