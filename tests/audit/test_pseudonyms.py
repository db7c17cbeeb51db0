import hmac
from base64 import b32encode

from hypothesis import given
from hypothesis import strategies as st

from remit.audit.pseudonyms import Keyed, token_of


@given(key=st.binary(min_size=1, max_size=200), message=st.binary(max_size=300))
def test_it_is_the_librarys_hmac(key, message):
    assert Keyed(key).digest(message) == hmac.digest(key, message, "sha256")


def test_a_token_says_its_sort_and_authenticates_it():
    keyed = Keyed(b"k" * 32)
    code = b32encode(hmac.digest(b"k" * 32, b'pan\0"4111"', "sha256"))[:26].decode().lower()
    assert token_of(keyed, "4111", "pan") == f"tok1.pan.{code}"
    sorts = [token_of(keyed, value).split(".")[1] for value in ("x", True, 1, 1.5, [], {})]
    assert sorts == ["text", "bool", "number", "number", "tree", "tree"]
    assert len({token_of(keyed, "x"), token_of(keyed, "x", "pii"), token_of(keyed, "y")}) == 3
