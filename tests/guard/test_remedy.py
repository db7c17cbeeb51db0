"""What is said of a refusal, and that it says nothing of what the caller may not know."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.guard import GuardSettings, RefusalReason, refusal_response
from remit.guard.ladder import Ladder
from remit.guard.reconsider import at_once
from remit.guard.refusal import Refusal
from remit.guard.remedy import MISSING_SERVER, Obtainable, remedy_of
from remit.model import Sensitivity
from remit.policy import ResourceKind
from remit.testing.catalog import small_catalog, with_agent
from remit.testing.clock import FixedClock

from .conftest import POLICIES, URL, World

SCOPES = (
    "crm:accounts.read", "crm:accounts.read.name", "crm:accounts.write", "crm:accounts.export",
    "tenant:read:{organization_id}", "payments:refund.create",
)  # fmt: skip
THINGS = [
    (server.name, kind, name)
    for server in small_catalog().servers.values()
    for kind, names in (
        (ResourceKind.TOOL, list(server.tools)),
        (ResourceKind.RESOURCE, [one.uri for one in server.resources if not one.is_template]),
        (ResourceKind.PROMPT, list(server.prompts)),
    )
    for name in names
]
POLICY_SETS = (
    POLICIES,
    '@id("none") permit(principal, action, resource) when { false };',
    (
        '@id("all") permit(principal, action, resource);\n'
        '@id("no") @refusal("never for interns") forbid(principal, action, resource)'
        ' when { principal.roles.contains("intern") };'
    ),
)
_WORLD = World(FixedClock())


def said(world: World, call) -> bytes:
    """What the wire carries for `call`; its decision always has one id."""
    ladder = Ladder(
        world.verifier,
        world.directory,
        decisions=world.decisions,
        settings=GuardSettings(public_url=URL),
    )
    verdict = at_once(ladder.decide(call))
    if not isinstance(verdict, Refusal):
        return b""
    response = refusal_response(verdict.outcome("dec_1"), resource_metadata_url=f"{URL}/m")
    return json.dumps([response.status, response.headers, response.error]).encode()


@settings(max_examples=300, deadline=None)
@given(
    thing=st.sampled_from(THINGS),
    agent=st.sets(st.sampled_from(SCOPES)),
    token=st.sets(st.sampled_from(SCOPES)),
    roles=st.sets(st.sampled_from(["support", "finance", "intern"])),
    levels=st.tuples(st.sampled_from(Sensitivity), st.sampled_from(Sensitivity)),
    policies=st.sampled_from(POLICY_SETS),
    arguments=st.sampled_from([{}, {"account": "acc_1"}, {"amount": "no money"}]),
)
def test_what_is_hidden_is_refused_in_every_byte_like_what_does_not_exist(
    thing, agent, token, roles, levels, policies, arguments
):
    server, kind, name = thing
    world = _WORLD
    world.use_policies(policies)
    catalog = small_catalog()
    held = replace(catalog.agents["assistant"], scopes=tuple(agent), max_sensitivity=levels[0])
    world.directory.catalog = with_agent(catalog, held)
    claims = {"scopes": tuple(token), "roles": tuple(sorted(roles)), "sensitivity": levels[1]}
    fields = {"server": server, "kind": kind, "arguments": arguments, "token": claims}
    real = said(world, world.call(name, **fields))
    missing = said(world, world.call("a://nothing/of-the-kind", **fields))
    assert real == missing or b'"reason": "not_found"' not in real
    for secret in ("never for interns", "clearance", "above_", "hidden"):
        assert secret.encode() not in missing


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_every_reason_has_a_remedy_in_words_for_both(reason):
    remedy = remedy_of(reason)
    assert remedy.how[0].islower()
    assert not remedy.how.endswith(".")
    assert remedy.message[0].isupper()
    assert remedy.message.endswith(".")
    assert len(remedy.message) <= 100
    # A sentence for people has no word that only programs know.
    assert not any(word in remedy.message.lower() for word in ("token", "scope", "json", "`"))


def test_only_what_passes_by_itself_is_to_be_repeated_as_it_is():
    waits = {one for one in RefusalReason if remedy_of(one).obtainable is Obtainable.WAIT}
    assert waits == {
        RefusalReason.LIMIT_REACHED,
        RefusalReason.RATE_LIMITED,
        RefusalReason.TOO_MANY_CALLS,
        RefusalReason.TOO_MANY_PROOFS,
        RefusalReason.STALE_SNAPSHOT,
        RefusalReason.AUDIT_UNAVAILABLE,
    }


def test_a_server_of_another_organisation_has_the_remedy_of_one_that_does_not_exist():
    assert remedy_of(RefusalReason.WRONG_TENANT).message == MISSING_SERVER.message
    assert remedy_of(RefusalReason.WRONG_ENVIRONMENT).message == MISSING_SERVER.message


async def test_missing_scopes_are_told_apart_from_those_that_are_held(world):
    token = {"scopes": ("crm:accounts.read",)}
    outcome = await world.guard.decide(
        world.call("update_account", token=token, protocol_version="2025-11-25")
    )
    data = refusal_response(outcome, resource_metadata_url=f"{URL}/m").error["data"]
    assert (data["reason"], data["obtainable"], data["retry"]) == (
        "insufficient_scope", "authorize", False,
    )  # fmt: skip
    assert data["missing"] == {"scopes": ["crm:accounts.write"]}
    assert set(data["scopes"]) == {"crm:accounts.read", "crm:accounts.write"}


async def test_the_argument_that_is_at_fault_is_named_and_its_value_is_not(world):
    outcome = await world.guard.decide(world.refund("12345", currency="moonstones"))
    response = refusal_response(outcome, resource_metadata_url=f"{URL}/m")
    data = response.error["data"]
    assert (data["reason"], data["obtainable"]) == ("invalid_arguments", "correct")
    assert data["missing"] == {"argument": "amount"}
    assert "moonstones" not in json.dumps(response.error)
