"""The keys that Remit makes for itself at its first start, sealed in the database.

Processes that share a database share them: whoever is first makes one, the others
find it. Refused: a database whose keys were sealed with another master key. What signs
the log is among them only where no signer has it (`app.log_signer`).
"""

from contextlib import closing

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import Redactor
from remit.audit.record_seal import RecordSeal
from remit.clock import Clock
from remit.db import Database
from remit.secrets import MasterKey, SecretBox, forget_secret, keep_secret, sealed_secret

__all__ = [
    "RECORD_SEAL",
    "forget_signing_key",
    "handed_over_key",
    "open_redactor",
    "open_signing_key",
]

_REDACTION = "remit:audit-redaction:v1"
RECORD_SEAL = "remit:record-seal:v1"
"""What the master key makes the key of, under which records hold what they must not show."""


def open_redactor(master: MasterKey) -> Redactor:
    """What arguments are pseudonymised with, and what is sealed in records."""
    return Redactor(master.derive(_REDACTION), record_seal=RecordSeal(master.derive(RECORD_SEAL)))


def open_signing_key(
    url: str, master: MasterKey, *, instance: str, clock: Clock
) -> Ed25519PrivateKey:
    """The key that signs this instance's audit stream inside this process; made if there is none.

    Read over a connection of its own: the database proper is opened with the log as its
    recorder, and the log needs the key first.

    Raises:
        SealBrokenError: it was sealed with another master key.
        DatabaseUnavailableError: the database does not answer.
    """
    made = Ed25519PrivateKey.generate().private_bytes_raw()
    box, name = SecretBox(master), _name(instance)
    with closing(Database.open(url, pool=1)) as database:
        kept = database.run_now(lambda tx: keep_secret(tx, box, name, secret=made, now=clock.now()))
    return Ed25519PrivateKey.from_private_bytes(kept)


def handed_over_key(url: str, master: MasterKey, *, instance: str) -> bytes | None:
    """The seed of that key, where the log was signed by it before it had a signer; `None` mostly.

    Raises:
        SealBrokenError, DatabaseUnavailableError: as `open_signing_key`.
    """
    box, name = SecretBox(master), _name(instance)
    with closing(Database.open(url, pool=1)) as database:
        return database.read_now(lambda tx: sealed_secret(tx, box, name))


def forget_signing_key(url: str, *, instance: str) -> None:
    """Remove that key: the signer has it, and from now on nobody else.

    Raises:
        DatabaseUnavailableError: the database does not answer.
    """
    name = _name(instance)
    with closing(Database.open(url, pool=1)) as database:
        database.run_now(lambda tx: forget_secret(tx, name))


def _name(instance: str) -> str:
    return f"audit-signing:{instance}"
