"""The world of the guard, with facts of history that are kept in a real database."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from sqlalchemy import text

from remit.audit.events import Decided
from remit.guard import Deny, Guard, GuardSettings, Permit
from remit.history import DatabasePast
from remit.ids import ClientId, GrantId, ScopeName, ServerName
from remit.model import HistoryFact, HistoryMeasure, HistoryOf, Operation
from remit.policy import CedarEngine, PolicySource
from remit.testing.catalog import CRM, PAYMENTS, small_catalog
from remit.tokens import Delegate
from tests.guard.conftest import URL, World

DAY, HOUR = 86_400, 3_600
SCOPES = tuple(
    ScopeName(one)
    for one in (
        "crm:accounts.read",
        "crm:accounts.write",
        "crm:accounts.export",
        "payments:refund.create",
        "tenant:read:{organization_id}",
    )
)

FACTS = (
    HistoryFact(
        name="refunded",
        measure=HistoryMeasure.SUM,
        window=DAY,
        things=("payments/refund",),
        argument="amount",
        currency="USD",
    ),
    HistoryFact(name="contact_seen", measure=HistoryMeasure.EVER, data_categories=("contact",)),
    HistoryFact(
        name="writes", measure=HistoryMeasure.COUNT, window=HOUR, operations=(Operation.WRITE,)
    ),
    HistoryFact(name="used", measure=HistoryMeasure.TOOLS, servers=(ServerName("crm"),)),
    HistoryFact(name="opened", measure=HistoryMeasure.DATA_CATEGORIES),
    HistoryFact(
        name="refunded_by_agent",
        measure=HistoryMeasure.SUM,
        of=HistoryOf.AGENT,
        argument="amount",
        currency="USD",
    ),
    HistoryFact(name="lookups", measure=HistoryMeasure.COUNT, things=("crm/get_account",)),
)

PERMIT = '@id("everyone") permit(principal, action in Remit::Action::"call", resource);\n'
AT_MOST = (
    PERMIT
    + """
@id("a-day") @refusal("at most 5,000 USD a day")
forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.history.refunded.greaterThan(decimal("5000.0")) };
"""
)
NOTHING_LEAVES = (
    PERMIT
    + """
@id("nothing-leaves") @refusal("contact data was read")
forbid(principal, action in Remit::Action::"export", resource)
when { context.history.contact_seen };
"""
)
THREE_AN_HOUR = (
    PERMIT
    + """
@id("three-an-hour") @refusal("no more than three an hour")
forbid(principal, action in Remit::Action::"write", resource)
when { context.history.writes > 3 };
"""
)


class Remembering(World):
    """A world whose guard remembers."""

    def __init__(self, clock, database) -> None:
        super().__init__(clock)
        self.database = database
        catalog = small_catalog()
        every = {agent.id: replace(agent, scopes=SCOPES) for agent in catalog.agents.values()}
        roles = {name: replace(role, scopes=SCOPES) for name, role in catalog.roles.items()}
        self.directory.catalog = replace(
            catalog,
            agents=MappingProxyType(every),
            roles=MappingProxyType(roles),
            history=MappingProxyType({fact.name: fact for fact in FACTS}),
        )
        self.restart()

    def restart(self) -> None:
        """As after a restart: nothing but the database is remembered."""
        self.past = DatabasePast(self.database)
        self.guard = self.guard_of(self.past)

    def guard_of(self, past):
        settings = GuardSettings(public_url=URL, past=past)
        return self.new_guard(settings=settings)

    def new_guard(self, **parts):
        return Guard(
            parts.get("verifier", self.verifier),
            parts.get("directory", self.directory),
            decisions=parts.get("decisions", self.decisions),
            audit=parts.get("audit", self.audit),
            redactor=parts.get("redactor", self.redactor),
            settings=parts.get("settings", GuardSettings(public_url=URL)),
        )

    def engine(self, text):
        return CedarEngine.load([PolicySource(text, "policies/test.cedar")], self.directory.catalog)

    def declare(self, *facts) -> None:
        self.directory.catalog = replace(
            self.directory.catalog, history=MappingProxyType({fact.name: fact for fact in facts})
        )

    def token(self, server=CRM, **changes):
        return super().token(server, **{"scopes": SCOPES, **changes})

    def another_session(self, number: int) -> dict[str, object]:
        """A new token, of a new grant, of another client."""
        return {
            "jti": f"jti_{number}",
            "grant_id": GrantId(f"gnt_{number}"),
            "client_id": ClientId(f"cli_{number}"),
        }

    @staticmethod
    def without_history(catalog):
        return replace(catalog, history=MappingProxyType({}))

    async def refunds(self, value, currency="USD", **changes):
        """What is answered to a refund: `Permit` or a refusal."""
        return await self.guard.decide(self.refund(value, currency, **changes))

    async def uses(self, name, **changes):
        return await self.guard.decide(self.call(name, **changes))

    @property
    def last(self) -> Decided:
        return self.audit.of(Decided)[-1]

    def stored(self) -> int:
        return self.database.read_now(
            lambda tx: tx.connection.execute(text("SELECT count(*) FROM history_uses")).scalar_one()
        )


@pytest.fixture
def world(clock, database) -> Remembering:
    return Remembering(clock, database)


def acting(*agents: str) -> dict[str, object]:
    """The claims of a token with which the first of `agents` acts for the next, and so on, for the person."""
    return {
        "agent_id": agents[0],
        "actors": tuple(Delegate(one, ClientId("cli_1")) for one in agents),
    }


__all__ = ["PAYMENTS", "Deny", "Permit", "Remembering", "acting"]
