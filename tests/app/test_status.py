from remit.app.status import Status
from remit.settings import Settings


async def test_status_has_what_an_administrator_needs_and_no_secret(app, clock):
    clock.advance(2)
    found = Status(
        app.settings.model_copy(update={"database_url": "postgresql://a:hunter2@db/remit"}),
        directory=app.reload._directory,
        decisions=app.reload._decisions,
        log=app.audit._log._log,
        guard=type("Open", (), {"closed": False})(),
        clock=clock,
    )
    clock.advance(3)
    status = await found()
    assert status["up_for"] == 3
    assert status["standing_age"] == 5
    assert status["database"] == "postgresql"
    assert status["settings"]["database_url"] == "postgresql://db/remit"
    assert Settings.model_validate(status["settings"]).repo == app.settings.repo.absolute()
    assert "hunter2" not in repr(status)
