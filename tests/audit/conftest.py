from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import Actor, ActorType, Context, FileAuditLog, Network, StreamSettings, Trace
from remit.audit.events import Decided
from remit.testing.clock import FixedClock
from remit.testing.disk import SimulatedDisk

OpenLog = Callable[..., FileAuditLog]


@pytest.fixture
def log_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def stream(tmp_path: Path) -> StreamSettings:
    return StreamSettings(folder=tmp_path / "audit" / "main", origin="example.test/main")


@pytest.fixture
def disk() -> SimulatedDisk:
    return SimulatedDisk()


@pytest.fixture
def open_log(
    stream: StreamSettings, log_key: Ed25519PrivateKey, clock: FixedClock
) -> Iterator[OpenLog]:
    """Opens the stream, with a real or simulated disk; closes what a test leaves open."""
    opened: list[FileAuditLog] = []

    def open_log(**changes) -> FileAuditLog:
        settings = changes.pop("settings", stream)
        key = changes.pop("key", log_key)
        log = FileAuditLog(settings, key, **{"clock": clock, **changes})
        opened.append(log)
        return log

    yield open_log
    for log in opened:
        if isinstance(log._stream._disk, SimulatedDisk):
            log._stream._disk.mend()
        log.close()


@pytest.fixture
def decided() -> Decided:
    return Decided(
        context=Context(
            actor=Actor(ActorType.AGENT, "support-assistant"),
            tenant="acme",
            environment="prod",
            user_id="usr_1",
            agent_id="support-assistant",
            client_id="cli_1",
            grant_id="gra_1",
            network=Network("192.0.2.7", "example/1.0"),
            trace=Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"),
        ),
        decision_id="dec_1",
        server="crm",
        method="tools/call",
        name="accounts.get",
        outcome="allow",
        reason="allowed",
        scopes_required=("crm:accounts.read",),
        policy_version="a" * 64,
    )
