from hashlib import sha256

import httpx2
import pytest

from remit.witness.door import WitnessDoor
from remit.witness.submission import MAX_SUBMISSION


@pytest.fixture
async def client(desk):
    transport = httpx2.ASGITransport(app=WitnessDoor(desk))
    async with httpx2.AsyncClient(transport=transport, base_url="http://witness") as opened:
        yield opened


async def test_a_checkpoint_is_signed_over_http(client, log):
    answer = await client.post("/add-checkpoint", content=log.submission(0, 5).to_bytes())
    assert answer.status_code == 200
    assert answer.text.startswith("— witness.example/w1 ")
    shown = await client.get("/checkpoint/remit%2Fmain")
    assert shown.text == log.note(5) + answer.text
    digest = sha256(log.name.encode()).hexdigest()
    assert (await client.get(f"/{digest}/checkpoint")).text == shown.text
    assert (await client.post(f"/{digest}/checkpoint")).status_code == 405
    assert (await client.get(f"/{digest.upper()}/checkpoint")).status_code == 404


async def test_a_log_that_was_never_signed_has_no_checkpoint_to_show(client, log):
    for name in (log.name, "other/log"):
        digest = sha256(name.encode()).hexdigest()
        assert (await client.get(f"/{digest}/checkpoint")).status_code == 404


async def test_a_conflict_has_the_type_that_it_must_have(client, log):
    await client.post("/add-checkpoint", content=log.submission(0, 5).to_bytes())
    answer = await client.post("/add-checkpoint", content=log.submission(0, 9).to_bytes())
    assert (answer.status_code, answer.text) == (409, "5\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/add-checkpoint", 405),
        ("POST", "/checkpoint/remit%2Fmain", 405),
        ("GET", "/checkpoint/remit%2Fother", 404),
        ("GET", "/checkpoint/..%2F..%2Fname", 404),
        ("GET", "/", 404),
        ("POST", "/add-checkpoint/", 404),
    ],
    ids=range(6),
)
async def test_everything_else_is_not_there(client, method, path, status):
    assert (await client.request(method, path)).status_code == status


async def test_a_body_beyond_the_limit_is_not_read_to_its_end(client):
    taken = 0

    async def endless():
        nonlocal taken
        while taken < 50 * MAX_SUBMISSION:
            taken += 8_192
            yield b"x" * 8_192

    answer = await client.post("/add-checkpoint", content=endless())
    assert answer.status_code == 413
    assert taken < 3 * MAX_SUBMISSION
