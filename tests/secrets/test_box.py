"""What is sealed can neither be read, nor changed, nor moved."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.secrets import MasterKey, SealBrokenError, SecretBox

BOX = SecretBox(MasterKey(bytes(range(32))))


@given(st.text(max_size=20).filter(lambda name: name.isprintable()), st.binary(max_size=200))
def test_what_is_sealed_opens_under_its_name(name, secret):
    assert BOX.open(name, BOX.seal(name, secret)) == secret


def test_the_same_secret_is_never_sealed_the_same_way():
    assert len({BOX.seal("n", b"secret") for _ in range(100)}) == 100


def test_a_sealed_secret_shows_nothing_of_it():
    sealed = BOX.seal("n", b"hunter2-hunter2")
    assert b"hunter2" not in urlsafe_b64decode(sealed.removeprefix("v1.") + "==")


@pytest.mark.parametrize("name", ["other", "", "n ", "N"])
def test_a_sealed_secret_does_not_open_under_another_name(name):
    with pytest.raises(SealBrokenError):
        BOX.open(name, BOX.seal("n", b"secret"))


def test_a_sealed_secret_does_not_open_with_another_master_key():
    other = SecretBox(MasterKey(bytes(range(1, 33))))
    with pytest.raises(SealBrokenError, match="another master key"):
        other.open("n", BOX.seal("n", b"secret"))


def test_no_bit_can_be_changed():
    sealed = bytearray(urlsafe_b64decode(BOX.seal("n", b"secret").removeprefix("v1.") + "=="))
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealBrokenError):
            BOX.open("n", "v1." + urlsafe_b64encode(changed).decode().rstrip("="))


@pytest.mark.parametrize("sealed", ["", "v1.", "v1.AAAA", "v1.%%%", "v2.AAAA", "secret", "v1.ä"])
def test_what_was_never_sealed_is_refused_and_not_repeated(sealed):
    with pytest.raises(SealBrokenError) as raised:
        BOX.open("n", sealed)
    assert "`n`" in raised.value.detail
    assert raised.value.__cause__ is None
