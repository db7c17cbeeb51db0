import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.app.log_key import LogKey
from remit.audit.context import Context
from remit.audit.port import AuditUnavailableError
from remit.audit.signing import LocalSigner
from remit.errors import ConflictError
from remit.signer.channel import ChildChannel
from remit.signer.remote import RemoteSigner
from remit.testing.audit import InMemoryAuditLog


async def test_a_key_inside_the_process_is_not_changed():
    audit = InMemoryAuditLog()
    signer = LocalSigner("remit/main", Ed25519PrivateKey.generate())
    with pytest.raises(ConflictError, match="inside this process"):
        await LogKey(signer, audit).change(Context())
    assert audit.events == []


async def test_a_change_that_cannot_be_recorded_is_none_and_goes_on_where_it_was(tmp_path):
    audit = InMemoryAuditLog()
    signer = RemoteSigner("remit/main", ChildChannel(tmp_path / "signer", seal=b"s" * 32))
    try:
        key = LogKey(signer, audit)
        audit.failing = True
        with pytest.raises(AuditUnavailableError):
            await key.change(Context())
        proposed = signer.propose()
        audit.failing = False
        former, verifier = await key.change(Context())
        assert (former, verifier) == (str(signer.verifier), str(proposed))
        (told,) = audit.events
        assert (told.kind, told.former, told.verifier) == ("audit.key_changed", former, verifier)
    finally:
        signer.close()
