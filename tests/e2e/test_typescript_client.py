"""The official TypeScript client, which opens with the 2025-11-25 handshake, through the whole of Remit."""

import orjson
import pytest

from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.peer import node_peer

pytestmark = [pytest.mark.e2e, pytest.mark.node]

ACME = {"organization_id": "acme", "account_id": "acc-1001"}


async def test_it_finds_its_way_in_and_calls_what_it_may(stage, dana):
    async with node_peer("client.mjs", stage.server("crm"), REDIRECT_URI) as peer:
        connected = (await peer.authorize(dana, REDIRECT_URI))["connected"]
        assert connected["statuses"][0] == 401
        assert connected["version"] == "2025-11-25"
        assert connected["session"]
        listed = await peer.ask(do="listTools")
        names = {tool["name"] for tool in listed["result"]["tools"]}
        assert {"list_accounts", "get_account", "update_account"} <= names
        assert not {"delete_account", "export_accounts"} & names
        read = await peer.ask(do="callTool", name="get_account", arguments=ACME)
        assert "Juniper Bakery" in read["result"]["content"][0]["text"]
        resource = await peer.ask(do="readResource", uri="crm://handbook")
        assert "never promise a date" in resource["result"]["contents"][0]["text"]
        await peer.write({"do": "close"})


async def test_it_is_refused_what_it_may_not_do(stage, dana):
    async with node_peer("client.mjs", stage.server("crm"), REDIRECT_URI) as peer:
        await peer.authorize(dana, REDIRECT_URI)
        foreign = {"organization_id": "globex", "account_id": "acc-2001"}
        refused = await peer.ask(do="callTool", name="get_account", arguments=foreign)
        assert "Nordlicht" not in str(refused)
        assert "error" in refused
        hidden = await peer.ask(do="callTool", name="delete_account", arguments=ACME)
        missing = await peer.ask(do="callTool", name="no_such_tool", arguments={})
        assert "error" in hidden
        assert hidden["error"]["code"] == missing["error"]["code"]


async def test_a_stdio_server_is_reached_like_any_other(stage, dana):
    async with node_peer("client.mjs", stage.server("payments"), REDIRECT_URI) as peer:
        await peer.authorize(dana, REDIRECT_URI)
        small = {"invoice_id": "inv-77", "amount": "49.00", "reason": "damaged parcel"}
        allowed = await peer.ask(do="callTool", name="refund", arguments=small)
        assert "49.00" in str(allowed["result"])
        large = {"invoice_id": "inv-78", "amount": "60000.00", "reason": "changed their mind"}
        refused = await peer.ask(do="callTool", name="refund", arguments=large)
        assert "error" in refused


async def test_its_token_dies_with_its_grant(stage, erin):
    async with node_peer("client.mjs", stage.server("crm"), REDIRECT_URI) as peer:
        await peer.authorize(erin, REDIRECT_URI)
        held = await stage.remit("grants", "list", "--user", erin.username, "--json")
        (grant,) = orjson.loads(held)
        await stage.remit("grants", "revoke", grant["id"])
        refused = await peer.ask(do="callTool", name="get_account", arguments=ACME)
        assert "error" in refused
        assert "Juniper" not in str(refused)
