"""What is kept of a client comes back as it went in, on both databases."""

import pytest

from remit.clock import EpochSeconds
from remit.ids import AgentId, ClientId
from remit.model import ClientKind
from remit.oauth.client_metadata import parse_registration
from remit.oauth.client_store import (
    StoredClient,
    add_client,
    note_use,
    put_document,
    select_client,
    select_clients,
)

FULL = {
    "client_name": "Kundenübersicht 🧾",
    "redirect_uris": ["http://localhost/cb", "https://app.example/cb?x=%2F"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "client_secret_post",
    "application_type": "native",
    "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}]},
    "client_uri": "https://app.example",
    "logo_uri": "https://app.example/logo.svg",
    "tos_uri": "https://app.example/tos",
    "policy_uri": "https://app.example/privacy",
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "software_version": "1.2",
}


def client(document=FULL, **changes):
    metadata = parse_registration(document, schemes=())
    fields = {
        "client_id": ClientId("cli_1"),
        "kind": ClientKind.DYNAMIC,
        "agent_id": AgentId("unregistered"),
        "name": metadata.client_name,
        "metadata": metadata,
        "secret_digest": "digest",
        "fingerprint": metadata.fingerprint,
        "created_at": EpochSeconds(5),
    }
    return StoredClient(**(fields | changes))


@pytest.mark.parametrize(
    "stored",
    [
        client(),
        client({"redirect_uris": ["http://localhost/cb"]}),
        client(last_used_at=EpochSeconds(6), disabled_at=EpochSeconds(7), secret_digest=None),
        client(kind=ClientKind.METADATA_DOCUMENT, fresh_until=EpochSeconds(2**40)),
        client(kind=ClientKind.STATIC, metadata=None, secret_digest=None),
    ],
)
def test_a_client_comes_back_as_it_went_in(database, stored):
    database.run_now(lambda tx: add_client(tx, stored))
    assert database.read_now(lambda tx: select_client(tx, "cli_1")) == stored


def test_an_unknown_client_has_no_row(database):
    assert database.read_now(lambda tx: select_client(tx, "cli_1")) is None
    assert database.run_now(lambda tx: note_use(tx, ClientId("cli_1"), at=EpochSeconds(1))) is False


def test_an_identifier_is_compared_byte_for_byte(database):
    database.run_now(lambda tx: add_client(tx, client()))
    for other in ("CLI_1", "cli_1 ", "cli_1\u0301", "cli%"):
        assert database.read_now(lambda tx, other=other: select_client(tx, other)) is None


def test_a_document_is_replaced_but_its_history_stays(database):
    first = client(
        kind=ClientKind.METADATA_DOCUMENT,
        secret_digest=None,
        last_used_at=EpochSeconds(6),
        disabled_at=EpochSeconds(7),
        fresh_until=EpochSeconds(8),
    )
    database.run_now(lambda tx: put_document(tx, first))
    second = client(
        FULL | {"client_name": "Renamed"},
        kind=ClientKind.METADATA_DOCUMENT,
        secret_digest=None,
        created_at=EpochSeconds(9),
        fresh_until=EpochSeconds(10),
    )
    database.run_now(lambda tx: put_document(tx, second))
    row = database.read_now(lambda tx: select_client(tx, "cli_1"))
    assert (row.name, row.metadata, row.fresh_until) == ("Renamed", second.metadata, 10)
    assert (row.created_at, row.last_used_at, row.disabled_at) == (5, 6, 7)


def test_a_document_takes_the_place_of_a_static_client_of_that_url(database):
    static = client(kind=ClientKind.STATIC, metadata=None, secret_digest=None)
    document = client(kind=ClientKind.METADATA_DOCUMENT, secret_digest=None)
    database.run_now(lambda tx: add_client(tx, static))
    database.run_now(lambda tx: put_document(tx, document))
    assert database.read_now(lambda tx: select_client(tx, "cli_1")) == document


def test_clients_come_in_the_order_they_registered(database):
    for number, created in (("b", 2), ("a", 2), ("c", 1)):
        stored = client(client_id=ClientId(number), created_at=EpochSeconds(created))
        database.run_now(lambda tx, stored=stored: add_client(tx, stored))
    rows = database.read_now(select_clients)
    assert [row.client_id for row in rows] == ["c", "a", "b"]
