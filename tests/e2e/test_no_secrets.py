"""No secret in any log: everything the flows handle is looked for in everything Remit writes."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from remit.demo.agent import connect
from remit.demo.person import Person
from tests.e2e.conftest import REDIRECT_URI

pytestmark = pytest.mark.e2e

CANARY = "canary-7f3a9c-plan"


async def test_nothing_secret_reaches_a_file(stage, dana: Person):
    seen: dict[str, str] = {"password": stage.password}

    async def browse(url: str) -> str:
        callback = await dana.walk(url, REDIRECT_URI)
        query = parse_qs(urlsplit(callback).query)
        seen["code"], seen["state"] = query["code"][0], query["state"][0]
        seen["code_challenge"] = parse_qs(urlsplit(url).query)["code_challenge"][0]
        return callback

    async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=browse) as agent:
        arguments = {"organization_id": "acme", "account_id": "acc-1001", "plan": CANARY}
        await agent.call("update_account", arguments)
        tokens, client = agent.keyring.tokens, agent.keyring.client
        seen["access_token"], seen["refresh_token"] = tokens.access_token, tokens.refresh_token
        if client.client_secret:
            seen["client_secret"] = client.client_secret
    seen["argument"] = CANARY
    found = [
        f"{name} in {path.relative_to(stage.folder)}"
        for path in _written(stage.folder)
        for name, value in seen.items()
        if value.encode() in path.read_bytes() and name not in {"state", "code_challenge"}
    ]
    assert found == []
    logs = b"".join(p.read_bytes() for p in stage.folder.glob("*.log"))
    assert seen["state"].encode() not in logs
    assert seen["code_challenge"].encode() not in logs


def _written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
