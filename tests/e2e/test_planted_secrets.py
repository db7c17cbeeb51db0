"""Five hundred secrets of fourteen kinds go through everything that takes text from somebody, and are found nowhere afterwards.

Whatever Remit writes is looked through: the log, the database, its own output, what a sink was given, what a page
shows. Arguments hold them as values and names, in arrays and deep down, in other spellings, as numbers; besides,
they come as names of tools and methods, ids, headers, justifications, reasons and wrong credentials.
"""

import asyncio
import base64
import secrets
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
import pytest_asyncio

from remit.audit import Verdict, read_events, verify_log
from remit.audit.dump import dump_logs
from remit.db import Database
from remit.demo.agent import connect
from remit.demo.person import Person
from remit.demo.stage import Stage, set_up
from tests.databases import database_kinds
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.planted import KINDS, disguised, planted
from tests.e2e.wire import headers, message

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

COUNT = 500
PLACES = 15
"""Where else something is said. Of no divisor in common with the kinds, so that each place is told of each kind."""
KEPT = """
redaction:
- {path: $..note, treatment: keep}
- {path: $..sealed, treatment: seal, class: phi}
sinks:
  copy: {kind: archive, form: ocsf, url: "file://FOLDER"}
"""


@pytest.fixture(scope="module", params=database_kinds())
def database_settings(request):
    """What Remit is told of its database; none: it makes one in its data folder."""
    if request.param == "sqlite":
        return {}
    server = request.getfixturevalue("postgres")
    return {
        "REMIT_DATABASE_URL": server.create(f"planted_{secrets.token_hex(4)}"),
        "REMIT_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(database_settings):
    """An installation through which all of them went, stopped in good order."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        async with set_up(Path(folder), database_settings) as stage:
            copies = Path(folder) / "copies"
            copies.mkdir()
            (stage.repository / "audit.yaml").write_text(KEPT.replace("FOLDER", str(copies)))
            crm = stage.repository / "servers" / "crm.yaml"
            crm.write_text(crm.read_text() + "\njustification: keep\n")
            await stage.remit("reload")
            await say_them_all(stage)
            for verb in ("tail -n 1000", "hold list"):
                path = Path(folder) / f"printed-{verb.split()[0]}.txt"
                path.write_text(await stage.remit("audit", *verb.split()))
        if database_settings:
            await asyncio.to_thread(copy_out, database_settings["REMIT_DATABASE_URL"], Path(folder))
        yield Path(folder)


def copy_out(url: str, folder: Path) -> None:
    """All that is in a database of PostgreSQL, as files."""
    with closing(Database.open(url)) as database:
        dump_logs(database, folder / "data" / "audit")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        assert ("seal_keys",) in tables
        for (table,) in tables:
            with (
                (folder / f"table-{table}.txt").open("wb") as file,
                connection.cursor().copy(f'COPY "{table}" TO STDOUT') as rows,
            ):
                for row in rows:
                    file.write(row)


async def say_them_all(stage: Stage) -> None:
    """Each once as an argument in every place, and once somewhere else."""
    dana = Person(username=stage.username, password=stage.password, keeps=lambda _: True)

    async def browse(url: str) -> str:
        return await dana.walk(url, REDIRECT_URI)

    async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=browse) as agent:
        await agent.call("list_accounts", {"organization_id": "acme"})
        token = agent.keyring.tokens.access_token
        socket = httpx2.AsyncHTTPTransport(uds=str(next(stage.data.glob("*.sock"))))
        async with (
            httpx2.AsyncClient(timeout=60) as http,
            httpx2.AsyncClient(
                transport=socket, base_url="http://remit", timeout=60
            ) as administrator,
        ):
            for number, (kind, value) in enumerate(planted(COUNT)):
                await as_arguments(http, stage, token, value=value, number=number)
                await elsewhere(http, administrator, stage, token=token, value=value, number=number)
                del kind


async def as_arguments(
    http: httpx2.AsyncClient, stage: Stage, token: str, *, value: str, number: int
) -> None:
    digits = value.replace(" ", "").replace("-", "").replace("+", "")
    arguments = {
        "organization_id": "acme",
        "account_id": value,
        "note": f"as {value} says",
        "sealed": value,
        "deep": [{"a": [[{"b": {"note": [disguised(value, number)]}}]]}],
        value: "a name",
        "number": int(digits) if digits.isdigit() else number,
        "counted": {"note": int(digits) if len(digits) == 16 and digits.isdigit() else 1},
        "url": f"https://crm.example/x?token={value}",
    }
    # Now and then of a tool whose error quotes what it was given, which takes the server a while.
    tool = "list_accounts" if number % 100 else "get_account"
    await call(http, stage, tool, arguments, token, why=f"because of {value}")


async def call(
    http: httpx2.AsyncClient,
    stage: Stage,
    tool: str,
    arguments: dict[str, Any],
    token: str,
    *,
    why: str,
) -> None:
    body = message("tools/call", {"name": tool, "arguments": arguments})
    body["params"]["_meta"]["dev.remit/justification"] = why
    sent = headers("tools/call", name=tool if tool.isascii() else None, token=token)
    await http.post(stage.server("crm"), json=body, headers=sent)


async def elsewhere(
    http: httpx2.AsyncClient,
    administrator: httpx2.AsyncClient,
    stage: Stage,
    *,
    token: str,
    value: str,
    number: int,
) -> None:
    """Where else somebody says something, one place after the other."""
    crm = stage.server("crm")
    match number % PLACES:
        case 0:
            body = message("tools/list")
            sent = {**headers(token=token), "user-agent": f"agent/1 ({value})"}
            await http.post(crm, json=body, headers=sent)
        case 1:
            body = {**message("tools/call", {"name": "get_account", "arguments": {}}), "id": value}
            await http.post(
                crm, json=body, headers=headers("tools/call", name="get_account", token=token)
            )
        case 2:
            await http.post(crm, json=message(value), headers=headers(value, token=token))
        case 3:
            await call(http, stage, value, {}, token, why="none")
        case 4:
            uri = f"crm://accounts/{value}"
            sent = headers("resources/read", name=uri, token=token)
            await http.post(crm, json=message("resources/read", {"uri": uri}), headers=sent)
        case 5:
            await http.post(
                f"{stage.url}/token",
                data={
                    "grant_type": "authorization_code",
                    "client_id": value,
                    "code": value,
                    "code_verifier": value,
                },
                auth=(value.replace(":", ""), value),
            )
        case 6:
            asked = {
                "response_type": "code",
                "client_id": value,
                "state": value,
                "scope": value,
                "redirect_uri": value,
            }
            await http.get(f"{stage.url}/authorize", params=asked)
        case 7:
            await administrator.post(
                "/api/v1/audit/holds", json={"tenant": "acme", "reason": value}
            )
        case 8:
            await administrator.post(
                "/api/v1/audit/erasures",
                json={"tenant": "acme", "agent": f"a{number}", "basis": value},
            )
        case _:
            await in_the_protocol(http, stage, token, value=value, number=number)


async def in_the_protocol(
    http: httpx2.AsyncClient, stage: Stage, token: str, *, value: str, number: int
) -> None:
    """The places of requests that hardly anybody looks at."""
    crm = stage.server("crm")
    match number % PLACES:
        case 9:
            sent = headers("prompts/get", name=value, token=token)
            body = message("prompts/get", {"name": value, "arguments": {"who": value}})
            await http.post(crm, json=body, headers=sent)
        case 10:
            asked = {
                "ref": {"type": "ref/prompt", "name": value},
                "argument": {"name": value, "value": value},
            }
            sent = headers("completion/complete", token=token)
            await http.post(crm, json=message("completion/complete", asked), headers=sent)
        case 11:
            body = message("tools/list", {"cursor": value})
            body["params"]["_meta"] |= {
                "progressToken": value,
                "traceparent": value,
                f"example.com/{number}": value,
            }
            sent = {**headers(token=token), "baggage": value, "tracestate": f"a={value}"}
            await http.post(crm, json=body, headers=sent)
        case 12:
            # What a client registers of itself is kept and shown to it; of these two nothing is.
            told = {
                "client_name": "by hand",
                "redirect_uris": ["http://127.0.0.1:9/callback"],
                "software_statement": value,
                "contacts": [value],
            }
            await http.post(f"{stage.url}/register", json=told)
        case 13:
            asked = {
                "name": "get_account",
                "arguments": {"account_id": "acc-1001"},
                "requestState": value,
                "inputResponses": {value: {"action": "accept", "content": {"why": value}}},
            }
            sent = headers("tools/call", name="get_account", token=token)
            await http.post(crm, json=message("tools/call", asked), headers=sent)
        case _:
            sent = {**headers(token=value), "traceparent": value, "x-request-id": value}
            await http.post(crm, json=message("tools/list"), headers=sent)


def written(folder: Path) -> list[Path]:
    """Every file, but what the server behind Remit wrote itself."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "crm.log"]


async def test_none_of_them_is_in_anything_that_remit_wrote(told: Path):
    found = Counter[str]()
    files = [(path, path.read_bytes()) for path in written(told)]
    for number, (kind, value) in enumerate(planted(COUNT)):
        spellings = {value, disguised(value, number), value.replace(" ", "").replace("-", "")}
        for path, content in files:
            if any(one.encode() in content for one in spellings):
                found[f"{kind} in {path.relative_to(told)}"] += 1
    assert found == {}


async def test_they_did_go_through_and_the_log_is_whole(told: Path):
    assert verify_log(told / "data" / "audit").verdict is Verdict.VALID
    entries = list(read_events(told / "data" / "audit"))
    decisions = [
        one
        for one in entries
        if one["kind"] == "decision" and one["body"]["name"] == "list_accounts"
    ]
    assert len(decisions) >= COUNT // 2
    text = str(entries)
    for sort in ("secret", "pan", "pii", "financial"):
        assert f"tok1.{sort}." in text
        assert f"[{sort}]" in text
    assert len(KINDS) == 14


async def test_the_same_value_is_the_same_token_wherever_it_stands(told: Path):
    entries = [one for one in read_events(told / "data" / "audit") if one["kind"] == "decision"]
    inputs = [one["body"]["input"] for one in entries if one["body"]["input"].get("account_id")]
    assert inputs
    assert len({one["account_id"] for one in inputs}) >= len(inputs) - 1
    assert all(one["sealed"].startswith("tok1.phi.") for one in inputs)
