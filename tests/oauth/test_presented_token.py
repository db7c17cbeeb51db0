"""Which of our tokens somebody shows us; ending and asking are driven elsewhere."""

from base64 import urlsafe_b64encode

import pytest

from remit.clock import EpochSeconds
from remit.oauth.errors import InvalidRequestError
from remit.oauth.presented_token import access_token_shown, refresh_token_shown, required_token
from remit.web import Params


def claiming(payload):
    return f"a.{urlsafe_b64encode(payload).rstrip(b'=').decode()}.c"


async def test_an_access_token_is_known_whatever_server_it_is_for(world):
    grant = world.grant()
    for aud in ("https://remit.example/mcp/crm", "https://remit.example/mcp/gone"):
        token = world.access_token(grant, aud=aud)
        assert access_token_shown(world.deps, token).aud == aud


async def test_an_expired_one_is_not_known(world):
    token = world.access_token(world.grant(), exp=EpochSeconds(world.clock.now() + 5))
    world.clock.advance(5)
    assert access_token_shown(world.deps, token) is None


async def test_a_changed_audience_breaks_the_signature(world):
    header, _, signature = world.access_token(world.grant()).split(".")
    other = world.access_token(world.grant(), aud="https://remit.example/mcp/other").split(".")[1]
    assert access_token_shown(world.deps, f"{header}.{other}.{signature}") is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c.d",
        "a.a.a",
        claiming(b"[]"),
        claiming(b"{}"),
        claiming(b'{"aud":["https://remit.example/mcp/crm"]}'),
        claiming(b'{"aud":"x","aud":"https://remit.example/mcp/crm"}'),
        claiming(b'{"aud":"https://remit.example/mcp/crm"}'),
        claiming(b"\xff"),
        "a.b=.c",
        "é.é.é",
        "a." + "b" * 9000 + ".c",
    ],
)
async def test_what_is_no_token_of_ours_is_not_known(world, token):
    assert access_token_shown(world.deps, token) is None
    assert world.database.read_now(lambda tx: refresh_token_shown(tx, token)) is None


async def test_a_refresh_token_is_known_by_its_digest_spent_or_not(world):
    grant = world.grant()
    for used_at in (None, world.clock.now()):
        token = world.refresh_token(grant, used_at=used_at)
        shown = world.database.read_now(lambda tx, token=token: refresh_token_shown(tx, token))
        assert (shown.grant_id, shown.used_at) == (grant.id, used_at)
        by_digest = shown.digest
        assert world.database.read_now(lambda tx, d=by_digest: refresh_token_shown(tx, d)) is None


def test_a_token_is_required():
    assert required_token(Params((("token", "x"),))) == "x"
    with pytest.raises(InvalidRequestError):
        required_token(Params())
