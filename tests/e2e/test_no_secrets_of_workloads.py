"""No secret of a workload in any file: assertions, proofs, exchanged tokens and what registers clients."""

import json
import time
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.app.conftest import SECRET, Remit
from tests.e2e.workloads import ACCESS_TOKEN, ASKING, EXCHANGE, JWT_BEARER, Workloads, serving

pytestmark = pytest.mark.e2e


@pytest.fixture
def workloads(tmp_path, tmp_path_factory):
    remit = Remit(tmp_path, tmp_path_factory.getbasetemp() / "pycache")
    remit.ok("init", str(remit.repo))
    with serving(remit) as running:
        yield running


def signed(workloads: Workloads) -> str:
    now = int(time.time())
    claims = {
        "iss": "invoice-agent", "sub": "invoice-agent", "aud": workloads.server.url,
        "iat": now, "exp": now + 60, "jti": str(uuid4()),
    }  # fmt: skip
    return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, workloads.key)


def proved(workloads: Workloads, nonce: str = "") -> str:
    key = ECKey.generate_key("P-256")
    head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    claims = {
        "htm": "POST", "htu": f"{workloads.server.url}/token",
        "iat": int(time.time()), "jti": str(uuid4()), **({"nonce": nonce} if nonce else {}),
    }  # fmt: skip
    return jwt.encode(head, claims, key)


def test_nothing_secret_of_a_workload_reaches_a_file(workloads):
    post, seen = workloads.server.post, {"secret": SECRET, "introspection secret": ASKING}
    job = {"client_id": "billing-job", "client_secret": SECRET, "resource": workloads.payments}
    credentials = {"grant_type": "client_credentials", **job}

    demanded = post("/token", data=credentials, headers={"DPoP": proved(workloads)})
    seen["proof"] = proved(workloads, demanded.headers["dpop-nonce"])
    bound = post("/token", data=credentials, headers={"DPoP": seen["proof"]})
    assert bound.json()["token_type"] == "DPoP", bound.text
    seen["bound token"] = bound.json()["access_token"]
    seen["token"] = post("/token", data=credentials).json()["access_token"]

    seen["client assertion"] = signed(workloads)
    exchanged = post(
        "/token",
        data={
            "grant_type": EXCHANGE,
            "subject_token": seen["token"],
            "subject_token_type": ACCESS_TOKEN,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": seen["client assertion"],
        },
    )
    seen["exchanged token"] = exchanged.json()["access_token"]

    for name, claims in {"assertion": {}, "refused assertion": {"repository": "x/y"}}.items():
        seen[name] = workloads.job(**claims)
        form = {"grant_type": JWT_BEARER, "assertion": seen[name], "resource": workloads.payments}
        assert post("/token", data=form).status_code == (400 if claims else 200)

    asked = {"token": seen["token"], "client_id": "payments", "client_secret": ASKING}
    assert post("/introspect", data=asked).json()["active"]
    assert post("/introspect", data=asked | {"client_secret": "a-wrong-one-7f3a9c"}).is_error
    seen["wrong secret"] = "a-wrong-one-7f3a9c"

    made = workloads.remit.ok(
        "registration-tokens", "create", "--owner", "desk@acme.example", "--json",
        "--data", str(workloads.remit.data),
    )  # fmt: skip
    seen["initial access token"] = json.loads(made)["token"]
    metadata = {"client_name": "x", "redirect_uris": ["http://127.0.0.1/callback"]}
    bearer = {"Authorization": f"Bearer {seen['initial access token']}"}
    registered = post("/register", json=metadata, headers=bearer)
    seen["client secret"] = registered.json()["client_secret"]

    found = [
        f"{name} in {path.relative_to(workloads.remit.folder)}"
        for path in workloads.remit.folder.rglob("*")
        if path.is_file()
        for content in [path.read_bytes()]
        for name, value in seen.items()
        # Of a token its signature alone: who has that has the token.
        if value.encode() in content
        or (value.count(".") == 2 and value.split(".")[2].encode() in content)
    ]
    assert found == []
