"""What witnesses signed, kept with a checkpoint in the database."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit.database_log import DatabaseAuditLog
from remit.audit.database_source import DatabaseSource
from remit.audit.witnessed_store import keep_witnessed
from remit_audit_verify.note import parse_checkpoint

LOG = "remit/main"


@pytest.fixture
def source(database, database_url, clock):
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    DatabaseAuditLog(database_url, key, origin=LOG, holder="here", clock=clock).close()
    return DatabaseSource(database)


def test_a_note_with_cosignatures_is_the_one_that_is_read(source, database):
    note = source.checkpoint(LOG)
    size = parse_checkpoint(note).checkpoint.size
    assert database.run_now(lambda tx: keep_witnessed(tx, LOG, size, f"{note}— w AAAA\n"))
    assert source.checkpoint(LOG) == f"{note}— w AAAA\n"


@pytest.mark.parametrize(("log", "more"), [(LOG, 1), ("remit/other", 0)], ids=["size", "log"])
def test_a_note_of_no_checkpoint_is_kept_nowhere(source, database, log, more):
    note = source.checkpoint(LOG)
    size = parse_checkpoint(note).checkpoint.size + more
    assert not database.run_now(lambda tx: keep_witnessed(tx, log, size, "changed"))
    assert source.checkpoint(LOG) == note
