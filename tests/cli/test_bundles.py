"""`remit bundles`: built the same everywhere, signed, looked at, and half a file never written."""

import json
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from remit.cli.exits import ExitCode
from remit.deployment import read_bundle
from remit.deployment.sealing import publisher_keys


def write_key(path, key, *, encryption=None):
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    )
    return str(path)


def test_the_same_folder_makes_the_same_bytes(cli, folder):
    first, second = folder / "a.bundle", folder / "b.bundle"
    assert cli("bundles", "build", "--repo", "policy", "--out", str(first)).code == 0
    (folder / "policy" / "README.md").write_text("does not count")
    cli("bundles", "build", "--repo", "policy", "--out", str(second))
    assert first.read_bytes() == second.read_bytes()
    assert not list(folder.glob(".*.part"))


def test_a_bundle_is_not_poured_onto_a_terminal(cli, folder, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    done = cli("bundles", "build", "--repo", "policy")
    assert done.code == ExitCode.USAGE
    assert "name a file, or `-` for the terminal" in done.err
    assert done.out == ""
    asked_for = cli("bundles", "build", "--repo", "policy", "--out", "-")
    assert asked_for.code == 0
    assert json.loads(asked_for.out)["bundle"] == 1


def test_a_publisher_signs_and_the_key_is_named_to_who_believes_it(cli, folder):
    key = write_key(folder / "release.pem", ed25519.Ed25519PrivateKey.generate())
    made = folder / "a.bundle"
    cli("bundles", "build", "--repo", "policy", "--out", str(made))
    assert cli("bundles", "sign", str(made), "--key", key).code == 0
    jwks = json.loads(cli("bundles", "key", "--key", key).out)
    assert "d" not in jwks["keys"][0]
    signers = publisher_keys(jwks).signers(read_bundle(made.read_bytes()))
    assert signers == (jwks["keys"][0]["kid"],)


@pytest.mark.parametrize("kind", ["missing", "encrypted", "of another kind", "no key"])
def test_a_key_that_cannot_sign_is_refused(cli, folder, kind):
    path = folder / "release.pem"
    if kind == "encrypted":
        write_key(
            path, ed25519.Ed25519PrivateKey.generate(), encryption=BestAvailableEncryption(b"x")
        )
    elif kind == "of another kind":
        write_key(path, ec.generate_private_key(ec.SECP256R1()))
    elif kind == "no key":
        path.write_text("no key")
    made = folder / "a.bundle"
    cli("bundles", "build", "--repo", "policy", "--out", str(made))
    before = made.read_bytes()
    done = cli("bundles", "sign", str(made), "--key", str(path))
    assert done.code == ExitCode.FOUND_WRONG
    assert "release.pem" in done.err
    assert made.read_bytes() == before


def test_a_folder_with_files_that_would_be_left_out_makes_no_bundle(cli, folder):
    (folder / "policy" / "servers" / "new.yml").write_text("title: x\n")
    done = cli("bundles", "build", "--repo", "policy", "--out", "a.bundle")
    assert done.code == ExitCode.FOUND_WRONG
    assert not (folder / "a.bundle").exists()


def test_the_key_of_the_installation_is_shown_and_nothing_private(cli, folder):
    (key,) = json.loads(cli("bundles", "key").out)["keys"]
    assert set(key) == {"kty", "crv", "x", "kid"}
    assert "no bundle was put in force yet" in cli("bundles", "list").err
    assert "0 bundles forgotten" in cli("bundles", "prune", "--yes").out
    assert cli("bundles", "show", "nothing").code == ExitCode.FOUND_WRONG
