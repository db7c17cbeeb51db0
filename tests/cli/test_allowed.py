import json

import pytest

from remit.cli.exits import ExitCode
from remit.clock import EpochSeconds
from remit.db import Database
from remit.identity import require_user
from remit.ids import ClientId, ServerName
from remit.oauth import Connection, Consent
from remit.oauth.connection_store import keep_connection
from remit.oauth.request_store import remember_consent

RESOURCE = "http://127.0.0.1:8600/mcp/crm"
NOW = EpochSeconds(1_700_000_000)


@pytest.fixture
def allowed(folder, dana):
    """Dana, who allowed a client something and is connected for the CRM."""
    database = Database.open(f"sqlite:///{folder / 'data' / 'remit.sqlite3'}", pool=1)

    def allow(tx):
        user = require_user(tx, dana).id
        consent = Consent(
            user_id=user,
            client_id=ClientId("billing-job"),
            resource=RESOURCE,
            scopes=("crm:accounts.read",),
            fingerprint="f",
            granted_at=NOW,
        )
        remember_consent(tx, consent)
        connection = Connection(
            user_id=user,
            server=ServerName("crm"),
            issuer="https://vendor.example",
            scopes=("contacts",),
            sealed_tokens="sealed",
            created_at=NOW,
            updated_at=NOW,
            expires_at=None,
        )
        keep_connection(tx, connection)

    database.run_now(allow)
    database.close()
    return dana


def test_consents_are_listed_and_withdrawn(cli, allowed):
    assert "billing-job" in cli("consents", "list", allowed).out
    (consent,) = json.loads(cli("consents", "list", allowed, "--json").out)
    assert (consent["resource"], consent["scopes"]) == (RESOURCE, ["crm:accounts.read"])
    elsewhere = cli("consents", "withdraw", allowed, "billing-job", "http://127.0.0.1/mcp/x")
    assert elsewhere.code == ExitCode.FOUND_WRONG
    done = cli("consents", "withdraw", allowed, "billing-job", RESOURCE)
    assert done.out == "1 consent withdrawn, 0 grants ended\n"
    assert cli("consents", "withdraw", allowed, "billing-job").code == ExitCode.FOUND_WRONG
    assert "allowed no client anything" in cli("consents", "list", allowed).err


def test_connections_are_listed_without_tokens_and_withdrawn(cli, allowed):
    assert "https://vendor.example" in cli("connections", "list", allowed).out
    assert "sealed" not in cli("connections", "list", allowed, "--json").out
    assert cli("connections", "withdraw", allowed, "payments").code == ExitCode.FOUND_WRONG
    done = cli("connections", "withdraw", allowed, "crm", "--reason", "incident")
    assert done.out == "dana is not connected for crm any more\n"
    assert "connected with nobody" in cli("connections", "list", allowed).err


def test_nobody_who_is_not_there_allowed_anything(cli, folder):
    for what in ("consents", "connections", "identities"):
        assert cli(what, "list", "nobody").code == ExitCode.FOUND_WRONG
