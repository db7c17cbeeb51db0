"""Who may answer: a decision table over roles, owners, deputies, escalation and four eyes."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.approvals.deputy import Deputy
from remit.approvals.person import Person
from remit.approvals.request import About, Answer, Part, PartKind, Request, RequestState, Verdict
from remit.approvals.who_may import (
    Demand,
    Seat,
    Standpoint,
    View,
    capacities,
    demand_of,
    free_capacities,
    may_see,
)
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT, Escalation
from remit.policy import ResourceKind
from remit.testing.catalog import ACME, GLOBEX, PAYMENTS, PROD, small_catalog, with_agent

NOW = 10_000
CONFIRM = Part(kind=PartKind.CONFIRMATION, acr=ACR_PHISHING_RESISTANT, fresh=300, anew=True)
MANAGER = Part(kind=PartKind.APPROVAL, role="manager", acr=ACR_MULTI_FACTOR)
OWNER_OF_AGENT = "owner:ops@acme.example"


def _catalog():
    catalog = small_catalog()
    agent = replace(catalog.agents["assistant"], owner="Ops@acme.example")
    catalog = with_agent(catalog, agent)
    server = replace(catalog.servers[PAYMENTS], owner="pay@acme.example")
    return replace(catalog, servers=MappingProxyType({**catalog.servers, PAYMENTS: server}))


def _request(*parts, **changes):
    request = Request(
        id="apr_1", state=RequestState.WAITING, about=About.CALL, tenant=ACME, user_id="usr_ada",
        agent_id="assistant", client_id="cli_1", grant_id="gnt_1", server=PAYMENTS, kind=ResourceKind.TOOL,
        thing="refund", definition=None, environment=PROD, parts=parts, arguments={}, justification=None,
        decision_id="dec_1", policy_version="v", asked=1, created_at=NOW - 100, opened_at=None, ended_at=None,
        expires_at=NOW + 500, holds=300, digest="d",
    )  # fmt: skip
    return replace(request, **changes)


def _who(name, *, roles=(), names=(), seats=(), tenant=ACME):
    person = Person(
        user_id=f"usr_{name}", username=name, tenant=tenant, roles=roles, acr=ACR_MULTI_FACTOR, auth_time=NOW
    )  # fmt: skip
    return Standpoint(person=person, known_as=(f"user:usr_{name}", *names), seats=seats)


def _seat(absent, role, *, roles=None, names=()):
    deputy = Deputy(
        tenant=ACME, absent=f"usr_{absent}", deputy="usr_any", role=role, named_at=1, expires_at=NOW + 1
    )  # fmt: skip
    held = (role,) if roles is None else roles
    return Seat(deputy=deputy, roles=held, known_as=(f"user:usr_{absent}", *names))


def _titles(request, standpoint, requester=("user:usr_ada",)):
    view = View(
        request=request, standpoint=standpoint, catalog=_catalog(), requester=requester, now=NOW
    )
    return [(one.part, one.name) for one in capacities(view)]


def test_the_person_of_the_call_confirms_it():
    assert _titles(_request(CONFIRM, MANAGER), _who("ada")) == [(0, "person")]


def test_nobody_else_confirms_it():
    assert _titles(_request(CONFIRM), _who("bob", roles=("manager",))) == []


def test_who_holds_the_role_approves_it():
    assert _titles(_request(CONFIRM, MANAGER), _who("bob", roles=("manager",))) == [
        (1, "role:manager")
    ]


def test_who_holds_another_role_does_not():
    assert _titles(_request(MANAGER), _who("bob", roles=("director",))) == []


def test_the_person_of_the_call_does_not_approve_it_whatever_roles_they_hold():
    assert _titles(_request(MANAGER), _who("ada", roles=("manager",))) == []


def test_nor_do_they_under_another_account():
    twin = _who("twin", roles=("manager",), names=("identity:https://idp#7",))
    requester = ("user:usr_ada", "identity:https://idp#7")
    assert _titles(_request(MANAGER), twin, requester) == []


def test_who_owns_the_agent_does_not_approve_alone():
    owner = _who("ops", roles=("manager",), names=(OWNER_OF_AGENT,))
    assert _titles(_request(MANAGER), owner) == []


def test_who_owns_an_agent_that_it_was_handed_through_does_not_either():
    owner = _who("ops", roles=("manager",), names=(OWNER_OF_AGENT,))
    request = _request(MANAGER, agent_id="job", actors=("assistant",))
    assert _titles(request, owner) == []


def test_who_owns_the_agent_approves_beside_somebody_else():
    owner = _who("ops", roles=("manager",), names=(OWNER_OF_AGENT,))
    assert _titles(_request(replace(MANAGER, quorum=2)), owner) == [(0, "role:manager")]


def test_who_owns_the_server_approves_where_the_rule_says_so():
    owner = _who("pay", names=("owner:pay@acme.example",))
    assert _titles(_request(replace(MANAGER, owners=True)), owner) == [(0, "owner")]
    assert _titles(_request(MANAGER), owner) == []


def test_it_escalates_once_it_waited_long_enough():
    director = _who("dora", roles=("director",))
    late = replace(MANAGER, escalation=Escalation(after=100, role="director"))
    early = replace(MANAGER, escalation=Escalation(after=101, role="director"))
    assert _titles(_request(late), director) == [(0, "escalated:director")]
    assert _titles(_request(early), director) == []


def test_a_deputy_approves_in_the_place_of_somebody_absent():
    deputy = _who("fay", seats=(_seat("bob", "manager"),))
    assert _titles(_request(MANAGER), deputy) == [(0, "deputy:usr_bob:manager")]


def test_a_deputy_in_another_role_does_not():
    assert _titles(_request(MANAGER), _who("fay", seats=(_seat("bob", "director"),))) == []


def test_a_role_that_the_absent_one_lost_is_nobodys():
    assert _titles(_request(MANAGER), _who("fay", seats=(_seat("bob", "manager", roles=()),))) == []


def test_a_deputy_does_not_stand_for_the_person_of_the_call():
    assert _titles(_request(MANAGER), _who("fay", seats=(_seat("ada", "manager"),))) == []


def test_a_deputy_does_not_stand_alone_for_who_owns_the_agent():
    seat = _seat("ops", "manager", names=(OWNER_OF_AGENT,))
    assert _titles(_request(MANAGER), _who("fay", seats=(seat,))) == []


def test_the_person_of_the_call_is_nobodys_deputy_for_it():
    assert _titles(_request(MANAGER), _who("ada", seats=(_seat("bob", "manager"),))) == []


def test_somebody_of_another_organisation_may_neither_answer_nor_see():
    stranger = _who("eve", roles=("manager",), tenant=GLOBEX)
    view = View(
        request=_request(MANAGER),
        standpoint=stranger,
        catalog=_catalog(),
        requester=(),
        now=NOW,
    )
    assert capacities(view) == ()
    assert not may_see(view)


def _answered(person, **changes):
    answer = Answer(
        person=f"usr_{person}", verdict=Verdict.APPROVED, capacity="role:manager", acr=ACR_MULTI_FACTOR,
        auth_time=NOW, shown="s", shown_at=NOW, at=NOW, counts_for=(0,), known_as=(f"user:usr_{person}",),
    )  # fmt: skip
    return replace(answer, **changes)


@pytest.mark.parametrize(
    ("answer", "standpoint"),
    [
        (_answered("bob"), _who("bob", roles=("manager",))),
        (
            _answered("bob", known_as=("user:usr_bob", "identity:i#1")),
            _who("twin", roles=("manager",), names=("identity:i#1",)),
        ),
        (_answered("bob"), _who("fay", seats=(_seat("bob", "manager"),))),
        (_answered("fay", seat="usr_bob"), _who("bob", roles=("manager",))),
        (_answered("fay", seat="usr_bob"), _who("gus", seats=(_seat("bob", "manager"),))),
    ],
    ids=["again", "another-account", "their-deputy-too", "after-their-deputy", "a-second-deputy"],
)
def test_nobody_answers_twice_and_no_place_is_taken_twice(answer, standpoint):
    request = _request(replace(MANAGER, quorum=2), answers=(answer,))
    view = View(request=request, standpoint=standpoint, catalog=_catalog(), requester=(), now=NOW)
    assert capacities(view)
    assert free_capacities(view) == ()


def _person(acr, ago):
    return replace(_who("ada").person, acr=acr, auth_time=NOW - ago)


@pytest.mark.parametrize(
    ("part", "acr", "ago", "demand"),
    [
        (CONFIRM, ACR_PHISHING_RESISTANT, 0, None),
        (CONFIRM, ACR_PHISHING_RESISTANT, 100, None),
        (CONFIRM, ACR_PHISHING_RESISTANT, 101, Demand(acr=ACR_PHISHING_RESISTANT, max_age=100)),
        (CONFIRM, ACR_MULTI_FACTOR, 0, Demand(acr=ACR_PHISHING_RESISTANT, max_age=100)),
        (CONFIRM, "urn:else", 0, Demand(acr=ACR_PHISHING_RESISTANT, max_age=100)),
        (CONFIRM, ACR_PHISHING_RESISTANT, -61, Demand(acr=ACR_PHISHING_RESISTANT, max_age=100)),
        (replace(CONFIRM, anew=False), ACR_PHISHING_RESISTANT, 300, None),
        (
            replace(CONFIRM, anew=False),
            ACR_PHISHING_RESISTANT,
            301,
            Demand(acr=ACR_PHISHING_RESISTANT, max_age=300),
        ),
        (MANAGER, ACR_MULTI_FACTOR, 9_000, None),
        (MANAGER, ACR_PASSWORD, 0, Demand(acr=ACR_MULTI_FACTOR, max_age=None)),
        (Part(kind=PartKind.CONFIRMATION), "urn:else", 9_000, None),
    ],
)
def test_how_somebody_has_to_have_logged_in(part, acr, ago, demand):
    assert demand_of(_request(part), [part], _person(acr, ago), now=NOW) == demand


def test_the_strongest_of_what_is_wanted_counts():
    person = _person(ACR_MULTI_FACTOR, 0)
    strong = replace(MANAGER, acr=ACR_PHISHING_RESISTANT)
    demand = demand_of(_request(MANAGER, strong), [MANAGER, strong], person, now=NOW)
    assert demand == Demand(acr=ACR_PHISHING_RESISTANT, max_age=None)
