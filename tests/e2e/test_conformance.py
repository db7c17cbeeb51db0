"""The official conformance suite's authorization-server checks, with a scripted person as the browser."""

import asyncio
import json
import re

import httpx2
import pytest

from remit.demo.stage import free_port
from tests.e2e.peer import NODE, NODE_FOLDER

pytestmark = [pytest.mark.e2e, pytest.mark.node]

SUITE = NODE_FOLDER / "node_modules/@modelcontextprotocol/conformance/dist/index.js"


async def test_the_authorization_checks_pass(stage, dana, tmp_path):
    port = free_port()
    redirect_uri = f"http://127.0.0.1:{port}/callback"
    async with httpx2.AsyncClient() as http:
        registered = await http.post(
            f"{stage.url}/register",
            json={
                "client_name": "conformance",
                "redirect_uris": [redirect_uri],
                "token_endpoint_auth_method": "none",
            },
        )
    client_id = registered.json()["client_id"]
    suite = await asyncio.create_subprocess_exec(
        str(NODE), str(SUITE), "authorization",
        "--url", stage.url, "--client-id", client_id, "--port", str(port),
        "--resource", stage.server("crm"), "-o", str(tmp_path / "results"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = await _play_the_browser(suite, dana, redirect_uri)
    checks = [
        check
        for path in (tmp_path / "results").rglob("checks.json")
        for check in json.loads(path.read_text())
    ]
    assert suite.returncode == 0, output
    assert checks, output
    assert {check["status"] for check in checks} <= {"SUCCESS", "INFO", "SKIPPED"}, output


async def _play_the_browser(suite, person, redirect_uri) -> str:
    output = ""
    answered = set()
    while line := (await asyncio.wait_for(suite.stdout.readline(), 60)).decode():
        output += line
        for url in re.findall(r"https?://\S+/authorize\?\S+", line):
            if url not in answered:
                answered.add(url)
                callback = await person.walk(url, redirect_uri)
                async with httpx2.AsyncClient() as http:
                    await http.get(callback)
    await suite.wait()
    return output
