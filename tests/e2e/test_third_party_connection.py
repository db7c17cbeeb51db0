"""A server behind that is used with each person's own account at a third party: a real one, from consent to disconnecting."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from remit.demo.agent import Keyring
from remit.demo.person import read_forms
from tests.e2e.vendor import SECRETS, world_in
from tests.e2e.wire import ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),  # several processes start, one after the other
]

ACME = {"organization_id": "acme"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def early():
    """What Bob's client was given before the server's file named a third party."""
    return Keyring()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory, early):
    async with world_in(tmp_path_factory.mktemp("vendor")) as world:
        bob = await world.person("bob")
        with suppress(Exception):  # the server turns him away, who comes with Remit's own secret
            await authorized(world, bob, early)
        assert early.tokens is not None
        world.switch_to_connections()
        await world.stage.remit("reload")
        yield world


async def authorized(world, walker, keyring=None):
    """A client's token, once `walker` allowed it what it asks for, and it saw the tools."""
    keyring = keyring or Keyring()
    async with world.agent(walker, keyring) as agent:
        await agent.client.list_tools()
    return keyring.tokens.access_token


async def call(world, token):
    named = {"name": "list_accounts", "arguments": ACME}
    return await ask(world.stage.server("crm"), "tools/call", named, token=token)


def said(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]["content"][0]["text"]


async def test_a_person_agrees_here_and_there_and_is_called_for_by_their_own_token(world):
    ada = await world.person("ada")
    token = await authorized(world, ada)
    hosts = [urlsplit(str(page.url)).netloc for page in ada.pages]
    ours, theirs = urlsplit(world.stage.url).netloc, urlsplit(world.vendor).netloc
    consent = next(i for i, page in enumerate(ada.pages) if "contacts.read" in page.text)
    assert hosts[consent] == ours
    assert consent < hosts.index(theirs)
    world.behind.brought.clear()
    assert said(await call(world, token)) == "for ada-there"
    assert {whose for _, whose in world.behind.brought} == {"ada-there"}
    assert {one for one, _ in world.behind.brought} <= set(await world.issued("ada-there"))


async def test_whoever_refuses_on_our_page_is_never_sent_to_the_third_party(world):
    eve = await world.person("eve")
    eve.allows = False
    with pytest.raises(BaseException):  # noqa: B017  in a group of the SDK's own
        await authorized(world, eve)
    theirs = urlsplit(world.vendor).netloc
    assert eve.met("contacts.read")
    assert [page for page in eve.pages if urlsplit(str(page.url)).netloc == theirs] == []
    assert await world.issued("eve-there") == []


async def test_whoever_is_not_connected_is_told_and_never_goes_as_somebody_else(world, early):
    await authorized(world, await world.person("carol"))  # somebody else is connected
    world.behind.brought.clear()
    refused = (await call(world, early.tokens.access_token)).json()["result"]
    account = f"{world.stage.url}/account"
    assert refused["isError"] is True
    assert refused["_meta"]["remit/refusal"] == {"reason": "connection_needed", "url": account}
    assert "Vendor" in refused["content"][0]["text"]
    assert world.behind.brought == []


async def test_a_token_that_runs_out_is_renewed_once_however_many_call(world):
    await world.peer.ask(lifetime=30)  # less than a call may take: at its end from the beginning
    try:
        dave = await world.person("dave")
        token = await authorized(world, dave)
    finally:
        await world.peer.ask(lifetime=3600)
    before, first = await world.renewals(), await world.issued("dave-there")
    world.behind.brought.clear()
    answers = await asyncio.gather(*(call(world, token) for _ in range(5)))
    answers += [await eventually_renewed(world, token, before)]
    assert [said(one) for one in answers] == ["for dave-there"] * 6
    assert await world.renewals() == before + 1
    last = (await world.issued("dave-there", "access_token"))[-1]
    assert last not in first
    assert world.behind.brought[-1] == (last, "dave-there")


async def eventually_renewed(world, token, before):
    """An answer of after the renewal: what was had before is used for some seconds."""
    async with asyncio.timeout(60):
        while True:
            answer = await call(world, token)
            if await world.renewals() > before:
                return answer
            await asyncio.sleep(0.5)


async def test_a_token_that_the_server_refuses_is_renewed_once_and_not_over_and_over(world):
    token = await authorized(world, await world.person("frank"))
    assert said(await call(world, token)) == "for frank-there"
    refused = (await world.issued("frank-there", "access_token"))[-1]
    world.behind.turned_away.add(refused)
    before = await world.renewals()
    # One of a moment ago is not renewed: who refuses it refuses every one.
    assert (await call(world, token)).status_code == 502
    assert await world.renewals() == before
    world.make_older(61)
    answers = await asyncio.gather(*(call(world, token) for _ in range(5)))
    assert [said(one) for one in answers] == ["for frank-there"] * 5
    assert await world.renewals() == before + 1
    fresh = (await world.issued("frank-there", "access_token"))[-1]
    assert fresh != refused
    assert world.behind.brought[-1][0] == fresh
    world.behind.turned_away.add(fresh)
    assert (await call(world, token)).status_code == 502
    assert await world.renewals() == before + 1


async def test_after_disconnecting_no_call_carries_the_token_which_is_revoked_there_too(world):
    gina = await world.person("gina")
    token = await authorized(world, gina)
    assert said(await call(world, token)) == "for gina-there"
    page = await gina.http.get(f"{world.stage.url}/account")
    (form,) = [one for one in read_forms(page.text) if one.action.endswith("/sections/connections")]
    done = await gina._send(page, form.action, [*form.fields, *form.buttons])
    assert done.status_code in {200, 303}, done.text
    world.behind.brought.clear()
    assert (await call(world, token)).status_code == 401
    assert world.behind.brought == []
    for one in await world.issued("gina-there", "access_token"):
        assert await world.behind.verify_token(one) is None


async def test_after_an_administrator_took_it_away_the_person_is_sent_there_again(world):
    hugo = await world.person("hugo")
    token = await authorized(world, hugo)
    known = await world.issued("hugo-there")
    await world.stage.remit("connections", "withdraw", "hugo", "crm")
    world.behind.brought.clear()
    assert (await call(world, token)).status_code == 401
    assert world.behind.brought == []
    again = await authorized(world, hugo)
    assert said(await call(world, again)) == "for hugo-there"
    assert {one for one, _ in world.behind.brought}.isdisjoint(known)


async def test_neither_token_nor_secret_of_the_third_party_stands_in_any_file(world):
    token = await authorized(world, await world.person("ines"))
    assert said(await call(world, token)) == "for ines-there"
    issued = await world.issued()
    assert len(issued) >= 2
    brought = {one for one, _ in world.behind.brought}
    assert brought <= set(issued)  # and no token of Remit's went up
    files = world.written()
    assert any(path.name == "remit.sqlite3" for path in files)
    assert any(path.name == "remit.log" for path in files)
    sought = [*issued, SECRETS["VENDOR_SECRET"], token]
    found = [
        str(path) for path, content in files.items() for one in sought if one.encode() in content
    ]
    assert found == []
