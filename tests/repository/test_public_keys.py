import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from pydantic import ValidationError

from remit.repository.public_keys import JwksSection, jwks_of
from remit.tokens.foreign_keys import parse_jwks

from .conftest import Repository

KEY = ECKey.generate_key("P-256")


def public(key: Any) -> dict[str, Any]:
    return dict(key.as_dict(private=False))


@pytest.mark.parametrize(
    "key", [KEY, ECKey.generate_key("P-384"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)]
)  # fmt: skip
def test_a_public_key_is_kept_as_it_stands(key: Any) -> None:
    section = JwksSection.model_validate({"keys": [public(key)]})
    assert jwks_of(section) == {"keys": [public(key)]}
    assert len(parse_jwks(jwks_of(section))) == 1


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([dict(KEY.as_dict(private=True))], "a key that is not public"),
        ([public(KEY), dict(OctKey.generate_key(256).as_dict(private=True))], "a key that is not public"),
        ([public(KEY) | {"use": "enc"}], "a key that verifies no signature"),
        ([public(KEY) | {"crv": "P-257"}], "a key that verifies no signature"),
        ([{"kty": "RSA", "n": "sXch" * 20, "e": "AQAB"}], "a key that verifies no signature"),
        ([{"kty": "EC"}], "a key that verifies no signature"),
        ([{}], "a key that verifies no signature"),
        ([public(KEY) | {"kid": "a"}, public(ECKey.generate_key("P-256")) | {"kid": "a"}], "the key set has two keys of one name"),
    ],
)  # fmt: skip
def test_what_is_no_set_of_public_keys_is_refused(keys: list[object], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        JwksSection.model_validate({"keys": keys})
    assert caught.value.errors()[0]["ctx"]["message"] == says


@pytest.mark.parametrize("given", [{}, {"keys": []}, {"keys": [], "x": 1}, {"keys": ["a"]}, []])
def test_what_is_no_key_set_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        JwksSection.model_validate(given)


def test_a_private_key_is_refused_where_it_stands_and_not_shown(repository: Repository) -> None:
    key = dict(KEY.as_dict(private=True))
    repository.write(
        "agents/job.yaml",
        "name: Job\nowner: a\nclass: workload\nscopes: [crm:accounts.read]\nenvironments: [prod]\n"
        "tenants: [acme]\nclients:\n  static:\n    - client_id: job\n      name: Job\n"
        "      grant_types: [client_credentials]\n      jwks:\n        keys:\n"
        f"          - {json.dumps(public(KEY))}\n          - {json.dumps(key)}\n",
    )
    [problem] = repository.problems()
    assert (problem.line, problem.message, problem.excerpt) == (15, "a key that is not public", "")
    assert str(key["d"]) not in repr(problem)
