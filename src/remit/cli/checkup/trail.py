"""Whether the audit log ends as it was written: a damaged one keeps the next `remit serve` from starting."""

from collections.abc import Iterator
from pathlib import Path

from remit.audit import AuditLogDamagedError, verify_ending
from remit.cli.checkup.finding import Finding, fine, unsafe

__all__ = ["examine_log"]


def examine_log(data: Path) -> Iterator[Finding]:
    """The last segment of each stream, whoever writes it; older ones are for `remit audit verify`."""
    audit = data / "audit"
    folders = sorted(path for path in audit.iterdir() if path.is_dir()) if audit.is_dir() else []
    for folder in folders:
        verify = f"remit audit verify {folder}"
        try:
            found = verify_ending(folder)
        except AuditLogDamagedError as error:
            mend = f"keep `{folder}` as it is, and see what {verify} says"
            yield unsafe("audit log", f"`{folder.name}`: {error.detail}", mend=mend)
        except OSError as error:
            mend = "run it as the user of the server"
            yield unsafe("audit log", f"`{folder.name}`: {error.strerror or error}", mend=mend)
        else:
            older = f"; {verify} reads those before too" if found.first else ""
            what = (
                f"its last segment, records {found.first} to {found.size - 1}, is as written{older}"
            )
            yield fine("audit log", f"`{folder.name}`: {what}")
