"""What may at most be granted."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit import oauth
from remit.guard.issuance import Applicant, Guardrail, WithheldReason, rule
from remit.ids import ClientId
from remit.model import ClientBounds
from remit.policy import CedarEngine, DecisionPoint, PolicySource, Subject, SubjectKind
from remit.scopes import missing
from remit.testing.clock import FixedClock


@pytest.fixture(scope="module")
def catalog(repository):
    return repository[0]


@pytest.fixture(scope="module")
def decisions(repository):
    return DecisionPoint(CedarEngine.load(repository[1], repository[0]), FixedClock())


def person(catalog, *roles, agent="portal", tenant="acme", **changes):
    named = catalog.unregistered if agent == "unregistered" else catalog.agents[agent]
    subject = Subject(kind=SubjectKind.USER, id="usr_1", tenant=tenant, roles=roles)
    return Applicant(subject=subject, agent=named, client_id=ClientId("c"), **changes)


def judge(catalog, decisions, applicant, *asked, server="crm"):
    return rule(
        asked,
        applicant,
        server=catalog.servers[server],
        catalog=catalog,
        decisions=decisions,
        now=FixedClock().now(),
    )


def reasons(ruling):
    return {one.scope: one.reason for one in ruling.withheld}


def test_what_person_agent_and_server_allow_is_granted(catalog, decisions):
    ruling = judge(catalog, decisions, person(catalog, "support"), "crm:accounts.read")
    assert ruling.scopes == ("crm:accounts.read",)
    assert ruling.refusal is None
    assert ruling.rules == ("issue-tokens",)
    assert ruling.policy_version == decisions.version


def test_each_limit_withholds_with_its_own_reason(catalog, decisions):
    ruling = judge(
        catalog,
        decisions,
        person(catalog, "support"),
        "crm:accounts.read",
        "crm:accounts.export",
        "crm:accounts.delete",
        "payments:invoices.read",
        "payments:ledger.admin",
    )
    assert ruling.scopes == ("crm:accounts.read",)
    assert reasons(ruling) == {
        "crm:accounts.export": WithheldReason.PERSON,
        "crm:accounts.delete": WithheldReason.AGENT,
        "payments:invoices.read": WithheldReason.NOT_ON_SERVER,
        "payments:ledger.admin": WithheldReason.FORBIDDEN,
    }


def test_a_scope_that_covers_a_forbidden_one_is_forbidden(catalog, decisions):
    guarded = replace(
        catalog,
        guardrails=replace(catalog.guardrails, forbidden_scopes=("crm:handbook.read",)),
    )
    ruling = judge(guarded, decisions, person(guarded, "support"), "crm:accounts.read")
    assert reasons(ruling) == {"crm:accounts.read": WithheldReason.FORBIDDEN}
    assert ruling.refusal is not None


def test_what_a_held_scope_covers_may_be_granted(catalog, decisions):
    ruling = judge(catalog, decisions, person(catalog, "support"), "crm:handbook.read")
    assert ruling.scopes == ("crm:handbook.read",)


def test_what_is_above_a_held_scope_may_not(catalog, decisions):
    ruling = judge(
        catalog, decisions, person(catalog, "support", agent="unregistered"), "crm:accounts.read"
    )
    assert ruling.scopes == ()
    assert reasons(ruling) == {"crm:accounts.read": WithheldReason.AGENT}


def test_a_token_says_no_more_scopes_than_the_guardrail_allows(catalog, decisions):
    tight = replace(catalog, guardrails=replace(catalog.guardrails, max_scopes_per_token=1))
    ruling = judge(
        tight, decisions, person(tight, "support"), "crm:accounts.write", "crm:accounts.read"
    )
    assert ruling.scopes == ("crm:accounts.write",)
    assert reasons(ruling) == {"crm:accounts.read": WithheldReason.TOO_MANY}


def test_a_placeholder_is_filled_with_the_persons_own_organisation(catalog, decisions):
    ruling = judge(
        catalog,
        decisions,
        person(catalog, "support", tenant="globex"),
        "tenant:reports.read.{organization_id}",
    )
    assert ruling.scopes == ("tenant:reports.read.globex",)


def test_another_organisations_scope_is_not_granted(catalog, decisions):
    ruling = judge(catalog, decisions, person(catalog, "support"), "tenant:reports.read.globex")
    assert ruling.scopes == ()
    assert ruling.refusal is not None


def test_a_scope_of_another_environment_is_not_granted(catalog, decisions):
    here = catalog.servers["crm"].environment
    asked = ("env:elsewhere:execute", "crm:accounts.read")
    ruling = judge(catalog, decisions, person(catalog, "support"), *asked)
    assert here != "elsewhere"
    assert ruling.scopes == ("crm:accounts.read",)
    assert reasons(ruling) == {"env:elsewhere:execute": WithheldReason.ENVIRONMENT}


def test_a_role_nobody_declared_gives_nothing(catalog, decisions):
    ruling = judge(catalog, decisions, person(catalog, "ghost"), "crm:accounts.read")
    assert reasons(ruling) == {"crm:accounts.read": WithheldReason.PERSON}
    assert ruling.refusal == "your roles allow none of the requested scopes"


def test_a_suspended_agent_gets_nothing(catalog, decisions):
    ruling = judge(
        catalog, decisions, person(catalog, "support", suspended=True), "crm:accounts.read"
    )
    assert ruling.refusal == "agent `portal` is suspended"
    assert ruling.decision is None


@pytest.mark.parametrize(
    "changes",
    [
        {"agent": {"tenants": ("globex",)}},
        {"agent": {"environments": ("dev",)}},
        {"server": {"tenant": "globex"}},
        {"tenants": {}},
    ],
)
def test_a_foreign_tenant_or_environment_gets_nothing(catalog, decisions, changes):
    applicant = person(catalog, "support")
    if "agent" in changes:
        applicant = replace(applicant, agent=replace(applicant.agent, **changes["agent"]))
    if "server" in changes:
        crm = replace(catalog.servers["crm"], **changes["server"])
        catalog = replace(catalog, servers={**catalog.servers, "crm": crm})
    if "tenants" in changes:
        catalog = replace(catalog, tenants={})
    ruling = judge(catalog, decisions, applicant, "crm:accounts.read")
    assert ruling.scopes == ()
    assert ruling.refusal is not None


def test_a_policy_may_refuse_the_whole_with_its_own_words(catalog, repository):
    no = PolicySource(
        '@id("not-today")\n@refusal("Not today.")\n'
        'forbid (principal, action == Remit::Action::"issue", resource);',
        "policies/no.cedar",
    )
    decisions = DecisionPoint(CedarEngine.load((*repository[1], no), catalog), FixedClock())
    ruling = judge(catalog, decisions, person(catalog, "support"), "crm:accounts.read")
    assert ruling.scopes == ()
    assert ruling.refusal == "Not today."
    assert "not-today" in ruling.rules


def test_an_engine_that_fails_is_a_refusal_without_its_words(catalog):
    class Broken:
        version = "v"

        def evaluate(self, evaluation):
            raise RuntimeError("secret detail")

    ruling = judge(
        catalog,
        DecisionPoint(Broken(), FixedClock()),
        person(catalog, "support"),
        "crm:accounts.read",
    )
    assert ruling.scopes == ()
    assert ruling.refusal is not None
    assert "secret" not in ruling.refusal


@settings(deadline=None)
@given(data=st.data())
def test_nothing_is_granted_that_was_not_asked_or_that_a_limit_lacks(catalog, decisions, data):
    names = [name for name in sorted(catalog.scopes) if "{" not in name]
    asked = data.draw(st.lists(st.sampled_from(names), max_size=8))
    roles = data.draw(st.sets(st.sampled_from(sorted(catalog.roles))))
    applicant = person(catalog, *roles)
    ruling = judge(catalog, decisions, applicant, *asked)
    assert set(ruling.scopes) <= set(asked)
    held = [scope for role in roles for scope in catalog.roles[role].scopes]
    assert missing(ruling.scopes, held, catalog.hierarchy) == ()
    assert missing(ruling.scopes, applicant.agent.scopes, catalog.hierarchy) == ()
    assert not set(ruling.scopes) & set(catalog.guardrails.forbidden_scopes)
    assert (ruling.refusal is None) == bool(ruling.scopes)


# -- what a client was admitted to ----------------------------------------------


def violated(ruling):
    return [one.guardrail for one in ruling.violations]


def test_a_client_gets_no_more_than_it_was_admitted_to(catalog, decisions):
    bounds = ClientBounds(scopes=("crm:accounts.read",))
    ruling = judge(
        catalog,
        decisions,
        person(catalog, "support", bounds=bounds),
        "crm:accounts.read",
        "crm:accounts.write",
    )
    assert ruling.scopes == ("crm:accounts.read",)
    assert reasons(ruling) == {"crm:accounts.write": WithheldReason.CLIENT}
    assert ruling.cut == ("crm:accounts.write (client)",)
    assert violated(ruling) == []


def test_a_client_that_was_admitted_to_nothing_of_it_is_refused(catalog, decisions):
    bounds = ClientBounds(scopes=("payments:invoices.read",))
    ruling = judge(
        catalog, decisions, person(catalog, "support", bounds=bounds), "crm:accounts.read"
    )
    assert ruling.refusal == "the client was admitted to none of the requested scopes"


def test_the_bounds_of_a_client_give_nothing_that_its_agent_lacks(catalog, decisions):
    bounds = ClientBounds(scopes=("crm:accounts.read", "crm:accounts.delete"))
    applicant = person(catalog, "support", bounds=bounds)
    bare = replace(applicant, agent=replace(applicant.agent, scopes=("crm:accounts.read",)))
    ruling = judge(catalog, decisions, bare, "crm:accounts.read", "crm:accounts.write")
    assert ruling.scopes == ("crm:accounts.read",)


def test_a_client_of_one_environment_gets_nothing_in_another(catalog, decisions):
    inside = person(catalog, "support", bounds=ClientBounds(environment="prod"))
    assert judge(catalog, decisions, inside, "crm:accounts.read").refusal is None
    outside = person(catalog, "support", bounds=ClientBounds(environment="staging"))
    ruling = judge(catalog, decisions, outside, "crm:accounts.read")
    assert ruling.refusal == "this client may not act in environment `prod`"
    assert violated(ruling) == [Guardrail.ENVIRONMENT]


@pytest.mark.parametrize(
    ("regions", "region", "allowed"),
    [
        ((), None, True),
        ((), "us", True),
        (("eu",), "eu", True),
        (("eu", "ch"), "ch", True),
        (("eu",), "us", False),
        (("eu",), "EU", False),
        (("eu",), None, False),
    ],
)
def test_an_agent_stays_in_its_regions(catalog, decisions, regions, region, allowed):
    applicant = person(catalog, "support")
    applicant = replace(applicant, agent=replace(applicant.agent, regions=regions))
    crm = replace(catalog.servers["crm"], region=region)
    placed = replace(catalog, servers={**catalog.servers, "crm": crm})
    ruling = judge(placed, decisions, applicant, "crm:accounts.read")
    assert (ruling.refusal is None) == allowed
    assert violated(ruling) == ([] if allowed else [Guardrail.REGION])


# -- guardrails are told apart ------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "guardrail"),
    [
        ({"agent": {"tenants": ("globex",)}}, Guardrail.TENANT),
        ({"agent": {"environments": ("dev",)}}, Guardrail.ENVIRONMENT),
        ({"server": {"tenant": "globex"}}, Guardrail.TENANT),
    ],
)
def test_a_foreign_place_is_a_violation_of_its_guardrail(catalog, decisions, changes, guardrail):
    applicant = person(catalog, "support")
    applicant = replace(applicant, agent=replace(applicant.agent, **changes.get("agent", {})))
    crm = replace(catalog.servers["crm"], **changes.get("server", {}))
    placed = replace(catalog, servers={**catalog.servers, "crm": crm})
    ruling = judge(placed, decisions, applicant, "crm:accounts.read")
    assert violated(ruling) == [guardrail]
    assert ruling.violations[0].detail == ruling.refusal


def test_what_is_forbidden_or_too_much_is_narrowed_and_still_a_violation(catalog, decisions):
    guardrails = replace(
        catalog.guardrails, forbidden_scopes=("crm:accounts.export",), max_scopes_per_token=1
    )
    tight = replace(catalog, guardrails=guardrails)
    ruling = judge(
        tight,
        decisions,
        person(tight, "support"),
        "crm:accounts.export",
        "crm:accounts.read",
        "crm:accounts.write",
    )
    assert ruling.scopes == ("crm:accounts.read",)
    assert violated(ruling) == [Guardrail.FORBIDDEN_SCOPE, Guardrail.SCOPES_PER_TOKEN]


def test_what_a_role_or_an_agent_lacks_is_no_violation(catalog, decisions):
    ruling = judge(catalog, decisions, person(catalog), "crm:accounts.read")
    assert ruling.refusal is not None
    assert violated(ruling) == []


def test_whoever_builds_an_applicant_passes_on_what_its_client_was_admitted_to():
    """A door that forgot would let a client beyond its bounds."""
    room = Path(oauth.__file__).parent
    forgotten = [
        f"{path.name}: {call[:60]}"
        for path in sorted(room.rglob("*.py"))
        for call in re.findall(r"\bApplicant\((.*?)\n    *\)", path.read_text(), re.DOTALL)
        if "bounds=" not in call and "client_id=" in call
    ]
    assert forgotten == []
