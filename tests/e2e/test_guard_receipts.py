"""Receipts of a server that guards itself: what an agent was told holds the guard's own log to what it said.

Driven by the official SDK's client over real sockets, and checked by the verifier, from files.
"""

import json
import shutil

import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from remit.demo.agent import Keyring
from remit.gateway.receipts import RECEIPT_KEY
from remit_audit_verify.command import main
from remit_audit_verify.stream_files import list_segments
from tests.e2e.guarded import dance, guarded

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),  # several processes start, one after the other
]

ACME = {"organization_id": "acme", "account_id": "acc-1001"}
CALLS = 3


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guard(tmp_path_factory):
    async with guarded(tmp_path_factory.mktemp("guarded")) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def token(guard) -> str:
    keyring = Keyring()
    async with guard.server("sdk"):
        await dance(guard, keyring)
    return keyring.tokens.access_token


async def receipts_of(guard, token) -> list[dict]:
    headers = {"authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(guard.url, http_client=http)) as connected,
    ):
        answers = [await connected.call_tool("get_account", ACME) for _ in range(CALLS)]
    return [answer.meta[RECEIPT_KEY] for answer in answers]


@pytest.mark.parametrize("kind", ["modern", "legacy", "sdk", "fastmcp"])
async def test_what_a_guarded_server_answered_is_in_its_own_log(
    guard, token, kind, tmp_path, capsys
):
    async with guard.server(kind):
        told = await receipts_of(guard, token)
    (log,) = (guard.stage.folder / f"guard-{kind}").glob("0/log")
    key = (log / "log.pub").read_text().strip()
    assert {one["log"] for one in told} == {key.partition("+")[0]}
    assert told[0]["log"].startswith("remit-guard/")
    assert all(one["decision"]["seq"] < one["outcome"]["seq"] < one["size"] for one in told)

    kept = tmp_path / "answers.jsonl"
    kept.write_text("".join(json.dumps({"_meta": {RECEIPT_KEY: one}}) + "\n" for one in told))
    given = ["--key", key, "--receipt", str(kept)]
    assert main([str(log), *given]) == 0, capsys.readouterr().out
    assert f"receipts     {2 * CALLS}, all for records that are here" in capsys.readouterr().out

    # Somebody with the folder and its key takes the last call back, and signs what is left.
    cut = tmp_path / "cut"
    shutil.copytree(log, cut)
    segment = list_segments(cut)[0][-1].path
    lines = segment.read_bytes().splitlines(keepends=True)
    first = list_segments(cut)[0][-1].first
    segment.write_bytes(b"".join(lines[: told[-1]["decision"]["seq"] - first]))
    (cut / "checkpoints").write_bytes(b"")
    assert main([str(cut), *given]) == 1
    assert "a receipt was given for it" in capsys.readouterr().out
