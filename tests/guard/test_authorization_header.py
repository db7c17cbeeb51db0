import pytest

from remit.guard.authorization_header import (
    MalformedAuthorizationError,
    Presented,
    presented_token,
)


def test_no_header_is_no_token():
    assert presented_token(()) is None


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER   abc", " Bearer abc "])
def test_the_scheme_ignores_case(value):
    assert presented_token((value,)) == Presented(token="abc")


@pytest.mark.parametrize("value", ["DPoP abc", "dpop abc", "DPOP  abc"])
def test_a_bound_token_comes_with_a_scheme_of_its_own(value):
    assert presented_token((value,)) == Presented(token="abc", is_dpop=True)


def test_every_character_of_a_token68_is_kept():
    assert presented_token(("Bearer aZ0-._~+/==",)).token == "aZ0-._~+/=="


@pytest.mark.parametrize(
    "value",
    [
        "", "Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer\tabc", "é abc",
        "DPoP", "DPoP a b", "Bearer é", "Bearer abc, Bearer def", "Bearer abc\nX: y",
    ],
)  # fmt: skip
def test_anything_else_is_malformed(value):
    with pytest.raises(MalformedAuthorizationError):
        presented_token((value,))


@pytest.mark.parametrize("value", ["Basic abc", "DPoPX abc", "BearerX abc", "abc", "Negotiate"])
def test_another_scheme_brings_no_token(value):
    assert presented_token((value,)) is None


def test_two_headers_are_malformed_even_when_they_agree():
    with pytest.raises(MalformedAuthorizationError, match="more than one"):
        presented_token(("Bearer abc", "Bearer abc"))


def test_no_detail_repeats_the_credentials():
    with pytest.raises(MalformedAuthorizationError) as caught:
        presented_token(("Bearer c2VjcmV0 x",))
    assert "c2VjcmV0" not in caught.value.detail
    assert "c2VjcmV0" not in repr(presented_token(("DPoP c2VjcmV0",)))
