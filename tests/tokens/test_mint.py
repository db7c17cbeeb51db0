import json
from base64 import urlsafe_b64decode

from remit.ids import ScopeName


def part(raw, index):
    text = raw.split(".")[index]
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_the_header_names_type_algorithm_and_key(minted):
    header = part(minted.raw(), 0)
    assert header == {
        "typ": "at+jwt",
        "alg": "ES256",
        "kid": minted.keys.signing_at(minted.clock.now()).kid,
    }


def test_the_claims_have_the_names_of_rfc_9068(minted):
    claims = part(minted.raw(roles=("support",), auth_time=5, acr="a", amr=("pwd",)), 1)
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(claims)
    assert claims["aud"] == minted.audience
    assert claims["scope"] == "crm:accounts.read crm:accounts.write"
    assert claims["sid"] == "gnt_1"
    assert claims["roles"] == ["support"]
    assert (claims["auth_time"], claims["acr"], claims["amr"]) == (5, "a", ["pwd"])


def test_what_is_unknown_is_left_out(minted):
    claims = part(minted.raw(), 1)
    assert not {"roles", "attributes", "purpose", "auth_time", "acr", "amr", "nbf"} & set(claims)


def test_every_claim_comes_back_as_it_was(minted):
    token = minted.token(
        roles=("support", "finance"),
        attributes={"department": "sales"},
        purpose="help",
        auth_time=minted.clock.now(),
        acr="urn:remit:acr:pwd",
        amr=("pwd",),
        scopes=(ScopeName("a:b.c"),),
    )
    assert (
        minted.verify(minted.raw(**{name: getattr(token, name) for name in token.__slots__}))
        == token
    )


def test_a_token_without_scopes_comes_back_without_scopes(minted):
    assert minted.verify(minted.raw(scopes=())).scopes == ()


def test_a_signature_is_64_bytes_however_small_its_numbers(minted):
    for _ in range(600):  # of that many, some begin with a zero byte
        signature = minted.raw().split(".")[2]
        assert len(urlsafe_b64decode(signature + "==")) == 64
