"""Whether those whose word is taken answer: through a fetch of the test's own, never the network."""

import asyncio
import json
from dataclasses import replace

import pytest

from remit.cli.checkup import Level, issuers
from remit.cli.checkup.issuers import examine_issuers
from remit.clock import SystemClock
from remit.ids import ServerName
from remit.model import IdentityProvider, SignIn, ThirdParty, Trust, TrustedIssuer
from remit.repository import load_repository
from remit.web.fetch import Document, FetchFailedError

CORP, PLATFORM, VENDOR = (
    "https://corp.example",
    "https://platform.example",
    "https://vendor.example",
)
KEY = {"kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256",
       "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
       "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}  # fmt: skip


@pytest.fixture
def catalog(cli, folder):
    catalog = load_repository(folder / "policy").catalog
    provider = IdentityProvider(name="corp", title="Corp", issuer=CORP, client_id="remit")
    trusted = TrustedIssuer(name="platform", issuer=PLATFORM)
    crm = catalog.servers[ServerName("crm")]
    party = ThirdParty(issuer=VENDOR, client_id="remit")
    return replace(
        catalog,
        sign_in=SignIn(providers={"corp": provider}),
        trust=Trust(issuers={PLATFORM: trusted}),
        servers={crm.name: replace(crm, connection=party)},
    )


def metadata(issuer):
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
    }


def examine(catalog, *, down=(), **changes):
    """What is found when each host answers but those in `down`; by what it is about."""

    async def fetch(url, *, reach, body_bytes):
        issuer = "/".join(url.split("/")[:3])
        if issuer in down:
            raise FetchFailedError("the host does not answer")
        keys = url.endswith("/jwks")
        body = {"keys": [KEY]} if keys else metadata(issuer) | changes
        return Document(url=url, body=json.dumps(body).encode(), fresh_for=None)

    found = asyncio.run(examine_issuers(catalog, SystemClock(), fetch=fetch))
    return {one.about: one for one in found}


def test_everybody_who_answers_is_fine(catalog):
    found = examine(catalog)
    assert set(found) == {"provider corp", "issuer platform", "third party of crm"}
    assert {one.level for one in found.values()} == {Level.FINE}


def test_who_does_not_answer_is_down_and_has_its_mend(catalog):
    found = examine(catalog, down={CORP, PLATFORM, VENDOR})
    assert {one.level for one in found.values()} == {Level.DOWN}
    assert "people.yaml" in found["provider corp"].mend
    assert "trust.yaml" in found["issuer platform"].mend
    assert "servers/crm.yaml" in found["third party of crm"].mend


def test_a_document_of_another_issuer_is_no_answer(catalog):
    found = examine(catalog, issuer="https://evil.example")
    assert {one.level for one in found.values()} == {Level.DOWN}


def test_keys_that_stand_in_the_repository_are_asked_of_nobody(catalog):
    trusted = TrustedIssuer(name="platform", issuer=PLATFORM, jwks={"keys": [KEY]})
    own = replace(catalog, trust=Trust(issuers={PLATFORM: trusted}))
    assert "issuer platform" not in examine(own)


def test_who_never_answers_is_waited_for_only_so_long(catalog, monkeypatch):
    monkeypatch.setattr(issuers, "_PATIENCE", 0.05)

    async def never(url, *, reach, body_bytes):
        await asyncio.Event().wait()

    found = asyncio.run(examine_issuers(catalog, SystemClock(), fetch=never))
    assert {one.level for one in found} == {Level.DOWN}
    assert all("does not answer within" in one.text for one in found)
