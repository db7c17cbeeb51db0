"""The official Python client, which speaks 2026-07-28, through the whole of Remit."""

import base64

import orjson
import pytest
from mcp.shared.exceptions import MCPError

from remit.demo.agent import AuthorizationRefusedError, connect
from remit.demo.person import Person
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.wire import ask

pytestmark = pytest.mark.e2e

ACME = {"organization_id": "acme", "account_id": "acc-1001"}
UPGRADE = {**ACME, "plan": "business"}
HALDEN = {"organization_id": "acme", "account_id": "acc-1002"}


def _as(person: Person):
    async def browse(url: str) -> str:
        return await person.walk(url, REDIRECT_URI)

    return browse


def _claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    return orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_whole_dance_in_both_eras(stage, dana, mode):
    async with connect(
        stage.server("crm"), redirect_uri=REDIRECT_URI, browse=_as(dana), mode=mode
    ) as agent:
        assert agent.client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
        paths = [one.path for one in agent.exchanges]
        assert paths[0] == "/mcp/crm"
        assert agent.exchanges[0].status == 401
        assert "/.well-known/oauth-protected-resource/mcp/crm" in paths
        assert "/.well-known/oauth-authorization-server" in paths
        assert "/register" in paths
        listed = {tool.name for tool in (await agent.client.list_tools()).tools}
        assert listed >= {"list_accounts", "get_account", "update_account"}
        assert not listed & {"delete_account", "export_accounts"}
        read = await agent.call("get_account", ACME)
        assert "Juniper Bakery" in read.content[0].text
        written = await agent.call("update_account", UPGRADE)
        assert "business" in written.content[0].text
        resource = await agent.client.read_resource("crm://accounts/acc-1001")
        assert "Juniper" in resource.contents[0].text
        prompt = await agent.client.get_prompt("summarise_account", {"account_id": "acc-1001"})
        assert "acc-1001" in str(prompt.messages[0].content)


async def test_the_token_says_who_may_do_what_where_and_for_how_long(stage, dana):
    async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=_as(dana)) as agent:
        claims = _claims(agent.keyring.tokens.access_token)
    assert claims["iss"] == stage.url
    assert claims["aud"] == stage.server("crm")
    assert claims["organization_id"] == "acme"
    assert claims["agent_id"] == "support-assistant"
    assert claims["roles"] == ["support"]
    assert 300 <= claims["exp"] - claims["iat"] <= 900
    assert {
        "sub",
        "client_id",
        "jti",
        "sid",
        "environment",
        "sensitivity",
        "acr",
        "auth_time",
    } <= set(claims)


async def test_a_withheld_scope_is_not_in_the_token_and_is_named_when_it_lacks(stage):
    careful = Person(
        username=stage.username,
        password=stage.password,
        keeps=lambda scope: scope != "crm:accounts.write",
    )
    async with connect(
        stage.server("crm"), redirect_uri=REDIRECT_URI, browse=_as(careful)
    ) as agent:
        assert "crm:accounts.write" not in agent.keyring.tokens.scope.split()
        assert "update_account" not in {t.name for t in (await agent.client.list_tools()).tools}
        # Told which scope lacks, the client asks for it again, is not given it, and gives up.
        with pytest.raises(MCPError):
            await agent.call("update_account", {**HALDEN, "plan": "starter"})
        refusals = [one for one in agent.exchanges if one.status == 403]
        assert refusals
        for refusal in refusals:
            assert 'error="insufficient_scope"' in refusal.challenge
            assert 'scope="crm:accounts.write"' in refusal.challenge
        assert "crm:accounts.write" not in agent.keyring.tokens.scope.split()
        untouched = await agent.call("get_account", HALDEN)
        assert "business" in untouched.content[0].text


async def test_another_tenants_data_is_refused_by_policy(stage, dana):
    async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=_as(dana)) as agent:
        with pytest.raises(MCPError) as caught:
            await agent.call("get_account", {"organization_id": "globex", "account_id": "acc-2001"})
    assert "Nordlicht" not in str(caught.value)


async def test_a_hidden_tool_and_a_missing_tool_look_the_same(stage, dana):
    async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=_as(dana)) as agent:
        with pytest.raises(MCPError) as hidden:
            await agent.call("delete_account", ACME)
        with pytest.raises(MCPError) as missing:
            await agent.call("no_such_tool", ACME)
    assert hidden.value.error.code == missing.value.error.code
    assert str(hidden.value).replace("delete_account", "?") == str(missing.value).replace(
        "no_such_tool", "?"
    )


async def test_a_person_who_refuses_gives_nothing(stage):
    stern = Person(username=stage.username, password=stage.password, keeps=lambda _: False)
    before = await stage.remit("grants", "list", "--json")
    with pytest.raises(BaseException) as caught:
        async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=_as(stern)):
            raise AssertionError("connected")
    assert _holds(caught.value, AuthorizationRefusedError)
    assert await stage.remit("grants", "list", "--json") == before


async def test_a_token_for_one_server_opens_no_other(stage, dana):
    async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=_as(dana)) as agent:
        token = agent.keyring.tokens.access_token
    answer = await ask(stage.server("payments"), "tools/list", token=token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("what", ["agent", "person", "grant"])
async def test_whoever_is_stopped_is_stopped_at_once(stage, erin, what):
    async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=_as(erin)) as agent:
        token = agent.keyring.tokens.access_token
    assert (await ask(stage.server("crm"), "tools/list", token=token)).status_code == 200
    if what == "agent":
        await stage.remit("agents", "suspend", "support-assistant", "--reason", "a test")
    elif what == "person":
        await stage.remit("users", "disable", erin.username)
    else:
        await stage.remit("grants", "revoke", str(_claims(token)["sid"]))
    try:
        answer = await ask(stage.server("crm"), "tools/list", token=token)
    finally:
        if what == "agent":
            await stage.remit("agents", "resume", "support-assistant")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def _holds(error: BaseException, kind: type[BaseException]) -> bool:
    if isinstance(error, kind):
        return True
    inner = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
    inner += [one for one in (error.__cause__, error.__context__) if one is not None]
    return any(_holds(one, kind) for one in inner)
