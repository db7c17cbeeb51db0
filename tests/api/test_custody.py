"""Erasing and holding, as an administrator asks for them at the socket and over HTTP."""

import asyncio

import pytest

from remit.audit import Verdict, read_events, verify_log
from remit.audit.context import Context
from remit.audit.events import Decided
from remit.audit.record_seal import RecordSeal, RecordSealBrokenError
from remit.custody import Word
from remit.replay.rebuilt import Rebuilder


def seal(app, subject):
    redactor = app.custody.redactor
    return redactor.seal(b"x", decision="d", tenant="acme", subject=subject)


def opened(app, sealed):
    return RecordSeal(app.custody.record_keys()).open(sealed, decision="d", tenant="acme")


@pytest.fixture
async def dana_id(management, dana):
    return (await management.post("/api/v1/users", json=dana)).json()["id"]


async def test_what_is_sealed_about_a_person_is_erased_by_name_or_id(management, app, dana_id):
    for name in ("dana", dana_id):
        sealed = seal(app, dana_id)
        assert opened(app, sealed) == b"x"
        answer = await management.post(
            "/api/v1/audit/erasures", json={"user": name, "basis": "a request of theirs"}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["keys"] == 1
        assert answer.json()["tenant"] == "acme"
        with pytest.raises(RecordSealBrokenError):
            opened(app, sealed)


async def test_somebody_whose_account_is_gone_is_erased_by_their_id(management, app):
    sealed = seal(app, "usr_gone")
    answer = await management.post(
        "/api/v1/audit/erasures", json={"user": "usr_gone", "tenant": "acme", "basis": "b"}
    )
    assert answer.json()["keys"] == 1
    with pytest.raises(RecordSealBrokenError):
        opened(app, sealed)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"basis": "b"}, 400),
        ({"user": "nobody", "basis": "b"}, 404),
        ({"user": "usr_1", "agent": "x", "basis": "b", "tenant": "acme"}, 400),
        ({"agent": "billing-job", "tenant": "acme"}, 400),
        ({"agent": "billing-job", "basis": "", "tenant": "acme"}, 400),
        ({"agent": "billing-job", "basis": "b", "tenant": "acme", "more": 1}, 400),
    ],
)
async def test_an_erasure_that_does_not_say_whose_and_why_is_refused(management, body, status):
    assert (await management.post("/api/v1/audit/erasures", json=body)).status_code == status


async def test_one_person_asks_for_a_hold_and_cannot_agree_to_it(management, app):
    asked = await management.post(
        "/api/v1/audit/holds", json={"agent": "billing-job", "tenant": "acme", "reason": "a case"}
    )
    assert asked.status_code == 200, asked.text
    name = asked.json()["id"]
    assert asked.json()["state"] == "requested"
    agreed = await management.post(f"/api/v1/audit/holds/{name}/set", json={})
    assert (agreed.status_code, agreed.json()["code"]) == (403, "not_a_second_person")
    erased = await management.post(
        "/api/v1/audit/erasures", json={"agent": "billing-job", "tenant": "acme", "basis": "b"}
    )
    assert (erased.status_code, erased.json()["code"]) == (409, "held")
    [shown] = (await management.get("/api/v1/audit/holds")).json()["holds"]
    assert (shown["id"], shown["state"]) == (name, "requested")


async def test_with_a_second_person_a_hold_is_set_and_lifted(management, app):
    asked = await management.post(
        "/api/v1/audit/holds", json={"tenant": "acme", "reason": "a case"}
    )
    name, bob = asked.json()["id"], Word("usr_bob", ("user:usr_bob",), app.clock.now())
    await app.custody.set_hold(name, tenant="acme", word=bob, context=Context(tenant="acme"))
    lifting = await management.post(
        f"/api/v1/audit/holds/{name}/request-lift", json={"reason": "it is over"}
    )
    assert lifting.json()["state"] == "lift_requested"
    again = await management.post(f"/api/v1/audit/holds/{name}/lift", json={})
    assert again.status_code == 403
    await app.custody.lift_hold(name, tenant="acme", word=bob, context=Context(tenant="acme"))
    assert (await management.get("/api/v1/audit/holds")).json() == {"holds": []}
    [shown] = (await management.get("/api/v1/audit/holds?lifted=true")).json()["holds"]
    assert shown["state"] == "lifted"


async def test_a_hold_that_there_is_not_is_not_found(management):
    answer = await management.post(
        "/api/v1/audit/holds/hld_x/request-lift", json={"reason": "it is over"}
    )
    assert answer.status_code == 404


async def test_after_an_erasure_the_log_is_whole_and_a_replay_counts_what_it_cannot_open(
    management, app
):
    content = b'{"a":{"/reason":"because-7"}}'
    sealed = app.custody.redactor.seal(
        content, decision="dec_1", tenant="acme", subject="billing-job"
    )
    event = Decided(
        context=Context(tenant="acme", environment="prod", agent_id="billing-job"),
        decision_id="dec_1",
        server="payments",
        method="tools/call",
        name="refund",
        outcome="allow",
        reason="permitted",
        claims={"sensitivity": "high", "roles": [], "purpose": "", "amr": []},
        sealed_arguments=sealed,
    )
    await app.audit.append(event)
    [entry] = [
        one
        for one in await asyncio.to_thread(lambda: list(read_events(app.folder.audit)))
        if one["kind"] == "decision" and one["body"]["sealed_arguments"]
    ]

    def again():
        rebuilder = Rebuilder(RecordSeal(app.custody.record_keys()))
        found = rebuilder.rebuild(entry)
        return rebuilder.unsealed, found.values

    unsealed, values = await asyncio.to_thread(again)
    assert (unsealed, values["/reason"]) == (0, "because-7")
    body = {"agent": entry["agent"], "tenant": entry["tenant"], "basis": "b"}
    assert (await management.post("/api/v1/audit/erasures", json=body)).json()["keys"] == 1
    assert await asyncio.to_thread(again) == (1, {})
    assert (await asyncio.to_thread(verify_log, app.folder.audit)).verdict is Verdict.VALID
    for path in app.folder.path.rglob("*"):
        assert not path.is_file() or b"because-7" not in path.read_bytes()


@pytest.mark.parametrize(
    "whom",
    [
        {"agent": "biling-job", "tenant": "acme"},
        {"user": "usr_nobody", "tenant": "acme"},
        {"user": "nobody"},
        {"tenant": "acne"},
    ],
)
async def test_there_is_no_hold_about_nobody(management, whom):
    answer = await management.post("/api/v1/audit/holds", json={**whom, "reason": "a case"})
    assert answer.status_code == 404, answer.text
    assert (await management.get("/api/v1/audit/holds")).json() == {"holds": []}


async def test_there_is_one_about_somebody_whose_account_is_gone(management, app):
    seal(app, "usr_gone")
    body = {"user": "usr_gone", "tenant": "acme", "reason": "a case"}
    assert (await management.post("/api/v1/audit/holds", json=body)).status_code == 200
