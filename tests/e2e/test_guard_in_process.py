"""Servers that guard themselves: the same catalog, policies and events as at the gateway."""

import pytest

from remit.demo.agent import connect
from remit.demo.person import Person
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.guarded import guarded

pytestmark = pytest.mark.e2e

ACME = {"organization_id": "acme", "account_id": "acc-1001"}


def _as(guard):
    person = Person(
        username=guard.stage.username, password=guard.stage.password, keeps=lambda _: True
    )

    async def browse(url: str) -> str:
        return await person.walk(url, REDIRECT_URI)

    return browse


async def test_smoke(tmp_path):
    async with guarded(tmp_path) as guard, guard.server("sdk"):
        async with connect(guard.url, redirect_uri=REDIRECT_URI, browse=_as(guard)) as agent:
            listed = {tool.name for tool in (await agent.client.list_tools()).tools}
            assert listed == {"list_accounts", "get_account", "update_account"}
            read = await agent.call("get_account", ACME)
            assert "Juniper Bakery" in read.content[0].text
