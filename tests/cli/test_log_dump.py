import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit.database_log import DatabaseAuditLog
from remit.audit.events import GrantRevoked
from remit.cli.exits import ExitCode


@pytest.fixture
def server_url(request, postgres):
    name = request.getfixturevalue("_migrated_postgres")
    postgres.empty(name)
    return postgres.url(name)


@pytest.fixture
def logs(server_url):
    for name in ("one", "two"):
        log = DatabaseAuditLog(
            server_url, Ed25519PrivateKey.generate(), origin=f"remit/{name}", holder="here"
        )
        log.record([GrantRevoked(reason="over")])
        log.close()


@pytest.mark.usefixtures("logs")
def test_logs_are_copied_and_a_copy_is_gone_on_with(cli, server_url, tmp_path):
    copy = tmp_path / "copy"
    done = cli("audit", "dump", str(copy), "--database-url", server_url)
    assert done.out.splitlines() == [
        f"remit/{name}: 3 records, 3 of them new, in {copy / name}" for name in ("one", "two")
    ]
    assert "audit log verified" in cli("audit", "verify", str(copy)).out
    again = json.loads(
        cli("audit", "dump", str(copy), "--log", "two", "--json", "--database-url", server_url).out
    )
    assert again == [{"log": "remit/two", "folder": str(copy / "two"), "size": 3, "added": 0}]


@pytest.mark.usefixtures("logs")
def test_a_log_that_is_not_there_is_told(cli, server_url, tmp_path):
    done = cli("audit", "dump", str(tmp_path), "--log", "three", "--database-url", server_url)
    assert done.code != ExitCode.DONE
    assert "no log of `three`" in done.err


def test_logs_that_are_files_are_copied_as_they_are(cli, tmp_path):
    done = cli("audit", "dump", str(tmp_path / "copy"))
    assert done.code != ExitCode.DONE
    assert "the logs are files" in done.err
    assert not (tmp_path / "copy").exists()
