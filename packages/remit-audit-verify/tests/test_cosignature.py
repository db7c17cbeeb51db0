from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from remit_audit_verify.cosignature import BadCosignatureError, WitnessKey, cosign
from remit_audit_verify.note import Checkpoint, VerifierKey, parse_checkpoint

CHECKPOINT = Checkpoint("example.test/log", 20, b"r" * 32)
KEYS = {
    "ed25519": Ed25519PrivateKey.from_private_bytes(bytes(32)),
    "ml-dsa-44": MLDSA44PrivateKey.generate(),
}
NAME = "witness.test/w1"
TIME = 1_679_315_147


@pytest.fixture(params=KEYS)
def key(request):
    return KEYS[request.param]


def signature_of(line: str) -> bytes:
    return b64decode(line.removesuffix("\n").rpartition(" ")[2])[4:]


def test_a_cosignature_says_when(key):
    line = cosign(CHECKPOINT, NAME, key, time=TIME)
    assert WitnessKey.of(NAME, key).verify(CHECKPOINT, signature_of(line)) == TIME


def test_a_cosignature_is_a_line_of_a_note(key):
    line = cosign(CHECKPOINT, NAME, key, time=TIME)
    note = parse_checkpoint(f"{CHECKPOINT.body()}\n{line}")
    ((name, key_hash, signature),) = note.signatures
    assert (name, key_hash) == (NAME, WitnessKey.of(NAME, key).hash)
    assert int.from_bytes(signature[:8], "big") == TIME


def test_keys_read_as_they_are_written(key):
    verifier = WitnessKey.of(NAME, key)
    assert WitnessKey.parse(str(verifier)) == verifier


def test_the_ed25519_message_is_that_of_the_specification():
    line = cosign(CHECKPOINT, NAME, KEYS["ed25519"], time=TIME)
    message = f"cosignature/v1\ntime {TIME}\n{CHECKPOINT.body()}".encode()
    Ed25519PublicKey.from_public_bytes(KEYS["ed25519"].public_key().public_bytes_raw()).verify(
        signature_of(line)[8:], message
    )


def test_the_ml_dsa_message_is_that_of_the_specification():
    line = cosign(CHECKPOINT, NAME, KEYS["ml-dsa-44"], time=TIME)
    message = (
        b"subtree/v1\n\x00\x0fwitness.test/w1"
        + TIME.to_bytes(8, "big")
        + b"\x10example.test/log"
        + (0).to_bytes(8, "big")
        + (20).to_bytes(8, "big")
        + b"r" * 32
    )
    raw = KEYS["ml-dsa-44"].public_key().public_bytes_raw()
    MLDSA44PublicKey.from_public_bytes(raw).verify(signature_of(line)[8:], message)


def test_the_example_of_the_specification_is_laid_out_so():
    """Its key is not published; what can be read of it is the time, and where the signature begins."""
    text = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    raw = b64decode(text)
    assert len(raw) == 4 + 8 + 64
    assert int.from_bytes(raw[4:12], "big") == 1_679_315_147


@pytest.mark.parametrize(
    "other",
    [
        Checkpoint("example.test/log", 21, b"r" * 32),
        Checkpoint("example.test/log", 20, b"s" * 32),
        Checkpoint("example.test/other", 20, b"r" * 32),
    ],
)
def test_a_cosignature_of_another_checkpoint_does_not_hold(key, other):
    line = cosign(CHECKPOINT, NAME, key, time=TIME)
    with pytest.raises(BadCosignatureError):
        WitnessKey.of(NAME, key).verify(other, signature_of(line))


def test_a_time_that_was_changed_does_not_hold(key):
    signature = signature_of(cosign(CHECKPOINT, NAME, key, time=TIME))
    later = (TIME + 1).to_bytes(8, "big") + signature[8:]
    with pytest.raises(BadCosignatureError):
        WitnessKey.of(NAME, key).verify(CHECKPOINT, later)
    with pytest.raises(BadCosignatureError, match="no time"):
        WitnessKey.of(NAME, key).verify(CHECKPOINT, b"\xff" * 8 + signature[8:])


@pytest.mark.parametrize("cut", [0, 7, 8, 50])
def test_a_cosignature_of_another_length_does_not_hold(key, cut):
    signature = signature_of(cosign(CHECKPOINT, NAME, key, time=TIME))
    with pytest.raises(BadCosignatureError):
        WitnessKey.of(NAME, key).verify(CHECKPOINT, signature[:cut])


def test_an_ml_dsa_cosignature_is_of_its_signers_name():
    """An Ed25519 one is not, as the specification says."""
    line = cosign(CHECKPOINT, NAME, KEYS["ml-dsa-44"], time=TIME)
    with pytest.raises(BadCosignatureError):
        WitnessKey.of("witness.test/w2", KEYS["ml-dsa-44"]).verify(CHECKPOINT, signature_of(line))


def test_keys_of_logs_are_no_keys_of_witnesses():
    with pytest.raises(BadCosignatureError):
        WitnessKey.parse(str(VerifierKey.of(NAME, KEYS["ed25519"])))


@pytest.mark.parametrize(
    "line", ["", "a+b", "a+00000000+", "a+00000000+BAAA", "a+zz+BAAA", "a b+1+c"]
)
def test_what_is_no_key_is_refused(line):
    with pytest.raises(BadCosignatureError):
        WitnessKey.parse(line)


def test_a_key_with_another_hash_or_type_is_refused(key):
    name, _, encoded = str(WitnessKey.of(NAME, key)).split("+", 2)
    with pytest.raises(BadCosignatureError):
        WitnessKey.parse(f"{name}+00000000+{encoded}")
    raw = b"\x05" + b64decode(encoded)[1:]
    with pytest.raises(BadCosignatureError):
        WitnessKey.parse(f"{name}+00000000+{b64encode(raw).decode()}")
