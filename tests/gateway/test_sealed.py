"""What is sealed opens under its key, to the letter, and says nothing to whoever holds it."""

from hypothesis import given
from hypothesis import strategies as st

from remit.gateway.sealed import Seal, new_seal_key

SEAL = Seal(b"k" * 32, longest=4096)


def test_what_is_sealed_opens_again_and_looks_different_every_time():
    first, second = SEAL.seal({"a": [1, "x"]}), SEAL.seal({"a": [1, "x"]})
    assert first != second
    assert SEAL.open(first) == SEAL.open(second) == {"a": [1, "x"]}
    assert first.isascii()


def test_another_key_opens_nothing():
    sealed = SEAL.seal({"a": 1})
    assert Seal(new_seal_key(), longest=4096).open(sealed) is None
    assert new_seal_key() != new_seal_key()


def test_what_is_too_long_is_not_looked_at():
    assert SEAL.open(SEAL.seal({"a": "x" * 4096})) is None


@given(st.integers(0, 200), st.characters())
def test_one_changed_character_is_one_too_many(place, character):
    sealed = SEAL.seal({"a": 1})
    place %= len(sealed)
    changed = sealed[:place] + character + sealed[place + 1 :]
    assert SEAL.open(changed) is None or changed == sealed


@given(st.text(max_size=200))
def test_what_was_never_sealed_does_not_open(text):
    assert SEAL.open(text) is None
    assert SEAL.open("r1." + text) is None
