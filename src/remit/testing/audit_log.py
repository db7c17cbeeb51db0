"""What every audit log must do: run `AuditLogContract` over yours.

Subclass it in a test module and give it the fixture `subject`, an `AuditLogSubject`.
"""
# ruff: noqa: S101  asserting is what a contract suite is for

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import AccountCreated, AuditQueried, Event, GrantRevoked, LoggedIn
from remit.audit.port import AuditLog, AuditUnavailableError
from remit.canonical import JsonObject

__all__ = ["AuditLogContract", "AuditLogSubject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLogSubject:
    """A log under test. `entries` reads back what was recorded, without what the log says of itself."""

    log: AuditLog
    entries: Callable[[], list[JsonObject]]
    fail: Callable[[], None]
    mend: Callable[[], None]


class AuditLogContract:
    """Inherit, and every method is a test."""

    async def test_an_appended_event_can_be_read_back_when_append_returns(
        self, subject: AuditLogSubject
    ) -> None:
        receipt = await subject.log.append(_revoked("left the company"))
        (entry,) = subject.entries()
        assert entry["kind"] == "grant.revoked"
        assert entry["body"] == {"reason": "left the company"}
        assert entry["seq"] == receipt.sequence
        assert len(receipt.leaf) == 64

    async def test_events_stand_in_the_order_in_which_they_were_given(
        self, subject: AuditLogSubject
    ) -> None:
        subject.log.append_soon(AuditQueried(query={"kind": "decision"}))
        await subject.log.append(_revoked("one"))
        subject.log.append_soon(AuditQueried(query={"kind": "decision"}))
        await subject.log.append(_revoked("two"))
        kinds = [entry["kind"] for entry in subject.entries()]
        assert kinds == ["audit.queried", "grant.revoked", "audit.queried", "grant.revoked"]

    async def test_sequence_numbers_are_contiguous_and_records_are_linked(
        self, subject: AuditLogSubject
    ) -> None:
        receipts = [await subject.log.append(_revoked(str(n))) for n in range(5)]
        entries = subject.entries()
        first = receipts[0].sequence
        assert [entry["seq"] for entry in entries] == list(range(first, first + 5))
        assert [entry["prev"] for entry in entries[1:]] == [r.leaf for r in receipts[:-1]]

    async def test_recorded_events_can_be_read_back_when_record_returns(
        self, subject: AuditLogSubject
    ) -> None:
        subject.log.record([_created("usr_1"), _created("usr_2")])
        assert [_body(entry)["account_id"] for entry in subject.entries()] == ["usr_1", "usr_2"]

    async def test_abandoned_events_are_named_by_an_effect_that_failed(
        self, subject: AuditLogSubject
    ) -> None:
        await subject.log.append(_revoked("another"))
        events = [_created("usr_1"), _created("usr_2")]
        subject.log.record(events)
        subject.log.abandon(events, ValueError("a private reason"))
        entries = subject.entries()
        assert entries[-1]["kind"] == "effect.failed"
        expected = [entry["seq"] for entry in entries if entry["kind"] == "account.created"]
        assert _body(entries[-1]) == {"error": "ValueError", "sequences": expected}
        assert entries[-1]["tenant"] == "acme"

    async def test_a_failing_log_refuses_every_way_of_writing(
        self, subject: AuditLogSubject
    ) -> None:
        subject.fail()
        assert await _refuses(subject.log.append(_revoked("refused")))
        assert _refuses_now(lambda: subject.log.record([_created("usr_1")]))
        assert _refuses_now(lambda: subject.log.append_soon(AuditQueried(query={})))
        assert subject.entries() == []

    async def test_a_log_that_is_mended_takes_events_again(self, subject: AuditLogSubject) -> None:
        await subject.log.append(_revoked("before"))
        subject.fail()
        assert await _refuses(subject.log.append(_revoked("refused")))
        subject.mend()
        await subject.log.append(_revoked("after"))
        assert [_body(entry)["reason"] for entry in subject.entries()] == ["before", "after"]

    async def test_an_event_that_cannot_be_written_is_refused_and_the_next_is_not(
        self, subject: AuditLogSubject
    ) -> None:
        unfit: list[Event] = [
            AuditQueried(query={"ratio": 0.5}),
            AuditQueried(query={"size": 2**53}),
            AuditQueried(query={"clé": True}),
        ]
        for event in unfit:
            assert await _refuses(subject.log.append(event))
        await subject.log.append(AuditQueried(query={"size": 2**53 - 1}))
        assert len(subject.entries()) == 1

    async def test_something_that_is_no_event_is_refused_with_everything_beside_it(
        self, subject: AuditLogSubject
    ) -> None:
        assert _refuses_now(lambda: subject.log.record([_created("usr_1"), object()]))
        assert subject.entries() == []

    async def test_the_context_is_part_of_the_record(self, subject: AuditLogSubject) -> None:
        context = Context(
            actor=Actor(ActorType.USER, "usr_1"), tenant="acme", user_id="usr_1", flow_id="flw_1"
        )
        await subject.log.append(
            LoggedIn(context=context, session_id="ses_1", acr="urn:remit:acr:pwd", amr=("pwd",))
        )
        (entry,) = subject.entries()
        assert entry["actor"] == {"type": "user", "id": "usr_1"}
        assert (entry["tenant"], entry["user"], entry["flow"]) == ("acme", "usr_1", "flw_1")
        assert entry["agent"] is None


def _revoked(reason: str) -> GrantRevoked:
    return GrantRevoked(reason=reason)


def _created(account: str) -> AccountCreated:
    return AccountCreated(context=Context(tenant="acme"), account_id=account)


def _body(entry: JsonObject) -> JsonObject:
    body = entry["body"]
    assert isinstance(body, dict)
    return body


async def _refuses(awaitable: Awaitable[object]) -> bool:
    try:
        await awaitable
    except AuditUnavailableError:
        return True
    return False


def _refuses_now(write: Callable[[], None]) -> bool:
    try:
        write()
    except AuditUnavailableError:
        return True
    return False
