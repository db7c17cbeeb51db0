"""What an authority of time says of a checkpoint: that it existed then, in the word of somebody who has to do with neither log nor witness.

    <stream>/timestamps/<size>.note   the signed note, byte for byte what was stamped
    <stream>/timestamps/<size>.tsr    the authority's response, DER

A token counts if its certificate descends from one of those that are believed. Needs the package
`remit-audit-verify[timestamps]`: asked for without it, that is an error and no verdict.

Source: RFC 3161 §2.4; AUDIT §1.4.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Final

from cryptography import x509

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.expected import Expected
from remit_audit_verify.note import BadCheckpointError
from remit_audit_verify.report import Problem, StreamReport, Verdict

try:
    import rfc3161_client
except ImportError:  # an extra
    _CLIENT: ModuleType | None = None
else:
    _CLIENT = rfc3161_client

__all__ = ["TIMESTAMPS", "BadTimestampError", "stamped_checkpoints", "stamped_time"]

TIMESTAMPS: Final = "timestamps"
_NAME: Final = re.compile(r"[0-9]{20}\.note")


class BadTimestampError(VerifyError):
    """A token that does not hold, or none that can be checked here."""


def stamped_time(note: bytes, response: bytes, roots: bytes) -> int:
    """When the authority saw `note`, in seconds. `roots` are certificates in PEM.

    Raises:
        BadTimestampError: `response` holds no token over `note` by an authority that descends from `roots`; or the
            extra is not installed.
    """
    if _CLIENT is None:
        raise BadTimestampError("time stamps need the package `remit-audit-verify[timestamps]`")
    try:
        builder = _CLIENT.VerifierBuilder()
        for certificate in x509.load_pem_x509_certificates(roots):
            builder = builder.add_root_certificate(certificate)
        answer = _CLIENT.decode_timestamp_response(response)
        builder.build().verify_message(answer, note)
        time: datetime = answer.tst_info.gen_time
    except (ValueError, _CLIENT.VerificationError) as error:
        raise BadTimestampError("the time stamp does not hold", cause=error) from error
    return int(time.timestamp())


def stamped_checkpoints(
    folder: Path, roots: bytes, opened: Callable[[str], Expected], report: StreamReport
) -> Iterator[Expected]:
    """The stamped checkpoints of the log in `folder`, in order; `opened` reads a note, and refuses what is none of the log's.

    Raises:
        OSError: one cannot be read.
        BadTimestampError: stamps are asked for, and the extra is not installed.
    """
    if roots and _CLIENT is None:
        raise BadTimestampError("time stamps need the package `remit-audit-verify[timestamps]`")
    found = folder / TIMESTAMPS
    names = sorted(one.name for one in found.iterdir()) if found.is_dir() else []
    for name in names:
        if _NAME.fullmatch(name) is None:
            continue
        note = (found / name).read_bytes()
        try:
            one = _of_size(opened(note.decode()), int(name.removesuffix(".note")))
            if roots:
                response = (found / name).with_suffix(".tsr").read_bytes()
                time = stamped_time(note, response, roots)
                one = replace(one, time=time, stamp=True, elsewhere=True)
        except FileNotFoundError:
            pass  # the process died between the two; the note is one like any other
        except (BadCheckpointError, BadTimestampError, UnicodeDecodeError) as error:
            problem = Problem("stamp", f"{TIMESTAMPS}/{name}", what=str(error))
            report.add(problem, Verdict.TAMPERED)
            continue
        yield one


def _of_size(one: Expected, size: int) -> Expected:
    if one.size != size:
        raise BadTimestampError("is of another size than its name")
    return one
