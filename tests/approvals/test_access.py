"""What may be had for a while: for whom, and where it counts. No database."""

from dataclasses import replace

import pytest

from remit.approvals.access import (
    Access,
    AccessKind,
    AccessState,
    Holder,
    HolderKind,
    counts_at,
    emergencies_for,
    is_for,
    offers_for,
)
from remit.ids import AgentId, ScopeName
from remit.model import AccessOffer, Approvals, EmergencyAccess
from remit.testing.catalog import CRM, PAYMENTS, small_catalog

EXPORT = ScopeName("crm:accounts.export")
ASSISTANT, JOB = AgentId("assistant"), AgentId("job")
ADA = Holder(kind=HolderKind.USER, id="usr_ada", tenant="acme", username="ada", roles=("support",))
THROUGH = replace(ADA, agent_id=ASSISTANT)
WORKLOAD = Holder(kind=HolderKind.AGENT, id=JOB, tenant="acme")


def offer(**changes):
    return AccessOffer(**{"name": "one", "scopes": (EXPORT,), **changes})


def held(**changes):
    said = {
        "id": "acc_1",
        "offer": "one",
        "kind": AccessKind.OFFER,
        "state": AccessState.ACTIVE,
        "tenant": "acme",
        "holder_kind": HolderKind.USER,
        "holder": "usr_ada",
        "agent_id": None,
        "role": None,
        "scopes": (EXPORT,),
        "justification": {},
        "ticket": "",
        "acr": None,
        "seconds": 600,
        "until": None,
        "requested_at": 0,
        "expires_at": 600,
    }
    return Access(**said | changes)


@pytest.mark.parametrize(
    ("offered", "holder", "is_theirs"),
    [
        (offer(people_roles=("support",)), ADA, True),
        (offer(people_roles=("support", "finance")), ADA, True),
        (offer(people_roles=("finance",)), ADA, False),
        (offer(agents=(ASSISTANT,)), ADA, False),
        (offer(people_roles=("support",)), THROUGH, False),
        (offer(people_roles=("support",), agents=(ASSISTANT,)), THROUGH, True),
        (offer(people_roles=("finance",), agents=(ASSISTANT,)), THROUGH, False),
        (offer(people_roles=("support",)), WORKLOAD, False),
        (offer(agents=(JOB,)), WORKLOAD, True),
        (offer(agents=(ASSISTANT,)), WORKLOAD, False),
        (EmergencyAccess(name="one", people=("ada",)), ADA, True),
        (EmergencyAccess(name="one", people=("bob",)), ADA, False),
        (EmergencyAccess(name="one", people=("usr_ada",)), ADA, False),
        (EmergencyAccess(name="one", people=("ada",)), THROUGH, False),
        (EmergencyAccess(name="one", people=("job", "")), WORKLOAD, False),
    ],
    ids=range(15),
)
def test_who_may_ask_for_what(offered, holder, is_theirs):
    assert is_for(offered, holder) is is_theirs


def test_what_is_theirs_is_listed_by_name():
    theirs, not_theirs = offer(people_roles=("support",)), offer(people_roles=("finance",))
    glass = EmergencyAccess(name="g", people=("ada",))
    approvals = Approvals(
        access={
            "b": replace(theirs, name="b"),
            "a": replace(theirs, name="a"),
            "c": replace(not_theirs, name="c"),
        },
        emergency={"g": glass},
    )
    assert [one.name for one in offers_for(ADA, approvals)] == ["a", "b"]
    assert emergencies_for(ADA, approvals) == (glass,)
    assert emergencies_for(THROUGH, approvals) == ()


@pytest.mark.parametrize(
    ("offered", "server", "counts"),
    [
        (offer(), CRM, True),
        (offer(servers=(CRM,)), CRM, True),
        (offer(servers=(CRM,)), PAYMENTS, False),
        (offer(environments=("prod",)), CRM, True),
        (offer(environments=("staging",)), CRM, False),
        (offer(scopes=()), CRM, False),
        (offer(scopes=(EXPORT, EXPORT)), CRM, False),
        (offer(role="support"), CRM, False),
        (None, CRM, False),
        (EmergencyAccess(name="one", people=(), scopes=(EXPORT,)), CRM, True),
        (
            EmergencyAccess(name="one", people=(), environments=("staging",), scopes=(EXPORT,)),
            CRM,
            False,
        ),
    ],
    ids=range(11),
)
def test_where_it_counts_by_what_the_repository_says_now(offered, server, counts):
    assert counts_at(held(), offered, small_catalog().servers[server]) is counts


def test_it_is_had_until_its_end_and_not_at_it():
    assert held().is_active(599)
    assert not held().is_active(600)
    assert not held(state=AccessState.WAITING).is_active(1)


def test_what_nobody_reviewed_is_unreviewed_however_long_it_is_over():
    assert held(review_by=10, state=AccessState.ENDED).is_unreviewed
    assert not held(review_by=10, reviewed_at=5).is_unreviewed
    assert not held().is_unreviewed
