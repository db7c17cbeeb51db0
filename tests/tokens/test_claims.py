import pytest

from remit.tokens import InvalidTokenError

REQUIRED = [
    "iss", "sub", "aud", "client_id", "jti", "iat", "exp", "scope", "sid", "agent_id",
    "organization_id", "environment", "sensitivity",
]  # fmt: skip


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_claim_must_be_there(minted, name):
    raw = minted.with_claims(lambda claims: claims.pop(name))
    with pytest.raises(InvalidTokenError, match=f"`{name}` is missing"):
        minted.verify(raw)


@pytest.mark.parametrize("name", [name for name in REQUIRED if name != "scope"])
@pytest.mark.parametrize("value", ["", None, ["x"], {"x": 1}, 1.5, True], ids=str)
def test_a_required_claim_must_be_of_its_type(minted, name, value):
    raw = minted.with_claims(lambda claims: claims.update({name: value}))
    with pytest.raises(InvalidTokenError):
        minted.verify(raw)


@pytest.mark.parametrize("value", ["a", "2000000000", 2000000000.0, True, -1, 2**53])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
def test_a_time_is_a_whole_number_of_seconds(minted, name, value):
    raw = minted.with_claims(lambda claims: claims.update({name: value}))
    with pytest.raises(InvalidTokenError, match=f"`{name}` is not of its type"):
        minted.verify(raw)


@pytest.mark.parametrize("aud", [[], ["https://remit.example/mcp/crm"], ["a", "b"], {"a": 1}])
def test_the_audience_is_one_string_and_no_list(minted, aud):
    raw = minted.with_claims(lambda claims: claims.update(aud=aud))
    with pytest.raises(InvalidTokenError, match="`aud`"):
        minted.verify(raw)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scope", 'a:b "x'),
        ("scope", ["a:b"]),
        ("sensitivity", "enormous"),
        ("roles", "support"),
        ("roles", ["support", 1]),
        ("amr", {"pwd": True}),
        ("attributes", ["department"]),
        ("attributes", {"department": ["sales"]}),
        ("purpose", 5),
        ("acr", ""),
        ("acr", 1),
    ],
)
def test_an_optional_claim_must_be_of_its_type_too(minted, name, value):
    raw = minted.with_claims(lambda claims: claims.update({name: value}))
    with pytest.raises(InvalidTokenError, match=f"`{name}`"):
        minted.verify(raw)


def test_claims_that_are_not_ours_are_ignored(minted):
    assert minted.verify(minted.with_claims(lambda claims: claims.update(email="x"))).sub == "usr_1"
