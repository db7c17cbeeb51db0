"""The task that sends: endpoints that are down, slow, lying or gone, over real sockets, on both databases."""

import asyncio
import json
from dataclasses import replace
from ipaddress import ip_address

import pytest
from structlog.testing import capture_logs

from remit.approvals.notification import Occasion
from remit.approvals.notification_delivery import Delivery, NotificationDeps
from remit.approvals.notification_mail import Mailer
from remit.approvals.notification_store import due_notifications, tell
from remit.audit.approval_events import NotificationFailed
from remit.clock import EpochSeconds
from remit.errors import UnavailableError
from remit.testing.clock import FixedClock
from remit.testing.document_host import DocumentHost
from remit.web.fetch import FetchLimits
from tests.approvals.notified import (
    AT,
    CHANNEL,
    MAIL,
    NOTICE,
    PAGE,
    SECRET,
    WEBHOOK,
    MailHost,
)

SECRETS = {"env:HOOK": SECRET, "env:CHANNEL": "https://client.example/channel"}


@pytest.fixture
async def host():
    async with DocumentHost() as host:
        host.serve("/hook", b"", status=204)
        host.serve("/channel", b"ok")
        yield host


class Telling:
    """A delivery over `database`, with what it counted; `notifiers` are those of the repository in force."""

    def __init__(self, database, host):
        self.database, self.clock, self.counted = database, FixedClock(AT), []
        self.notifiers = {one.name: one for one in (WEBHOOK, CHANNEL, MAIL)}
        self.mailer = Mailer(resolve=self._resolve, timeout=5)
        self.delivery = Delivery(
            NotificationDeps(
                database=database,
                clock=self.clock,
                public_url=PAGE,
                notifier=self.notifiers.get,
                read_secret=SECRETS.__getitem__,
                post=host.fetcher(FetchLimits(timeout=1)).post,
                mailer=self.mailer,
                count=lambda name, outcome: self.counted.append((name, outcome)),
            )
        )

    async def _resolve(self, host, port):
        return (ip_address("127.0.0.1"),)

    def tell(self, *notifiers, **changes):
        self.database.run_now(lambda tx: tell(tx, replace(NOTICE, **changes), notifiers))

    async def look(self):
        await self.delivery.look()
        await self.delivery.settle()

    def due_at(self):
        far = EpochSeconds(AT + 10**6)
        found = self.database.read_now(lambda tx: due_notifications(tx, now=far))
        return [one.next_at - AT for one in found]


@pytest.fixture
async def telling(database, host):
    made = Telling(database, host)
    yield made
    await made.delivery.close()


async def test_everybody_who_is_to_be_told_is_told_once(telling, host):
    async with MailHost() as mail:
        telling.notifiers["mail"] = replace(MAIL, url=f"smtp://mail.example:{mail.port}")
        telling.tell("hook", "channel", "mail")
        await telling.look()
        await telling.look()
    assert sorted(one.split(" ")[1] for one in host.requests) == ["/channel", "/hook"]
    assert len(mail.mails) == 1
    assert "Waiting for an answer" in mail.mails[0]
    assert sorted(telling.counted) == [
        ("channel", "delivered"), ("hook", "delivered"), ("mail", "delivered"),
    ]  # fmt: skip
    assert telling.due_at() == []


async def test_a_channel_is_told_of_many_at_once_and_a_machine_of_each(telling, host):
    for place in range(5):
        telling.tell("hook", "channel", about=f"apr_{place}")
    await telling.look()
    paths = [one.split(" ")[1] for one in host.requests]
    assert paths.count("/hook") == 5
    assert paths.count("/channel") == 1
    text = json.loads(host.bodies[paths.index("/channel")])["text"]
    assert text.startswith("5 requests wait for an answer")


async def test_an_endpoint_that_is_down_is_asked_again_with_the_same_id_and_then_told(
    telling, host, events
):
    host.serve("/hook", b"", status=503)
    telling.tell("hook")
    await telling.look()
    await telling.look()
    assert len(host.requests) == 1
    assert telling.due_at() == [15]
    host.serve("/hook", b"", status=204)
    telling.clock.advance(15)
    await telling.look()
    ids = {
        line
        for head in host.requests
        for line in head.split("\r\n")
        if line.lower().startswith("webhook-id")
    }
    assert len(host.requests) == 2
    assert len(ids) == 1
    assert telling.counted == [("hook", "failed"), ("hook", "delivered")]
    assert events.recorded == []


async def test_one_that_stays_down_is_given_up_when_it_would_be_too_late_and_the_log_says_so(
    telling, host, events
):
    host.serve("/hook", b"", status=500)
    telling.tell("hook")
    with capture_logs() as logged:
        for _ in range(20):
            await telling.look()
            telling.clock.advance(60)
    (event,) = events.of(NotificationFailed)
    assert (event.approval, event.error) == ("apr_1", "answered_500")
    assert telling.counted[-1] == ("hook", "given_up")
    assert telling.due_at() == []
    assert [one["event"] for one in logged] == ["notifier_failed"]


async def test_one_that_is_gone_for_good_is_asked_once(telling, host, events):
    host.serve("/hook", b"", status=410)
    telling.tell("hook")
    await telling.look()
    assert [one.error for one in events.of(NotificationFailed)] == ["answered_410"]
    assert telling.due_at() == []


async def test_a_hanging_endpoint_keeps_nobody_else_from_being_told(telling, host):
    host.answers["/hook"] = None
    telling.tell("hook", "channel")
    await telling.delivery.look()
    async with asyncio.timeout(30):
        while ("channel", "delivered") not in telling.counted:  # noqa: ASYNC110  nobody says so
            await asyncio.sleep(0.02)
    await telling.delivery.settle()
    assert telling.counted == [("channel", "delivered"), ("hook", "failed")]


async def test_where_nobody_answers_the_others_are_not_tried_one_by_one(telling, host):
    host.answers["/hook"] = b""
    for place in range(20):
        telling.tell("hook", about=f"apr_{place}")
    await telling.look()
    assert len(host.requests) == 1
    assert telling.counted == [("hook", "failed")] * 20
    assert set(telling.due_at()) == {15}


async def test_one_message_that_is_refused_keeps_no_other_back(telling, host):
    host.serve("/hook", b"", status=400)
    for place in range(3):
        telling.tell("hook", about=f"apr_{place}")
    await telling.look()
    assert len(host.requests) == 3


async def test_a_notifier_that_left_the_repository_tells_nobody(telling, host, events):
    del telling.notifiers["hook"]
    telling.tell("hook")
    await telling.look()
    assert host.requests == []
    assert [one.error for one in events.of(NotificationFailed)] == ["no_such_notifier"]


async def test_a_secret_that_is_missing_is_waited_for(telling, host, monkeypatch):
    monkeypatch.setitem(SECRETS, "env:HOOK", "unfit")
    telling.tell("hook")
    await telling.look()
    monkeypatch.setitem(SECRETS, "env:HOOK", SECRET)
    telling.clock.advance(15)
    await telling.look()
    assert telling.counted == [("hook", "failed"), ("hook", "delivered")]


async def test_recipients_that_a_mail_server_refuses_are_told_to_the_log(telling, events):
    async with MailHost() as mail:
        usual = mail._usual
        mail._usual = lambda word: (
            b"550 nobody\r\n" if "bob@" in mail.said[-1] and word == "RCPT" else usual(word)
        )
        telling.notifiers["mail"] = replace(MAIL, url=f"smtp://mail.example:{mail.port}")
        telling.tell("mail")
        await telling.look()
    assert len(mail.mails) == 1
    assert [one.error for one in events.of(NotificationFailed)] == ["some_recipients_refused"]


async def test_two_processes_tell_once(database, host, telling):
    other = Telling(database, host)
    telling.tell("hook")
    await asyncio.gather(telling.delivery.look(), other.delivery.look())
    await telling.delivery.settle()
    await other.delivery.settle()
    await other.delivery.close()
    assert len(host.requests) == 1


async def test_what_breaks_off_is_tried_again(telling, host):
    host.answers["/hook"] = None
    telling.tell("hook")
    await telling.delivery.look()
    async with asyncio.timeout(30):
        while not host.requests:  # noqa: ASYNC110  nobody says so
            await asyncio.sleep(0.02)
    await telling.delivery.close()
    assert telling.due_at() == [15]
    assert telling.counted == []


async def test_while_the_database_does_not_answer_nothing_is_lost(telling, host, monkeypatch):
    telling.tell("hook")
    run = type(telling.database).run

    async def fail(self, work):
        raise UnavailableError("the database does not answer")

    monkeypatch.setattr(type(telling.database), "run", fail)
    with capture_logs() as logged:
        await telling.look()
    assert [one["event"] for one in logged] == ["notifier_broken"]
    assert host.requests == []
    monkeypatch.setattr(type(telling.database), "run", run)
    await telling.look()
    assert len(host.requests) == 1


async def test_how_many_wait_is_known(telling, host):
    host.serve("/hook", b"", status=500)
    telling.tell("hook")
    telling.tell("hook", about="apr_2", occasion=Occasion.ESCALATED)
    await telling.look()
    assert telling.delivery.waiting == 2


async def test_nothing_secret_is_logged_or_recorded(telling, host, events):
    host.serve("/channel", b"no", status=404)
    host.serve("/hook", b"no", status=404)
    telling.tell("channel", "hook")
    with capture_logs() as logged:
        for _ in range(20):
            await telling.look()
            telling.clock.advance(60)
    told = str(logged) + str(events.recorded)
    assert events.recorded
    assert not [one for one in ("https://", "client.example", SECRET, "whsec") if one in told]
