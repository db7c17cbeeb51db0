"""Questions over the small catalog, and engines with policies of a test's own."""

from dataclasses import replace
from decimal import Decimal

import pytest

from remit.ids import ClientId, ScopeName
from remit.model import (
    AgentClass,
    Approvals,
    HistoryFact,
    HistoryMeasure,
    JustificationField,
    Operation,
    Sensitivity,
)
from remit.policy import (
    AgentFacts,
    CedarEngine,
    Context,
    DecisionPoint,
    Evaluation,
    Money,
    Phase,
    PolicySource,
    ResourceFacts,
    ResourceKind,
    Subject,
    SubjectKind,
    TokenFacts,
    check_policies,
)
from remit.policy.evaluation import NOT_ELEVATED
from remit.testing.catalog import ACME, CRM, PAYMENTS, PROD, small_catalog
from remit.testing.clock import FixedClock

MEASURES = {
    "calls": HistoryMeasure.COUNT,
    "spent": HistoryMeasure.SUM,
    "exported": HistoryMeasure.EVER,
    "opened": HistoryMeasure.DATA_CATEGORIES,
}
PAST = {
    "calls": 1,
    "spent": Decimal("1.5"),
    "exported": False,
    "opened": frozenset({"hr"}),
}
PERMIT_ALL = '@id("all") permit(principal, action, resource);\n'


class Desk:
    """Where policies are written and questions asked."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.catalog = replace(
            small_catalog(),
            networks={"office": ("192.0.2.0/24",), "vpn": ("198.51.100.0/24",)},
            history={
                name: HistoryFact(name=name, measure=measure) for name, measure in MEASURES.items()
            },
            approvals=Approvals(
                justifications={one: JustificationField(name=one) for one in ("reason", "ticket")}
            ),
        )

    def check(self, text, filename="policies/test.cedar"):
        return check_policies([PolicySource(text, filename)], self.catalog)

    def engine(self, text):
        return CedarEngine.load([PolicySource(text, "policies/test.cedar")], self.catalog)

    def decide(self, text, evaluation):
        return DecisionPoint(self.engine(text), self.clock).decide(evaluation)

    def ask(self, phase=Phase.CALL, **changes) -> Evaluation:
        """May the user `usr_1` of `acme`, who holds `support`, call `crm/get_account`?"""
        subject = {
            "kind": SubjectKind.USER,
            "id": "usr_1",
            "tenant": ACME,
            "roles": ("support",),
            "attributes": {"department": "sales"},
        }
        resource = {
            "kind": ResourceKind.TOOL,
            "server": CRM,
            "name": "get_account",
            "tenant": None,
            "environment": PROD,
            "operation": Operation.READ,
            "sensitivity": Sensitivity.LOW,
            "owner": "sales",
            "data_categories": (),
            "region": None,
        }
        arguments = {"account": "acc_1"} if phase is Phase.CALL else None
        context = {
            "now": self.clock.now(),
            "time_zone": "Europe/Berlin",
            "ip": "192.0.2.1",
            "arguments": arguments,
            "networks": (),
            "justification": None,
            "told": None,
            "history": None,
            "elevation": NOT_ELEVATED,
        }
        for group in (resource, context, subject):
            group.update({key: changes.pop(key) for key in list(changes) if key in group})
        assert not changes, changes
        return Evaluation(
            phase=phase,
            subject=Subject(**subject),
            agent=AgentFacts(
                id="assistant",
                agent_class=AgentClass.ASSISTANT,
                owner="platform",
                max_sensitivity=Sensitivity.HIGH,
            ),
            token=TokenFacts(client_id=ClientId("cli_1"), scopes=(ScopeName("crm:accounts.read"),)),
            resource=ResourceFacts(**resource),
            context=Context(**context),
        )

    def refund(self, value=None, *, phase=Phase.CALL, currency="EUR", **changes) -> Evaluation:
        arguments = None if value is None else {"amount": Money(Decimal(value), currency)}
        return self.ask(
            phase,
            server=PAYMENTS,
            name="refund",
            tenant=ACME,
            operation=Operation.WRITE,
            sensitivity=Sensitivity.HIGH,
            arguments=arguments,
            **changes,
        )


@pytest.fixture
def desk(clock: FixedClock) -> Desk:
    return Desk(clock)
