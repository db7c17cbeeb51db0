"""What the audit log is worth to somebody who does not trust whoever keeps it, as `audit.yaml` and the settings have it.

Nothing here is reached over the network: what a witness or a sink that is away means, the server's log and its metrics say.

Source: AUDIT §1.4 (which attack is noticed by what).
"""

from collections.abc import Iterator
from pathlib import Path

from remit.cli.checkup.finding import Finding, down, fine, note
from remit.cli.terminal import counted
from remit.clock import Seconds
from remit.model import AuditRules
from remit.settings import AuditStore, Settings

__all__ = ["examine_evidence"]

_YEAR = Seconds(365 * 86_400)
_ABOUT = "evidence"


def examine_evidence(
    rules: AuditRules, settings: Settings, *, signer: str | None = None
) -> Iterator[Finding]:
    """Who vouches for the log, who has a copy, and how long it is kept. `signer`: who signs, as a server that runs says."""
    yield from _vouched(rules)
    yield from _signed(signer or _expected(settings))
    yield from _trusted(rules)
    yield _copied(rules)
    yield from _kept(rules)


def _expected(settings: Settings) -> str:
    """Who would sign, if a server was started on this."""
    if settings.audit_signer != "auto":
        return settings.audit_signer
    log = settings.data / "audit" / settings.instance
    in_files = settings.is_sqlite or settings.audit_store is AuditStore.FILES or log.is_dir()
    return "process" if in_files or (settings.data / "signer").is_dir() else "inside"


def _signed(signer: str) -> Iterator[Finding]:
    if signer == "inside":
        yield note(
            _ABOUT,
            "the server itself holds the key of its log, sealed in the database",
            mend="run `remit signer serve` as another user, and name its socket in `audit_signer`; where the disk stays, "
            "`audit_signer: process`",
        )
    elif signer == "process":
        yield fine(_ABOUT, "a child of the server signs the log, and remembers what it signed")
    else:
        yield fine(_ABOUT, f"the signer at `{signer}` signs the log, and remembers what it signed")


def _vouched(rules: AuditRules) -> Iterator[Finding]:
    if rules.witnesses:
        named = ", ".join(one.name for one in rules.witnesses)
        yield fine(_ABOUT, f"{rules.quorum} of {len(rules.witnesses)} have to cosign it: {named}")
    else:
        yield note(
            _ABOUT,
            "nobody elsewhere signs that the log has only grown, so whoever has its disk and its key could write it anew",
            mend="name `witnesses` in audit.yaml, or keep a checkpoint elsewhere now and then",
        )


def _trusted(rules: AuditRules) -> Iterator[Finding]:
    stamps = rules.timestamps
    if stamps is not None and not Path(stamps.roots).is_file():
        yield down(
            _ABOUT,
            f"the authorities of time stamps, `{stamps.roots}`, are not there",
            mend="put them there, or correct `timestamps` in audit.yaml",
        )
    if not rules.receipts:
        yield note(
            _ABOUT,
            "no answer carries a receipt, so a tail that is dropped is noticed by nobody outside",
            mend="leave `receipts` out of audit.yaml",
        )


def _copied(rules: AuditRules) -> Finding:
    if not rules.sinks:
        return note(
            _ABOUT,
            "nobody gets a copy: a disk that is lost is a log that is lost",
            mend="declare `sinks` in audit.yaml; `remit sinks test` tries them",
        )
    text = f"{counted(len(rules.sinks), 'sink')}: {', '.join(rules.sinks)}"
    if rules.remote_copy is not None:
        text += f"; calls of sensitivity {rules.remote_copy.sensitivity} and above wait for {rules.remote_copy.sink}"
    return fine(_ABOUT, text)


def _kept(rules: AuditRules) -> Iterator[Finding]:
    short = [name for name, length in rules.retention.kinds.items() if length < _YEAR]
    if rules.retention.records < _YEAR:
        short.insert(0, "records")
    if short:
        yield note(
            _ABOUT,
            f"kept for less than a year: {', '.join(short)}",
            mend="see `retention` in audit.yaml; most rules ask for a year",
        )
    else:
        days = rules.retention.records // 86_400
        yield fine(_ABOUT, f"records are kept for {counted(days, 'day')} at least")
    if rules.detectors_off:
        yield note(
            _ABOUT,
            f"nothing looks for {', '.join(sorted(rules.detectors_off))} in what is kept",
            mend="see `detectors` in audit.yaml",
        )
