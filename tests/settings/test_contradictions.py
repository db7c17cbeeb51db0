from pathlib import Path
from typing import Any

import pytest

from remit.settings.contradictions import contradictions
from remit.settings.model import Settings


def found(**values: Any) -> list[tuple[str, str]]:
    settings = Settings.model_validate(values)
    return [(one.field, one.message) for one in contradictions(settings, given=frozenset(values))]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"public_url": "https://remit.example"},
        {"public_url": "http://localhost:8600"},
        {"host": "0.0.0.0", "public_url": "https://remit.example"},
        {"database_url": "postgresql://db/remit", "database_pool": 20},
        {"database_url": "env:DATABASE_URL", "database_pool": 20},
        {"database_url": "postgresql://db/remit", "audit_store": "database"},
        {"database_url": "postgresql://db/remit", "audit_store": "files"},
        {"audit_store": "files"},
        {"trusted_proxies": "10.0.0.0/8"},
        {"repo": "policies", "data": "policies-data"},
    ],
)
def test_what_goes_together(values: dict[str, Any]) -> None:
    assert found(**values) == []


def test_plain_http_is_for_loopback_only() -> None:
    ((field, message),) = found(public_url="http://remit.example")
    assert field == "public_url"
    assert "unencrypted" in message


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "remit.example"])
def test_an_open_host_must_say_where_clients_reach_it(host: str) -> None:
    ((field, _),) = found(host=host)
    assert field == "host"


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_nobody_may_trust_everybody(everybody: str) -> None:
    ((field, message),) = found(trusted_proxies=f"10.0.0.5,{everybody}")
    assert field == "trusted_proxies"
    assert "forge" in message


def test_sqlite_takes_no_pool() -> None:
    ((field, _),) = found(database_pool=4)
    assert field == "database_pool"


def test_sqlite_takes_no_audit_log() -> None:
    ((field, message),) = found(audit_store="database")
    assert field == "audit_store"
    assert "waits for it" in message


def test_no_process_is_called_as_the_joined_log_is() -> None:
    ((field, _),) = found(instance="joined")
    assert field == "instance"


@pytest.mark.parametrize(
    ("repo", "data"), [("policies", "policies/data"), ("data/policies", "data"), ("one", "one")]
)
def test_state_and_policies_stay_apart(repo: str, data: str, tmp_path: Path) -> None:
    ((field, message),) = found(repo=tmp_path / repo, data=tmp_path / data)
    assert field == "data"
    assert "one inside the other" in message
