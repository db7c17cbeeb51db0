"""What a command line hands over: keys, or files with keys; files with a policy, with receipts; an age."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.files import read_given
from remit_audit_verify.policy import NO_POLICY, Policy, parse_policy
from remit_audit_verify.receipts import BadReceiptError, Receipt, read_receipts
from remit_audit_verify.stream_files import MAX_NOTE
from remit_audit_verify.timestamps import read_roots

__all__ = [
    "MAX_GIVEN",
    "BadOptionError",
    "read_age",
    "read_kept",
    "read_keys",
    "read_policy",
    "read_receipt_files",
    "read_root_file",
]

MAX_GIVEN: Final = 4 * 1024 * 1024
"""Bytes of a file with keys, a policy, a note, a proof or certificates."""
_MAX_RECEIPTS: Final = 512 * 1024 * 1024
_AGE: Final = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>[smhd]?)")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


class BadOptionError(VerifyError):
    """An option that cannot be understood."""


def read_keys(given: Sequence[str]) -> list[str]:
    """Keys, and the lines of files with keys.

    Raises:
        BadOptionError: there is no key in such a file.
        UnicodeDecodeError, OSError: it cannot be read.
    """
    found: list[str] = []
    for one in given:
        if "+" in one and not Path(one).is_file():
            found.append(one)
        else:
            lines = read_given(Path(one), MAX_GIVEN).decode().split()
            if not lines:
                raise BadOptionError(f"{one}: there is no key in it")
            found += lines
    return found


def read_kept(paths: Sequence[Path]) -> list[str]:
    """The checkpoints that were kept, one a file.

    Raises:
        UnicodeDecodeError, OSError: one cannot be read.
    """
    return [read_given(path, MAX_NOTE).decode() for path in paths]


def read_root_file(path: Path | None) -> bytes:
    """The certificates in a file, as PEM; empty where there is no file.

    Raises:
        BadTimestampError: there is none in it.
        OSError: it cannot be read.
    """
    if path is None:
        return b""
    roots = read_given(path, MAX_GIVEN)
    read_roots(roots)
    return roots


def read_policy(path: Path | None) -> Policy:
    """The policy in a file; the one that demands nothing where there is none.

    Raises:
        BadPolicyError: it is none.
        OSError: it cannot be read.
    """
    if path is None:
        return NO_POLICY
    return parse_policy(read_given(path, MAX_GIVEN).decode("utf-8", errors="surrogateescape"))


def read_receipt_files(paths: Sequence[Path]) -> tuple[Receipt, ...]:
    """The receipts in files, each once.

    Raises:
        BadReceiptError: there are none in one of them.
        OSError: one of them cannot be read.
    """
    found: set[Receipt] = set()
    for path in paths:
        try:
            found.update(read_receipts(read_given(path, _MAX_RECEIPTS).decode("utf-8-sig")))
        except BadReceiptError as error:
            raise BadReceiptError(f"{path}: {error.detail}", cause=error) from error
    return tuple(sorted(found))


def read_age(text: str) -> int:
    """Seconds: `90`, `15m`, `6h`, `2d`.

    Raises:
        BadOptionError: another form.
    """
    match = _AGE.fullmatch(text)
    if match is None:
        raise BadOptionError(f"no age: {text!a}")
    return int(match["number"]) * _UNITS[match["unit"]]
