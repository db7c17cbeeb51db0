"""What happened, provably.

Writing: `FileAuditLog(StreamSettings(folder=…, origin=…), key)` is an `AuditLog` and a
`db.Recorder`; `append` returns when the event is on stable storage. Events are the classes of
`audit.events`, in a `Context`. A tool's arguments go through a `Redactor` first.

Reading: `tail` for people, `newest`, `read_events` and `follow` for programs, `Query` to choose.

Verifying: `verify_log(path)` reads only files; `render_report` says what it found, and
`report.exit_code` is 0 valid, 1 tampered with, 2 not enough evidence.

The format is in docs/reference/audit-log.md, the events in docs/reference/events.md.
"""

from remit.audit import events
from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.audit.durable_log import DurableAuditLog
from remit.audit.ending import LogEnding, verify_ending
from remit.audit.entry import BadEntryError, Producer
from remit.audit.event import Durability, Event
from remit.audit.file_log import FileAuditLog
from remit.audit.flood import FloodLimits, TallyingAuditLog
from remit.audit.port import AuditLog, AuditUnavailableError, Receipt
from remit.audit.query import Query, follow, newest, read_events
from remit.audit.recovery import AuditLogDamagedError
from remit.audit.redact import Redaction, Redactor
from remit.audit.stream import AuditLogLockedError, StreamSettings
from remit.audit.table import Row, render_rows, row, tail
from remit.audit.waiting import LogStatus
from remit_audit_verify.note import BadCheckpointError, Checkpoint, VerifierKey
from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport
from remit_audit_verify.saying import render_report
from remit_audit_verify.verify import verify_log

__all__ = [
    "Actor",
    "ActorType",
    "AuditLog",
    "AuditLogDamagedError",
    "AuditLogLockedError",
    "AuditUnavailableError",
    "BadCheckpointError",
    "BadEntryError",
    "Checkpoint",
    "Context",
    "Durability",
    "DurableAuditLog",
    "Event",
    "FileAuditLog",
    "FloodLimits",
    "LogEnding",
    "LogStatus",
    "Network",
    "Problem",
    "Producer",
    "Query",
    "Receipt",
    "Redaction",
    "Redactor",
    "Row",
    "StreamReport",
    "StreamSettings",
    "TallyingAuditLog",
    "Trace",
    "Verdict",
    "VerifierKey",
    "VerifyReport",
    "events",
    "follow",
    "newest",
    "read_events",
    "render_report",
    "render_rows",
    "row",
    "tail",
    "verify_ending",
    "verify_log",
]
