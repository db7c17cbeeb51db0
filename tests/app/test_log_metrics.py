"""Prometheus is told how the log and its disk are doing."""

from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.app.log_metrics import show_log
from remit.app.metrics import Metrics
from remit.audit import AuditUnavailableError, FileAuditLog, StreamSettings
from remit.audit.events import GrantRevoked
from remit.testing.disk import SimulatedDisk

MIB = 1024 * 1024


@pytest.fixture
def disk():
    return SimulatedDisk()


@pytest.fixture
def log(tmp_path, disk):
    settings = StreamSettings(folder=tmp_path / "main", origin="test/main", reserve_bytes=8 * MIB)
    log = FileAuditLog(settings, Ed25519PrivateKey.generate(), disk=disk)
    with closing(log):
        yield log
        disk.mend()


def numbers(metrics) -> dict[str, float]:
    lines = metrics.exposition().decode().splitlines()
    return {
        name: float(value)
        for name, value in (line.split(" ") for line in lines if line.startswith("remit_audit_"))
        if "{" not in name
    }


@pytest.fixture
def metrics(log, tmp_path):
    metrics = Metrics(version="0", is_server=lambda _: False)
    show_log(metrics, log, tmp_path)
    return metrics


def test_a_log_that_is_well_says_so(metrics, log):
    log.record([GrantRevoked(reason="")])
    found = numbers(metrics)
    assert found["remit_audit_records"] == 2
    assert found["remit_audit_held"] == found["remit_audit_unsigned_seconds"] == 0
    assert found["remit_audit_reserve_bytes"] == 8 * MIB
    assert 0 < found["remit_audit_disk_used_ratio"] < 1


def test_a_log_on_a_full_disk_is_held_and_its_reserve_shrinks(metrics, log, disk):
    disk.room = 0
    log.record([GrantRevoked(reason="")])
    found = numbers(metrics)
    assert found["remit_audit_held"] == 1
    assert found["remit_audit_reserve_bytes"] == 4 * MIB


def test_a_broken_disk_is_held_too(metrics, log, disk):
    disk.break_down()
    with pytest.raises(AuditUnavailableError):
        log.record([GrantRevoked(reason="")])
    assert numbers(metrics)["remit_audit_held"] == 1


def test_a_disk_that_is_gone_has_no_use(log, tmp_path):
    metrics = Metrics(version="0", is_server=lambda _: False)
    show_log(metrics, log, tmp_path / "nowhere")
    assert numbers(metrics)["remit_audit_disk_used_ratio"] == -1
