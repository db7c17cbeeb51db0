"""Each unauthorized path: the exact status and code, one audit event where it matters, nothing else."""

import base64
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey

from remit.db import Database
from remit.demo.person import Person
from remit.secrets import MasterKey, SecretBox
from remit.tokens.store import read_keys
from tests.e2e.application import Application, application
from tests.e2e.traces import Traces
from tests.e2e.wire import ask, headers, message

pytestmark = pytest.mark.e2e

ACME = {"organization_id": "acme", "account_id": "acc-1001"}
READ = {"name": "get_account", "arguments": ACME}
PAYMENTS = "payments:invoices.read"


@dataclass(frozen=True, slots=True)
class Holder:
    """A public client with Dana's tokens: what a refusal has to be told apart from."""

    client: Application
    token: str
    narrow: str
    """For the CRM, without the right to write."""
    foreign: str
    """For the other server."""

    @property
    def server(self) -> str:
        return self.client.stage.server("crm")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holder(stage) -> AsyncIterator[Holder]:
    dana = Person(username=stage.username, password=stage.password, keeps=lambda _: True)
    async with application(stage) as client:

        async def token(**changes: str) -> str:
            callback = await dana.walk(client.request(**changes), client.redirect_uri)
            (code,) = parse_qs(urlsplit(callback).query)["code"]
            resource = changes.get("resource", stage.server("crm"))
            return (await client.redeem(code, resource=resource))["access_token"]

        yield Holder(
            client=client,
            token=await token(),
            narrow=await token(scope="crm:accounts.read"),
            foreign=await token(scope=PAYMENTS, resource=stage.server("payments")),
        )


@pytest.fixture
def traces(stage, holder) -> Traces:
    """What there was before the test."""
    return Traces.of(stage)


@pytest.fixture
async def http(request) -> AsyncIterator[httpx2.AsyncClient]:
    """A stranger with an address of its own: many refusals of one network are counted together."""
    place = zlib.crc32(request.node.name.encode())
    address = f"127.{1 + place % 250}.{place // 250 % 250}.{1 + place // 62_500 % 250}"
    transport = httpx2.AsyncHTTPTransport(local_address=address)
    async with httpx2.AsyncClient(timeout=60, transport=transport) as client:
        yield client


# -- the gateway: who asks ---------------------------------------------------------------


def _payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _signed(holder: Holder, key: ECKey, kid: str, **changes: Any) -> str:
    claims = {**_payload(holder.token), **changes}
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": kid}, claims, key)


def _own_key(holder: Holder) -> tuple[ECKey, str]:
    """The key that Remit signs with, taken from its data folder as only its owner can."""
    data = holder.client.stage.data
    box = SecretBox(MasterKey.load(data, {}))
    with closing(Database.open(f"sqlite:///{data / 'remit.sqlite3'}")) as database:
        key = database.read_now(lambda tx: read_keys(tx, box))[0]
    return key.key, key.kid


def _expired(holder: Holder) -> str:
    issued = _payload(holder.token)["iat"] - 3600
    return _signed(holder, *_own_key(holder), iat=issued, exp=issued + 600)


def _from_another_issuer(holder: Holder) -> str:
    return _signed(holder, *_own_key(holder), iss="https://elsewhere.example")


def _of_another_key(holder: Holder) -> str:
    return _signed(holder, ECKey.generate_key("P-256"), _own_key(holder)[1])


def _unsigned(holder: Holder) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    return f"{head}.{holder.token.split('.')[1]}."


def _changed(holder: Holder) -> str:
    head, _, signature = holder.token.split(".")
    claims = {**_payload(holder.token), "organization_id": "globex"}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


BAD_TOKENS = {
    "garbage": lambda _: "garbage",
    "of another server": lambda holder: holder.foreign,
    "expired": _expired,
    "of another issuer": _from_another_issuer,
    "of another key": _of_another_key,
    "unsigned": _unsigned,
    "changed": _changed,
}


def test_a_token_that_only_looks_different_would_be_good(holder):
    """The forger's own tool makes a good token when it forges nothing: the refusals mean something."""
    forged = _signed(holder, *_own_key(holder))
    answer = httpx2.post(
        holder.server,
        json=message("tools/list"),
        headers=headers("tools/list", token=forged),
        timeout=60,
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_bad_token_gets_401_and_leaves_one_record(holder, traces, kind):
    answer = await ask(holder.server, "tools/call", READ, token=BAD_TOKENS[kind](holder))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "Juniper" not in answer.text
    (record,) = await traces.recorded_since("decision")
    assert (record["body"]["outcome"], record["body"]["reason"]) == ("challenge", "invalid_token")
    traces.nothing_else_since()


@pytest.mark.parametrize("query", ["", "?access_token={token}"])
async def test_without_a_bearer_token_there_is_a_bare_challenge(holder, traces, http, query):
    """A token in the query is never looked at (RFC 9700 §4.3.2)."""
    url = holder.server + query.format(token=holder.token)
    given = headers("tools/call", name="get_account")
    answer = await http.post(url, json=message("tools/call", READ), headers=given)
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert "resource_metadata=" in challenge
    assert "error=" not in challenge
    (record,) = await traces.recorded_since("decision")
    assert (record["body"]["outcome"], record["body"]["reason"]) == ("challenge", "missing_token")
    traces.nothing_else_since()


async def test_two_authorization_headers_are_one_too_many(holder, traces, http):
    given = [
        *headers("tools/call", name="get_account", token=holder.token).items(),
        ("authorization", f"Bearer {holder.token}"),
    ]
    answer = await http.post(holder.server, json=message("tools/call", READ), headers=given)
    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]
    (record,) = await traces.recorded_since("decision")
    assert record["body"]["reason"] == "malformed_request"
    traces.nothing_else_since()


# -- the gateway: what is asked ----------------------------------------------------------

REFUSED_CALLS = {
    "a scope the token lacks": (
        {"name": "update_account", "arguments": {**ACME, "plan": "free"}},
        403, "challenge", "insufficient_scope",
    ),
    "a tool of somebody else": (
        {"name": "delete_account", "arguments": ACME}, 200, "deny", "insufficient_scope",
    ),
    "no tool at all": ({"name": "no_such_tool", "arguments": ACME}, 200, "deny", "not_found"),
    "another tenant": (
        {"name": "get_account", "arguments": {**ACME, "organization_id": "globex"}},
        403, "deny", "forbidden",
    ),
    "an argument of another type": (
        {"name": "get_account", "arguments": {**ACME, "organization_id": 7}},
        200, "deny", "invalid_arguments",
    ),
    "a required argument missing": (
        {"name": "get_account", "arguments": {"account_id": "acc-1001"}},
        200, "deny", "invalid_arguments",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED_CALLS)
async def test_a_refused_call_never_reaches_the_server(holder, traces, kind):
    params, status, outcome, reason = REFUSED_CALLS[kind]
    answer = await ask(holder.server, "tools/call", params, token=holder.narrow)
    (record,) = await traces.recorded_since("decision")
    assert (record["body"]["outcome"], record["body"]["reason"]) == (outcome, reason)
    assert answer.status_code == status
    assert "error" in answer.json()
    traces.nothing_else_since()


def _body(**changes: Any) -> bytes:
    return json.dumps({**message("tools/call", READ), **changes}).encode()


_GOOD = _body()
_DEEP = (
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":' + b'{"a":' * 500 + b"1" + b"}" * 501
)
PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH = -32700, -32600, -32020

MALFORMED = {
    "not json": (b"{", 400, PARSE_ERROR),
    "nothing": (b"", 400, PARSE_ERROR),
    "a duplicate key": (_GOOD[:-1] + b',"method":"tools/list"}', 400, PARSE_ERROR),
    "a duplicate argument": (
        _GOOD.replace(b'"organization_id"', b'"organization_id": "acme", "organization_id"'),
        400, PARSE_ERROR,
    ),
    "NaN": (_GOOD.replace(b'"acc-1001"', b"NaN"), 400, PARSE_ERROR),
    "infinity": (_GOOD.replace(b'"acc-1001"', b"1e999"), 400, PARSE_ERROR),
    "a batch": (b"[" + _GOOD + b"]", 400, INVALID_REQUEST),
    "utf-16": (_GOOD.decode().encode("utf-16"), 400, PARSE_ERROR),
    "a byte order mark": (b"\xef\xbb\xbf" + _GOOD, 400, PARSE_ERROR),
    "latin-1": (_GOOD.replace(b"acc-1001", b"caf\xe9"), 400, PARSE_ERROR),
    "half a surrogate": (_GOOD.replace(b"acc-1001", b"\\ud800"), 400, PARSE_ERROR),
    "deep nesting": (_DEEP, 400, PARSE_ERROR),
    "two texts": (_GOOD + _GOOD, 400, PARSE_ERROR),
    "oversize": (_body(padding="x" * 1_048_576), 413, INVALID_REQUEST),
    "another jsonrpc": (_body(jsonrpc="1.0"), 400, INVALID_REQUEST),
    "an id that is a list": (_body(id=[1]), 400, INVALID_REQUEST),
    "params that are a list": (_body(params=[1]), 400, INVALID_REQUEST),
    "both question and answer": (_body(result={}), 400, INVALID_REQUEST),
    "another tool than the header says": (
        _GOOD.replace(b"get_account", b"list_accounts"), 400, HEADER_MISMATCH,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_message_is_refused_before_anything_is_decided(
    holder, traces, http, kind
):
    body, status, code = MALFORMED[kind]
    given = headers("tools/call", name="get_account", token=holder.token)
    answer = await http.post(holder.server, content=body, headers=given)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert "Traceback" not in answer.text
    await traces.recorded_since()
    traces.nothing_else_since()


# -- the authorization endpoint ----------------------------------------------------------

UNUSABLE = {
    "no client": ({"client_id": None}, "invalid_request"),
    "an unknown client": ({"client_id": "cli_nobody"}, "invalid_client"),
    "a strange redirect uri": ({"redirect_uri": "https://elsewhere.example/"}, "invalid_request"),
    "a longer redirect uri": ({"redirect_uri": "http://127.0.0.1/callback/x"}, "invalid_request"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_an_unusable_authorization_request_is_a_page_and_no_redirect(
    holder, traces, http, kind
):
    changes, error = UNUSABLE[kind]
    answer = await http.get(holder.client.request(**changes))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert error in answer.text
    assert "Traceback" not in answer.text
    (record,) = await traces.recorded_since("authorization.refused")
    assert record["body"]["error"] == error
    traces.nothing_else_since()


BAD_REQUESTS = {
    "no response type": ({"response_type": None}, "invalid_request"),
    "a token at once": ({"response_type": "token"}, "unsupported_response_type"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "a plain challenge": ({"code_challenge_method": "plain"}, "invalid_request"),
    "a challenge of no method": ({"code_challenge_method": None}, "invalid_request"),
    "a short challenge": ({"code_challenge": "short"}, "invalid_request"),
    "an unknown resource": ({"resource": "https://elsewhere.example/"}, "invalid_target"),
    "no resource": ({"resource": None}, "invalid_target"),
    "an unknown scope": ({"scope": "crm:everything"}, "invalid_scope"),
    "a malformed scope": ({"scope": 'crm:"quoted"'}, "invalid_scope"),
    "a request object": ({"request": "e30.e30."}, "request_not_supported"),
    "a request uri": ({"request_uri": "https://elsewhere.example/"}, "request_uri_not_supported"),
    "a silent request": ({"prompt": "none"}, "login_required"),
    "an unknown prompt": ({"prompt": "maybe"}, "invalid_request"),
    "an unknown response mode": ({"response_mode": "fragment"}, "invalid_request"),
}


@pytest.mark.parametrize("kind", BAD_REQUESTS)
async def test_a_bad_authorization_request_goes_back_with_an_error_and_no_code(
    holder, traces, http, kind
):
    changes, error = BAD_REQUESTS[kind]
    answer = await http.get(holder.client.request(**changes))
    _is_error_redirect(answer, holder, error)
    (record,) = await traces.recorded_since("authorization.refused")
    assert record["body"]["error"] == error
    traces.nothing_else_since()


async def test_a_repeated_parameter_of_an_authorization_request_is_refused(holder, traces, http):
    answer = await http.get(holder.client.request() + "&scope=crm:accounts.read")
    _is_error_redirect(answer, holder, "invalid_request")
    await traces.recorded_since("authorization.refused")
    traces.nothing_else_since()


def _is_error_redirect(answer: httpx2.Response, holder: Holder, error: str) -> None:
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{holder.client.redirect_uri}?")
    given = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert given["error"] == error
    assert given["iss"] == holder.client.stage.url
    assert given["state"] == holder.client.state
    assert "code" not in given


# -- the token endpoint ------------------------------------------------------------------

CODE = {"grant_type": "authorization_code", "code": "nobody's", "code_verifier": "v" * 43}
FORM = "application/x-www-form-urlencoded"
BAD_TOKEN_FORMS = {
    "nothing": ({}, 400, "invalid_request"),
    "a code that never was": (CODE, 400, "invalid_grant"),
    "no verifier": ({**CODE, "code_verifier": ""}, 400, "invalid_grant"),
    "no code": ({**CODE, "code": ""}, 400, "invalid_request"),
    "an unknown refresh token": (
        {"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant",
    ),
    "no refresh token": ({"grant_type": "refresh_token"}, 400, "invalid_request"),
    "a password": (
        {"grant_type": "password", "username": "dana", "password": "x"},
        400, "unsupported_grant_type",
    ),
    "a grant that is not the client's": (
        {"grant_type": "client_credentials"}, 400, "unauthorized_client",
    ),
    "an unknown client": ({**CODE, "client_id": "cli_nobody"}, 401, "invalid_client"),
    "no client": ({**CODE, "client_id": ""}, 400, "invalid_request"),
    "a workload's wrong secret": (
        {"grant_type": "client_credentials", "client_id": "billing-job", "client_secret": "x"},
        401, "invalid_client",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_TOKEN_FORMS)
async def test_a_bad_token_request_gets_the_standards_error(holder, traces, http, kind):
    form, status, error = BAD_TOKEN_FORMS[kind]
    whole = {"client_id": holder.client.client_id, **form}
    answer = await http.post(f"{holder.client.stage.url}/token", data=whole)
    await _refused(answer, status, error, traces, "token.refused")


BAD_TOKEN_BODIES = {
    "json": (json.dumps(CODE).encode(), "application/json", 400),
    "another charset": (urlencode(CODE).encode(), f"{FORM}; charset=utf-16", 400),
    "a parameter twice": (b"grant_type=password&grant_type=password", FORM, 400),
    "not utf-8": (b"grant_type=%ff", FORM, 400),
    "a nul": (b"grant_type=%00", FORM, 400),
    "oversize": (b"grant_type=" + b"x" * 100_000, FORM, 413),
}


@pytest.mark.parametrize("kind", BAD_TOKEN_BODIES)
async def test_a_token_request_that_is_no_form_is_invalid(holder, traces, http, kind):
    body, media_type, status = BAD_TOKEN_BODIES[kind]
    answer = await http.post(
        f"{holder.client.stage.url}/token", content=body, headers={"content-type": media_type}
    )
    await _refused(answer, status, "invalid_request", traces, "token.refused")


async def test_what_is_beyond_every_limit_is_not_even_read(holder, traces, http):
    answer = await http.post(
        f"{holder.client.stage.url}/token", content=b"x" * 2_000_000, headers={"content-type": FORM}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    await traces.recorded_since()
    traces.nothing_else_since()


# -- registration ------------------------------------------------------------------------

JSON = "application/json"
METADATA = {"client_name": "x", "redirect_uris": ["http://127.0.0.1/callback"]}
WRONG, NO_REDIRECT = "invalid_client_metadata", "invalid_redirect_uri"


def _registration(**changes: Any) -> bytes:
    return json.dumps({**METADATA, **changes}).encode()


BAD_REGISTRATIONS = {
    "not json": (b"{", JSON, 400, WRONG),
    "a list": (b"[]", JSON, 400, WRONG),
    "a duplicate key": (_registration()[:-1] + b',"client_name":"y"}', JSON, 400, WRONG),
    "NaN": (_registration()[:-1] + b',"x":NaN}', JSON, 400, WRONG),
    "utf-16": (_registration().decode().encode("utf-16"), JSON, 400, WRONG),
    "a byte order mark": (b"\xef\xbb\xbf" + _registration(), JSON, 400, WRONG),
    "deep nesting": (_DEEP, JSON, 400, WRONG),
    "a form": (b"client_name=x", FORM, 400, "invalid_request"),
    "oversize": (_registration(client_uri="x" * 20_000), JSON, 413, "invalid_request"),
    "no redirect uri": (_registration(redirect_uris=[]), JSON, 400, NO_REDIRECT),
    "a script": (_registration(redirect_uris=["javascript:alert(1)"]), JSON, 400, NO_REDIRECT),
    "plain http": (_registration(redirect_uris=["http://x.example/"]), JSON, 400, NO_REDIRECT),
    "a fragment": (_registration(redirect_uris=["https://x.example/#a"]), JSON, 400, NO_REDIRECT),
    "a grant for workloads": (_registration(grant_types=["password"]), JSON, 400, WRONG),
    "an unknown way to prove itself": (
        _registration(token_endpoint_auth_method="tls_client_auth"), JSON, 400, WRONG,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_REGISTRATIONS)
async def test_a_bad_registration_makes_no_client(holder, traces, http, kind):
    body, media_type, status, error = BAD_REGISTRATIONS[kind]
    answer = await http.post(
        f"{holder.client.stage.url}/register", content=body, headers={"content-type": media_type}
    )
    await _refused(answer, status, error, traces, "client.refused")


async def _refused(
    answer: httpx2.Response, status: int, error: str, traces: Traces, *kinds: str
) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"
    assert "Traceback" not in answer.text
    records = await traces.recorded_since(*kinds)
    assert [one["body"]["error"] for one in records] == [error] * len(kinds)
    traces.nothing_else_since()
