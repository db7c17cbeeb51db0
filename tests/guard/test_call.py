import pytest

from remit.audit.context import Context
from remit.guard import Call


@pytest.mark.parametrize(
    ("version", "replaces"),
    [("2026-07-28", False), ("2027-01-01", False), ("2025-11-25", True), (None, True)],
)
def test_clients_before_2026_replace_their_scopes_at_a_step_up(version, replaces):
    call = Call(
        server="crm", method="ping", authorization=(), context=Context(), protocol_version=version
    )
    assert call.replaces_scopes is replaces
