from dataclasses import replace

from remit.app.status import Status
from remit.settings import Settings


async def test_status_has_what_an_administrator_needs_and_no_secret(app, clock):
    clock.advance(2)
    settings = app.settings.model_copy(update={"database_url": "postgresql://a:hunter2@db/remit"})
    found = Status(replace(app.self_test._parts, settings=settings), app.self_test)
    clock.advance(3)
    status = await found()
    assert status["up_for"] == 3
    assert status["standing_age"] == 5
    assert status["database"] == "postgresql"
    assert status["settings"]["database_url"] == "postgresql://db/remit"
    assert Settings.model_validate(status["settings"]).repo == app.settings.repo.absolute()
    assert "hunter2" not in repr(status)
    assert status["self_test"] is None
