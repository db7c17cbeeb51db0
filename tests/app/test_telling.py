"""The task in a whole Remit: what is due goes out by the notifiers of the repository in force."""

from dataclasses import replace

import pytest

from remit.app import build
from remit.app.telling import INTERVAL
from remit.approvals.notification import Notice, Occasion
from remit.approvals.notification_store import tell
from remit.clock import EpochSeconds
from tests.approvals.notified import MailHost

NOTIFIERS = """
notifiers:
  mail:
    kind: email
    url: smtp://localhost:{port}
    sender: remit@acme.example
    recipients: [ann@acme.example]
    private_network: true
"""


@pytest.fixture
async def mail():
    async with MailHost() as host:
        yield host


@pytest.fixture
async def app(settings, clock, mail):
    file = settings.repo / "approvals.yaml"
    old = file.read_text() if file.exists() else ""
    file.write_text(old + NOTIFIERS.format(port=mail.port))
    async with build(settings, environ={}, clock=clock) as opened:
        yield opened


def _notice(app):
    now = app.clock.now()
    return Notice(
        about="acc_1", occasion=Occasion.EMERGENCY, tenant="acme", server="remit", kind="emergency",
        name="break-glass", at=now, ends_at=EpochSeconds(now + 900),
    )  # fmt: skip


async def test_what_is_told_in_a_transaction_goes_out_by_the_repositorys_notifiers(app, mail):
    await app.database.run(lambda tx: tell(tx, _notice(app), ("mail",)))
    await app.telling.delivery.look()
    await app.telling.delivery.settle()
    (sent,) = mail.mails
    assert "Emergency access taken: `break-glass`" in sent
    assert f"{app.settings.issuer}/emergency" in sent
    labels = {"notifier": "mail", "outcome": "delivered"}
    assert _metrics(app).get_sample_value("remit_notifications_total", labels) == 1
    assert INTERVAL <= 1


async def test_one_that_the_repository_does_not_know_sends_nothing(app, mail):
    await app.database.run(lambda tx: tell(tx, _notice(app), ("other",)))
    await app.telling.delivery.look()
    await app.telling.delivery.settle()
    assert mail.said == []


async def test_what_waits_is_shown_to_whoever_watches(app, mail):
    mail.answers["MAIL"] = b"451 later\r\n"
    late = replace(_notice(app), about="acc_2")
    await app.database.run(lambda tx: tell(tx, late, ("mail",)))
    for _ in range(2):
        await app.telling.delivery.look()
        await app.telling.delivery.settle()
    assert _metrics(app).get_sample_value("remit_notifications_waiting") == 1


def _metrics(app):
    return app.reload._metrics.registry
