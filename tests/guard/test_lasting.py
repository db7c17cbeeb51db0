"""What is stopped while a decision is waited for is stopped: no permit comes of an answer that was asked for before."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.audit.events import CallCompleted, Decided
from remit.guard import Deny, GuardSettings, Permit, RefusalReason, Visible
from remit.guard.definitions import Definitions
from remit.model import EngineKind, ExternalEngine, HistoryFact, HistoryMeasure
from remit.policy import DecisionPoint, ResourceKind
from remit.policy.port import Answer
from remit.testing.audit import InMemoryAuditLog
from remit.testing.catalog import CRM, with_server
from tests.guard.conftest import POLICIES, URL

DECLARED = ExternalEngine(name="pdp", kind=EngineKind.AUTHZEN, url="http://127.0.0.1:1/")


class WhileAsked:
    """An engine that permits everything, and during whose answer `happens` comes to pass."""

    name, version = "pdp", None

    def __init__(self, happens) -> None:
        self.happens = happens

    def find(self, declared):
        return self

    async def evaluate_all(self, evaluations):
        self.happens()
        return [Answer(question=one, allowed=True) for one in evaluations]

    async def close(self):
        """Nothing is open."""


def ask_elsewhere(world, happens):
    """From now on `crm` is decided elsewhere, and meanwhile something happens."""
    catalog = world.directory.catalog
    catalog = replace(catalog, engines=MappingProxyType({"pdp": DECLARED}))
    catalog = with_server(catalog, replace(catalog.servers[CRM], engine="pdp"))
    world.directory.catalog = catalog
    world.decisions = DecisionPoint(world.engine(POLICIES), world.clock, WhileAsked(happens))
    world.guard = world.new_guard()


STOPPED = {
    "grant revoked": lambda world: world.stand(revoked_grants=frozenset({"gnt_1"})),
    "token revoked": lambda world: world.stand(revoked_tokens={"jti_1": 2_000_000_000}),
    "agent suspended": lambda world: world.stand(suspended_agents=frozenset({"assistant"})),
    "user disabled": lambda world: world.stand(disabled_users=frozenset({"usr_1"})),
    "client disabled": lambda world: world.stand(disabled_clients=frozenset({"cli_1"})),
    "agent gone": lambda world: setattr(
        world.directory,
        "catalog",
        replace(world.directory.catalog, agents=MappingProxyType({})),
    ),
}


def expire(world):
    world.clock.advance(600)
    world.stand()


async def test_an_answer_during_which_nothing_happens_is_a_permit(world):
    ask_elsewhere(world, lambda: None)
    assert isinstance(await world.guard.decide(world.call()), Permit)
    assert isinstance(await world.guard.visible(world.list()), Visible)


@pytest.mark.parametrize("name", sorted(STOPPED))
async def test_who_is_stopped_while_an_engine_is_asked_gets_no_permit(world, name):
    ask_elsewhere(world, lambda: STOPPED[name](world))
    outcome = await world.guard.decide(world.call())
    assert outcome.reason is RefusalReason.INVALID_TOKEN
    assert (world.recorded.outcome, world.recorded.reason) == ("challenge", "invalid_token")


@pytest.mark.parametrize("name", sorted(STOPPED))
async def test_who_is_stopped_while_an_engine_is_asked_sees_no_list(world, name):
    ask_elsewhere(world, lambda: STOPPED[name](world))
    assert (await world.guard.visible(world.list())).reason is RefusalReason.INVALID_TOKEN


async def test_a_token_that_expires_while_an_engine_is_asked_is_expired(world):
    ask_elsewhere(world, lambda: expire(world))
    outcome = await world.guard.decide(world.call())
    assert outcome.detail == "the token has expired"


async def test_a_standing_that_grows_too_old_while_an_engine_is_asked_refuses(world):
    ask_elsewhere(world, lambda: world.clock.advance(11))
    assert (await world.guard.decide(world.call())).reason is RefusalReason.STALE_SNAPSHOT


async def test_a_thing_that_is_quarantined_while_an_engine_is_asked_is_not_used(world):
    ask_elsewhere(world, lambda: quarantine(world))
    outcome = await world.guard.decide(world.call())
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.QUARANTINED
    assert world.audit.of(Decided)[0].name == "get_account"


class SlowLog(InMemoryAuditLog):
    """While it writes a decision, something happens."""

    def __init__(self, happens) -> None:
        super().__init__()
        self.happens = happens

    async def append(self, event):
        await super().append(event)
        self.happens()


@pytest.mark.parametrize("name", sorted(STOPPED))
async def test_who_is_stopped_while_a_permit_is_recorded_gets_none_and_the_log_says_so(world, name):
    log = SlowLog(lambda: STOPPED[name](world))
    outcome = await world.new_guard(audit=log).decide(world.call())
    assert outcome.reason is RefusalReason.INVALID_TOKEN
    assert [one.outcome for one in log.of(Decided)] == ["allow"]
    assert [one.outcome for one in log.of(CallCompleted)] == ["cancelled"]
    assert log.of(Decided)[0].decision_id == outcome.decision_id


def quarantine(world):
    thing = (CRM, ResourceKind.TOOL, "get_account")
    world.directory.definitions = Definitions(quarantined=frozenset({thing}))


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (quarantine, RefusalReason.QUARANTINED),
        (expire, RefusalReason.INVALID_TOKEN),
        (lambda world: world.clock.advance(11), RefusalReason.STALE_SNAPSHOT),
    ],
    ids=["quarantined", "expired", "stale"],
)
async def test_what_is_over_while_a_permit_is_recorded_is_no_permit(world, happens, reason):
    log = SlowLog(lambda: happens(world))
    outcome = await world.new_guard(audit=log).decide(world.call())
    assert outcome.reason is reason
    assert [one.outcome for one in log.of(CallCompleted)] == ["cancelled"]


async def test_a_call_that_began_with_one_catalog_and_one_set_of_policies_ends_with_them(world):
    def other(world):
        world.directory.catalog = replace(world.directory.catalog, version="another")
        world.use_policies("")

    log = SlowLog(lambda: other(world))
    guard = world.new_guard(audit=log)
    assert isinstance(await guard.decide(world.call()), Permit)
    assert isinstance(await guard.decide(world.call()), Deny)


async def test_snapshots_that_are_replaced_by_equal_ones_are_held_against_again_and_good(world):
    def renew(world):
        world.clock.advance(1)
        world.stand()
        world.directory.catalog = replace(world.directory.catalog)
        world.directory.definitions = Definitions()

    log = SlowLog(lambda: renew(world))
    assert isinstance(await world.new_guard(audit=log).decide(world.call()), Permit)


class PublishedMeanwhile:
    """A directory into which another thread publishes, between two looks of the guard at it."""

    def __init__(self, directory, standing) -> None:
        self._before, self._standing = directory, standing
        self._looks = 0

    @property
    def catalog(self):
        return self._before.catalog

    @property
    def definitions(self):
        return self._before.definitions

    @property
    def standing(self):
        self._looks += 1
        return self._before.standing if self._looks == 1 else self._standing


async def test_who_is_stopped_between_two_looks_of_one_step_gets_no_permit(world):
    stopped = replace(world.directory.standing, suspended_agents=frozenset({"assistant"}))
    directory = PublishedMeanwhile(world.directory, stopped)
    outcome = await world.new_guard(directory=directory).decide(world.call())
    assert outcome.reason is RefusalReason.INVALID_TOKEN
    assert [one.outcome for one in world.audit.of(CallCompleted)] == ["cancelled"]


class SlowPast:
    """While it counts, something happens."""

    def __init__(self, happens) -> None:
        self.happens = happens
        self.taken_back = []

    async def come_to(self, use):
        self.happens()
        return {}

    async def take_back(self, use):
        self.taken_back.append(use.id)


@pytest.mark.parametrize("name", sorted(STOPPED))
async def test_who_is_stopped_while_the_past_is_asked_gets_no_permit_and_is_not_counted(
    world, name
):
    fact = HistoryFact(
        name="lookups", measure=HistoryMeasure.COUNT, window=3_600, things=("crm/get_account",)
    )
    history = MappingProxyType({fact.name: fact})
    world.directory.catalog = replace(world.directory.catalog, history=history)
    past = SlowPast(lambda: STOPPED[name](world))
    guard = world.new_guard(settings=GuardSettings(public_url=URL, past=past))
    outcome = await guard.decide(world.call())
    assert outcome.reason is RefusalReason.INVALID_TOKEN
    assert world.recorded.outcome == "challenge"
    assert past.taken_back == [outcome.decision_id]
