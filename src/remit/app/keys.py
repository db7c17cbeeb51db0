"""The keys that Remit makes for itself at its first start, sealed in the database.

Processes that share a database share them: whoever is first makes one, the others
find it. Refused: a database whose keys were sealed with another master key.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import Redactor
from remit.audit.record_seal import RecordSeal
from remit.clock import Clock
from remit.db import Database
from remit.secrets import MasterKey, SecretBox, keep_secret

__all__ = ["RECORD_SEAL", "AuditKeys", "open_audit_keys"]

_REDACTION = "remit:audit-redaction:v1"
RECORD_SEAL = "remit:record-seal:v1"
"""What the master key makes the key of, under which records hold what they must not show."""


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """What the audit log signs with, and what arguments are pseudonymised with."""

    signing: Ed25519PrivateKey
    redactor: Redactor


def open_audit_keys(url: str, master: MasterKey, *, instance: str, clock: Clock) -> AuditKeys:
    """The keys of this instance's audit stream.

    Read over a connection of its own: the database proper is opened with the log as its
    recorder, and the log needs the key first.

    Raises:
        SealBrokenError: they were sealed with another master key.
        DatabaseUnavailableError: the database does not answer.
    """
    made = Ed25519PrivateKey.generate().private_bytes_raw()
    box = SecretBox(master)
    database = Database.open(url, pool=1)
    try:
        kept = database.run_now(
            lambda tx: keep_secret(
                tx, box, f"audit-signing:{instance}", secret=made, now=clock.now()
            )
        )
    finally:
        database.close()
    return AuditKeys(
        signing=Ed25519PrivateKey.from_private_bytes(kept),
        redactor=Redactor(
            master.derive(_REDACTION), record_seal=RecordSeal(master.derive(RECORD_SEAL))
        ),
    )
