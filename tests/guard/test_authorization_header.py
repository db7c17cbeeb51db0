import pytest

from remit.guard.authorization_header import MalformedAuthorizationError, bearer_token


def test_no_header_is_no_token():
    assert bearer_token(()) is None


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER   abc", " Bearer abc "])
def test_the_scheme_ignores_case(value):
    assert bearer_token((value,)) == "abc"


def test_every_character_of_a_token68_is_kept():
    assert bearer_token(("Bearer aZ0-._~+/==",)) == "aZ0-._~+/=="


@pytest.mark.parametrize(
    "value",
    [
        "", "Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer\tabc", "abc", "Basic abc",
        "DPoP abc", "Bearer é", "Bearer abc, Bearer def", "BearerX abc", "Bearer abc\nX: y",
    ],
)  # fmt: skip
def test_anything_else_is_malformed(value):
    with pytest.raises(MalformedAuthorizationError):
        bearer_token((value,))


def test_two_headers_are_malformed_even_when_they_agree():
    with pytest.raises(MalformedAuthorizationError, match="more than one"):
        bearer_token(("Bearer abc", "Bearer abc"))


def test_no_detail_repeats_the_credentials():
    with pytest.raises(MalformedAuthorizationError) as caught:
        bearer_token(("Basic c2VjcmV0",))
    assert "c2VjcmV0" not in caught.value.detail
