"""Signatures: whose, over what, for what."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.deployment import BadSignatureError
from remit.deployment.bundle import Signature
from remit.deployment.sealing import (
    InstallationKey,
    PublisherKeys,
    installation_key,
    publisher_keys,
    sign_bundle,
)
from remit.secrets import MasterKey, SealBrokenError, SecretBox

from .conftest import FORBID, bundle

# RFC 8037 A.1, A.3: a key pair and its thumbprint.
PRIVATE = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
X, THUMBPRINT = (
    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
)


def test_a_key_is_named_as_the_rfc_names_it():
    key = InstallationKey(PRIVATE)
    assert key.jwk == {"kty": "OKP", "crv": "Ed25519", "x": X}
    assert key.thumbprint == THUMBPRINT


def test_a_seal_is_for_its_purpose_and_its_value_alone():
    key, other = InstallationKey(PRIVATE), InstallationKey(Ed25519PrivateKey.generate())
    seal = key.seal("remit:one:v1", {"a": 1})
    assert key.is_sealed("remit:one:v1", {"a": 1}, seal)
    assert not key.is_sealed("remit:two:v1", {"a": 1}, seal)
    assert not key.is_sealed("remit:one:v1", {"a": 2}, seal)
    assert not other.is_sealed("remit:one:v1", {"a": 1}, seal)


@pytest.mark.parametrize("seal", ["", "AA", "é", "x" * 300, "*" * 86, "A" * 86], ids=repr)
def test_what_is_no_signature_is_none(seal):
    assert not InstallationKey(PRIVATE).is_sealed("p", {}, seal)


def test_of_the_keys_that_are_believed_one_is_enough():
    believed = publisher_keys({"keys": [InstallationKey(PRIVATE).jwk]})
    signed = sign_bundle(sign_bundle(bundle(), Ed25519PrivateKey.generate()), PRIVATE)
    assert believed.signers(signed) == (THUMBPRINT,)
    assert PublisherKeys().signers(signed) == ()


def test_a_signature_does_not_move_to_another_bundle_or_another_key():
    believed = publisher_keys({"keys": [InstallationKey(PRIVATE).jwk]})
    moved = replace(bundle(FORBID), signatures=sign_bundle(bundle(), PRIVATE).signatures)
    stranger = sign_bundle(bundle(), Ed25519PrivateKey.generate())
    renamed = replace(stranger, signatures=(Signature(THUMBPRINT, stranger.signatures[0].value),))
    for one in (moved, stranger, renamed, bundle()):
        assert believed.signers(one) == ()


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"keys": []},
        {"keys": ["x"]},
        {"keys": [{"kty": "RSA"}]},
        {"keys": [{"kty": "OKP", "crv": "X25519", "x": X}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X, "d": X}]},
    ],
    ids=["nothing", "no keys", "no key", "rsa", "x25519", "no x", "short", "private"],
)
def test_what_is_no_set_of_public_keys_is_refused(keys):
    with pytest.raises(BadSignatureError):
        publisher_keys(keys)


async def test_processes_on_one_database_have_one_key(database, box, key):
    again = await database.run(lambda tx: installation_key(tx, box, 2))
    assert again.thumbprint == key.thumbprint
    other = SecretBox(MasterKey(bytes(range(1, 33))))
    with pytest.raises(SealBrokenError):
        await database.run(lambda tx: installation_key(tx, other, 3))
