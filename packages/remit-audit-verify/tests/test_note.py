from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from remit_audit_verify.note import (
    BadCheckpointError,
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)

ORIGIN = "example.test/main"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = VerifierKey.of(ORIGIN, KEY)
CHECKPOINT = Checkpoint(ORIGIN, 42, bytes(range(32)))

# From the documentation of Go's golang.org/x/mod/sumdb/note: a key and a note that it signed.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SIGNED = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def test_a_signed_checkpoint_is_three_lines_an_empty_one_and_a_signature():
    note = sign_checkpoint(CHECKPOINT, KEY)
    lines = note.split("\n")
    assert lines[:4] == [ORIGIN, "42", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_a_signed_checkpoint_opens_under_its_key():
    assert open_checkpoint(sign_checkpoint(CHECKPOINT, KEY), [VERIFIER]) == CHECKPOINT


def test_the_key_hash_and_signature_are_those_of_the_published_example():
    """The note format is not ours: a key and a signature made by its first implementation."""
    key = VerifierKey.parse(PETER)
    assert key.hash.hex() == "c74f20a3"
    assert str(key) == PETER
    value = b64decode(PETER_SIGNATURE)
    assert value[:4] == key.hash
    Ed25519PublicKey.from_public_bytes(key.public).verify(value[4:], PETER_SIGNED.encode())


def test_a_verifier_key_reads_as_it_is_written():
    assert VerifierKey.parse(str(VERIFIER)) == VERIFIER


def test_signatures_by_unknown_keys_are_passed_over():
    note = sign_checkpoint(CHECKPOINT, KEY)
    witness = "— witness.test AAAAAAEC\n"
    assert open_checkpoint(note + witness, [VERIFIER]) == CHECKPOINT
    assert len(parse_checkpoint(note + witness).signatures) == 2


def test_a_checkpoint_signed_by_another_key_is_refused():
    other = Ed25519PrivateKey.generate()
    with pytest.raises(BadCheckpointError, match="not signed by a known key"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, other), [VERIFIER])


def test_a_checkpoint_of_another_log_is_refused_although_its_key_is_known():
    other = Checkpoint("example.test/other", 42, bytes(32))
    note = sign_checkpoint(other, KEY)
    signature = sign_checkpoint(CHECKPOINT, KEY).partition("\n\n")[2]
    with pytest.raises(BadCheckpointError):
        open_checkpoint(note, [VERIFIER])
    with pytest.raises(BadCheckpointError):
        open_checkpoint(f"{other.body()}\n{signature}", [VERIFIER])


@settings(deadline=None)
@given(st.data())
def test_no_byte_of_a_signed_checkpoint_can_be_changed(data):
    note = bytearray(sign_checkpoint(CHECKPOINT, KEY).encode())
    at = data.draw(st.integers(0, len(note) - 1))
    note[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((BadCheckpointError, UnicodeDecodeError)):
        open_checkpoint(note.decode(), [VERIFIER])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "example.test/main\n42\n",
        "example.test/main\n42\nAAAA\n\n— example.test/main AAAAAAEC\n",
        "example.test/main\n042\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— a AAAAAAEC\n",
        "example.test/main\n-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— a AAAAAAEC\n",
        "two words\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— a AAAAAAEC\n",
        "a\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n\n— a AAAAAAEC\n",
        "a\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n- a AAAAAAEC\n",
        "a\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— a AAAAAAEC",
        "a\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— a AAAA\n",
        "a\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nextra\n\n— a AAAAAAEC\n",
    ],
)
def test_what_is_not_spelt_like_a_checkpoint_is_refused(note):
    with pytest.raises(BadCheckpointError):
        parse_checkpoint(note)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "x" * 201])
def test_a_name_that_cannot_stand_in_a_note_names_no_log(name):
    with pytest.raises(BadCheckpointError):
        VerifierKey.of(name, KEY)


@pytest.mark.parametrize(
    "line",
    [
        "no key",
        "a+00000000+AQ==",
        str(VERIFIER).replace(VERIFIER.hash.hex(), "00000000"),
        str(VERIFIER).replace(ORIGIN, "example.test/other"),
        str(VERIFIER) + "x",
    ],
)
def test_what_is_not_a_verifier_key_is_refused(line):
    with pytest.raises(BadCheckpointError):
        VerifierKey.parse(line)
