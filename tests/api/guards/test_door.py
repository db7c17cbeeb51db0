"""A guard comes to Remit with its server's secret, and gets and brings what is its own."""

import asyncio
import base64
import secrets

import pytest

from remit.audit.call_events import Decided
from remit.audit.entry import Moment, Producer, draft, read_entry, seal
from remit.canonical import canonical_bytes
from remit.guard.snapshot import PublicKey, read_snapshot, version_of
from remit.guard.statement import verify_statement
from tests.api.conftest import SECRET

GUARD = "a-secret-of-the-guard-inside-payments"
SNAPSHOT = "/guard/v1/snapshot"
RECORDS = "/guard/v1/records?instance=payments-1"


def basic(name="payments", secret=GUARD):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.fixture
def environ():
    return {"REMIT_BILLING_JOB_SECRET": SECRET, "PAYMENTS_GUARD": GUARD, "PAYMENTS_ASKS": "other"}


@pytest.fixture
def settings(settings):
    path = settings.repo / "servers" / "payments.yaml"
    added = "guard_secret: env:PAYMENTS_GUARD\nintrospection_secret: env:PAYMENTS_ASKS\n"
    path.write_text(
        path.read_text().replace("environment: prod\n", f"environment: prod\n{added}", 1)
    )
    return settings


def question(**changes):
    asked = {
        "nonce": secrets.token_urlsafe(24),
        "instance": "payments-1",
        "release": "0.1.0",
        "after": "",
        "wait": 0,
    }
    return {**asked, **changes}


@pytest.fixture
def ask(public):
    async def asked(document=None, *, authorization=None):
        headers = {"Authorization": authorization or basic()}
        return await public.post(
            SNAPSHOT, json=question() if document is None else document, headers=headers
        )

    return asked


@pytest.fixture
def deliver(public):
    async def delivered(body, *, authorization=None, url=RECORDS, kind="application/x-ndjson"):
        headers = {"Authorization": authorization or basic(), "Content-Type": kind}
        return await public.post(url, content=body, headers=headers)

    return delivered


def record(sequence=5, server="payments", **changes):
    event = Decided(
        decision_id=f"dec_{sequence}",
        server=server,
        method="tools/call",
        name="refund",
        outcome="deny",
        reason="forbidden",
        **changes,
    )
    moment = Moment.of(1_767_625_200_000)
    entry = draft(event, Producer(service="remit-guard", instance="payments-1"), moment)
    sealed = seal(entry, sequence=sequence, previous="0" * 64, observed=moment.text)
    actor = {"type": "agent", "id": "billing-job"}
    return canonical_bytes({**read_entry(sealed), "actor": actor})


async def keys(public):
    return [
        PublicKey(kid=one["kid"], x=one["x"], y=one["y"])
        for one in (await public.get("/jwks")).json()["keys"]
    ]


async def test_a_snapshot_is_signed_for_this_question_and_holds_this_server_alone(ask, public, app):
    asked = question()
    answer = await ask(asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    line, _, content = answer.content.partition(b"\n")
    statement = verify_statement(line, await keys(public), nonce=asked["nonce"])
    assert (statement.server, statement.version) == ("payments", version_of(content))
    snapshot = read_snapshot(content)
    assert [*snapshot.catalog.servers] == ["payments"]
    assert snapshot.policies
    text = content.decode()
    for secret in (
        "PAYMENTS_GUARD",
        "PAYMENTS_ASKS",
        "REMIT_BILLING_JOB_SECRET",
        GUARD,
        "redirect_uris",
    ):
        assert secret not in text
    assert "crm/" not in "".join(one for one in snapshot.policies if "payments" not in one)


async def test_who_has_the_version_in_force_gets_the_statement_alone(ask):
    first = (await ask()).content.partition(b"\n")[2]
    again = await ask(question(after=version_of(first)))
    assert again.status_code == 200
    assert b"\n" not in again.content


async def test_who_waits_is_answered_when_something_changes(ask, app, management):
    first = (await ask()).content.partition(b"\n")[2]
    waiting = asyncio.create_task(ask(question(after=version_of(first), wait=20)))
    await asyncio.sleep(0)
    suspended = await management.post("/api/v1/agents/billing-job/suspend", json={"reason": "x"})
    assert suspended.status_code == 200, suspended.text
    answer = await asyncio.wait_for(waiting, 60)
    assert read_snapshot(answer.content.partition(b"\n")[2]).standing.suspended_agents == {
        "billing-job"
    }


@pytest.mark.parametrize(
    "authorization",
    [
        basic(secret="guessed"),
        basic(secret="other"),
        basic("crm"),
        basic("nobody"),
        "Bearer x",
        basic(secret=""),
    ],
)
async def test_whoever_is_not_the_guard_of_a_server_gets_nothing(ask, deliver, authorization):
    for answer in (
        await ask(authorization=authorization),
        await deliver(record(), authorization=authorization),
    ):
        assert answer.status_code in {400, 401}
        assert b"Snapshot" not in answer.content


async def test_whoever_guesses_is_slowed_down(ask):
    statuses = [
        (await ask(authorization=basic(secret=f"guess-{n}"))).status_code for n in range(40)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "short"},
        {"nonce": 5},
        {"instance": "a/b"},
        {"instance": ""},
        {"release": "x" * 200},
        {"after": "abc"},
        {"wait": -1},
        {"wait": 1.5},
        {"wait": True},
        {"server": "crm"},
    ],
)
async def test_a_question_in_another_form_is_refused(ask, changes):
    answer = await ask(question(**changes))
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"


async def test_records_are_taken_once_and_marked(ask, deliver, app, settings):
    await ask()
    batch = b"\n".join([record(3), record(5)])
    assert (await deliver(batch)).json() == {"taken": 5}
    assert (await deliver(batch)).json() == {"taken": 5}
    assert (await deliver(record(4))).json() == {"taken": 5}
    text = "".join(path.read_text() for path in sorted((settings.data / "audit").rglob("*.jsonl")))
    assert text.count('"decision_id":"dec_5"') == 1
    assert '"instance":"payments-1","sequence":5' in text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (record(server="crm"), 422),
        (record(6) + b"\n" + record(server="crm"), 422),
        (
            record().replace(b"deny", b"allo"),
            200,
        ),  # a guard's own word; what it does not say it cannot prove
        (record().replace(b'"outcome"', b'"outcomes"'), 422),
        (b"{}", 422),
        (record(6) + b"\n" + record(5), 409),
        (b"", 400),
        (b"\n".join([b"{}"] * 1001), 400),
        (b"x" * (1024 * 1024 + 1), 413),
    ],
    ids=[
        "another server",
        "one among others",
        "its own word",
        "unknown field",
        "no record",
        "out of order",
        "empty",
        "too many",
        "too long",
    ],
)
async def test_what_a_guard_may_not_deliver_is_refused_with_its_whole_batch(
    ask, deliver, settings, body, status
):
    await ask()
    assert (await deliver(body)).status_code == status
    if status != 200:
        text = "".join(path.read_text() for path in (settings.data / "audit").rglob("*.jsonl"))
        assert "dec_6" not in text


async def test_a_guard_that_never_asked_delivers_nothing(deliver):
    assert (await deliver(record())).status_code == 409


async def test_the_instance_stands_once_in_the_query(ask, deliver):
    await ask()
    for url in (
        "/guard/v1/records",
        "/guard/v1/records?instance=a&instance=b",
        "/guard/v1/records?instance=a/b",
    ):
        assert (await deliver(record(), url=url)).status_code == 400
    assert (await deliver(record(), kind="application/json")).status_code == 400


async def test_administrators_see_the_guards(ask, deliver, management):
    await ask()
    await deliver(record(7))
    (one,) = (await management.get("/api/v1/guards")).json()["guards"]
    assert (one["server"], one["instance"], one["last_record"]) == ("payments", "payments-1", 7)


async def test_a_record_that_the_log_would_not_take_is_in_nobodys_way(ask, deliver, management):
    await ask()
    poison = record().replace(b'"claims":{}', b'"claims":{"\\u0001":"x"}')
    poisoned = [deliver(poison) for _ in range(4)]
    suspending = management.post("/api/v1/agents/billing-job/suspend", json={"reason": "x"})
    *answers, suspended = await asyncio.gather(*poisoned, suspending)
    assert {answer.status_code for answer in answers} == {422}
    assert suspended.status_code == 200


async def test_the_lease_is_what_the_settings_say(ask, management):
    snapshot = read_snapshot((await ask()).content.partition(b"\n")[2])
    assert snapshot.lease == 30
    assert (await management.get("/api/v1/guards")).json()["lease"] == 30


class TestAShortLease:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"guard_lease": 5})

    async def test_a_guard_is_answered_well_before_the_end_of_what_it_waits_with(self, ask):
        # What it hears speaks for the moment it asked: waiting for a whole lease would end the lease.
        first = (await ask()).content.partition(b"\n")[2]
        assert read_snapshot(first).lease == 5
        still = await asyncio.wait_for(ask(question(after=version_of(first), wait=600)), 60)
        assert still.status_code == 200
        assert b"\n" not in still.content


async def test_a_flood_of_records_does_not_keep_an_administrator_out(ask, deliver, management):
    """Many thousand records at once are more than may wait for the log, and everybody was refused with them."""
    batch = b"\n".join(record(number) for number in range(1, 901))
    await asyncio.gather(*[ask(question(instance=f"payments-{n}")) for n in range(30)])
    flood = [
        asyncio.create_task(deliver(batch, url=f"/guard/v1/records?instance=payments-{n}"))
        for n in range(30)
    ]
    await asyncio.sleep(0.3)
    suspended = await management.post("/api/v1/agents/billing-job/suspend", json={"reason": "x"})
    assert suspended.status_code == 200
    statuses = [answer.status_code for answer in await asyncio.gather(*flood)]
    assert 200 in statuses
    assert set(statuses) <= {200, 503}
