"""The numbers of the audit log and of the disk it is on, for Prometheus.

Each is read off when somebody looks. What to be woken for: `remit_audit_held`, and the disk beyond 0.8.
"""

import shutil
from pathlib import Path

from remit.app.metrics import Metrics
from remit.audit import DurableAuditLog

__all__ = ["show_log"]


def show_log(metrics: Metrics, log: DurableAuditLog, data: Path) -> None:
    """Show how `log` is doing, and how full the disk with the folder `data` is."""
    status = log.status
    shown = (
        ("remit_audit_records", "Records in the log.", lambda: status().size),
        ("remit_audit_queue", "Events on their way to the disk.", lambda: status().waiting),
        (
            "remit_audit_unsigned",
            "Records that no checkpoint signs yet.",
            lambda: status().size - status().checkpointed,
        ),
        (
            "remit_audit_unsigned_seconds",
            "Since the signer was lost; 0 while there is one.",
            lambda: status().unsigned_for,
        ),
        (
            "remit_audit_held",
            "1 while the log takes nothing, or nothing but what takes rights away.",
            lambda: int(status().failure is not None),
        ),
        (
            "remit_audit_reserve_bytes",
            "What is left of the space that is kept for the day when the disk is full.",
            lambda: status().reserve or 0,
        ),
        (
            "remit_audit_disk_used_ratio",
            "How much of the disk with the data folder is used.",
            lambda: _used(data),
        ),
    )
    for name, about, read in shown:
        metrics.gauge(name, about, read)


def _used(folder: Path) -> float:
    """-1 while nobody can tell."""
    try:
        found = shutil.disk_usage(folder)
    except OSError:
        return -1.0
    return 1 - found.free / found.total if found.total else 0.0
