"""Along grant, refresh, access token and exchange nothing grows; and what is single-use is used once."""

import asyncio
import json

import pytest
from exchanges import SECRET, employ, exchange
from flows import ADMIN, CRM, answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from remit.identity import UserChanges, change_user
from remit.oauth import grant_store
from remit.scopes import missing
from remit.tokens.authorization_details import is_within, parse_details

SCOPES = ("crm:accounts.read", "crm:accounts.write", "crm:handbook.read")
TOOLS = ("get_account", "update_account")
DAY = 86_400

_scope = (
    st.none()
    | st.none()
    | st.sets(st.sampled_from(SCOPES), min_size=1).map(lambda some: " ".join(sorted(some)))
)
_constraint = st.sampled_from(
    [None, {"pattern": "acc-*"}, {"pattern": "acc-1*"}, {"equals": "acc-1"}, {"equals": "b"}]
)


@st.composite
def _details(draw):
    """Details of one or two tools, loosely or tightly bound; or none."""
    if draw(st.integers(0, 3)):
        return None
    constraint = draw(_constraint)
    detail = {
        "type": "mcp_tool_call",
        "tools": sorted(draw(st.sets(st.sampled_from(TOOLS), min_size=1))),
        **({} if constraint is None else {"constraints": {"account_id": constraint}}),
    }
    return json.dumps([detail])


_step = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["clerk", "auditor", "archivist", "own", "refresh"]),
        "scope": _scope,
        "authorization_details": _details(),
        "seconds": st.sampled_from([0, 0, 1, 200, 700]),
    }
)


def read(server, body):
    return server.deps.verifier.verify(body["access_token"], audience=CRM)


def assert_no_wider(server, new, old):
    """`new` allows nothing that `old` did not."""
    assert missing(new.scopes, old.scopes, server.catalog.hierarchy) == ()
    if old.authorization_details:
        held = parse_details(list(old.authorization_details))
        assert new.authorization_details
        assert is_within(parse_details(list(new.authorization_details)), held)
    assert new.aud == old.aud
    assert (new.sub, new.organization_id, new.environment) == (
        old.sub,
        old.organization_id,
        old.environment,
    )
    assert new.sensitivity.rank <= old.sensitivity.rank
    assert new.acr == old.acr
    assert new.auth_time == old.auth_time


async def take(server, step, tokens):
    """One step; the answer, and the token that it must not be wider than."""
    changes = {name: step[name] for name in ("scope", "authorization_details")}
    if step["kind"] == "refresh":
        given_up = {name: value for name, value in changes.items() if value is not None}
        return await server.refresh(tokens["refresh_token"], **given_up), "granted"
    actor = (
        {"client_id": "portal", "client_secret": None}
        if step["kind"] == "own"
        else {"client_id": step["kind"], "client_secret": SECRET}
    )
    return await exchange(server, tokens["access_token"], **actor, **changes), "access_token"


@given(
    scope=st.sampled_from([" ".join(SCOPES), "crm:accounts.read"]),
    details=_details(),
    steps=st.lists(_step, min_size=3, max_size=8),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_token_is_ever_wider_than_what_it_came_from(server, scope, details, steps):
    if not server.audit.events:
        employ(server)
        await server.add_user()
    asked = {} if details is None else {"authorization_details": details}
    browser = server.browser()
    page = await browser.to_consent(scope=scope, prompt="consent", **asked)
    if 'name="scope"' not in page.text:
        assert "error" in answer(page)
        return
    body = (await server.redeem(answer(await browser.decide(page))["code"])).json()
    granted = read(server, body)
    tokens, said, begun = dict(body), granted, server.clock.now()
    for step in steps:
        server.clock.advance(step["seconds"])
        response, came_from = await take(server, step, tokens)
        if response.status_code != 200:
            continue
        made = response.json()
        new = read(server, made)
        old = granted if came_from == "granted" else said
        assert_no_wider(server, new, old)
        assert_no_wider(server, new, granted)
        assert new.exp <= begun + 30 * DAY
        if came_from == "access_token":
            assert new.exp <= old.exp
            assert "refresh_token" not in made
            assert len(new.actors) <= server.catalog.guardrails.max_delegation_depth
        tokens, said = tokens | made, new


async def test_a_role_taken_from_a_person_narrows_the_next_token_and_given_back_widens_it(server):
    user = await server.add_user(roles=("support", "sales-manager"))
    asked = "crm:accounts.read crm:accounts.export"
    tokens = await server.granted(scope=asked)
    assert set(read(server, tokens).scopes) == set(asked.split())

    async def change(**changes):
        await server.database.run(
            lambda tx: change_user(
                tx, user.id, UserChanges(**changes), catalog=server.catalog, context=ADMIN
            )
        )

    await change(remove_roles=("sales-manager",))
    tokens = (await server.refresh(tokens["refresh_token"])).json()
    assert read(server, tokens).scopes == ("crm:accounts.read",)
    await change(add_roles=("sales-manager",))
    tokens = (await server.refresh(tokens["refresh_token"])).json()
    assert set(read(server, tokens).scopes) == set(asked.split())
    await change(remove_roles=("support", "sales-manager"))
    refused = await server.refresh(tokens["refresh_token"])
    assert refused.status_code == 400, refused.text


@pytest.mark.parametrize("senders", [2, 9])
async def test_a_code_is_redeemed_at_most_once_however_many_send_it(server, senders):
    await server.add_user()
    code = await server.code()
    answers = await asyncio.gather(*(server.redeem(code) for _ in range(senders)))
    assert [one.status_code for one in answers].count(200) <= 1
    assert ended(server)


@pytest.mark.parametrize("senders", [2, 9])
async def test_a_refresh_token_is_used_at_most_once_however_many_send_it(server, senders):
    tokens = await server.granted()
    answers = await asyncio.gather(
        *(server.refresh(tokens["refresh_token"]) for _ in range(senders))
    )
    assert [one.status_code for one in answers].count(200) <= 1
    assert ended(server)


async def test_an_exchange_and_the_end_of_its_grant_leave_no_child_behind(server):
    """Whichever comes first: no grant lives whose parent ended."""
    employ(server)
    tokens = await server.granted()

    async def revoke():
        return await server.browser().client.post(
            "/revoke", data={"token": tokens["refresh_token"], "client_id": "portal"}
        )

    await asyncio.gather(
        *(exchange(server, tokens["access_token"], scope=scope) for scope in SCOPES),
        revoke(),
        *(exchange(server, tokens["access_token"]) for _ in range(3)),
    )
    assert ended(server)


def ended(server):
    """Whether every grant has ended."""
    statement = select(grant_store.grants.c.id).where(grant_store.grants.c.revoked_at.is_(None))
    return server.database.read_now(lambda tx: tx.connection.execute(statement).all()) == []
