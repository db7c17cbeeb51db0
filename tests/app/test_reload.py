import asyncio

import pytest

from remit.app.reload import load_policies
from remit.audit import AuditUnavailableError
from remit.repository import RepositoryInvalidError


def in_force(app) -> tuple[str, str]:
    return app.directory.catalog.version, app.reload._in_force._decisions.version


def forbid_everything(settings) -> None:
    path = settings.repo / "policies" / "nothing.cedar"
    path.write_text('@id("nothing")\nforbid(principal, action, resource);\n')


async def test_catalog_and_policies_change_together_and_are_recorded(app, settings):
    before = in_force(app)
    forbid_everything(settings)
    answer = await app.reload()
    assert answer["changed"] is True
    after = in_force(app)
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert (answer["catalog_version"], answer["policy_version"]) == after
    records = next((settings.data / "audit" / "main").glob("*.jsonl")).read_text()
    assert records.count('"kind":"policy.loaded"') == 2


async def test_the_same_repository_is_not_recorded_again(app, settings):
    before = in_force(app)
    assert (await app.reload())["changed"] is False
    assert in_force(app) == before
    records = next((settings.data / "audit" / "main").glob("*.jsonl")).read_text()
    assert records.count('"kind":"policy.loaded"') == 1


async def test_a_broken_repository_changes_nothing(app, settings):
    before = in_force(app)
    (settings.repo / "policies" / "broken.cedar").write_text("permit(")
    with pytest.raises(RepositoryInvalidError):
        await app.reload()
    assert in_force(app) == before


async def test_a_change_that_cannot_be_recorded_does_not_happen(app, settings):
    before = in_force(app)
    forbid_everything(settings)
    app.audit._log._log.close()
    with pytest.raises(AuditUnavailableError):
        await app.reload()
    assert in_force(app) == before


async def test_two_at_once_end_with_what_stands_there(app, settings):
    forbid_everything(settings)
    answers = await asyncio.gather(app.reload(), app.reload())
    assert [answer["changed"] for answer in answers] == [True, False]


def test_an_engine_holds_the_policies_of_its_catalog(settings):
    loaded = load_policies(settings.repo)
    assert loaded.engine.rules
    assert loaded.repository.catalog.servers
