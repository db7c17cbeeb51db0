import asyncio

import pytest

from remit.audit import verify_log
from remit.audit.events import AuditStopped
from remit_audit_verify.tree import leaf_hash, root_hash

BASE = "/api/v1/audit/tlog/main"


@pytest.fixture
async def filled(app, management):
    """A log with a few full tiles; its size as its checkpoint says."""
    for _ in range(6):
        app.database._recorder.record([AuditStopped()] * 100)
    size = 0
    while size < 600:
        await asyncio.to_thread(app.proofs.tiled.advance, "remit/main")
        size = app.proofs.tiled.checkpoint("remit/main").size
    return size


async def test_the_newest_checkpoint_is_served_as_text(management, filled):
    answer = await management.get(f"{BASE}/checkpoint")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"
    origin, size, *_ = answer.text.splitlines()
    assert (origin, int(size) >= filled) == ("remit/main", True)


async def test_hashes_are_those_of_the_records(management, filled):
    tile = (await management.get(f"{BASE}/tile/0/000")).content
    bundle = (await management.get(f"{BASE}/tile/entries/000")).content
    leaves, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        leaves.append(leaf_hash(bundle[at + 2 : at + 2 + length]))
        at += 2 + length
    assert tile == b"".join(leaves)
    assert len(leaves) == 256
    above = (await management.get(f"{BASE}/tile/1/000.p/2")).content
    assert above[:32] == root_hash(leaves)
    part = await management.get(f"{BASE}/tile/0/002.p/7")
    assert (part.status_code, len(part.content)) == (200, 224)
    assert part.headers["content-type"] == "application/octet-stream"


async def test_that_records_were_read_is_recorded_and_that_hashes_were_is_not(management, filled):
    await management.get(f"{BASE}/tile/0/000")
    await management.get(f"{BASE}/tile/entries/001.p/3")
    tail = (await management.get("/api/v1/audit/tail?kind=audit.queried&count=50")).text
    assert '"from":256' in tail
    assert '"from":0' not in tail


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/999",
        "tile/2/000",
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/entries/900",
        "tile/",
        "tile/x",
        "nothing",
    ],
    ids=range(13),
)
async def test_what_is_no_tile_or_not_signed_yet_is_not_there(management, filled, path):
    assert (await management.get(f"{BASE}/{path}")).status_code == 404


@pytest.mark.parametrize("log", ["other", "remit%2Fmain", "main%2F"], ids=range(3))
async def test_another_log_is_not_there(management, filled, log):
    assert (await management.get(f"/api/v1/audit/tlog/{log}/checkpoint")).status_code == 404


async def test_nobody_reads_it_without_a_token(public):
    for path in ("checkpoint", "tile/0/000", "tile/entries/000"):
        assert (await public.get(f"{BASE}/{path}")).status_code == 401


async def test_a_new_key_signs_from_then_on_and_the_log_says_so(app, management, filled, tmp_path):
    folder = app.folder.audit / "main"
    old = folder.joinpath("log.pub").read_text()
    told = (await management.post("/api/v1/audit/rotate-key", json={})).json()
    assert old == f"{told['former']}\n"
    tail = (await management.get("/api/v1/audit/tail?kind=audit.key_changed")).text
    assert told["verifier"] in tail
    while (folder / "log.pub").read_text() == old:
        await management.get("/api/v1/audit/tail?kind=audit.stopped")
        await asyncio.to_thread(app.proofs.tiled.advance, "remit/main")
    assert (folder / "log.pub").read_text() == f"{told['former']}\n{told['verifier']}\n"
    keys = [told["former"], told["verifier"]]
    report = await asyncio.to_thread(verify_log, folder, keys=keys)
    assert report.exit_code == 0, report.streams[0].problems
