"""The outbox, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from remit.approvals.access import Access, AccessKind, AccessState, HolderKind, Review
from remit.approvals.access_store import add_access, review_access
from remit.approvals.notification import Notice, Occasion
from remit.approvals.notification_store import (
    announce,
    due_notifications,
    forget_notifications,
    give_up,
    mark_delivered,
    note_failure,
    take,
    tell,
    waiting_notifications,
)
from remit.approvals.request import About, Part, PartKind, Request, RequestState
from remit.approvals.request_store import add_request, end_request
from remit.audit.approval_events import NotificationFailed
from remit.clock import EpochSeconds, Seconds
from remit.model import Escalation
from remit.policy import ResourceKind
from tests.approvals.notified import AT, NOTICE

REQUEST = Request(
    id="apr_1",
    state=RequestState.WAITING,
    about=About.CALL,
    tenant="acme",
    user_id="usr_ada",
    agent_id="refunds",
    client_id="cli_1",
    grant_id="gnt_1",
    server="payments",
    kind=ResourceKind.TOOL,
    thing="refund_payment",
    definition=None,
    environment="prod",
    parts=(
        Part(
            kind=PartKind.APPROVAL,
            role="manager",
            escalation=Escalation(after=Seconds(300), role="director"),
        ),
    ),
    arguments={"card": "4711-secret"},
    justification="my secret reason",
    decision_id="dec_1",
    policy_version="v1",
    asked=1,
    created_at=AT,
    opened_at=None,
    ended_at=None,
    expires_at=EpochSeconds(AT + 900),
    holds=Seconds(300),
    digest="d",
)

TAKEN = Access(
    id="acc_1", offer="glass", kind=AccessKind.EMERGENCY, state=AccessState.ENDED, tenant="acme",
    holder_kind=HolderKind.USER, holder="usr_ada", agent_id=None, role="director", scopes=(),
    justification={}, ticket="", acr=None, seconds=Seconds(600), until=None, requested_at=AT,
    expires_at=AT, review_by=AT,
)  # fmt: skip


@pytest.fixture
def run(database):
    return database.run_now


def _due(run, now=AT):
    return run(lambda tx: due_notifications(tx, now=now))


def _take(run, found, now=AT):
    return run(lambda tx: take(tx, found, now=now))


def _rows(run):
    return run(lambda tx: tx.connection.execute(text("SELECT * FROM notifications")).all())


def test_what_is_told_is_due_at_once_by_each_notifier(run):
    run(lambda tx: tell(tx, NOTICE, ("hook", "mail", "hook")))
    found = _due(run)
    assert sorted(one.notifier for one in found) == ["hook", "mail"]
    assert {one.notice for one in found} == {NOTICE}
    assert all(one.id.startswith("ntf_") for one in found)
    assert run(waiting_notifications) == 2


def test_a_request_is_told_without_what_the_call_says_or_who_it_is_for(run):
    run(lambda tx: announce(tx, REQUEST, ("hook",), AT))
    (found,) = _due(run)
    assert found.notice == NOTICE
    stored = str(_rows(run))
    assert not [secret for secret in ("4711", "secret", "usr_ada", "gnt_1") if secret in stored]


def test_of_a_resource_the_name_is_not_kept(run):
    about = replace(REQUEST, kind=ResourceKind.RESOURCE, thing="crm://accounts/4711")
    run(lambda tx: announce(tx, about, ("hook",), AT))
    assert "4711" not in str(_rows(run))


def test_what_is_announced_again_is_told_once_and_once_more_when_it_escalates(run):
    for _ in range(3):
        run(lambda tx: announce(tx, REQUEST, ("hook",), AT))
    late = replace(REQUEST, escalated_at=EpochSeconds(AT + 300))
    for _ in range(2):
        run(lambda tx: announce(tx, late, ("hook",), EpochSeconds(AT + 300)))
    found = _due(run, AT + 300)
    assert [one.notice.occasion for one in found] == [Occasion.REQUESTED, Occasion.ESCALATED]
    assert [one.notice.roles for one in found] == [("manager",), ("director",)]


def test_what_is_rolled_back_is_told_to_nobody(database, run):
    def work(tx):
        announce(tx, REQUEST, ("hook",), AT)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.run_now(work)
    assert _due(run) == ()


def test_of_two_processes_one_takes_it(run):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    seen = _due(run)
    (mine,) = _take(run, seen)
    assert mine.attempts == 1
    assert mine.id == seen[0].id
    assert _take(run, seen) == ()
    assert _due(run) == ()


def test_what_was_taken_and_never_noted_is_tried_again(run):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    (mine,) = _take(run, _due(run))
    assert _due(run, mine.next_at - 1) == ()
    (again,) = _due(run, mine.next_at)
    assert (again.id, again.attempts) == (mine.id, 1)
    assert run(waiting_notifications) == 1


def test_what_was_delivered_is_over(run, events):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    (mine,) = _take(run, _due(run))
    run(lambda tx: mark_delivered(tx, mine, now=AT))
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    assert _due(run, AT + 10_000) == ()
    assert run(waiting_notifications) == 0
    assert events.recorded == []


def test_that_some_did_not_get_it_is_recorded(run, events):
    run(lambda tx: tell(tx, NOTICE, ("mail",)))
    (mine,) = _take(run, _due(run))
    run(lambda tx: mark_delivered(tx, mine, now=AT, unheard="some_recipients_refused"))
    (event,) = events.of(NotificationFailed)
    assert (event.notifier, event.error) == ("mail", "some_recipients_refused")


def test_what_failed_waits_and_the_last_failure_is_recorded(run, events):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    now, tried = AT, 0
    while found := _due(run, now):
        taken = _take(run, found, now)
        tried += 1
        over = run(lambda tx, taken=taken: note_failure(tx, taken[0], error="answered_503"))
        if over:
            break
        assert events.recorded == []
        now = taken[0].next_at
    (event,) = events.of(NotificationFailed)
    assert (event.approval, event.notifier, event.error) == ("apr_1", "hook", "answered_503")
    assert event.attempts == tried == 6
    assert event.context.tenant == "acme"
    assert run(waiting_notifications) == 0


def test_what_comes_too_late_is_given_up_and_recorded(run, events):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    assert _take(run, _due(run), now=NOTICE.ends_at) == ()
    (event,) = events.of(NotificationFailed)
    assert (event.error, event.attempts) == ("too_late", 0)
    assert _due(run, NOTICE.ends_at) == ()


def test_giving_up_twice_is_recorded_once(run, events):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    (mine,) = _take(run, _due(run))
    for _ in range(2):
        run(lambda tx: give_up(tx, mine, error="answered_410"))
    assert len(events.of(NotificationFailed)) == 1


@pytest.mark.parametrize("state", ["approved", "refused", "expired", "withdrawn"])
def test_nobody_is_told_of_what_is_decided(run, events, state):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    run(lambda tx: _add_request(tx, state))
    assert _take(run, _due(run)) == ()
    assert run(waiting_notifications) == 0
    assert events.recorded == []


def test_what_waits_is_told(run):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    run(lambda tx: _add_request(tx, "waiting"))
    assert len(_take(run, _due(run))) == 1


def test_what_was_done_in_an_emergency_is_told_in_any_case(run):
    notice = replace(NOTICE, occasion=Occasion.EMERGENCY, about="acc_1")
    run(lambda tx: tell(tx, notice, ("hook",)))
    assert len(_take(run, _due(run))) == 1


@pytest.mark.parametrize("reviewed_at", [None, AT])
def test_that_a_review_is_late_is_told_while_it_is(run, reviewed_at):
    def work(tx):
        tell(tx, replace(NOTICE, occasion=Occasion.OVERDUE, about="acc_1"), ("hook",))
        assert add_access(tx, TAKEN)
        if reviewed_at is not None:
            review_access(tx, "acc_1", verdict=Review.JUSTIFIED, by="usr_bob", now=reviewed_at)

    run(work)
    assert len(_take(run, _due(run))) == (reviewed_at is None)


def test_not_more_than_so_many_are_looked_at_together_and_the_longest_due_first(run):
    def work(tx):
        for place in range(210):
            one = replace(NOTICE, about=f"apr_{place}", at=EpochSeconds(AT - place))
            tell(tx, one, ("hook",))

    run(work)
    found = _due(run)
    assert len(found) == 200
    assert found[0].notice.about == "apr_209"


def test_what_ended_long_ago_is_forgotten(run):
    run(lambda tx: tell(tx, NOTICE, ("hook",)))
    assert run(lambda tx: forget_notifications(tx, before=NOTICE.ends_at)) == 0
    assert run(lambda tx: forget_notifications(tx, before=EpochSeconds(NOTICE.ends_at + 1))) == 1
    assert _rows(run) == []


def test_a_name_in_any_writing_comes_back_as_it_was(run):
    notice: Notice = replace(NOTICE, name='a"b\\c\u202e\x7f', agent=None, roles=())
    run(lambda tx: tell(tx, notice, ("hook",)))
    assert _due(run)[0].notice == notice


def _add_request(tx, state):
    assert add_request(tx, REQUEST, sealed="sealed")
    if state != "waiting":
        end_request(tx, REQUEST.id, RequestState(state), at=AT, reason="")
