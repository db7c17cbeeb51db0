"""What is refused at the doors without a person leaves the error of the standard, one record, and nothing else."""

import base64
import re
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from remit.demo.stage import Stage
from tests.app.conftest import SECRET, Remit
from tests.e2e.traces import Traces
from tests.e2e.workloads import ACCESS_TOKEN, EXCHANGE, JWT_BEARER, READ, Workloads, serving

pytestmark = pytest.mark.e2e

STEWARD = """\
name: Steward
owner: platform@acme.example
class: workload
purpose: Administers Remit.
scopes:
  - remit:agents.read
  - remit:agents.write
  - remit:keys.rotate
  - remit:grants.revoke
  - remit:users.write
  - remit:policy.reload
  - remit:tenants.cross
environments: [management]
tenants: [acme]
max_sensitivity: critical
clients:
  static:
    - client_id: steward
      name: Steward
      grant_types: [client_credentials]
      secret: env:REMIT_BILLING_JOB_SECRET
"""
CLERK = {"client_id": "invoice-clerk", "client_secret": SECRET}
JOB = {"client_id": "billing-job", "client_secret": SECRET}
BASIC = "Basic " + base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
ASSERTED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def workloads(tmp_path_factory):
    remit = Remit(tmp_path_factory.mktemp("refused"), tmp_path_factory.getbasetemp() / "pycache")
    remit.ok("init", str(remit.repo))
    (remit.repo / "policies" / "workloads.cedar").unlink()
    (remit.repo / "agents" / "steward.yaml").write_text(STEWARD)
    root = remit.repo / "remit.yaml"
    root.write_text(re.sub(r"mode: open\b", "mode: gated", root.read_text()))
    (remit.folder / "crm.log").touch()
    (remit.folder / "remit.log").symlink_to(remit.folder / "data.log")
    with serving(remit) as running:
        yield running


def token(
    workloads: Workloads, client: str = "billing-job", resource: str = "", scope: str = READ
) -> str:
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": SECRET}
    answer = workloads.server.post(
        "/token", data=form | {"resource": resource or workloads.payments, "scope": scope}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def steward(workloads: Workloads) -> str:
    """An administrator's token, with which one may look and nothing else."""
    return token(workloads, "steward", f"{workloads.server.url}/api/v1", "remit:agents.read")


@pytest.fixture(scope="module")
def held(workloads):
    """A good token of the workload that delegates."""
    return token(workloads)


@pytest.fixture
def traces(workloads, held) -> Traces:
    """What there was before the test."""
    remit = workloads.remit
    return Traces.of(
        Stage(
            folder=remit.folder, url=workloads.server.url,
            username="", password="", ready_seconds=0,
        )
    )  # fmt: skip


@pytest.fixture
async def http(request, workloads) -> AsyncIterator[httpx2.AsyncClient]:
    """A stranger with an address of its own: many refusals of one network are counted together."""
    place = zlib.crc32(request.node.name.encode())
    address = f"127.{1 + place % 250}.{place // 250 % 250}.{1 + place // 62_500 % 250}"
    transport = httpx2.AsyncHTTPTransport(local_address=address)
    async with httpx2.AsyncClient(
        base_url=workloads.server.url, timeout=60, transport=transport
    ) as client:
        yield client


async def refused(
    traces: Traces, answer: httpx2.Response, status: int, error: str, *kinds: str
) -> None:
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "Traceback" not in answer.text
    records = await traces.recorded_since(*kinds)
    assert [one["body"]["error"] for one in records] == [error] * len(kinds)
    traces.nothing_else_since()


# -- who proves to be a client with a key ------------------------------------------------


def signed(workloads: Workloads, key: ECKey | None = None, **changes: Any) -> dict[str, str]:
    now = int(time.time())
    claims = {
        "iss": "invoice-agent", "sub": "invoice-agent", "aud": workloads.server.url,
        "iat": now, "exp": now + 60, "jti": str(uuid4()), **changes,
    }  # fmt: skip
    head = {"alg": "ES256", "kid": "k1"}
    return {
        "client_assertion_type": ASSERTED,
        "client_assertion": jwt.encode(head, claims, key or workloads.key),
    }


BAD_PROOFS = {
    "another key": lambda w: signed(w, ECKey.generate_key("P-256")),
    "for the token endpoint": lambda w: signed(w, aud=f"{w.server.url}/token"),
    "for two": lambda w: signed(w, aud=[w.server.url, "https://elsewhere.example"]),
    "expired": lambda w: signed(w, iat=1, exp=60),
    "of another client": lambda w: signed(w, iss="billing-job", sub="billing-job"),
    "no jti": lambda w: signed(w, jti=""),
}


@pytest.mark.parametrize("kind", BAD_PROOFS)
async def test_a_client_that_proves_badly_gets_nothing(workloads, http, traces, kind):
    form = {"grant_type": "client_credentials", **BAD_PROOFS[kind](workloads)}
    answer = await http.post("/token", data=form)
    await refused(traces, answer, 401, "invalid_client", "token.refused")


async def test_a_proof_is_good_once(workloads, http, request):
    form = {"grant_type": "client_credentials", "resource": workloads.payments}
    form |= signed(workloads)
    assert (await http.post("/token", data=form)).status_code == 200
    traces = request.getfixturevalue("traces")
    answer = await http.post("/token", data=form)
    await refused(traces, answer, 401, "invalid_client", "token.refused")


# -- token exchange ----------------------------------------------------------------------

BAD_EXCHANGES = {
    "no subject token": ({"subject_token": ""}, "invalid_request"),
    "no type": ({"subject_token_type": ""}, "invalid_request"),
    "an unknown type": ({"subject_token_type": "urn:x"}, "invalid_request"),
    "garbage": ({"subject_token": "garbage"}, "invalid_request"),
    "another token is asked for": ({"requested_token_type": "urn:x"}, "invalid_request"),
    "an actor of no type": ({"actor_token": "x"}, "invalid_request"),
    "a wider scope": ({"scope": "payments:refunds.create"}, "invalid_scope"),
    "an unknown scope": ({"scope": "x:y"}, "invalid_scope"),
    "another server": ({"resource": "{url}/mcp/crm"}, "invalid_target"),
    "a stranger's server": ({"resource": "https://elsewhere.example/"}, "invalid_target"),
}


@pytest.mark.parametrize("kind", BAD_EXCHANGES)
async def test_a_refused_exchange_makes_no_grant(workloads, http, held, traces, kind):
    changes, error = BAD_EXCHANGES[kind]
    form = {"grant_type": EXCHANGE, "subject_token": held, "subject_token_type": ACCESS_TOKEN}
    form |= {name: value.format(url=workloads.server.url) for name, value in changes.items()}
    answer = await http.post("/token", data=form | CLERK)
    await refused(traces, answer, 400, error, "token.refused")


async def test_a_client_without_the_grant_exchanges_nothing(workloads, http, held, traces):
    form = {"grant_type": EXCHANGE, "subject_token": held, "subject_token_type": ACCESS_TOKEN}
    answer = await http.post("/token", data=form | JOB)
    await refused(traces, answer, 400, "unauthorized_client", "token.refused")


# -- jwt-bearer --------------------------------------------------------------------------

BAD_ASSERTIONS = {
    "garbage": lambda w: "garbage",
    "expired": lambda w: w.job(iat=1, exp=60),
    "for somebody else": lambda w: w.job(aud="https://elsewhere.example"),
    "of a fork": lambda w: w.job(repository="acme.example/billing-fork"),
    "of nobody we trust": lambda w: w.job(iss="https://elsewhere.example"),
    "too long": lambda w: w.job(exp=int(time.time()) + 86_400),
    "no jti": lambda w: w.job(jti=""),
    "unsigned": lambda w: unsigned(w.job()),
}


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


@pytest.mark.parametrize("kind", BAD_ASSERTIONS)
async def test_a_refused_assertion_is_not_even_remembered(workloads, http, traces, kind):
    form = {"grant_type": JWT_BEARER, "assertion": BAD_ASSERTIONS[kind](workloads)}
    answer = await http.post("/token", data=form | {"resource": workloads.payments})
    await refused(traces, answer, 400, "invalid_grant", "token.refused")


async def test_an_assertion_for_a_server_beyond_its_rule_is_not_used_up(workloads, http, traces):
    form = {"grant_type": JWT_BEARER, "assertion": workloads.job()}
    answer = await http.post("/token", data=form | {"resource": f"{workloads.server.url}/mcp/crm"})
    await refused(traces, answer, 400, "invalid_target", "token.refused")


# -- proof of possession -----------------------------------------------------------------

BAD_DPOP = {
    "garbage": lambda w: ["garbage"],
    "two": lambda w: [dpop(w), dpop(w)],
    "for another place": lambda w: [dpop(w, htu=f"{w.server.url}/revoke")],
    "for another method": lambda w: [dpop(w, htm="GET")],
    "long ago": lambda w: [dpop(w, iat=1)],
}


def dpop(workloads: Workloads, **changes: Any) -> str:
    key = ECKey.generate_key("P-256")
    head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    claims = {
        "htm": "POST", "htu": f"{workloads.server.url}/token", "iat": int(time.time()),
        "jti": str(uuid4()), **changes,
    }  # fmt: skip
    return jwt.encode(head, claims, key)


@pytest.mark.parametrize("kind", BAD_DPOP)
async def test_a_bad_proof_of_possession_gets_no_token_of_any_kind(workloads, http, traces, kind):
    headers = [("DPoP", one) for one in BAD_DPOP[kind](workloads)]
    form = {"grant_type": "client_credentials", "resource": workloads.payments, **JOB}
    answer = await http.post("/token", data=form, headers=headers)
    await refused(traces, answer, 400, "invalid_dpop_proof", "token.refused")


# -- introspection and revocation --------------------------------------------------------

BAD_QUESTIONS = {
    "nobody asks": ({"token": "x"}, 400, "invalid_request"),
    "a wrong secret": (
        {"token": "x", "client_id": "payments", "client_secret": "x"}, 401, "invalid_client",
    ),
    "a server without a secret": (
        {"token": "x", "client_id": "crm", "client_secret": "x"}, 401, "invalid_client",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_QUESTIONS)
async def test_who_may_not_ask_learns_and_changes_nothing(workloads, http, held, traces, kind):
    form, status, error = BAD_QUESTIONS[kind]
    answer = await http.post("/introspect", data=form | {"token": held})
    await refused(traces, answer, status, error)


async def test_who_is_not_the_client_revokes_nothing(workloads, http, held, traces):
    wrong = JOB | {"client_secret": "x", "token": held}
    answer = await http.post("/revoke", data=wrong)
    await refused(traces, answer, 401, "invalid_client")


# -- gated registration ------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [None, "Bearer rmr_nobodys", BASIC])
async def test_a_gated_registration_without_a_good_token_makes_no_client(
    workloads, http, traces, authorization
):
    headers = {"Authorization": authorization} if authorization else {}
    metadata = {"client_name": "x", "redirect_uris": ["http://127.0.0.1/callback"]}
    answer = await http.post("/register", json=metadata, headers=headers)
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer")
    await traces.recorded_since("client.refused")
    traces.nothing_else_since()


# -- the management API ------------------------------------------------------------------

CHANGES = {
    "suspend": ("POST", "/api/v1/agents/billing-job/suspend", {}),
    "rotate": ("POST", "/api/v1/keys/rotate", {}),
    "revoke": ("POST", "/api/v1/grants/revoke", {"agent": "billing-job"}),
    "a user": ("POST", "/api/v1/users", {"username": "eve", "tenant": "acme"}),
    "reload": ("POST", "/api/v1/reload", {}),
}
BEARERS = {
    "nobody": (lambda w: None, 401, "missing_token"),
    "garbage": (lambda w: "garbage", 401, "invalid_token"),
    "a token for a server": (token, 401, "invalid_token"),
    "too few scopes": (
        steward, 403, "insufficient_scope",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("who", BEARERS)
async def test_who_may_not_administer_changes_nothing(workloads, http, held, request, who, change):
    method, path, body = CHANGES[change]
    bearer, status, code = BEARERS[who]
    given = bearer(workloads)
    traces = request.getfixturevalue("traces")
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    answer = await http.request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    (record,) = await traces.recorded_since("decision")
    assert (record["body"]["outcome"], record["body"]["reason"]) == ("challenge", code)
    traces.nothing_else_since()


def test_what_is_refused_here_would_be_good_otherwise(workloads, held):
    """The refusals mean something: each door opens for what is good."""
    form = {"grant_type": EXCHANGE, "subject_token": held, "subject_token_type": ACCESS_TOKEN}
    good = (
        form | signed(workloads),
        form | CLERK,
        {"grant_type": JWT_BEARER, "assertion": workloads.job(), "resource": workloads.payments},
    )
    for one in good:
        answer = workloads.server.post("/token", data=one)
        assert (answer.status_code, answer.json().get("scope")) == (200, READ), answer.text
    headers = {"Authorization": f"Bearer {steward(workloads)}"}
    shown = workloads.server.get("/api/v1/agents", headers=headers)
    assert "billing-job" in shown.text
