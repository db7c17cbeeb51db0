"""What an authority of time says of a checkpoint: that it existed then, in the word of somebody who has to do with neither log nor witness.

    <stream>/timestamps/<size>.note   the signed note, byte for byte what was stamped
    <stream>/timestamps/<size>.tsr    the authority's response, DER

A token counts if its certificate descends from one of those that are believed, and was valid when it stamped. One of
another authority is no evidence; one over another note is a fault. Needs the package
`remit-audit-verify[timestamps]`: asked for without it, that is an error and no verdict.

Source: RFC 3161 §2.4; AUDIT §1.4.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256, sha384, sha512
from pathlib import Path
from types import ModuleType
from typing import Final

from cryptography import x509

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.expected import Expected
from remit_audit_verify.files import read_file
from remit_audit_verify.note import BadCheckpointError
from remit_audit_verify.report import Problem, StreamReport, Verdict
from remit_audit_verify.stream_files import MAX_NOTE

try:
    import rfc3161_client
except ImportError:  # an extra
    _CLIENT: ModuleType | None = None
else:
    _CLIENT = rfc3161_client

__all__ = [
    "TIMESTAMPS",
    "BadTimestampError",
    "UnbelievedStampError",
    "read_roots",
    "stamped_checkpoints",
    "stamped_time",
]

TIMESTAMPS: Final = "timestamps"
_NAME: Final = re.compile(r"[0-9]{20}\.note")
_MAX_RESPONSE: Final = 1024 * 1024
_HASHES: Final = {
    "2.16.840.1.101.3.4.2.1": sha256,
    "2.16.840.1.101.3.4.2.2": sha384,
    "2.16.840.1.101.3.4.2.3": sha512,
}
_HOSTILE: Final = (ValueError, TypeError, ArithmeticError, AssertionError, AttributeError)
"""What the reader of tokens raises over something that is none."""


class BadTimestampError(VerifyError):
    """A token that does not hold, or none that can be checked here."""


class UnbelievedStampError(BadTimestampError):
    """A token over the right note, by nobody who is believed."""


def stamped_time(note: bytes, response: bytes, roots: bytes) -> int:
    """When the authority saw `note`, in seconds. `roots` are certificates in PEM.

    Raises:
        UnbelievedStampError: the token is over `note`, and by no authority that descends from `roots`.
        BadTimestampError: `response` holds no token over `note`; there is no certificate in `roots`; or the extra is
            not installed.
    """
    if _CLIENT is None:
        raise BadTimestampError("time stamps need the package `remit-audit-verify[timestamps]`")
    builder = _CLIENT.VerifierBuilder(roots=read_roots(roots))
    try:
        answer = _CLIENT.decode_timestamp_response(response)
        imprint, time = answer.tst_info.message_imprint, answer.tst_info.gen_time
        made = _HASHES.get(imprint.hash_algorithm.dotted_string)
        over = made is not None and made(note).digest() == imprint.message
        seconds = int(time.timestamp())
    except _HOSTILE as error:
        raise BadTimestampError("the time stamp cannot be read", cause=error) from error
    if not over:
        raise BadTimestampError("the time stamp is not of this checkpoint")
    try:
        builder.build().verify_message(answer, note)
    except (*_HOSTILE, _CLIENT.VerificationError) as error:
        detail = "the time stamp is not of an authority that is believed"
        raise UnbelievedStampError(detail, cause=error) from error
    return seconds


def read_roots(roots: bytes) -> list[x509.Certificate]:
    """The certificates in a PEM file, each once.

    Raises:
        BadTimestampError: there is none, or what is none.
    """
    try:
        return list(dict.fromkeys(x509.load_pem_x509_certificates(roots)))
    except ValueError as error:
        raise BadTimestampError("there are no certificates to believe", cause=error) from error


def stamped_checkpoints(
    folder: Path, roots: bytes, opened: Callable[[str], Expected], report: StreamReport
) -> Iterator[Expected]:
    """The stamped checkpoints of the log in `folder`, in order; `opened` reads a note, and refuses what is none of the log's.

    Raises:
        OSError: one cannot be read.
        BadTimestampError: stamps are asked for, and the extra is not installed, or `roots` hold no certificate.
    """
    if roots and _CLIENT is None:
        raise BadTimestampError("time stamps need the package `remit-audit-verify[timestamps]`")
    if roots:
        read_roots(roots)
    found = folder / TIMESTAMPS
    names = sorted(one.name for one in found.iterdir()) if found.is_dir() else []
    for name in names:
        if _NAME.fullmatch(name) is None:
            continue
        note = read_file(found / name, MAX_NOTE)
        try:
            one = _of_size(opened(note.decode()), int(name.removesuffix(".note")))
            if roots:
                response = read_file((found / name).with_suffix(".tsr"), _MAX_RESPONSE)
                time = stamped_time(note, response, roots)
                one = replace(one, time=time, stamp=True, elsewhere=True)
        except FileNotFoundError:
            pass  # the process died between the two; the note is one like any other
        except UnbelievedStampError as error:
            problem = Problem("stamp", f"{TIMESTAMPS}/{name}", what=str(error))
            report.add(problem, Verdict.INCOMPLETE)
        except (BadCheckpointError, BadTimestampError, UnicodeDecodeError) as error:
            problem = Problem("stamp", f"{TIMESTAMPS}/{name}", what=str(error))
            report.add(problem, Verdict.TAMPERED)
            continue
        yield one


def _of_size(one: Expected, size: int) -> Expected:
    if one.size != size:
        raise BadTimestampError("is of another size than its name")
    return one
