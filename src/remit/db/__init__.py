"""Connections, the only transaction there is, and the migrations.

Refuses: a change whose events are not on stable storage; a schema it does not know.
"""

from remit.db.database import Database, DatabaseUnavailableError
from remit.db.metadata import metadata
from remit.db.migrate import MigrationError, migrate
from remit.db.prepared import Prepared
from remit.db.transaction import NoRecorder, Recorder, Transaction, UnrecordedEventError
from remit.db.upsert import conflict_insert
from remit.db.url import UnsupportedDatabaseError

__all__ = [
    "Database",
    "DatabaseUnavailableError",
    "MigrationError",
    "NoRecorder",
    "Prepared",
    "Recorder",
    "Transaction",
    "UnrecordedEventError",
    "UnsupportedDatabaseError",
    "conflict_insert",
    "metadata",
    "migrate",
]
