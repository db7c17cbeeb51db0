"""Everything that people, agents and administrators do is in the log: of its kind, in its form, and joined to the rest.

The story of the demonstration is told through the real authorization server, the gateway and two servers of the SDK; then
administrators do what they do. What needs hours, a second machine or a broken disk is shown by the tests of its own room.
"""

import hashlib
import io
import re
import secrets
import tempfile
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import jsonschema
import orjson
import pytest
import pytest_asyncio
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from rich.console import Console

from remit.audit import Verdict, read_events, verify_log
from remit.audit.record_schema import event_classes, record_schema
from remit.demo.agent import Keyring, connect
from remit.demo.narrator import Narrator
from remit.demo.person import Person
from remit.demo.stage import Stage, set_up
from remit.demo.story import Storyteller, redirect_uri
from remit.sinks.forms.ocsf import PROFILES, VERSION, ocsf_of
from remit.sinks.forms.ocsf_kinds import CLASSES
from remit.sinks.shipment import Told

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

TESTS = Path(__file__).resolve().parents[1]
PROMISED = frozenset({
    "access.ended", "access.granted", "access.requested", "account.created", "account.disabled",
    "account.enabled", "account.password_changed", "account.updated", "agent.resumed",
    "agent.suspended", "approval.answered", "approval.opened", "approval.requested",
    "audit.queried", "audit.rules_changed", "audit.started", "audit.stopped",
    "authn.factors_reset", "authn.failed", "authn.login", "authn.logout",
    "authn.recovery_codes_issued", "authn.totp_enabled", "authorization.refused",
    "call.completed", "client.disabled", "client.enabled", "client.registered", "client.removed",
    "code.issued", "consent.denied", "consent.granted", "consent.presented", "decision",
    "definition.pinned", "definition.quarantined", "definition.admitted", "deputy.named",
    "deputy.removed", "elevation.given", "elevation.used", "grant.revoked",
    "key.added", "policy.disabled", "policy.loaded",
    "registration.token_created", "registration.token_revoked", "secret.removed",
    "secret.stored", "selftest.finished", "server.discovered", "token.issued", "token.refreshed", "token.refused",
    "token.reuse_detected",
})  # fmt: skip
"""What this one installation does in these minutes."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told():
    """The log of an installation in which all of it happened, and which was stopped in good order."""
    with tempfile.TemporaryDirectory(prefix="kinds-") as folder:
        async with set_up(Path(folder)) as stage:
            narrator = Narrator(Console(file=io.StringIO()))
            story = Storyteller(stage, narrator, callback=redirect_uri())
            await story.tell()
            await renew_twice(stage)
            await knock_and_fail(stage)
            await administer(stage)
            await take_away(stage)
        yield stage.data / "audit", story.receipts


async def renew_twice(stage: Stage) -> None:
    """A refresh token that comes a second time, as from a thief."""
    keyring, callback = Keyring(), redirect_uri()
    erin = Person(username="erin", password=secrets.token_urlsafe(12), keeps=lambda _: True)
    await stage.remit(
        "users", "add", "erin", "--tenant", "acme", "--role", "support",
        "--display-name", "Erin", "--password-stdin", stdin=f"{erin.password}\n",
    )  # fmt: skip

    async def walk(url: str) -> str:
        return await erin.walk(url, callback)

    async with connect(
        stage.server("crm"), redirect_uri=callback, browse=walk, keyring=keyring
    ) as crm:
        await crm.client.list_tools()
    assert keyring.tokens is not None
    assert keyring.client is not None
    form = {
        "grant_type": "refresh_token",
        "refresh_token": keyring.tokens.refresh_token,
        "client_id": keyring.client.client_id,
        "resource": stage.server("crm"),
    }
    if keyring.client.client_secret:
        form["client_secret"] = keyring.client.client_secret
    async with httpx2.AsyncClient(base_url=stage.url, timeout=20) as http:
        assert (await http.post("/token", data=form)).status_code == 200
        assert (await http.post("/token", data=form)).status_code == 400


async def knock_and_fail(stage: Stage) -> None:
    """What strangers and the clumsy do."""
    async with httpx2.AsyncClient(base_url=stage.url, timeout=20) as http:
        await http.post("/token", data={"grant_type": "client_credentials", "client_id": "nobody"})
        clients = orjson.loads(await stage.remit("clients", "list", "--json"))
        client = next(one for one in clients if one["redirect_uris"])
        await http.get(
            "/authorize",
            params={
                "response_type": "code",
                "client_id": client["client_id"],
                "redirect_uri": client["redirect_uris"][0],
                "resource": stage.server("crm"),
                "scope": "crm:accounts.read",
                "prompt": "none",
                "code_challenge": "x" * 43,
                "code_challenge_method": "S256",
            },
        )
        page = await http.get("/login")
        fields = dict(re.findall(r'name="(csrf_token|return_to)" value="([^"]*)"', page.text))
        await http.post(
            "/login",
            data={**fields, "username": stage.username, "password": "wrong"},
            headers={"origin": stage.url, "sec-fetch-site": "same-origin"},
        )


async def administer(stage: Stage) -> None:
    """What administrators do."""
    password = f"{secrets.token_urlsafe(12)}\n"
    until = (datetime.now(UTC) + timedelta(days=7)).date()
    for line in (
        "users change mona --role sales-manager --reason promoted",
        "users disable mona --reason leave",
        "users enable mona",
        "users reset-factors mona --yes --reason lost",
        "sessions end mona --yes",
        "agents suspend support-assistant --reason odd",
        "agents resume support-assistant",
        "keys rotate",
        f"deputies name sam --role manager --until {until} --for mona",
        "deputies remove sam --role manager --for mona",
        "servers review crm --admit-all",
    ):
        await stage.remit(*line.split())
    await stage.remit("users", "reset-password", "mona", "--password-stdin", stdin=password)
    await stage.remit("secrets", "set", "siem", stdin=password)
    await stage.remit("secrets", "remove", "siem", "--yes")
    made = await stage.remit(
        "registration-tokens", "create", "--owner", "ops@acme.example", "--json"
    )
    await stage.remit("registration-tokens", "revoke", orjson.loads(made)["id"])
    clients = orjson.loads(await stage.remit("clients", "list", "--json"))
    client = next(one["client_id"] for one in clients if one["redirect_uris"])
    await stage.remit("clients", "disable", client)
    await stage.remit("clients", "enable", client)
    await stage.remit("clients", "remove", client, "--yes")
    await stage.remit("audit", "tail", "--json")


async def take_away(stage: Stage) -> None:
    """Policies that refuse no more, and a log that is kept otherwise."""
    folder = stage.repository / "policies"
    written = next(one for one in sorted(folder.glob("*.cedar")) if "\nforbid" in one.read_text())
    written.write_text(
        re.sub(r"\nforbid", '\n@mode("observe")\nforbid', written.read_text(), count=1)
    )
    (stage.repository / "audit.yaml").write_text("retention: {records: 730d}\n")
    await stage.remit("reload")


@pytest.fixture
def records(told) -> list[dict]:
    return list(read_events(told[0]))


async def test_every_kind_that_was_promised_is_there(records):
    assert PROMISED - {one["kind"] for one in records} == set()


async def test_every_other_kind_is_shown_by_a_test_of_its_own_room(records):
    sources = [
        path.read_text()
        for path in TESTS.rglob("test_*.py")
        if path.name not in {"test_every_kind.py", "test_events.py", "test_record_schema.py"}
    ]
    missing = [
        kind
        for kind, event in event_classes().items()
        if kind not in PROMISED
        and not any(event.__name__ in text or f'"{kind}"' in text for text in sources)
    ]
    assert missing == []


async def test_every_record_has_the_form_that_is_documented(records):
    validator = jsonschema.Draft202012Validator(record_schema())
    by_kind = defaultdict(list)
    for one in records:
        by_kind[one["kind"]].append(one)
    for kind, found in by_kind.items():
        for one in found[:5]:
            assert [error.message for error in validator.iter_errors(one)] == [], kind


async def test_every_record_has_a_place_in_ocsf(records):
    first: dict[str, dict] = {}
    for one in records:
        event = ocsf_of(
            Told(log="remit/main", sequence=one["seq"], leaf="0" * 64, entry=one, line=None)
        )
        assert event["metadata"]["event_code"] == one["kind"]
        assert event["unmapped"]["leaf"]
        first.setdefault(one["kind"], event)
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
    for kind, event in first.items():
        uid = event["class_uid"]
        profiles = list(PROFILES.get(uid, ()))
        validator = jsonschema.Draft202012Validator(
            schema.get_class_schema(CLASSES[uid].name, profiles=profiles)
        )
        assert [error.message for error in validator.iter_errors(event)] == [], kind


async def test_every_call_is_an_intent_and_an_outcome_of_one_trace(records):
    outcomes = {
        one["body"]["decision_id"]: one for one in records if one["kind"] == "call.completed"
    }
    calls = [
        one
        for one in records
        if one["kind"] == "decision"
        and one["body"]["outcome"] == "allow"
        and one["body"]["method"] in {"tools/call", "resources/read", "prompts/get"}
    ]
    assert calls
    for one in calls:
        outcome = outcomes[one["body"]["decision_id"]]
        assert outcome["seq"] > one["seq"]
        assert outcome["trace"] == one["trace"]
        assert outcome["grant"] == one["grant"]


async def test_a_call_leads_by_its_grant_to_the_page_that_its_person_saw(records):
    call = next(one for one in records if one["kind"] == "decision" and one["grant"])
    code = next(
        one for one in records if one["kind"] == "code.issued" and one["grant"] == call["grant"]
    )
    flow = [one for one in records if one["flow"] == code["flow"]]
    kinds = [one["kind"] for one in flow]
    assert kinds[0] == "consent.presented"
    assert {"consent.granted", "code.issued"} <= set(kinds)
    presented, granted = (
        next(one for one in flow if one["kind"] == kind)
        for kind in ("consent.presented", "consent.granted")
    )
    assert presented["body"]["shown_digest"] == granted["body"]["shown_digest"]
    issued = [
        one for one in records if one["kind"] == "token.issued" and one["grant"] == call["grant"]
    ]
    assert issued[0]["user"] == call["user"]


async def test_what_came_with_an_answer_is_where_its_records_stand(told, records):
    audit, receipts = told
    lines = [
        line
        for path in sorted(audit.rglob("*.jsonl"))
        for line in path.read_bytes().split(b"\n")
        if line
    ]
    assert receipts
    for receipt in receipts:
        for part, kind in (("decision", "decision"), ("outcome", "call.completed")):
            seq = receipt[part]["seq"]
            leaf = hashlib.sha256(b"\x00" + lines[seq]).hexdigest()
            assert (receipt[part]["leaf"], records[seq]["kind"]) == (leaf, kind)
            assert receipt["size"] > seq


async def test_what_administrators_did_is_theirs(records):
    for kind in ("agent.suspended", "client.disabled", "account.disabled", "secret.stored"):
        found = [one for one in records if one["kind"] == kind]
        assert found
        assert {one["actor"]["type"] for one in found} <= {"admin", "system"}, kind


async def test_the_log_verifies_and_begins_and_ends_in_good_order(told, records):
    assert verify_log(told[0]).verdict is Verdict.VALID
    assert records[0]["kind"] == "audit.started"
    assert records[-1]["kind"] == "audit.stopped"
