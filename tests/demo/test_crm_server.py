import httpx2
import pytest
from mcp import Client

from remit.demo.crm_server import TURNED, _OnlyGateway, build, turn

ACME = {"organization_id": "acme", "account_id": "acc-1001"}


async def _text(client, tool, arguments) -> str:
    return (await client.call_tool(tool, arguments)).content[0].text


async def test_it_offers_five_tools_two_resources_and_a_prompt():
    async with Client(build()) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == {
            "list_accounts", "get_account", "update_account", "delete_account", "export_accounts",
        }  # fmt: skip
        assert "handbook" in str((await client.list_resources()).resources)
        assert "account_id" in str((await client.list_resource_templates()).resource_templates)
        assert "acc-1" in str(await client.get_prompt("summarise_account", {"account_id": "acc-1"}))


async def test_an_account_is_found_in_its_own_organisation_only():
    async with Client(build()) as client:
        assert "Juniper" in await _text(client, "get_account", ACME)
        elsewhere = await client.call_tool("get_account", {**ACME, "organization_id": "globex"})
        assert elsewhere.is_error
        assert "Juniper" not in str(elsewhere.content)


async def test_a_change_stays_and_a_deletion_is_for_good():
    async with Client(build()) as client:
        await client.call_tool("update_account", {**ACME, "plan": "business"})
        assert "business" in await _text(client, "get_account", ACME)
        await client.call_tool("delete_account", ACME)
        assert (await client.call_tool("get_account", ACME)).is_error
        assert "Juniper" not in await _text(client, "export_accounts", {"organization_id": "acme"})


async def test_an_export_holds_one_organisation():
    async with Client(build()) as client:
        rows = (await _text(client, "export_accounts", {"organization_id": "globex"})).splitlines()
        assert rows[0] == "account_id,organization_id,name,contact,plan"
        assert [row.split(",")[1] for row in rows[1:]] == ["globex"]


async def test_turned_it_says_something_else_of_one_tool_and_nothing_of_the_others():
    server = build()
    async with Client(server) as client:
        before = {tool.name: tool for tool in (await client.list_tools()).tools}
        turn(server)
        after = {tool.name: tool for tool in (await client.list_tools()).tools}
    changed = [name for name in before if before[name] != after[name]]
    assert before.keys() == after.keys()
    assert changed == ["list_accounts"]
    assert after["list_accounts"].description == TURNED


async def test_two_servers_share_no_accounts():
    async with Client(build()) as client:
        await client.call_tool("delete_account", ACME)
        async with Client(build()) as other:
            assert "Juniper" in await _text(other, "get_account", ACME)


@pytest.mark.parametrize(
    "given", [None, "Bearer ", "Bearer other", "bearer the-token", "the-token"]
)
async def test_nobody_but_the_gateway_gets_in(given):
    async def inside(scope, receive, send):
        raise AssertionError("it was let in")

    transport = httpx2.ASGITransport(_OnlyGateway(inside, "the-token"))
    headers = {} if given is None else {"authorization": given}
    async with httpx2.AsyncClient(transport=transport, base_url="http://crm") as http:
        assert (await http.post("/mcp", headers=headers)).status_code == 401


async def test_the_gateway_gets_in():
    async def inside(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    transport = httpx2.ASGITransport(_OnlyGateway(inside, "the-token"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://crm") as http:
        answer = await http.post("/mcp", headers={"authorization": "Bearer the-token"})
    assert answer.status_code == 204
