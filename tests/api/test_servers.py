"""What is decided about a change, with a server that makes one: tests/app/test_definitions.py."""

import pytest

from remit.clock import EpochSeconds
from remit.policy.evaluation import ResourceKind
from remit.registry.definition import offers_of
from remit.registry.definition_store import Seen
from remit.registry.pinning import observe

TOOL = {"name": "get_invoice", "description": "Read one invoice."}
PATH = "/api/v1/servers/payments"


@pytest.fixture
def sees(app):
    """Have Remit see what the payments server of the example offers."""

    async def look(*items):
        catalog = app.directory.catalog
        server = catalog.servers["payments"]
        offers = offers_of(ResourceKind.TOOL, "name", items, server)
        at = EpochSeconds(1_800_000_000)
        await app.database.run(
            lambda tx: observe(tx, server, offers, catalog=catalog, seen=Seen.OWN, now=at)
        )

    return look


async def test_servers_are_listed_and_shown(management, sees):
    await sees(TOOL, {"name": "speak"})
    crm, payments = (await management.get("/api/v1/servers")).json()["servers"]
    assert (crm["name"], crm["transport"], crm["reached_at"]) == (
        "crm", "http", "http://127.0.0.1:8611/mcp",
    )  # fmt: skip
    assert (payments["transport"], payments["admitted"], payments["waiting"]) == ("stdio", 1, 1)
    shown = (await management.get(PATH)).json()
    assert shown["server"] == payments
    states = {one["name"]: (one["state"], one["declared"]) for one in shown["things"]}
    assert states["get_invoice"] == ("admitted", True)
    assert states["refund"] == ("unseen", True)
    assert states["speak"] == ("quarantined", False)


async def test_what_waits_is_shown_with_what_differs(management, sees):
    await sees(TOOL)
    await sees(TOOL | {"description": "Read it twice."})
    (one,) = (await management.get(f"{PATH}/review")).json()["waiting"]
    assert one["differences"] == [
        {"member": "description", "lines": ["-Read one invoice.", "+Read it twice."]}
    ]


@pytest.mark.parametrize("path", ["", "/review"])
async def test_a_server_that_there_is_not_is_not_found(management, path):
    answer = await management.get(f"/api/v1/servers/nothing{path}")
    assert answer.status_code == 404


@pytest.mark.parametrize("verb", ["admit", "reject"])
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"name": "refund"}, 404),
        ({"digest": "0" * 64}, 409),
        ({"digest": "nonsense"}, 400),
        ({"thing": "server"}, 400),
        ({"more": 1}, 400),
    ],
    ids=["unseen", "another-digest", "no-digest", "no-kind", "unknown-member"],
)
async def test_nothing_is_decided_by_a_request_that_does_not_fit(
    management, sees, verb, changes, status
):
    await sees(TOOL)
    await sees(TOOL | {"description": "Read it twice."})
    (one,) = (await management.get(f"{PATH}/review")).json()["waiting"]
    body = {name: one[name] for name in ("thing", "name", "digest")} | changes
    answer = await management.post(f"{PATH}/{verb}", json=body)
    assert answer.status_code == status, answer.text
    assert len((await management.get(f"{PATH}/review")).json()["waiting"]) == 1


async def test_a_server_is_asked_what_it_offers(management):
    offered = (await management.post(f"{PATH}/discover", json={})).json()
    names = [tool["name"] for tool in offered["lists"]["tools/list"]]
    assert names == ["get_invoice", "refund", "close_ledger"]
    assert offered["upstream"]["stdio"]["command"] == ["python", "-m", "remit.demo.payments_server"]


async def test_a_server_that_does_not_answer_is_said_not_to(management):
    answer = await management.post("/api/v1/servers/crm/discover", json={})
    assert answer.status_code == 503, answer.text
