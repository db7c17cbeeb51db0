import pytest

from remit.audit import AuditUnavailableError, Context, FloodLimits, Network, TallyingAuditLog
from remit.audit.events import RefusalsCounted
from remit.audit.flood import DENIED
from remit.db.throttle import network_of
from remit.testing.audit import InMemoryAuditLog


@pytest.fixture
def log() -> InMemoryAuditLog:
    return InMemoryAuditLog()


def tallying(log, clock, **limits) -> TallyingAuditLog:
    return TallyingAuditLog(log, clock, network_of=network_of, limits=FloodLimits(**limits))


def refuse(audit, ip="192.0.2.1", *, where="token", error="invalid_client", client=None) -> bool:
    context = Context(network=Network(ip), client_id=client)
    return audit.count_refusal(context, where=where, error=error)


async def counted(audit, log) -> list[tuple[str, str, str, int]]:
    await audit.record_counts()
    return [(one.where, one.error, one.network, one.count) for one in log.of(RefusalsCounted)]


async def test_the_first_of_a_network_are_events_and_the_rest_are_counted_exactly(log, clock):
    audit = tallying(log, clock, per_network=3)
    assert [refuse(audit) for _ in range(10)] == [False] * 3 + [True] * 7
    assert await counted(audit, log) == [("token", "invalid_client", "192.0.2.1", 7)]


async def test_a_count_says_where_what_of_whom_and_from_when_to_when(log, clock):
    audit = tallying(log, clock, per_network=0)
    began = clock.now()
    refuse(audit, client="cli_1")
    clock.advance(20)
    refuse(audit, client="cli_1")
    refuse(audit, error="invalid_request")
    refuse(audit, where="register")
    await audit.record_counts()
    events = log.of(RefusalsCounted)
    assert [(one.where, one.error, one.count, one.context.client_id) for one in events] == [
        ("token", "invalid_client", 2, "cli_1"),
        ("token", "invalid_request", 1, None),
        ("register", "invalid_client", 1, None),
    ]
    assert (events[0].first, events[0].last) == (began, began + 20)


async def test_one_network_does_not_use_up_what_another_has(log, clock):
    audit = tallying(log, clock, per_network=1)
    assert [refuse(audit), refuse(audit)] == [False, True]
    assert refuse(audit, "192.0.2.2") is False


async def test_the_addresses_of_one_ipv6_network_are_one(log, clock):
    audit = tallying(log, clock, per_network=1)
    refuse(audit, "2001:db8::1")
    assert refuse(audit, "2001:db8::2") is True
    assert await counted(audit, log) == [("token", "invalid_client", "2001:db8::/64", 1)]


async def test_many_networks_together_get_no_more_than_a_window_admits(log, clock):
    audit = tallying(log, clock, per_network=30, altogether=5, counts=2)
    outcomes = [refuse(audit, f"198.51.100.{n}") for n in range(20)]
    assert outcomes == [False] * 5 + [True] * 15
    assert await counted(audit, log) == [
        ("token", "invalid_client", "198.51.100.5", 1),
        ("token", "invalid_client", "198.51.100.6", 1),
        ("token", "invalid_client", "others", 13),
    ]


async def test_a_new_window_admits_events_again_and_counts_from_nought(log, clock):
    audit = tallying(log, clock, per_network=1)
    refuse(audit)
    refuse(audit)
    await audit.record_counts()
    assert [refuse(audit), refuse(audit)] == [False, True]
    assert [one[3] for one in await counted(audit, log)] == [1, 1]


async def test_without_a_flood_there_is_no_event(log, clock):
    audit = tallying(log, clock)
    refuse(audit)
    assert await counted(audit, log) == []


async def test_what_the_log_cannot_take_is_kept_and_not_counted_twice(log, clock):
    audit = tallying(log, clock, per_network=0)
    refuse(audit)
    log.failing = True
    for _ in range(2):
        with pytest.raises(AuditUnavailableError):
            await audit.record_counts()
        refuse(audit)
    log.failing = False
    await audit.record_counts()
    assert [one[3] for one in await counted(audit, log)] == [1, 2]


def deny(audit, *, token="t1", about="crm tools/call refund", agent="assistant") -> bool:
    context = Context(network=Network("192.0.2.1"), tenant="acme", agent_id=agent, client_id="cli")
    return audit.count_refusal(
        context, where=DENIED, error="missing_scope", about=about, token=token
    )


async def test_the_same_refusal_of_one_agent_has_twenty_events_a_second_and_then_a_number(
    log, clock
):
    audit = tallying(log, clock)
    began = clock.now()
    assert [deny(audit, token=f"t{n % 3}") for n in range(50)] == [False] * 20 + [True] * 30
    clock.advance(1)
    assert [deny(audit) for _ in range(21)] == [False] * 20 + [True]
    await audit.record_counts()
    (event,) = log.of(RefusalsCounted)
    assert (event.where, event.error, event.about) == (
        "denied",
        "missing_scope",
        "crm tools/call refund",
    )
    assert (event.count, event.first, event.last, event.tokens) == (31, began, began + 1, 3)
    assert (event.context.agent_id, event.context.tenant) == ("assistant", "acme")


async def test_other_things_and_other_agents_are_counted_apart(log, clock):
    audit = tallying(log, clock, denied_per_second=1)
    assert [deny(audit), deny(audit)] == [False, True]
    assert [deny(audit, about="crm tools/call get"), deny(audit, agent="other")] == [False, False]


async def test_however_many_things_are_refused_at_once_no_refusal_is_lost(log, clock):
    audit = tallying(log, clock, denied_per_second=1, counts=5)
    refused = [deny(audit, about=f"crm tools/call t{n}") for n in range(40)] + [
        deny(audit, about=f"crm tools/call t{n}") for n in range(40)
    ]
    await audit.record_counts()
    events = sum(not one for one in refused)
    assert events + sum(one.count for one in log.of(RefusalsCounted)) == 80


async def test_more_tokens_than_are_told_apart_are_said_to_be_that_many(log, clock):
    audit = tallying(log, clock, denied_per_second=0, tokens=2)
    for number in range(5):
        deny(audit, token=f"t{number}")
    await audit.record_counts()
    assert [one.tokens for one in log.of(RefusalsCounted)] == [2]


async def test_what_a_stranger_says_of_itself_is_not_what_is_counted(log, clock):
    audit = tallying(log, clock, per_network=0)
    audit.count_refusal(Context(), where="gateway", error="missing_token", about="x" * 300)
    await audit.record_counts()
    assert [one.about for one in log.of(RefusalsCounted)] == [""]
